/* The listening unix socket and who is at its other ends. */
#pragma once

#include "base/error.h"
#include "region/action.h"

#define SOCKET_GROUP "vpclab"

/* A listening socket at path (0660, owned by group SOCKET_GROUP if there is one); a stale socket there is replaced, anything
 * else is ERROR_ENVIRONMENT. The descriptor is non-blocking. */
int socket_listen(const char *path, struct error *err);
/* uid, pid and login name of a connection's peer. */
int socket_peer(int fd, struct caller *ret);
