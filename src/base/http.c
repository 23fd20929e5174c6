#include "base/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/file.h"

#define LOW_SPEED_DEFAULT_MS 60000
#define CONNECT_DEFAULT_MS 15000

static void cleanup_curl(CURL **c)
{
	if (*c)
		curl_easy_cleanup(*c);
}

static void cleanup_slist(struct curl_slist **l)
{
	curl_slist_free_all(*l);
}

void http_global_init(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

void http_reply_done(struct http_reply *r)
{
	free(r->body);
	free(r->content_type);
	r->body = r->content_type = NULL;
}

static size_t take_body(char *data, size_t size, size_t n, void *arg)
{
	struct buffer *b = arg;

	buffer_add_len(b, data, size * n);
	return buffer_failed(b) ? 0 : size * n;
}

static enum http_outcome outcome_of(CURLcode rc, long os_errno)
{
	switch ((int)rc) {
	case CURLE_OK:
		return HTTP_ANSWERED;
	case CURLE_OPERATION_TIMEDOUT:
		return HTTP_TIMED_OUT;
	case CURLE_COULDNT_CONNECT:
		if (os_errno == ECONNREFUSED)
			return HTTP_REFUSED;
		return os_errno == ETIMEDOUT ? HTTP_TIMED_OUT : HTTP_UNREACHABLE;
	case CURLE_COULDNT_RESOLVE_HOST:
		return HTTP_UNREACHABLE;
	default:
		return HTTP_BROKEN;
	}
}

int http_call(const struct http_request *req, struct http_reply *ret, struct error *err)
{
	CURL *c CLEANUP(cleanup_curl) = curl_easy_init();
	struct curl_slist *headers CLEANUP(cleanup_slist) = NULL;
	AUTO_BUFFER struct buffer body = BUFFER_INIT(req->reply_max ? req->reply_max : HTTP_REPLY_MAX);
	char detail[CURL_ERROR_SIZE] = "", type[128];
	const char *reply_type = NULL;
	long status = 0, os_errno = 0;
	CURLcode rc;

	memset(ret, 0, sizeof *ret);
	ret->outcome = HTTP_BROKEN;
	if (strncmp(req->url, "http://", 7) != 0 && strncmp(req->url, "https://", 8) != 0)
		return error_set(err, ERROR_USAGE, "%s is not a URL that begins with http:// or https://.", req->url);
	if (!c)
		return error_set(err, ERROR_ENVIRONMENT, "libcurl can't be started.");
	curl_easy_setopt(c, CURLOPT_URL, req->url);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, detail);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, &body);
	if (req->unix_socket)
		curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, req->unix_socket);
	if (req->timeout_ms)
		curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)req->timeout_ms);
	if (req->connect_timeout_ms)
		curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)req->connect_timeout_ms);
	if (req->body) {
		snprintf(type, sizeof type, "Content-Type: %s",
			 req->content_type ? req->content_type : "application/x-www-form-urlencoded; charset=utf-8");
		headers = curl_slist_append(headers, type);
		headers = curl_slist_append(headers, "Expect:");
		curl_easy_setopt(c, CURLOPT_POST, 1L);
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(req->body));
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, req->body);
	}
	for (const char *const *h = req->headers; h && *h; h++)
		headers = curl_slist_append(headers, *h);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	rc = curl_easy_perform(c);
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(c, CURLINFO_OS_ERRNO, &os_errno);
	curl_easy_getinfo(c, CURLINFO_CONTENT_TYPE, &reply_type);
	ret->outcome = outcome_of(rc, os_errno);
	ret->status = (int)status;
	snprintf(ret->detail, sizeof ret->detail, "%s", rc == CURLE_OK ? "" : *detail ? detail : curl_easy_strerror(rc));
	if (rc == CURLE_WRITE_ERROR && buffer_failed(&body))
		return error_set(err, ERROR_ENVIRONMENT, "The answer of %s is larger than %zu bytes.", req->url, body.max);
	if (rc != CURLE_OK)
		return error_set(err, ret->outcome == HTTP_TIMED_OUT ? ERROR_TIMEOUT : ERROR_ENVIRONMENT,
				 "%s gave no answer: %s.", req->url, ret->detail);
	ret->body_len = body.len;
	ret->body = buffer_take(&body, err);
	if (reply_type)
		ret->content_type = strdup(reply_type);
	return ret->body ? 0 : -1;
}

struct sink {
	const struct http_download *d;
	CURL *curl;
	FILE *file;
	int64_t had, got;
	bool decided, restarted;
	int write_errno;
	bool too_large;
};

static size_t take_file(char *data, size_t size, size_t n, void *arg)
{
	struct sink *s = arg;
	long status = 0;

	if (!s->decided) {
		s->decided = true;
		curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
		if (s->had && status != 206) { /* the server sends the whole: start again */
			if (ftruncate(fileno(s->file), 0) < 0 || fseeko(s->file, 0, SEEK_SET) < 0) {
				s->write_errno = errno;
				return 0;
			}
			s->had = 0;
		}
	}
	if (s->d->max_bytes && s->had + s->got + (int64_t)(size * n) > s->d->max_bytes) {
		s->too_large = true;
		return 0;
	}
	if (fwrite(data, size, n, s->file) != n) {
		s->write_errno = errno;
		return 0;
	}
	s->got += (int64_t)(size * n);
	return size * n;
}

static int tell(void *arg, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now)
{
	struct sink *s = arg;

	(void)up_total;
	(void)up_now;
	if (!s->d->progress)
		return 0;
	return s->d->progress(s->d->arg, s->had + (int64_t)now, total > 0 ? s->had + (int64_t)total : 0);
}

static int fetch_once(const struct http_download *d, bool resume, bool *ret_unreachable, bool *ret_again,
		      struct error *err)
{
	CURL *c CLEANUP(cleanup_curl) = curl_easy_init();
	AUTO_FCLOSE FILE *file = fopen(d->path, resume ? "ab" : "wb");
	struct sink s = { .d = d, .curl = c, .file = file };
	char detail[CURL_ERROR_SIZE] = "", range[32];
	long status = 0, os_errno = 0;
	int64_t low = d->low_speed_ms ? d->low_speed_ms : LOW_SPEED_DEFAULT_MS;
	enum http_outcome outcome;
	CURLcode rc;

	*ret_again = false;
	if (!c)
		return error_set(err, ERROR_ENVIRONMENT, "libcurl can't be started.");
	if (!file)
		return error_set_errno(err, errno, "%s can't be written", d->path);
	s.had = resume ? file_size(d->path) : 0;
	curl_easy_setopt(c, CURLOPT_URL, d->url);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(c, CURLOPT_MAXREDIRS, 5L);
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https,file");
	curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
	curl_easy_setopt(c, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS | CURLPROTO_FILE));
	curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, detail);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_file);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, &s);
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, tell);
	curl_easy_setopt(c, CURLOPT_XFERINFODATA, &s);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)(low + 999) / 1000);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
			 (long)(d->connect_timeout_ms ? d->connect_timeout_ms : CONNECT_DEFAULT_MS));
	if (s.had > 0) {
		/* by range rather than RESUME_FROM: a 200 to it is then ours to handle, not libcurl's error */
		snprintf(range, sizeof range, "%lld-", (long long)s.had);
		curl_easy_setopt(c, CURLOPT_RANGE, range);
	}
	rc = curl_easy_perform(c);
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(c, CURLINFO_OS_ERRNO, &os_errno);
	outcome = outcome_of(rc, os_errno);
	if (ret_unreachable)
		*ret_unreachable = status == 0 && s.got == 0 && rc != CURLE_OK;
	if (fflush(file) != 0 && !s.write_errno)
		s.write_errno = errno;
	if (s.write_errno)
		return error_set_errno(err, s.write_errno, "%s can't be written", d->path);
	if (s.too_large)
		return error_set(err, ERROR_ENVIRONMENT, "%s is larger than the %lld bytes expected.", d->url,
				 (long long)d->max_bytes);
	if (rc == CURLE_HTTP_RETURNED_ERROR && status == 416 && s.had > 0) {
		*ret_again = true; /* what is here is as long as theirs or longer: fetch it anew */
		return -1;
	}
	if (rc == CURLE_ABORTED_BY_CALLBACK)
		return error_set(err, ERROR_ENVIRONMENT, "The download of %s was cancelled; it resumes where it stopped.",
				 d->url);
	if (rc != CURLE_OK)
		return error_set(err, outcome == HTTP_TIMED_OUT ? ERROR_TIMEOUT : ERROR_ENVIRONMENT,
				 "The download of %s failed: %s.", d->url, *detail ? detail : curl_easy_strerror(rc));
	return 0;
}

int http_fetch_file(const struct http_download *d, bool *ret_unreachable, struct error *err)
{
	bool resume = file_size(d->path) > 0, again;
	int rc = fetch_once(d, resume, ret_unreachable, &again, err);

	if (rc < 0 && again)
		rc = fetch_once(d, false, ret_unreachable, &again, err);
	return rc;
}
