#include "base/accelerator.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/cleanup.h"
#include "base/file.h"

#define CPUINFO_MAX (4u << 20)
#define KVM_STABLE_API 12 /* Documentation/virt/kvm/api.rst: "This is always 12" */

static bool has_word(const char *line, size_t len, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= len; i++) {
		bool starts = i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t';

		if (starts && memcmp(line + i, word, n) == 0 && (i + n == len || line[i + n] == ' '))
			return true;
	}
	return false;
}

bool accelerator_cpu_virtualizes(const char *cpuinfo)
{
	for (const char *line = cpuinfo; line && *line;) {
		size_t len = strcspn(line, "\n");
		const char *colon = memchr(line, ':', len);

		/* "vmx flags" is another line, of what VMX itself can do */
		if (colon && strncmp(line, "flags", 5) == 0 && (line[5] == '\t' || line[5] == ' ' || line[5] == ':')) {
			size_t rest = len - (size_t)(colon + 1 - line);

			return has_word(colon + 1, rest, "vmx") || has_word(colon + 1, rest, "svm");
		}
		line += len + (line[len] == '\n');
	}
	return false;
}

bool accelerator_kvm_usable(const struct accelerator_facts *facts, const char **ret_why)
{
	const char *why = "KVM is usable on this machine.";
	bool usable = false;

	if (facts->open_errno == ENOENT || facts->open_errno == ENXIO || facts->open_errno == ENODEV)
		why = "This machine has no /dev/kvm: its processor or firmware offers no virtualization, or the kvm module is not "
		      "loaded.";
	else if (facts->open_errno == EACCES || facts->open_errno == EPERM)
		why = "/dev/kvm is there but may not be opened by this user; run as root or join the group kvm.";
	else if (facts->open_errno)
		why = "/dev/kvm is there but can't be opened.";
	else if (facts->api_version != KVM_STABLE_API)
		why = "/dev/kvm does not answer as KVM does (its API version is not 12).";
	else if (facts->x86 && !facts->cpuinfo)
		why = "/proc/cpuinfo can't be read, so nothing says that the processor virtualizes.";
	else if (facts->x86 && !accelerator_cpu_virtualizes(facts->cpuinfo))
		why = "/dev/kvm opens, but the processor shows neither vmx nor svm, so guests would crawl under it.";
	else
		usable = true;
	if (ret_why)
		*ret_why = why;
	return usable;
}

static void read_facts(struct accelerator_facts *facts, char **ret_text)
{
	AUTO_CLOSE int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	memset(facts, 0, sizeof *facts);
	facts->open_errno = fd < 0 ? errno : 0;
	facts->api_version = fd < 0 ? -1 : ioctl(fd, KVM_GET_API_VERSION, 0);
#if defined(__x86_64__) || defined(__i386__)
	facts->x86 = true;
#endif
	*ret_text = file_read("/proc/cpuinfo", CPUINFO_MAX, NULL, NULL);
	facts->cpuinfo = *ret_text;
}

const char *accelerator_choose(const char *wanted, const char **ret_why, struct error *err)
{
	AUTO_FREE char *text = NULL;
	struct accelerator_facts facts;
	const char *why;
	bool usable;

	if (strcmp(wanted, "tcg") == 0) {
		if (ret_why)
			*ret_why = "The setting accelerator asks for software emulation.";
		return "tcg";
	}
	read_facts(&facts, &text);
	usable = accelerator_kvm_usable(&facts, &why);
	if (!usable && strcmp(wanted, "kvm") == 0) {
		error_set(err, ERROR_ENVIRONMENT, "The setting accelerator demands KVM, which can't be used: %s", why);
		return NULL;
	}
	if (ret_why)
		*ret_why = why;
	return usable ? "kvm" : "tcg";
}
