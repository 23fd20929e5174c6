/* libvirt's qemu.conf for the embedded root: who QEMU runs as and in what sandbox. Only the compute room includes it. */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"

struct qemu_conf {
	unsigned uid, gid;   /* QEMU's, not root's */
	bool mount_namespace;/* QEMU gets a /dev of its own */
};

/* Looks at this machine: the accounts it has, /dev/kvm's group where kvm is to be used, what the kernel lets us do. */
int qemu_conf_probe(struct qemu_conf *ret, bool kvm, struct error *err);
/* The file's text. Pure. */
void qemu_conf_text(struct buffer *out, const struct qemu_conf *c);
