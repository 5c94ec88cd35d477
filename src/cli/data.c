/* visitor erase: one visitor is forgotten, by the server, or by a node that is started for it. The
 * erasure is a record of the journal; the command returns when the views have folded it. */
#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/cli/cli.h"
#include "crumb/ingest/ingest.h"
#include "crumb/node/node.h"

#include <jansson.h>
#include <semaphore.h>
#include <stdio.h>

static int erase_by_server(struct cli *c, const char *hex)
{
	char path[80];
	struct reply r;
	snprintf(path, sizeof path, "/v1/visitors/erase?key=%s", hex);
	if (!client_post(c, path, STR(""), &r))
		return EXIT_WRONG;
	int rc = EXIT_FINE;
	if (r.status != 200)
		rc = cli_fail("the server did not erase: " STR_FMT, STR_ARG(buf_view(&r.body)));
	buf_done(&r.body);
	return rc;
}

/* On the journal's thread. */
static void erase_written(struct batch *b)
{
	sem_post(b->owner);
}

static int erase_alone(struct cli *c, const struct vkey *visitor)
{
	struct node node;
	struct batch b;
	sem_t done;
	if (!cli_node(c, &node))
		return EXIT_WRONG;
	sem_init(&done, 0, 0);
	batch_init(&b, node.store->shards, erase_written, &done);
	batch_erase(&b, visitor, clock_now());
	writer_submit(node.writer, &b);
	while (sem_wait(&done) != 0)
		;
	int rc = b.result ? cli_fail("the store cannot write; nothing was erased") : EXIT_FINE;
	if (!rc && !node_wait(&node, 600, NODE_SETTLED))
		rc = cli_fail("the erasure is journalled, but not folded yet");
	batch_done(&b);
	sem_destroy(&done);
	node_stop(&node);
	return rc;
}

static int visitor_erase(struct cli *c, int argc, char **argv)
{
	struct vkey k;
	char hex[33];
	int rc;
	if (!cli_who(c, "visitor erase", argc, argv, &k, &rc))
		return rc;
	hex_encode(k.b, sizeof k.b, hex);
	hex[32] = 0;
	cli_close(c);
	rc = client_available(c) ? erase_by_server(c, hex) : erase_alone(c, &k);
	if (rc)
		return rc;
	if (c->json)
		cli_print_json(json_pack("{s:b,s:s}", "erased", true, "visitor", hex));
	else
		puts("erased: the visitor is gone from the views and not taken up again; the "
		     "sealed journal is rewritten within a day");
	return EXIT_FINE;
}

const struct command commands_data[] = {
    {.name = "visitor erase",
	.args = "--cookie VALUE | --id IMPORTED_ID | --key HEX [--json]",
	.summary = "forget one visitor",
	.help = "Erases all that is known of one visitor, who is named as for 'visitor show'. "
		"When the command returns, the visitor is gone from every view. The visitor is "
		"not taken up again when the old cookie comes back, and is left out when the "
		"journal is replayed. The command works beside a running server and without one.",
	.run = visitor_erase},
    {0},
};
