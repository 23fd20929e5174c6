/* libvirt's qemu.conf for the embedded root: who QEMU runs as and in what sandbox. Only the compute room includes it. */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"

struct qemu_conf {
	unsigned uid, gid;   /* QEMU's, not root's */
	bool mount_namespace;/* QEMU gets a /dev of its own */
};

/* Looks at this machine: the accounts it has, what the kernel lets us do. */
int qemu_conf_probe(struct qemu_conf *ret, struct error *err);
/* Gives QEMU the group that opens /dev/kvm; false where only root may open it. */
bool qemu_conf_kvm(struct qemu_conf *c);
/* The file's text. Pure. */
void qemu_conf_text(struct buffer *out, const struct qemu_conf *c);
