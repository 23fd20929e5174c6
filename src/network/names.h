/* Names and addresses that several files of the room agree on; none is seen outside it. */
#pragma once

#define UPLINK_LINK "uplink" /* the way out's tap inside the VPC, made by pasta or slirp4netns */

/* Link-local, so that it can't collide with a VPC's or the machine's own range. slirp4netns derives its three addresses
 * from the /24 (.100, .2, .3); pasta is given the same. */
#define UPLINK_CIDR "169.254.200.0/24"
#define UPLINK_PREFIX 24
#define UPLINK_ADDRESS "169.254.200.100"
#define UPLINK_GATEWAY "169.254.200.2"
#define UPLINK_DNS "169.254.200.3"

#define METADATA_ADDRESS "169.254.169.254"
#define RESOLVER_LINK_LOCAL "169.254.169.253" /* AmazonProvidedDNS' second address */

/* Bits of a flow's conntrack mark: which side admitted it by an any/any rule, so that it is not tracked (EC2.md 5). */
#define MARK_UNTRACKED_IN 0x1
#define MARK_UNTRACKED_OUT 0x2
/* Packet mark of what the router itself sends. */
#define MARK_ROUTER 0x1
