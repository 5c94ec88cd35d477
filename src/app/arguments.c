/* crumbd's command line: one row is one flag. The help, the manual and bash's completion are made
 * from the rows. The words are read at a start, and again at SIGHUP (again.c). */
#include "app.h"

#include <stddef.h>
#include <string.h>

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
	const char *brief, *name; /* -c and --config; NULL: the flag has no such name */
	const char *value;	  /* what follows the flag; NULL: nothing does */
	const char *help;
	enum err (*take)(struct config *c, struct arguments *a, const char *value);
	size_t on; /* where nothing follows: offset of the bool in struct arguments */
} flags[] = {
#define ON(field) .on = offsetof(struct arguments, field)
    {"-c", "--config", "FILE", "read options from a YAML file, such as etc/crumb.yaml",
	.take = take_file},
    {"-o", NULL, "key=value", "set one option; -o behind -c wins over the file",
	.take = take_option},
    {NULL, "--check", NULL,
	"look at options, rules and destinations, say what is wrong, and start nothing; "
	"the exit status is 0 or 1",
	ON(check)},
    {NULL, "--json", NULL, "with --check: say what is wrong as JSON", ON(json)},
    {NULL, "--take-over", NULL,
	"take sockets, connections and store from the crumbd that has the store, if there is one",
	ON(take_over)},
    {NULL, "--test-clock", NULL, "let POST /v1/clock?advance=91d move the clock; only on loopback",
	ON(test_clock)},
    {"-v", "--verbose", NULL, "write more lines to stderr", ON(verbose)},
    {"-h", "--help", NULL, "print this text", ON(help)},
    {NULL, "--version", NULL, "print the version", ON(version)},
#undef ON
};
#define FLAGS (sizeof flags / sizeof *flags)

static bool same(const char *name, const char *word)
{
	return name && strcmp(name, word) == 0;
}

static const struct flag *find_flag(const char *word)
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
	      "usage: crumbd [-c FILE] [-o key=value]... [--take-over] [--test-clock]\n"
	      "       crumbd [-c FILE] [-o key=value]... --check [--json]\n"
	      "\n",
	    to);
	for (size_t i = 0; i < FLAGS; i++) {
		const struct flag *f = &flags[i];
		struct buf names = {0};
		buf_c(&names, f->brief ? f->brief : "    ");
		if (f->name)
			buf_addf(&names, "%s%s", f->brief ? ", " : "", f->name);
		if (f->value)
			buf_addf(&names, " %s", f->value);
		fprintf(to, "  %-20.*s %s\n", (int)names.n, names.p, f->help);
		buf_done(&names);
	}
	fputs("\n"
	      "When crumbd can serve, it prints 'ready collect=HOST:PORT admin=HOST:PORT'.\n"
	      "\n"
	      "SIGHUP reads rules, destinations, lists and the configuration again. Options\n"
	      "that are marked [SIGHUP] are in force at once. Changes of other options are\n"
	      "named in the log and wait for the next start. If there is a mistake in the\n"
	      "configuration, all options stay as they are.\n"
	      "\n"
	      "SIGTERM answers what was asked and ends crumbd. A second SIGTERM ends it at\n"
	      "once. A service manager may open the sockets (LISTEN_FDS, named collect and\n"
	      "admin), and is told how crumbd is (NOTIFY_SOCKET, WATCHDOG_USEC).\n"
	      "\n"
	      "options:\n",
	    to);
	config_help(to);
}

/* One flag, with the value that follows it. *i moves to the last word of it. */
static enum err take_flag(struct config *c, struct arguments *a, int argc, char **argv, int *i)
{
	const struct flag *f = find_flag(argv[*i]);
	bool cut = f && f->value && *i + 1 >= argc, alone = f == find_flag("--json") && !a->check;
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
	/* --check and --json say how mistakes are told, so they are looked for first: a mistake may
	 * stand before them. */
	for (int i = 1; i < argc; i++) {
		a->check |= strcmp(argv[i], "--check") == 0;
		a->json |= strcmp(argv[i], "--json") == 0;
	}
	enum err e = config_init(c);
	for (int i = 1; i < argc && !e && !a->help && !a->version; i++)
		e = take_flag(c, a, argc, argv, &i);
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
