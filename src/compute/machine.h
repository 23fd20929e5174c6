/* One virtual machine as the region wants it. Plain data; everything pointed to belongs to the caller. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

struct machine_disk {
	const char *path;   /* qcow2 */
	const char *target; /* vda... */
	const char *serial; /* seen in the guest as the disk's serial: the volume id without dash */
};

struct machine_spec {
	const char *id;        /* i-0123456789abcdef0: the domain's name */
	const char *uuid;
	unsigned vcpus;
	unsigned memory_mib;
	const char *disk;      /* root overlay, qcow2 */
	const char *base;      /* the image that disk's qcow2 header names as its backing file (qcow2, readable to everyone):
				* it is shared, so libvirt is told to leave its owner alone. NULL: libvirt follows the header */
	const char *seed;      /* NoCloud ISO, or NULL */
	const char *console_log; /* serial output is appended here */
	const char *tap;
	const char *mac;
	const char *instance_type, *region; /* SMBIOS words */
	bool kvm;              /* else TCG */
};

/* Text that XML can hold is bounded: paths and words of spec are PATH_MAX at most. */
#define MACHINE_XML_MAX (64u << 10)

/* The libvirt domain XML of spec. Pure. agent_socket: where the guest agent's channel listens, NULL for no agent. */
void machine_xml(struct buffer *out, const struct machine_spec *spec, const char *agent_socket);
/* The same for libvirt's test driver, whose machines have neither disks nor a network. Pure. */
void machine_xml_test(struct buffer *out, const struct machine_spec *spec);
