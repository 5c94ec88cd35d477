/* Asking another node, with libcurl. A name of a host is not checked and no authority is asked: the
 * pin says who the other end is, also when somebody else answers at its address. */
#include "crumb/cluster/peer.h"

#include "crumb/base/host.h"

#include <curl/curl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#define URL_MOST 600

struct peer {
	CURL *handle;
	struct cluster_identity identity;
	char address[300];
};

static void start_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

enum err peer_new(const struct cluster_key *k, const char *address, struct peer **out)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct str host;
	uint16_t port;
	pthread_once(&once, start_curl);
	if (!host_port(str_c(address), &host, &port) || !host.n || !port ||
	    strlen(address) >= sizeof((struct peer *)0)->address)
		return err_set(ERR_USAGE,
		    "'%s' is no HOST:PORT of a node, such as 10.0.0.2:8443 or [::1]:8443", address);
	struct peer *p = sodium_malloc(sizeof *p);
	if (!p)
		return err_set(ERR_NOMEM, "no memory");
	memset(p, 0, sizeof *p);
	p->handle = curl_easy_init();
	enum err e =
	    p->handle ? cluster_identity(k, &p->identity) : err_set(ERR_NOMEM, "no memory");
	if (e) {
		peer_free(p);
		return e;
	}
	snprintf(p->address, sizeof p->address, "%s", address);
	*out = p;
	return OK;
}

void peer_free(struct peer *p)
{
	if (!p)
		return;
	curl_easy_cleanup(p->handle);
	sodium_free(p);
}

/* For curl: less than what was given ends the request. */
static size_t take_answer(char *p, size_t size, size_t n, void *arg)
{
	struct buf *b = arg;
	if (size * n > PEER_ANSWER_MOST || b->n + size * n > PEER_ANSWER_MOST)
		return 0;
	buf_add(b, p, size * n);
	return b->failed ? 0 : size * n;
}

/* False: this libcurl cannot do one of them, and without one of them nothing is sent. */
static bool trust_only_ours(CURL *h, const struct cluster_identity *id)
{
	struct curl_blob certificate = {
	    (void *)(uintptr_t)id->certificate, strlen(id->certificate), CURL_BLOB_NOCOPY};
	struct curl_blob key = {(void *)(uintptr_t)id->key, strlen(id->key), CURL_BLOB_NOCOPY};
	return curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_3) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_SSLCERT_BLOB, &certificate) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_SSLKEY_BLOB, &key) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_PINNEDPUBLICKEY, id->pin) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, 0L) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, 0L) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_SSL_SESSIONID_CACHE, 0L) == CURLE_OK;
}

/* The server looks at our certificate when our half of the handshake is done already, so a refusal
 * comes with the first read. */
static enum err why(const struct peer *p, CURLcode rc, const char *said)
{
	if (rc == CURLE_SSL_PINNEDPUBKEYNOTMATCH)
		return err_set(ERR_USAGE, "%s has another cluster.key", p->address);
	return err_set(ERR_IO, "%s does not answer as a node with our cluster.key: %s", p->address,
	    *said ? said : curl_easy_strerror(rc));
}

enum err peer_get(struct peer *p, const char *path, long *status, struct buf *body)
{
	char url[URL_MOST], said[CURL_ERROR_SIZE] = "";
	struct buf got = {0};
	CURL *h = p->handle;
	snprintf(url, sizeof url, "https://%s%s", p->address, path);
	curl_easy_reset(h); /* connections stay */
	bool fine = trust_only_ours(h, &p->identity) &&
		    curl_easy_setopt(h, CURLOPT_URL, url) == CURLE_OK &&
		    curl_easy_setopt(h, CURLOPT_NOPROXY, "*") == CURLE_OK &&
		    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
		    curl_easy_setopt(h, CURLOPT_TIMEOUT, (long)PEER_MOST_S) == CURLE_OK &&
		    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take_answer) == CURLE_OK &&
		    curl_easy_setopt(h, CURLOPT_WRITEDATA, &got) == CURLE_OK &&
		    curl_easy_setopt(h, CURLOPT_ERRORBUFFER, said) == CURLE_OK;
	CURLcode rc = fine ? curl_easy_perform(h) : CURLE_FAILED_INIT;
	enum err e = OK;
	if (rc != CURLE_OK)
		e = why(p, rc, said);
	else
		buf_add(body, got.p, got.n);
	if (!e && body->failed)
		e = err_set(ERR_NOMEM, "no memory");
	if (!e)
		curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, status);
	/* the handle points to `said` and `got`, and to the identity */
	curl_easy_setopt(h, CURLOPT_ERRORBUFFER, NULL);
	buf_done(&got);
	return e;
}
