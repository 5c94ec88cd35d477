/* One file as one POST, with libcurl.
 *
 * What an answer means is two questions. The status says whether the request was taken: 2xx is
 * taken; 408, 425, 429, 5xx and no answer at all are "later"; all else is "never", for the same
 * request gets the same answer. Of a 2xx the format reads the body, for some partners refuse single
 * rows there (format.answered).
 *
 * How often and when a request is tried again is not decided here (send.c): each call is one try,
 * bounded by the destination's timeout. A secret that cannot be read is "later", too: somebody can
 * set it. Secrets are on the stack and in curl's lists for the one request. */
#include "crumb/delivery/push.h"

#include "crumb/base/memory.h"
#include "crumb/base/plain.h"

#include <curl/curl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#define ANSWER_MOST (8u << 20) /* bytes of an answer; a longer one ends the request */
#define SECRET_MOST 1024       /* bytes of the value of a header, with the zero */
#define WORDS_MOST 150	       /* bytes of an answer that are told to the operator */

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

/* Headers that the signing gives, one a line. */
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

/* All headers of the request; *list is for curl_slist_free_all() even if this fails. curl asks a
 * server whether it wants a body at all ("Expect: 100-continue"), which some partners do not
 * answer: an empty Expect turns that off. */
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

/* For curl: less than what was given ends the request. */
static size_t keep_answer(char *p, size_t size, size_t n, void *arg)
{
	struct buf *b = arg;
	if (b->n + size * n > ANSWER_MOST)
		return 0;
	buf_add(b, p, size * n);
	return size * n;
}

/* For curl, which calls this about once a second: not 0 ends the request. */
static int is_stopped(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const _Atomic bool *stop = arg;
	(void)a, (void)b, (void)c, (void)d;
	return atomic_load(stop);
}

static void start_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

#define SECRET_LEAST 6 /* bytes: what is shorter stands in answers by chance */

static void hide(struct buf *answer, struct str secret)
{
	for (size_t at = 0; secret.n >= SECRET_LEAST && at + secret.n <= answer->n; at++)
		if (memcmp(answer->p + at, secret.p, secret.n) == 0)
			memset(answer->p + at, '*', secret.n);
}

/* Some partners say a request back when they refuse it. Viewers read what was said: the values of
 * headers, and what stands behind the host of the URL, are not for them. */
static void hide_secrets(
    struct buf *answer, const struct destination *d, const struct curl_slist *headers)
{
	size_t at = str_find(d->where, ':') + 3;
	struct str path = at < d->where.n ? str_skip(d->where, at) : STR("");
	path = str_skip(path, str_find(path, '/'));
	hide(answer, path);
	hide(answer, str_skip(path, str_find(path, '?')));
	for (; headers; headers = headers->next) {
		struct str line = str_c(headers->data), name, word;
		if (!str_cut(&line, ':', &name) || str_starts(name, STR("Content-")))
			continue;
		hide(answer, str_trim(line));
		while (line.n && str_cut(&line, ' ', &word))
			hide(answer, word);
	}
}

/* The beginning of what the partner said, in one line, as it may be shown: it goes to the log of
 * deliveries, which is JSON, and to terminals. */
static void put_words(char *to, size_t cap, struct str said)
{
	char c[PLAIN_MOST];
	size_t used = (size_t)snprintf(to, cap, ": "), n, took;
	for (size_t at = 0; at < said.n && at < WORDS_MOST; at += took) {
		took = plain_char(str_skip(said, at), c, &n);
		if ((uint8_t)said.p[at] < ' ')
			c[0] = ' ', n = 1;
		if (used + n >= cap)
			break;
		memcpy(to + used, c, n);
		used += n;
	}
	to[used] = 0;
}

/* The verdict on an answer, by its status and then by its body. */
static void judge_answer(const struct destination *d, long status, struct str answer,
    curl_off_t after, struct push_answer *out)
{
	if (status >= 200 && status < 300) {
		out->verdict = PUSH_TAKEN;
		if (d->format->answered)
			d->format->answered(answer, out);
		return;
	}
	bool later = status == 408 || status == 425 || status == 429 || status >= 500;
	out->verdict = later ? PUSH_LATER : PUSH_NEVER;
	out->after_s = after > 0 && after < DAY_S ? (uint32_t)after : 0;
	int n = snprintf(out->why, sizeof out->why, "status %ld", status);
	if (n > 0 && answer.n && (size_t)n + 2 < sizeof out->why)
		put_words(out->why + n, sizeof out->why - (size_t)n, answer);
}

/* Redirects are not followed: an audience goes where the file of destinations says and nowhere
 * else. No signals: curl's time-outs would raise SIGALRM in a process with threads. */
static void set_request(CURL *c, const struct destination *d, const char *url, struct str body,
    struct curl_slist *headers)
{
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_POSTFIELDS, body.p);
	curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)d->timeout_s);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_NOPROXY, "127.0.0.1,localhost,::1");
	curl_easy_setopt(c, CURLOPT_USERAGENT, "crumb");
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
		snprintf(out->why, sizeof out->why, "%s", err_text());
	} else {
		set_request(c, d, url, body, headers);
		curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, keep_answer);
		curl_easy_setopt(c, CURLOPT_WRITEDATA, &answer);
		if (stop) {
			curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
			curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, is_stopped);
			curl_easy_setopt(c, CURLOPT_XFERINFODATA, (void *)(uintptr_t)stop);
		}
		CURLcode rc = curl_easy_perform(c);
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
		curl_easy_getinfo(c, CURLINFO_RETRY_AFTER, &after);
		if (status < 200 || status >= 300)
			hide_secrets(&answer, d, headers);
		if (rc != CURLE_OK)
			snprintf(out->why, sizeof out->why, "%s", curl_easy_strerror(rc));
		else
			judge_answer(d, status, answer.n ? buf_view(&answer) : STR(""), after, out);
	}
	curl_slist_free_all(headers);
	curl_easy_cleanup(c);
	buf_done(&answer);
}
