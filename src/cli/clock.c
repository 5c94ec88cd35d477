/* clock confirm, clock advance; and cli_node(), with which commands write without a server.
 *
 * A command that writes deletes what is overdue, as a server does. So it must not run while the
 * clock is in doubt: it says so and ends. `clock confirm` is the way out (node/time.h). */
#include "crumb/base/clock.h"
#include "crumb/cli/cli.h"
#include "crumb/node/node.h"

#include <jansson.h>
#include <stdio.h>

bool cli_node(struct cli *c, struct node *n)
{
	char why[400];
	/* A clock that was moved by --test-clock is not judged. */
	if (node_start(n, &c->config, clock_offset() ? NODE_CLOCK_BELIEVED : NODE_CLOCK_JUDGED) !=
	    OK) {
		cli_fail("%s", err_text());
		return false;
	}
	if (!watch_tell(&n->watch, why, sizeof why))
		return true;
	cli_fail("%s", why);
	node_stop(n);
	return false;
}

/* The server says no by a sentence. */
static int confirm_by_server(struct cli *c)
{
	struct reply r;
	int rc = EXIT_FINE;
	if (!client_post(c, "/v1/clock/confirm", STR(""), &r))
		return EXIT_WRONG;
	if (r.status != 200)
		rc = cli_fail(STR_FMT, STR_ARG(str_trim(buf_view(&r.body))));
	buf_done(&r.body);
	return rc;
}

/* Only writes down that the clock is believed. Overdue data is deleted by the next process that
 * writes. */
static int confirm_alone(struct cli *c)
{
	struct store *s;
	struct watch w;
	if (store_open(&c->config, STORE_WRITE, &s) != OK)
		return cli_fail("%s", err_text());
	watch_start(&w, s, NODE_CLOCK_JUDGED);
	int rc = watch_confirm(&w) == OK ? EXIT_FINE : cli_fail("%s", err_text());
	if (!rc && w.unsaved)
		rc = cli_fail("the store cannot write that now; see the message above");
	store_close(s);
	return rc;
}

static int clock_confirmed(struct cli *c, int argc, char **argv)
{
	char day[DAY_TEXT];
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	int rc = client_available(c) ? confirm_by_server(c) : confirm_alone(c);
	if (rc)
		return rc;
	day_text(day_of(clock_now()), day);
	if (c->json)
		cli_print_json(json_pack("{s:b,s:s}", "confirmed", true, "day", day));
	else
		printf("the clock (%s) is confirmed; overdue data is deleted\n", day);
	return EXIT_FINE;
}

/* 14d or 5h, as the server takes a span. */
static bool is_span(struct str s)
{
	uint64_t n;
	return s.n > 1 && chr_one_of(s.p[s.n - 1], "dh") && str_u64(str_make(s.p, s.n - 1), &n);
}

static int clock_advanced(struct cli *c, int argc, char **argv)
{
	const char *span = cli_word(argc, argv);
	char path[64];
	struct reply r;
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	if (!span || !is_span(str_c(span)) || strlen(span) > 8)
		return cli_misuse("clock advance wants a span such as 14d or 5h");
	if (!client_available(c))
		return cli_fail("no crumbd runs on %s: only one that was started with --test-clock "
				"has a clock that can be moved",
		    c->config.store_path);
	snprintf(path, sizeof path, "/v1/clock?advance=%s", span);
	if (!client_post(c, path, STR(""), &r))
		return EXIT_WRONG;
	int rc =
	    r.status == 200 ? EXIT_FINE : cli_fail(STR_FMT, STR_ARG(str_trim(buf_view(&r.body))));
	if (!rc && c->json)
		cli_print_json(json_pack("{s:s}", "advanced", span));
	else if (!rc)
		printf("the clock went on by %s; what was due by then is done\n", span);
	buf_done(&r.body);
	return rc;
}

const struct command commands_clock[] = {
    {.name = "clock advance",
	.args = "SPAN [--json]",
	.summary = "move the clock of a demo or a test",
	.help = "SPAN is 14d or 5h. Works only beside a crumbd that was started with "
		"--test-clock on loopback. Returns when expired data is forgotten and every "
		"visitor is in the segments of the new day. The clock never goes back.",
	.run = clock_advanced},
    {.name = "clock confirm",
	.args = "[--json]",
	.summary = "say that the clock is right",
	.help = "A clock is in doubt when it jumped by more than an hour, when it is more than "
		"30 days ahead of what the store knows, or when it is more than a day behind the "
		"newest record. Then nothing is deleted, and with a clock that is behind nothing "
		"is recorded, until the clock is set right or this command says that it is "
		"right. The log and GET /readyz say which case it is. The command works beside a "
		"running server and without one. A clock that says a day before 2020 can only be "
		"set.",
	.run = clock_confirmed},
    {0},
};
