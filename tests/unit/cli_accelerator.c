/* KVM or not, by a machine's facts; base64. */
#include "tap.h"

#include <errno.h>

#include "base/accelerator.h"
#include "base/base64.h"
#include "base/cleanup.h"

static const char intel[] = "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu vme de vmx smx est\nvmx flags\t: vnmi\n";
static const char amd[] = "processor\t: 0\nflags\t\t: fpu svm\nbugs\t\t: spectre\n";
static const char guest[] = "processor\t: 0\nmodel name\t: vmx svm machine\nflags\t\t: fpu vme hypervisor svm_lock avmx\nvmx flags\t: vmx\n";

static void decides(bool want, int open_errno, int api, bool x86, const char *cpuinfo, const char *words)
{
	const struct accelerator_facts facts = { open_errno, api, x86, cpuinfo };
	const char *why = "";

	ok(accelerator_kvm_usable(&facts, &why) == want && strstr(why, words), "%s: %s", want ? "KVM" : "no KVM", why);
}

static void test_base64(void)
{
	static const struct {
		const char *plain, *text;
	} vectors[] = { { "", "" },	   { "f", "Zg==" },	   { "fo", "Zm8=" },	 { "foo", "Zm9v" },
			{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" } }; /* RFC 4648 section 10 */
	size_t len;

	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		AUTO_FREE char *text = base64_encode(vectors[i].plain, strlen(vectors[i].plain), NULL);
		AUTO_FREE char *plain = base64_decode(vectors[i].text, &len, NULL);

		is_str(text, vectors[i].text, "encoded");
		is_str(plain, vectors[i].plain, "decoded");
		is_int((long long)len, (long long)strlen(vectors[i].plain), "its length");
	}
	AUTO_FREE char *wrapped = base64_decode("Zm9v\nYmFy\n", &len, NULL);
	is_str(wrapped, "foobar", "line breaks are skipped");
	AUTO_FREE char *zeros = base64_decode("AAAA", &len, NULL);
	is_int((long long)len, 3, "zero bytes count");
	static const char *const bad[] = { "Z", "Zg=", "Zg", "Zm9v!", "====", "Zm=9" };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct error err = { 0 };

		ok(base64_decode(bad[i], &len, &err) == NULL && err.kind == ERROR_USAGE, "no base64: %s", bad[i]);
	}
}

int main(void)
{
	struct error err = { 0 };
	const char *why = NULL, *name;

	ok(accelerator_cpu_virtualizes(intel), "Intel's flag");
	ok(accelerator_cpu_virtualizes(amd), "AMD's flag");
	ok(!accelerator_cpu_virtualizes(guest), "parts of words, other lines and the model name don't count");
	ok(!accelerator_cpu_virtualizes(""), "no text");
	ok(!accelerator_cpu_virtualizes(NULL), "no file");
	decides(true, 0, 12, true, intel, "usable");
	decides(true, 0, 12, false, NULL, "usable");
	decides(false, ENOENT, -1, true, intel, "no /dev/kvm");
	decides(false, EACCES, -1, true, intel, "may not be opened");
	decides(false, EPERM, -1, true, intel, "may not be opened");
	decides(false, EIO, -1, true, intel, "can't be opened");
	decides(false, 0, -1, true, intel, "API version");
	decides(false, 0, 11, true, intel, "API version");
	decides(false, 0, 12, true, guest, "neither vmx nor svm");
	decides(false, 0, 12, true, NULL, "/proc/cpuinfo");
	is_str(accelerator_choose("tcg", &why, &err), "tcg", "tcg as asked");
	ok(why && strstr(why, "setting"), "and says so");
	name = accelerator_choose("auto", &why, &err);
	ok(name && (strcmp(name, "kvm") == 0 || strcmp(name, "tcg") == 0), "this machine has one: %s", name ? name : "none");
	if (name && strcmp(name, "tcg") == 0) {
		ok(accelerator_choose("kvm", &why, &err) == NULL && err.kind == ERROR_ENVIRONMENT, "KVM demanded in vain: %s", err.message);
	} else {
		is_str(accelerator_choose("kvm", &why, &err), "kvm", "KVM demanded and there");
	}
	test_base64();
	return tap_done();
}
