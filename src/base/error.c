#include "base/error.h"

#include <stdio.h>
#include <string.h>

static int set_v(struct error *err, enum error_kind kind, const char *code, const char *fmt, va_list ap)
{
	char message[ERROR_MESSAGE_MAX]; /* the old message may be one of the arguments */

	if (!err)
		return -1;
	vsnprintf(message, sizeof message, fmt, ap);
	memcpy(err->message, message, sizeof message);
	snprintf(err->code, sizeof err->code, "%s", code ? code : "");
	err->kind = kind;
	err->http_status = 0;
	return -1;
}

int error_set(struct error *err, enum error_kind kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_v(err, kind, NULL, fmt, ap);
	va_end(ap);
	return -1;
}

int error_set_code(struct error *err, enum error_kind kind, const char *code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_v(err, kind, code, fmt, ap);
	va_end(ap);
	return -1;
}

int error_set_errno(struct error *err, int errnum, const char *fmt, ...)
{
	char text[128];
	size_t used;
	va_list ap;

	va_start(ap, fmt);
	set_v(err, ERROR_ENVIRONMENT, NULL, fmt, ap);
	va_end(ap);
	if (!err)
		return -1;
	used = strlen(err->message);
	/* the GNU strerror_r: returns the text, thread safe */
	snprintf(err->message + used, sizeof err->message - used, ": %s", strerror_r(errnum, text, sizeof text));
	return -1;
}

int error_prefix(struct error *err, const char *fmt, ...)
{
	char old[ERROR_MESSAGE_MAX], context[256];
	va_list ap;

	if (!err)
		return -1;
	memcpy(old, err->message, sizeof old);
	va_start(ap, fmt);
	vsnprintf(context, sizeof context, fmt, ap);
	va_end(ap);
	if (snprintf(err->message, sizeof err->message, "%s: %s", context, old) >= (int)sizeof err->message)
		memcpy(err->message + sizeof err->message - 4, "...", 4);
	return -1;
}

int error_exit_code(const struct error *err)
{
	switch (err->kind) {
	case ERROR_NONE:
		return 0;
	case ERROR_CHECK:
		return 1;
	case ERROR_USAGE:
		return 2;
	case ERROR_TIMEOUT:
		return 4;
	case ERROR_ENVIRONMENT:
	case ERROR_INTERNAL:
		break;
	}
	return 3;
}

int error_http_status(const struct error *err)
{
	if (err->http_status)
		return err->http_status;
	switch (err->kind) {
	case ERROR_NONE:
		return 200;
	case ERROR_CHECK:
	case ERROR_USAGE:
		return 400;
	case ERROR_TIMEOUT:
		return 503;
	case ERROR_ENVIRONMENT:
	case ERROR_INTERNAL:
		break;
	}
	return 500;
}

const char *error_kind_name(enum error_kind kind)
{
	switch (kind) {
	case ERROR_NONE:
		return "none";
	case ERROR_CHECK:
		return "check";
	case ERROR_USAGE:
		return "usage";
	case ERROR_ENVIRONMENT:
		return "environment";
	case ERROR_TIMEOUT:
		return "timeout";
	case ERROR_INTERNAL:
		break;
	}
	return "internal";
}

void error_clear(struct error *err)
{
	if (err)
		memset(err, 0, sizeof *err);
}
