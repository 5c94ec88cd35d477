#include "crumb/delivery/push.h"

#include "crumb/base/memory.h"

#include <curl/curl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#define ANSWER_MOST (8u << 20)
#define SECRET_MOST 1024
#define WORDS_MOST 150 /* of an answer */

/* --- requests */

static struct curl_slist *add_line(struct curl_slist *list, const char *line)
{
	struct curl_slist *more = curl_slist_append(list, line);
	if (!more)
		memory_none(); /* nothing is sent without it */
	return more ? more : list;
}

static struct curl_slist *add_header(struct curl_slist *list, const char *name, const char *value)
{
	char line[SECRET_MOST + 300];
	snprintf(line, sizeof line, "%s: %s", name, value);
	return add_line(list, line);
}

static enum err add_signature(
    const struct destination *d, struct str body, uint32_t now, struct curl_slist **list)
{
	struct buf lines = {0};
	struct str rest, line;
	char text[SECRET_MOST];
	enum err e = d->signing->sign(d->sign, d->sign_n, body, now, &lines);
	if (!e && lines.failed)
		e = err_set(ERR_NOMEM, "no memory for this now");
	for (rest = lines.n ? buf_view(&lines) : STR("");
	     !e && rest.n && str_cut(&rest, '\n', &line);) {
		snprintf(text, sizeof text, STR_FMT, STR_ARG(line));
		*list = add_line(*list, text);
	}
	buf_done(&lines);
	return e;
}

static enum err headers_for(const struct destination *d, struct str body, const char *key,
    uint32_t now, struct curl_slist **list)
{
	enum err e = OK;
	*list = add_header(NULL, "Content-Type", d->format->content_type);
	*list = add_header(*list, "Idempotency-Key", key);
	*list = add_header(*list, "Expect", "");
	if (compressions[d->compress].coding)
		*list = add_header(*list, "Content-Encoding", compressions[d->compress].coding);
	for (unsigned i = 0; i < d->headers_n && !e; i++) {
		char name[200], value[SECRET_MOST];
		snprintf(name, sizeof name, STR_FMT, STR_ARG(d->headers[i].name));
		if (!(e = setting_resolve(d->headers[i].value, value, sizeof value)))
			*list = add_header(*list, name, value);
		sodium_memzero(value, sizeof value);
	}
	return e || !d->signing ? e : add_signature(d, body, now, list);
}

static size_t keep_answer(char *p, size_t size, size_t n, void *arg)
{
	struct buf *b = arg;
	if (b->n + size * n > ANSWER_MOST)
		return 0;
	buf_add(b, p, size * n);
	return size * n;
}

static int look_up(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const _Atomic bool *stop = arg;
	(void)a, (void)b, (void)c, (void)d;
	return atomic_load(stop);
}

static void start_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* The beginning of what the partner said, in one line. */
static void put_words(char *to, size_t cap, struct str said)
{
	size_t used = (size_t)snprintf(to, cap, ": ");
	for (size_t i = 0; i < said.n && i < WORDS_MOST && used + 1 < cap; i++)
		to[used++] = (uint8_t)said.p[i] < ' ' ? ' ' : said.p[i];
	to[used] = 0;
}

static void judge(const struct destination *d, long status, struct str answer, curl_off_t after,
    struct push_answer *out)
{
	if (status >= 200 && status < 300) {
		out->verdict = PUSH_TAKEN;
		if (d->format->answered)
			d->format->answered(answer, out);
		return;
	}
	out->verdict = status == 408 || status == 425 || status == 429 || status >= 500
			   ? PUSH_LATER
			   : PUSH_NEVER;
	out->after_s = after > 0 && after < 86400 ? (uint32_t)after : 0;
	int n = snprintf(out->why, sizeof out->why, "status %ld", status);
	if (n > 0 && answer.n && (size_t)n + 2 < sizeof out->why)
		put_words(out->why + n, sizeof out->why - (size_t)n, answer);
}

void push_file(const struct destination *d, struct str body, const char *idempotency_key,
    uint32_t now, const _Atomic bool *stop, struct push_answer *out)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	char url[4096];
	struct buf answer = {0};
	struct curl_slist *headers = NULL;
	long status = 0;
	curl_off_t after = 0;
	pthread_once(&once, start_curl);
	*out = (struct push_answer){.verdict = PUSH_LATER};
	snprintf(url, sizeof url, STR_FMT, STR_ARG(d->where));
	CURL *c = curl_easy_init();
	if (!c) {
		snprintf(out->why, sizeof out->why, "no memory for this now");
		return;
	}
	if (headers_for(d, body, idempotency_key, now, &headers) != OK || memory_check() != OK) {
		out->verdict = PUSH_LATER; /* somebody can set the secret */
		snprintf(out->why, sizeof out->why, "%s", err_text());
	} else {
		curl_easy_setopt(c, CURLOPT_URL, url);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, body.p);
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
		curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
		curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)d->timeout_s);
		curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
		curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
		curl_easy_setopt(c, CURLOPT_NOPROXY, "127.0.0.1,localhost,::1");
		curl_easy_setopt(c, CURLOPT_USERAGENT, "crumb");
		curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, keep_answer);
		curl_easy_setopt(c, CURLOPT_WRITEDATA, &answer);
		if (stop) {
			curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
			curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, look_up);
			curl_easy_setopt(c, CURLOPT_XFERINFODATA, (void *)(uintptr_t)stop);
		}
		CURLcode rc = curl_easy_perform(c);
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
		curl_easy_getinfo(c, CURLINFO_RETRY_AFTER, &after);
		if (rc != CURLE_OK)
			snprintf(out->why, sizeof out->why, "%s", curl_easy_strerror(rc));
		else
			judge(d, status, answer.n ? buf_view(&answer) : STR(""), after, out);
	}
	curl_slist_free_all(headers);
	curl_easy_cleanup(c);
	buf_done(&answer);
}
