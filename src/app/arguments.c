#include "app.h"

#include <stddef.h>
#include <string.h>

/* --- what may stand behind crumbd: one row is one flag */

static enum err take_file(struct config *c, struct arguments *a, const char *path)
{
	return config_file(c, path, &a->mistakes, &a->shown);
}

static enum err take_option(struct config *c, struct arguments *a, const char *assignment)
{
	(void)a;
	return config_set(c, assignment);
}

static const struct flag {
	const char *brief, *name; /* NULL: it has none */
	const char *value;	  /* what follows it; NULL: nothing */
	const char *help;
	enum err (*take)(struct config *c, struct arguments *a, const char *value);
	size_t on; /* where nothing follows: the bool of struct arguments */
} flags[] = {
#define ON(field) .on = offsetof(struct arguments, field)
    {"-c", "--config", "FILE", "options as YAML; see etc/crumb.yaml", .take = take_file},
    {"-o", NULL, "key=value", "one option; wins over the file", .take = take_option},
    {NULL, "--check", NULL,
	"look at options, rules and destinations, say what is wrong, start nothing; "
	"exit status 0 or 1",
	ON(check)},
    {NULL, "--json", NULL, "say it as JSON", ON(json)},
    {NULL, "--take-over", NULL,
	"take sockets, connections and store from the crumbd that has the store, if one does",
	ON(take_over)},
    {NULL, "--test-clock", NULL, "let POST /v1/clock?advance=91d move the clock (loopback only)",
	ON(test_clock)},
    {"-v", "--verbose", NULL, "say more on stderr", ON(verbose)},
    {"-h", "--help", NULL, "this text", ON(help)},
    {NULL, "--version", NULL, "which crumbd this is", ON(version)},
#undef ON
};
#define FLAGS (sizeof flags / sizeof *flags)

static bool same(const char *name, const char *word)
{
	return name && strcmp(name, word) == 0;
}

static const struct flag *find(const char *word)
{
	for (size_t i = 0; i < FLAGS; i++)
		if (same(flags[i].brief, word) || same(flags[i].name, word))
			return &flags[i];
	return NULL;
}

void arguments_help(FILE *to)
{
	fputs("crumbd - pixel and tag server of crumb, "
	      "a data management platform for anonymous audiences\n"
	      "\n"
	      "usage: crumbd [-c FILE] [-o key=value]... [--test-clock] [--check [--json]]\n"
	      "\n",
	    to);
	for (size_t i = 0; i < FLAGS; i++) {
		const struct flag *f = &flags[i];
		char names[40];
		snprintf(names, sizeof names, "%s%s%s%s%s", f->brief ? f->brief : "    ",
		    f->brief && f->name ? ", " : "", f->name ? f->name : "", f->value ? " " : "",
		    f->value ? f->value : "");
		fprintf(to, "  %-20s %s\n", names, f->help);
	}
	fputs("\n"
	      "When it can serve it prints 'ready collect=HOST:PORT admin=HOST:PORT'.\n"
	      "SIGHUP reads rules, destinations, lists and the configuration again: options\n"
	      "marked [SIGHUP] are taken, changes of the others are named in the log and\n"
	      "wait for the next start; with a mistake in it all stays as it is. SIGTERM\n"
	      "answers what was asked and ends; a second SIGTERM ends at once. Sockets may\n"
	      "come from a service manager (LISTEN_FDS, named collect and admin), and it is\n"
	      "told how we are (NOTIFY_SOCKET, WATCHDOG_USEC).\n"
	      "\n"
	      "options:\n",
	    to);
	config_help(to);
}

/* One flag, with what follows it; *i is at the last word of it. */
static enum err take(struct config *c, struct arguments *a, int argc, char **argv, int *i)
{
	const struct flag *f = find(argv[*i]);
	bool cut = f && f->value && *i + 1 >= argc, alone = f == find("--json") && !a->check;
	if (!f || cut || alone)
		return err_set(ERR_USAGE, "'%s' is not understood; crumbd --help", argv[*i]);
	if (f->value)
		return f->take(c, a, argv[++*i]);
	*(bool *)((char *)a + f->on) = true;
	return OK;
}

enum err arguments_read(int argc, char **argv, struct config *c, struct arguments *a)
{
	*a = (struct arguments){.help = false};
	/* How to say it is known before there is something to say. */
	for (int i = 1; i < argc; i++) {
		a->check |= strcmp(argv[i], "--check") == 0;
		a->json |= strcmp(argv[i], "--json") == 0;
	}
	enum err e = config_init(c);
	for (int i = 1; i < argc && !e && !a->help && !a->version; i++)
		e = take(c, a, argc, argv, &i);
	if (!e && a->test_clock &&
	    (!options_loopback(c->admin_listen) || !options_loopback(c->collect_listen)))
		e = err_set(ERR_USAGE, "--test-clock works on loopback only");
	return e;
}

void arguments_done(struct arguments *a)
{
	report_done(&a->mistakes);
	buf_done(&a->shown);
}
