/* Public keys as EC2 takes them, their fingerprints (expected values by OpenSSL), and what is no key: every cut and every changed byte. */
#include "tap.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "region/key.h"

static const char ed25519_line[] = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKklUdMbJ/gWk5c0e/A0Zbrb3lsUPbe//6JVMovTJIfi me@home";
static const char rsa_line[] = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC6uU5USfOFgxIEjpn6z/4i8Hexj0ZTwnTI4vDmBt+u+7bAuVrqo3KHouNuf5YpRVa6AEARSSv45zZEkJGJkdHR+GOuQ3jHNI0HHhOY1h3ybH0VykOEeCTb4VDibggGK+j3V/lmvdL42NceTSKAVza6xhZtxhoNCnLIm5aFHOZKxw== me two";
static const char rsa_rfc4716[] =
	"---- BEGIN SSH2 PUBLIC KEY ----\n"
	"Comment: \"1024-bit RSA, converted by root@vm from OpenSSH\"\n"
	"AAAAB3NzaC1yc2EAAAADAQABAAAAgQC6uU5USfOFgxIEjpn6z/4i8Hexj0ZTwnTI4vDmBt\n"
	"+u+7bAuVrqo3KHouNuf5YpRVa6AEARSSv45zZEkJGJkdHR+GOuQ3jHNI0HHhOY1h3ybH0V\n"
	"ykOEeCTb4VDibggGK+j3V/lmvdL42NceTSKAVza6xhZtxhoNCnLIm5aFHOZKxw==\n"
	"---- END SSH2 PUBLIC KEY ----\n";
static const char rsa_rfc4716_folded[] =
	"---- BEGIN SSH2 PUBLIC KEY ----\n"
	"Comment: \\\n"
	"\"1024-bit RSA, converted by root@vm from OpenSSH\"\n"
	"AAAAB3NzaC1yc2EAAAADAQABAAAAgQC6uU5USfOFgxIEjpn6z/4i8Hexj0ZTwnTI4vDmBt\n"
	"+u+7bAuVrqo3KHouNuf5YpRVa6AEARSSv45zZEkJGJkdHR+GOuQ3jHNI0HHhOY1h3ybH0V\n"
	"ykOEeCTb4VDibggGK+j3V/lmvdL42NceTSKAVza6xhZtxhoNCnLIm5aFHOZKxw==\n"
	"---- END SSH2 PUBLIC KEY ----\n";
static const char rsa_pem[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC6uU5USfOFgxIEjpn6z/4i8Hex\n"
	"j0ZTwnTI4vDmBt+u+7bAuVrqo3KHouNuf5YpRVa6AEARSSv45zZEkJGJkdHR+GOu\n"
	"Q3jHNI0HHhOY1h3ybH0VykOEeCTb4VDibggGK+j3V/lmvdL42NceTSKAVza6xhZt\n"
	"xhoNCnLIm5aFHOZKxwIDAQAB\n"
	"-----END PUBLIC KEY-----\n";
static const char ed25519_der[] = "MCowBQYDK2VwAyEAqSVR0xsn+BaTlzR78DRlutveWxQ9t7//olUyi9Mkh+I=";
/* of no use to anybody: made for this test */
static const char rsa_private[] =
	"-----BEGIN RSA PRIVATE KEY-----\n"
	"MIICXQIBAAKBgQC6uU5USfOFgxIEjpn6z/4i8Hexj0ZTwnTI4vDmBt+u+7bAuVrq\n"
	"o3KHouNuf5YpRVa6AEARSSv45zZEkJGJkdHR+GOuQ3jHNI0HHhOY1h3ybH0VykOE\n"
	"eCTb4VDibggGK+j3V/lmvdL42NceTSKAVza6xhZtxhoNCnLIm5aFHOZKxwIDAQAB\n"
	"AoGBAJXDEsQgHCW1nrnw9idos1iqrhXH6Iw9pxWIj9avJLFgSpABGp6fQbjwOKHj\n"
	"yziG2KyOjtROb+pO6APOQCyqvDHft2SVeRY5T+e8aa7jCC7AS2MtpY+/LWYoK9vY\n"
	"4+CYXoTEM/V719Q0UPdvXvLe8jr/YFivBGdM63QA14iiI3fhAkEA9Fzu+k4YPkMW\n"
	"WhxuzFBFVA0oaTjkbbV08FkhJNWptYCtZ+F6xIqcs3I60jNymfBQVUGTKow/21WL\n"
	"Q4tDb5H9zQJBAMOdr0SokjxBF0whf/cvIYf5nyNmZLesmt65R4Gnb1GmqVe1nMPS\n"
	"Azbr2rFQLNJjGhLgsraviAUehVgkxP2NNuMCQGbp8NfIJhuqw3ImAV/Y+qnAdOGD\n"
	"zWiLAHns/7F0rum7DMzwQHUf74j/tdgrRLuiYyLU4DcOJCKqr2E9+KO3d40CQQCu\n"
	"j6FfQJq2wFM88cwS1fEzOTOk0HPiYFoXlPlVnwe8sl/90Chjqp6JvTD7+BL3b85N\n"
	"uExisANOpizSOoW7ye+HAkBFDbMIfylelgNP9O0v4oderLJmU62ZJx+229qXg+UD\n"
	"AiOzyTdSCMe5Opzz3WdD/EqrDFoQQYvaybHKmzkzPT6o\n"
	"-----END RSA PRIVATE KEY-----\n";

#define ED25519_PRINT "fVPHMlx0irngUEBrAI0c23K85lHN9WNFfM4rVxMxrQ8="
#define RSA_MD5 "ea:2e:6f:61:44:7b:bd:06:7a:de:c3:84:18:f7:37:c6"
#define RSA_SHA1 "b7:eb:7b:e5:cb:04:8c:14:5b:87:84:b3:f4:59:cf:3a:bb:4e:e0:f9"

static void test_form(const char *text, const char *print, unsigned bits, const char *what)
{
	char got[KEY_FINGERPRINT_MAX] = "";
	struct public_key k;
	struct error err = { 0 };

	ok(public_key_parse(text, strlen(text), &k, &err) == 0, "%s is read: %s", what, err.message);
	ok(public_key_fingerprint(&k, got, &err) == 0, "and has a fingerprint: %s", err.message);
	is_str(got, print, what);
	is_int(k.bits, bits, "its bits");
}

static void test_line(void)
{
	struct public_key k, again;
	AUTO_FREE char *line = NULL;
	struct error err = { 0 };

	public_key_parse(rsa_pem, strlen(rsa_pem), &k, &err);
	line = public_key_line(&k, "me two", &err);
	is_str(line, rsa_line, "a key of another form as OpenSSH's line");
	ok(public_key_parse(line, strlen(line), &again, &err) == 0 && again.blob_len == k.blob_len, "which is read again");
}

static void test_private(void)
{
	char got[KEY_FINGERPRINT_MAX] = "";
	struct error err = { 0 };

	ok(private_key_fingerprint(rsa_private, got, &err) == 0, "a private key has a fingerprint: %s", err.message);
	is_str(got, RSA_SHA1, "SHA-1 of its PKCS#8");
	ok(private_key_fingerprint(ed25519_line, got, &err) < 0, "what is none has not");
}

static void refused(const char *text, const char *what)
{
	struct public_key k;
	struct error err = { 0 };

	ok(public_key_parse(text, strlen(text), &k, &err) < 0 && strcmp(err.code, "InvalidKey.Format") == 0, "refused: %s", what);
}

/* No cut of a key is one, however it is cut. Counted rather than told one by one. */
static void test_cuts(const char *text, size_t least, const char *what)
{
	size_t taken = 0;
	struct public_key k;
	struct error err = { 0 };

	for (size_t n = 0; n < least; n++) {
		AUTO_FREE char *cut = strndup(text, n);

		taken += public_key_parse(cut, n, &k, &err) == 0;
	}
	is_int((long long)taken, 0, what);
}

/* Each byte changed: refused, or a key of a length that EC2 takes; never read past its end (sanitizers see to that). */
static void test_changes(const char *text, const char *what)
{
	size_t len = strlen(text), odd = 0;
	AUTO_FREE char *copy = strdup(text);
	struct public_key k;
	struct error err = { 0 };

	for (size_t i = 0; i < len; i++) {
		for (int bit = 0; bit < 7; bit++) {
			copy[i] = (char)(text[i] ^ (1 << bit));
			if (copy[i] && public_key_parse(copy, len, &k, &err) == 0)
				odd += k.bits != 256 && k.bits != 1024 && k.bits != 2048 && k.bits != 4096;
		}
		copy[i] = text[i];
	}
	is_int((long long)odd, 0, what);
}

int main(void)
{
	test_form(ed25519_line, ED25519_PRINT, 256, "an ed25519 line");
	test_form(ed25519_der, ED25519_PRINT, 256, "an ed25519 key's DER");
	test_form(rsa_line, RSA_MD5, 1024, "an RSA line");
	test_form(rsa_rfc4716, RSA_MD5, 1024, "RFC 4716's form");
	test_form(rsa_rfc4716_folded, RSA_MD5, 1024, "with a header that goes on");
	test_form(rsa_pem, RSA_MD5, 1024, "PEM's lines");
	test_line();
	test_private();
	refused("", "nothing");
	refused("ssh-rsa", "a word");
	refused("ssh-rsa AAAA", "a blob of nothing");
	refused("ssh-dss AAAAB3NzaC1kc3M=", "another type");
	refused("MAAwAA==", "DER of nothing");
	refused("MIT/////", "DER of a length beyond all");
	refused(rsa_private, "a private key");
	test_cuts(ed25519_line, strcspn(ed25519_line, " ") + 1 + strcspn(strchr(ed25519_line, ' ') + 1, " "), "no cut of a line is a key");
	test_cuts(rsa_pem, strlen(rsa_pem) - 1, "nor of PEM's");
	test_changes(ed25519_line, "a changed line is no odd key");
	test_changes(rsa_line, "nor RSA's");
	test_changes(rsa_pem, "nor PEM's");
	test_changes(ed25519_der, "nor DER");
	return tap_done();
}
