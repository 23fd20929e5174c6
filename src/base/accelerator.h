/* Which accelerator QEMU can truly use on this machine. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

/* wanted: auto | kvm | tcg. Returns "kvm" or "tcg" (static) and in ret_why (may be NULL) one static sentence for people. KVM only where
 * /dev/kvm opens read-write, its API version is 12 and, on x86, vmx or svm is in /proc/cpuinfo: elsewhere the device may
 * open and yet crawl. NULL with err where kvm is demanded but unusable. */
const char *accelerator_choose(const char *wanted, const char **ret_why, struct error *err);

/* What the choice rests on, read apart from it so that the choice can be tested with any machine's facts. */
struct accelerator_facts {
	int open_errno;      /* of opening /dev/kvm read-write; 0 where it opened */
	int api_version;     /* KVM_GET_API_VERSION, -1 where it can't be asked */
	bool x86;
	const char *cpuinfo; /* the text of /proc/cpuinfo; NULL where it can't be read */
};

/* True when the first processor's flags in the text of /proc/cpuinfo have vmx or svm as a whole word. Pure. */
bool accelerator_cpu_virtualizes(const char *cpuinfo);
/* Is KVM usable by these facts? ret_why as above. Pure. */
bool accelerator_kvm_usable(const struct accelerator_facts *facts, const char **ret_why);
