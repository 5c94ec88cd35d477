/* Talking to the admin listener of a running server, with libcurl.
 *
 * A request has no time-out: a training takes minutes. What is watched is whether the server lives:
 *
 *     bytes move                      go on
 *     nothing moves for SILENCE_US    ask /healthz on a second connection, which the server
 *                                     answers at once, whatever it does; an answer: go on
 *     no health for DEAD_US           give up, and name the process
 *     the process is stopped (T)      give up at once: somebody has sent SIGSTOP
 *
 * A server that ends in the middle leaves a request without an answer. Whoever asks again could do
 * a thing twice, so only requests that are questions, or have an identity, are sent again
 * (repeatable()). */
#include "crumb/base/buf.h"
#include "crumb/base/clock.h"
#include "crumb/cli/cli.h"
#include "crumb/store/store.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define CONNECT_MS 5000L
#define SILENCE_US 2000000u
#define HEALTH_MS 10000L /* how long the answer about health may take */
#define DEAD_US 30000000u
#define START_US 5000000u /* how long a server that starts may take to name its listener */

static CURL *handle;
static const char *own_token; /* NULL: the server's */

void client_token(const char *token)
{
	own_token = token;
}

/* The token to send: `servers`, unless another one was given. */
static const char *token_to_send(const char *servers)
{
	const char *named = own_token ? own_token : getenv("CRUMB_TOKEN");
	return named && *named ? named : servers;
}

bool client_available(struct cli *c)
{
	return store_locked(&c->config);
}

static size_t receive(char *p, size_t size, size_t n, void *arg)
{
	struct buf *b = arg;
	buf_add(b, p, size * n);
	return b->failed ? 0 : size * n;
}

/* Address and token are those that the server wrote into its store. The token of the configuration
 * may be for the next start. A server that starts has the lock of a new store before it has written
 * them, so that a command behind `crumbd &` waits for them. */
static bool server_address(struct cli *c, char where[128], char token[128])
{
	uint64_t end = clock_mono_us() + START_US;
	while (!store_load_admin(&c->config, where, token)) {
		if (clock_mono_us() >= end || !store_locked(&c->config))
			return false;
		nanosleep(&(struct timespec){0, 20000000}, NULL);
	}
	return true;
}

/* A refusal {"error":"a sentence"} becomes the sentence; one with other keys stays JSON. */
static void words_only(struct reply *r)
{
	json_error_t error;
	json_t *j =
	    r->status >= 400 && r->body.n ? json_loadb(r->body.p, r->body.n, 0, &error) : NULL;
	const char *why = json_string_value(json_object_get(j, "error"));
	if (why && json_object_size(j) == 1) {
		buf_clear(&r->body);
		buf_c(&r->body, why);
	}
	json_decref(j);
}

/* The process that holds the lock of the store, by /proc/locks; 0: it cannot be told. */
static long server_pid(const struct cli *c)
{
	char path[4200], line[256];
	struct stat st;
	long found = 0, pid;
	unsigned major, minor;
	unsigned long inode;
	snprintf(path, sizeof path, "%s/lock", c->config.store_path);
	FILE *f = stat(path, &st) == 0 ? fopen("/proc/locks", "r") : NULL;
	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "%*s FLOCK %*s WRITE %ld %x:%x:%lu", &pid, &major, &minor,
			&inode) == 4 &&
		    inode == st.st_ino)
			found = pid;
	if (f)
		fclose(f);
	return found;
}

/* The state stands behind the name of the process, which is in parentheses (proc(5)). */
static bool is_stopped(long pid)
{
	char path[64], state = 0;
	snprintf(path, sizeof path, "/proc/%ld/stat", pid);
	FILE *f = pid ? fopen(path, "r") : NULL;
	if (f && fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	if (f)
		fclose(f);
	return state == 'T';
}

static size_t ignore(char *p, size_t size, size_t n, void *arg)
{
	(void)p, (void)arg;
	return size * n;
}

static bool healthy(const char *where, struct curl_slist *headers)
{
	char url[256];
	CURL *h = curl_easy_init();
	snprintf(url, sizeof url, "http://%s/healthz", where);
	curl_easy_setopt(h, CURLOPT_URL, url);
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, ignore);
	curl_easy_setopt(h, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, HEALTH_MS);
	CURLcode rc = curl_easy_perform(h);
	curl_easy_cleanup(h);
	return rc == CURLE_OK;
}

/* How many bytes were sent and received. */
static curl_off_t moved(void)
{
	curl_off_t up = 0, down = 0;
	curl_easy_getinfo(handle, CURLINFO_SIZE_UPLOAD_T, &up);
	curl_easy_getinfo(handle, CURLINFO_SIZE_DOWNLOAD_T, &down);
	return up + down;
}

/* Nothing has moved for quiet_us; *asked is when health was last told. False: the server does not
 * answer, and it was said. */
static bool alive(struct cli *c, const char *where, struct curl_slist *headers, uint64_t quiet_us,
    uint64_t *asked)
{
	long pid = server_pid(c);
	bool stopped = is_stopped(pid);
	if (!stopped && (quiet_us < SILENCE_US || clock_mono_us() - *asked < SILENCE_US))
		return true;
	if (!stopped && healthy(where, headers)) {
		*asked = clock_mono_us();
		cli_progress("waiting for the server, seconds", quiet_us / 1000000, 0);
		return true;
	}
	if (!stopped && quiet_us < DEAD_US)
		return true;
	cli_progress_end();
	if (stopped)
		cli_fail("the server (process %ld, %s) is stopped and does not answer: 'kill -CONT "
			 "%ld' lets it go on; what was asked may still be done then",
		    pid, where, pid);
	else
		cli_fail("the server (process %ld, %s) has not answered for %d seconds: see its "
			 "log, or end it with 'kill %ld'; what was asked may be done or not",
		    pid, where, (int)(quiet_us / 1000000), pid);
	return false;
}

/* May the request be sent again, if the server may have done it and only the answer was lost? A
 * question may, and what has an identity: doing it twice is doing it once. A piece that counts
 * again (CLIENT_AGAIN) is recognized by nobody. */
static bool repeatable(const char *path, bool post)
{
	static const char *const twice[] = {"/v1/settle", "/v1/import?from=", "/v1/visitors/erase?",
	    "/v1/clock/confirm", "/v1/compact"};
	for (size_t i = 0; post && i < sizeof twice / sizeof *twice; i++)
		if (strncmp(path, twice[i], strlen(twice[i])) == 0)
			return !strstr(path, CLIENT_AGAIN);
	return !post;
}

/* The connection was closed, and not a byte of an answer had come. */
static bool unanswered(CURLcode rc)
{
	curl_off_t down = 0;
	long status = 0;
	curl_easy_getinfo(handle, CURLINFO_SIZE_DOWNLOAD_T, &down);
	curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
	return (rc == CURLE_GOT_NOTHING || rc == CURLE_SEND_ERROR || rc == CURLE_RECV_ERROR) &&
	       !down && !status;
}

/* Performs the request that `handle` has. False: no answer came; then *again says that the request
 * may be sent again, or else it was said why. `again` NULL: it may not. */
static bool perform(struct cli *c, const char *where, struct curl_slist *headers, bool *again)
{
	CURLM *multi = curl_multi_init();
	CURLcode rc = CURLE_OK;
	uint64_t last = clock_mono_us(), asked = last;
	curl_off_t before = 0;
	int running = 1, left;
	bool fine = true;
	curl_multi_add_handle(multi, handle);
	for (;;) {
		curl_multi_perform(multi, &running);
		if (!running)
			break;
		if (moved() != before) {
			before = moved();
			last = asked = clock_mono_us();
		}
		curl_multi_poll(multi, NULL, 0, 500, NULL);
		if (!(fine = alive(c, where, headers, clock_mono_us() - last, &asked)))
			break;
	}
	for (CURLMsg *m = fine ? curl_multi_info_read(multi, &left) : NULL; m;
	     m = curl_multi_info_read(multi, &left))
		if (m->msg == CURLMSG_DONE)
			rc = m->data.result;
	curl_multi_remove_handle(multi, handle);
	curl_multi_cleanup(multi);
	cli_progress_end();
	if (again && unanswered(rc)) {
		*again = true;
		return false;
	}
	if (rc != CURLE_OK)
		cli_fail("the server's admin listener at %s does not answer: %s", where,
		    curl_easy_strerror(rc));
	return fine && rc == CURLE_OK;
}

/* One request with its answer. "Expect:" switches libcurl's 100-continue off, which costs a round
 * trip for each piece of an import. */
static bool call(struct cli *c, const char *path, const struct str *body, struct reply *out)
{
	char where[128], token[128], url[512], auth[400];
	if (!server_address(c, where, token)) {
		cli_fail("a server has %s open, but its admin listener is not known",
		    c->config.store_path);
		return false;
	}
	if (!handle) {
		curl_global_init(CURL_GLOBAL_DEFAULT);
		handle = curl_easy_init();
	}
	snprintf(url, sizeof url, "http://%s%s", where, path);
	snprintf(auth, sizeof auth, "Authorization: Bearer %.300s", token_to_send(token));
	struct curl_slist *headers = curl_slist_append(NULL, auth);
	headers = curl_slist_append(headers, "Expect:");
	headers = curl_slist_append(headers, "Content-Type: application/x-ndjson");
	out->body = (struct buf){0};
	curl_easy_reset(handle);
	curl_easy_setopt(handle, CURLOPT_URL, url);
	curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, receive);
	curl_easy_setopt(handle, CURLOPT_WRITEDATA, &out->body);
	curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	if (body) {
		curl_easy_setopt(handle, CURLOPT_POST, 1L);
		curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body->n ? body->p : "");
		curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->n);
	}
	bool again = false,
	     fine = perform(c, where, headers, repeatable(path, body != NULL) ? &again : NULL);
	if (again) { /* on a new connection, since the old one is closed */
		buf_clear(&out->body);
		fine = perform(c, where, headers, NULL);
	}
	curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &out->status);
	curl_slist_free_all(headers);
	if (fine)
		words_only(out);
	else
		buf_done(&out->body);
	return fine;
}

bool client_post(struct cli *c, const char *path, struct str body, struct reply *out)
{
	return call(c, path, &body, out);
}

struct json_t *client_json(
    struct cli *c, const char *path, const struct str *body, struct reply *out)
{
	json_error_t error;
	if (!call(c, path, body, out))
		return NULL;
	json_t *j = json_loadb(out->body.p ? out->body.p : "", out->body.n, 0, &error);
	if (!j) {
		struct str why = str_trim(buf_view(&out->body));
		cli_fail(STR_FMT, STR_ARG(why));
	}
	buf_done(&out->body);
	return j;
}

void client_done(void)
{
	if (handle) {
		curl_easy_cleanup(handle);
		curl_global_cleanup();
	}
}
