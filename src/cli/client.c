/* Talking to the admin listener of a running server, with libcurl. */
#include "crumb/base/buf.h"
#include "crumb/cli/cli.h"
#include "crumb/store/store.h"

#include <curl/curl.h>
#include <jansson.h>

static CURL *handle;

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

static bool address(struct cli *c, char where[128], char token[128])
{
	if (!store_load_admin(&c->config, where, token))
		return false;
	if (*c->config.admin_token)
		snprintf(token, 128, "%s", c->config.admin_token);
	return true;
}

/* Refusals are {"error": …}: only the sentence is left. */
static void words_only(struct reply *r)
{
	json_error_t error;
	json_t *j = r->status >= 400 && r->body.n ? json_loadb(r->body.p, r->body.n, 0, &error) : NULL;
	const char *why = json_string_value(json_object_get(j, "error"));
	if (why) {
		buf_clear(&r->body);
		buf_c(&r->body, why);
	}
	json_decref(j);
}

static bool call(struct cli *c, const char *path, const struct str *body, struct reply *out)
{
	char where[128], token[128], url[512], auth[200];
	if (!address(c, where, token)) {
		cli_fail("a server has %s open, but its admin listener is not known", c->config.store_path);
		return false;
	}
	if (!handle) {
		curl_global_init(CURL_GLOBAL_DEFAULT);
		handle = curl_easy_init();
	}
	snprintf(url, sizeof url, "http://%s%s", where, path);
	snprintf(auth, sizeof auth, "Authorization: Bearer %s", token);
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
	if (body) {
		curl_easy_setopt(handle, CURLOPT_POST, 1L);
		curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body->n ? body->p : "");
		curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->n);
	}
	CURLcode rc = curl_easy_perform(handle);
	curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &out->status);
	curl_slist_free_all(headers);
	if (rc != CURLE_OK) {
		buf_done(&out->body);
		cli_fail("the server's admin listener at %s does not answer: %s", where, curl_easy_strerror(rc));
		return false;
	}
	words_only(out);
	return true;
}

bool client_post(struct cli *c, const char *path, struct str body, struct reply *out)
{
	return call(c, path, &body, out);
}

bool client_get(struct cli *c, const char *path, struct reply *out)
{
	return call(c, path, NULL, out);
}

struct json_t *client_json(struct cli *c, const char *path, const struct str *body, struct reply *out)
{
	json_error_t error;
	if (!(body ? client_post(c, path, *body, out) : client_get(c, path, out)))
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
