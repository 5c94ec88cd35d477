/* cluster key, cluster ping: the secret that nodes share, and whether another node can be reached
 * with it. Neither opens the store. */
#include "crumb/cluster/cluster.h"
#include "crumb/base/clock.h"
#include "crumb/cli/cli.h"
#include "crumb/cluster/peer.h"

#include <jansson.h>
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

/* The other clock was read somewhere between both ends of the question: half of the way is the best
 * guess. */
static int say_ping(
    struct cli *c, const char *address, json_t *said, uint64_t took_us, int64_t begun_ms)
{
	int64_t theirs = json_integer_value(json_object_get(said, "clock_ms")),
		ahead = theirs - begun_ms - (int64_t)(took_us / 2000);
	const char *name = json_string_value(json_object_get(said, "name")),
		   *version = json_string_value(json_object_get(said, "version"));
	if (c->json)
		cli_print_json(json_pack("{s:s,s:s,s:s,s:f,s:I}", "address", address, "name", name,
		    "version", version, "took_ms", (double)took_us / 1000.0, "clock_ahead_ms",
		    (json_int_t)ahead));
	else
		printf("%s is node '%s' of crumb %s: answered in %.1f ms, its clock is %lld ms "
		       "%s ours\n",
		    address, name, version, (double)took_us / 1000.0, llabs((long long)ahead),
		    ahead < 0 ? "behind" : "ahead of");
	json_decref(said);
	return EXIT_FINE;
}

/* The time that is taken is that of a whole connection: TCP, TLS, question and answer. The process
 * is new, so nothing of it is there yet. */
static int ask_node(struct cli *c, struct peer *p, const char *address)
{
	struct buf body = {0};
	long status;
	uint64_t begun = clock_mono_us();
	int64_t begun_ms = cluster_clock_ms();
	if (peer_get(p, CLUSTER_NODE_PATH, &status, &body) != OK)
		return cli_fail("%s", err_text());
	uint64_t took = clock_mono_us() - begun;
	json_t *said = read_answer(address, status, buf_view(&body));
	buf_done(&body);
	return said ? say_ping(c, address, said, took, begun_ms) : EXIT_WRONG;
}

/* The configuration is read for its cluster.key alone: the machine that asks may have no store. The
 * derived identity is all that is kept of the key while the other end is waited for. */
static int cluster_ping(struct cli *c, int argc, char **argv)
{
	struct cluster_key *key;
	struct peer *p;
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
	enum err e = peer_new(key, address, &p);
	cluster_key_close(key);
	if (e)
		return e == ERR_USAGE ? cli_misuse("%s", err_text()) : cli_fail("%s", err_text());
	int rc = ask_node(c, p, address);
	peer_free(p);
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
	.run = cluster_key_made,
	.needs = NEEDS_NOTHING},
    {.name = "cluster ping",
	.args = "HOST:PORT [--key FILE] [--json]",
	.summary = "ask another node whether it is there and has our key",
	.help =
	    "Asks the node at HOST:PORT, its node.address, over TLS 1.3. Each end proves to "
	    "the other that it has the same cluster.key. Tells the node's name and version, how "
	    "long the answer took, and how far its clock is from ours.\n\nThe key is that of the "
	    "configuration, or FILE.\n\nExit status 1: it cannot be reached, or it has another "
	    "key.",
	.run = cluster_ping},
    {0},
};
