#include "app.h"

#include <string.h>

static const char usage[] = "crumbd - pixel and tag server of crumb, a data management platform for anonymous audiences\n"
			    "\n"
			    "usage: crumbd [-c FILE] [-o key=value]... [--test-clock] [--check [--json]]\n"
			    "\n"
			    "  -c, --config FILE    options as YAML; see etc/crumb.yaml\n"
			    "  -o key=value         one option; wins over the file\n"
			    "      --check          look at options, rules and destinations, say what is wrong, start nothing; exit status 0 or 1\n"
			    "      --json           say it as JSON\n"
			    "      --take-over      take sockets, connections and store from the crumbd that has the store, if one does\n"
			    "      --test-clock     let POST /v1/clock?advance=91d move the clock (loopback only)\n"
			    "  -v, --verbose        say more on stderr\n"
			    "  -h, --help           this text\n"
			    "      --version        which crumbd this is\n"
			    "\n"
			    "When it can serve it prints 'ready collect=HOST:PORT admin=HOST:PORT'. SIGHUP reads rules, destinations, lists and the\n"
			    "configuration again: options marked [SIGHUP] are taken, changes of the others are named in the log and wait for the next\n"
			    "start; with a mistake in it all stays as it is. SIGTERM answers what was asked and ends; a second SIGTERM ends at once.\n"
			    "Sockets may come from a service manager (LISTEN_FDS, named collect and admin), and it is told how we are\n"
			    "(NOTIFY_SOCKET, WATCHDOG_USEC).\n"
			    "\n"
			    "options:\n";

void arguments_help(FILE *to)
{
	fputs(usage, to);
	config_help(to);
}

enum err arguments_read(int argc, char **argv, struct config *c, struct arguments *a)
{
	*a = (struct arguments){.help = false};
	for (int i = 1; i < argc; i++) { /* how to say it is known before there is something to say */
		a->check |= strcmp(argv[i], "--check") == 0;
		a->json |= strcmp(argv[i], "--json") == 0;
	}
	enum err e = config_init(c);
	for (int i = 1; i < argc && !e && !a->help && !a->version; i++) {
		const char *w = argv[i];
		if (strcmp(w, "-h") == 0 || strcmp(w, "--help") == 0)
			a->help = true;
		else if (strcmp(w, "--version") == 0)
			a->version = true;
		else if (strcmp(w, "--test-clock") == 0)
			a->test_clock = true;
		else if (strcmp(w, "--take-over") == 0)
			a->take_over = true;
		else if (strcmp(w, "-v") == 0 || strcmp(w, "--verbose") == 0)
			a->verbose = true;
		else if ((strcmp(w, "-c") == 0 || strcmp(w, "--config") == 0) && i + 1 < argc)
			e = config_file(c, argv[++i], &a->mistakes, &a->shown);
		else if (strcmp(w, "-o") == 0 && i + 1 < argc)
			e = config_set(c, argv[++i]);
		else if (strcmp(w, "--check") != 0 && !(strcmp(w, "--json") == 0 && a->check))
			e = err_set(ERR_USAGE, "'%s' is not understood; crumbd --help", w);
	}
	if (!e && a->test_clock && (!options_loopback(c->admin_listen) || !options_loopback(c->collect_listen)))
		e = err_set(ERR_USAGE, "--test-clock works on loopback only");
	return e;
}

void arguments_done(struct arguments *a)
{
	report_done(&a->mistakes);
	buf_done(&a->shown);
}
