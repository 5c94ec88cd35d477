/* cluster key, cluster ping: the secret that nodes share, and whether another node can be reached
 * with it. Neither opens the store. */
#include "crumb/cluster/cluster.h"
#include "crumb/base/clock.h"
#include "crumb/cli/cli.h"
#include "crumb/cluster/handed.h"
#include "crumb/cluster/peer.h"

#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

/* Prints no key: a terminal keeps what it showed. */
static int cluster_key_made(struct cli *c, int argc, char **argv)
{
	const char *path = cli_word(argc, argv);
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	if (!path)
		return cli_misuse("cluster key wants the name of a file that is not there yet");
	if (cluster_key_make(path) != OK)
		return cli_fail("%s", err_text());
	if (c->json)
		cli_print_json(json_pack("{s:s}", "made", path));
	else
		printf("%s is made: copy it to every node, name it there as cluster.key, and let "
		       "only crumbd's user read it\n",
		    path);
	return EXIT_FINE;
}

/* What a node said of itself, or why it is not understood. */
static json_t *read_answer(const char *address, long status, struct str body)
{
	json_error_t error;
	json_t *j = status == 200 ? json_loadb(body.p, body.n, 0, &error) : NULL;
	if (json_is_string(json_object_get(j, "name")) &&
	    json_is_string(json_object_get(j, "version")) &&
	    json_is_integer(json_object_get(j, "clock_ms")))
		return j;
	json_decref(j);
	cli_fail("%s has our cluster.key and answers %ld, but not as crumb does", address, status);
	return NULL;
}

/* What is said of a node. */
struct pinged {
	struct cli *c;
	const char *address;
	const struct cluster_key *key;
	struct peer *peer;
	uint64_t took_us;
	int64_t ahead_ms;
	struct handed_keys *keys; /* NULL: nobody asked for them */
};

/* A generation is thirty days of pseudonyms; places of the others are empty. */
static unsigned generations_of(const struct handed_keys *k)
{
	unsigned n = 0;
	for (unsigned i = 0; i < GENERATIONS_MAX; i++)
		n += k->identity.generations[i].first_day != 0;
	return n;
}

/* The time and the clock stand in milliseconds, as others of ours do in JSON. */
static void say_json(const struct pinged *p, json_t *said)
{
	char first[DAY_TEXT], last[DAY_TEXT];
	json_t *j = json_pack("{s:s,s:O,s:O,s:f,s:I}", "address", p->address, "name",
	    json_object_get(said, "name"), "version", json_object_get(said, "version"), "took_ms",
	    (double)p->took_us / 1000.0, "clock_ahead_ms", (json_int_t)p->ahead_ms);
	if (p->keys) {
		day_text(p->keys->first_day, first);
		day_text((uint16_t)(p->keys->first_day + HANDED_DAYS - 1), last);
		json_object_set_new(j, "keys",
		    json_pack("{s:s,s:s,s:I}", "first_day", first, "last_day", last, "generations",
			(json_int_t)generations_of(p->keys)));
	}
	cli_print_json(j);
}

static void say_words(const struct pinged *p, const json_t *said)
{
	char first[DAY_TEXT], last[DAY_TEXT];
	printf("%s is node '%s' of crumb %s: answered in %.1f ms, its clock is %lld ms %s ours\n",
	    p->address, json_string_value(json_object_get(said, "name")),
	    json_string_value(json_object_get(said, "version")), (double)p->took_us / 1000.0,
	    llabs((long long)p->ahead_ms), p->ahead_ms < 0 ? "behind" : "ahead of");
	if (!p->keys)
		return;
	day_text(p->keys->first_day, first);
	day_text((uint16_t)(p->keys->first_day + HANDED_DAYS - 1), last);
	printf("it hands out the keys of %s to %s and of %u generations of pseudonyms\n", first,
	    last, generations_of(p->keys));
}

/* The time that is taken is that of a whole connection: TCP, TLS, question and answer. The process
 * is new, so nothing of it is there yet. The other clock was read somewhere between both ends of
 * the question: half of the way is the best guess. */
static json_t *ask_node(struct pinged *p)
{
	struct buf body = {0};
	long status;
	uint64_t begun = clock_mono_us();
	int64_t begun_ms = cluster_clock_ms();
	if (peer_get(p->peer, CLUSTER_NODE_PATH, &status, &body) != OK) {
		cli_fail("%s", err_text());
		return NULL;
	}
	p->took_us = clock_mono_us() - begun;
	json_t *said = read_answer(p->address, status, buf_view(&body));
	p->ahead_ms = json_integer_value(json_object_get(said, "clock_ms")) - begun_ms -
		      (int64_t)(p->took_us / 2000);
	buf_done(&body);
	return said;
}

/* As a node without a store does. They lie in locked memory and are shown to nobody. */
static bool ask_keys(struct pinged *p, struct handed_keys *into)
{
	struct buf body = {0};
	long status;
	enum err e = peer_get(p->peer, CLUSTER_KEYS_PATH, &status, &body);
	if (!e && status != 200)
		e = err_set(ERR_BUSY, "%s gives no keys: %ld " STR_FMT, p->address, status,
		    STR_ARG(str_trim(buf_view(&body))));
	else if (!e && (e = handed_open(p->key, buf_view(&body), into)))
		e = err_wrap(e, "%s", p->address);
	buf_done(&body);
	if (e)
		cli_fail("%s", err_text());
	else
		p->keys = into;
	return !e;
}

/* Asks what is to be asked, and says all of it or why not. `keys` NULL: not for the keys. */
static int ping(struct pinged *p, struct handed_keys *keys)
{
	json_t *said = ask_node(p);
	bool fine = said && (!keys || ask_keys(p, keys));
	if (fine && p->c->json)
		say_json(p, said);
	else if (fine)
		say_words(p, said);
	json_decref(said);
	return fine ? EXIT_FINE : EXIT_WRONG;
}

/* The configuration is read for its cluster.key alone: the machine that asks may have no store. */
static int cluster_ping(struct cli *c, int argc, char **argv)
{
	struct cluster_key *key;
	bool wanted = cli_flag(argc, argv, "--keys");
	const char *file = cli_option(argc, argv, "--key"), *address = cli_word(argc, argv);
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	if (!address)
		return cli_misuse("cluster ping wants the node.address of a node");
	file = file ? file : c->config.cluster_key;
	if (!*file)
		return cli_misuse("there is no key: set cluster.key, or name its file with --key");
	if (cluster_key_open(file, &key) != OK)
		return cli_fail("cluster.key: %s", err_text());
	struct pinged p = {.c = c, .address = address, .key = key};
	enum err e = peer_new(key, address, &p.peer);
	struct handed_keys *keys = wanted && !e ? sodium_malloc(sizeof *keys) : NULL;
	int rc;
	if (e)
		rc = e == ERR_USAGE ? cli_misuse("%s", err_text()) : cli_fail("%s", err_text());
	else if (wanted && !keys)
		rc = cli_fail("no memory that can be locked for keys");
	else
		rc = ping(&p, keys);
	sodium_free(keys);
	peer_free(p.peer);
	cluster_key_close(key);
	return rc;
}

const struct command commands_cluster[] = {
    {.name = "cluster key",
	.args = "FILE [--json]",
	.summary = "make the secret that nodes know each other by",
	.help = "Makes FILE with a fresh key, of mode 0600. A file that is there is never "
		"overwritten. Copy it to every node by a way that nobody else reads, and name it "
		"there as cluster.key.\n\nWhoever has this file is a node: he may ask everything "
		"that nodes ask each other. For a new key make another file, put it on every node, "
		"and restart each.",
	.run = cluster_key_made},
    {.name = "cluster ping",
	.args = "HOST:PORT [--key FILE] [--keys] [--json]",
	.summary = "ask another node whether it is there and has our key",
	.help =
	    "Asks the node at HOST:PORT, its node.address, over TLS 1.3. Each end proves to "
	    "the other that it has the same cluster.key. Tells the node's name and version, how "
	    "long the answer took, and how far its clock is from ours.\n\nThe key is that of the "
	    "configuration, or FILE. --keys also asks for the keys that a node without a store "
	    "takes hits with, and tells of which days they are; none is shown.\n\nExit status 1: "
	    "it cannot be reached, has another key, or gives no keys.",
	.run = cluster_ping},
    {0},
};
