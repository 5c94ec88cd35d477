/* The listener at node.address: its routes are a table, a function each. */
#include "crumb/cluster/cluster.h"

#include "crumb/base/clock.h"
#include "crumb/base/json.h"
#include "crumb/base/log.h"
#include "crumb/base/version.h"
#include "crumb/cluster/handed.h"
#include "crumb/cluster/secure.h"

#include <jansson.h>
#include <limits.h>
#include <sodium.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define HANDSHAKE_MS 5000
#define NAME_MOST (HOST_NAME_MAX + 1)

struct cluster {
	struct config listener; /* texts are the configuration's */
	const struct config *config;
	struct cluster_key *key; /* in locked memory */
	struct keys *keys;	 /* of the store */
	struct http_server *server;
	struct secure *secure;
};

int64_t cluster_clock_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return ((int64_t)t.tv_sec + clock_offset()) * 1000 + t.tv_nsec / 1000000;
}

/* --- routes */

static void refuse_node(struct http_ticket t, int status, const char *words)
{
	struct buf b = {0};
	buf_addf(&b, "{\"error\":\"%s\"}\n", words);
	http_reply_whole(t, status, "application/json", &BUF_OF(STR("")), &b);
	buf_done(&b);
}

/* Takes the reference. Without memory a node says so, and nothing in part. */
static void answer_json(struct http_ticket t, json_t *j)
{
	char *text = j ? json_whole(j, JSON_COMPACT) : NULL;
	json_decref(j);
	if (text)
		http_reply(t, 200, "application/json", STR(""), str_c(text));
	else
		refuse_node(t, 503, "no memory for this request now");
	free(text);
}

/* node.name, or else what the machine is called. */
static void node_called(const struct config *c, char out[NAME_MOST])
{
	out[0] = 0;
	if (*c->node_name)
		snprintf(out, NAME_MOST, "%s", c->node_name);
	else if (gethostname(out, NAME_MOST) == 0)
		out[NAME_MOST - 1] = 0;
}

static void tell_node(struct cluster *s, const struct http_request *r)
{
	char name[NAME_MOST];
	node_called(s->config, name);
	answer_json(r->ticket, json_pack("{s:s,s:s,s:I}", "name", name, "version", CRUMB_VERSION,
				   "clock_ms", (json_int_t)cluster_clock_ms()));
}

/* Nobody gets the keys of days by a clock that may be wrong: a key of a day far ahead would take a
 * place, and one of a day that is over was to be destroyed. */
static void tell_keys(struct cluster *s, const struct http_request *r)
{
	uint8_t sealed[HANDED_LEN];
	if (clock_jumped()) {
		refuse_node(r->ticket, 503, "the clock of this node is in doubt");
		return;
	}
	struct handed_keys *h = sodium_malloc(sizeof *h);
	enum err e = h ? handed_read(s->keys, day_of(clock_now()), h) : ERR_NOMEM;
	if (e) {
		log_warn("cluster", "keys are not handed to a node why=\"%s\"", err_text());
		refuse_node(r->ticket, 503, "this node cannot read or make the keys now");
	} else {
		handed_seal(s->key, h, sealed);
		http_reply(r->ticket, 200, "application/octet-stream", STR(""),
		    str_make((const char *)sealed, sizeof sealed));
		log_info("cluster", "keys are handed to a node first_day=%u", h->first_day);
	}
	sodium_free(h);
}

/* All of them are asked with GET. */
static const struct {
	const char *path;
	void (*answer)(struct cluster *s, const struct http_request *r);
} routes[] = {
    {CLUSTER_NODE_PATH, tell_node},
    {CLUSTER_KEYS_PATH, tell_keys},
};

static void cluster_handle(void *ctx, struct http_request *r)
{
	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
		if (!str_eq(str_c(routes[i].path), r->path))
			continue;
		if (r->method == HTTP_M_GET)
			routes[i].answer(ctx, r);
		else
			refuse_node(r->ticket, 405, "this address wants GET");
		return;
	}
	refuse_node(r->ticket, 404, "there is no such address for nodes");
}

/* --- begin and end */

enum err cluster_check(const struct config *c)
{
	struct cluster_key *key;
	enum err e = *c->node_address ? cluster_key_open(c->cluster_key, &key) : OK;
	if (!e && *c->node_address)
		cluster_key_close(key);
	return e;
}

enum err cluster_open(
    struct event_base *base, const struct config *c, struct keys *keys, struct cluster **out)
{
	struct cluster_key *key;
	enum err e = cluster_key_open(c->cluster_key, &key);
	if (e)
		return err_wrap(e, "cluster.key");
	struct cluster *s = calloc(1, sizeof *s);
	if (!s) {
		cluster_key_close(key);
		return err_set(ERR_NOMEM, "no memory");
	}
	s->config = c;
	s->key = key;
	s->keys = keys;
	s->listener = *c;
	s->listener.connections = CLUSTER_CONNECTIONS;
	e = http_server_new(
	    base, &s->listener, c->node_address, HTTP_PORT_OWN, cluster_handle, s, &s->server);
	if (e)
		e = err_wrap(e, "node.address");
	else
		e = secure_new(base, s->server, key,
		    (struct secure_limits){CLUSTER_CONNECTIONS, HANDSHAKE_MS}, &s->secure);
	if (e) {
		cluster_close(s);
		return e;
	}
	http_server_body_limit(s->server, HTTP_STRANGER_BODY);
	*out = s;
	return OK;
}

void cluster_address(const struct cluster *s, char *out, size_t cap)
{
	http_server_address(s->server, out, cap);
}

void cluster_close(struct cluster *s)
{
	if (!s)
		return;
	secure_free(s->secure);
	http_server_free(s->server);
	cluster_key_close(s->key);
	free(s);
}
