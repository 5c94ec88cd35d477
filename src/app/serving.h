/* The server's parts, for the files of app/ that start it, run it and read things again.
 *
 *     main      everything, before the threads start and after they have ended; signals, ticks
 *     reload    reads things again (reload.c)
 *     collect   read `shared` alone */
#ifndef CRUMB_SRC_APP_SERVING_H
#define CRUMB_SRC_APP_SERVING_H

#include "app.h"

#include "crumb/admin/admin.h"
#include "crumb/cluster/cluster.h"
#include "crumb/node/courier.h"
#include "crumb/node/keeper.h"
#include "takeover.h"

#include <jansson.h>
#include <pthread.h>
#include <sys/stat.h>

/* Options that are or were in force, but for those of the start. Threads read options without a
 * lock, so none is freed while the server runs. One costs some kilobytes. */
struct retired {
	struct config *config;
	struct fixed *fixed; /* of the options before these; NULL: these have the same */
	struct retired *next;
};

struct server {
	/* main thread; set before the threads start */
	struct config config; /* of the start; shared.config is in force */
	struct node node;
	struct keeper *keeper;
	struct courier *courier;
	struct event_base *base;
	struct admin *admin;
	struct cluster *cluster; /* NULL: no node.address */
	struct collect **collects;
	pthread_t *threads; /* of the collects */
	unsigned threads_n, running;
	bool test_clock, take_over, verbose;
	int argc; /* of main(), for reading the options again */
	char **argv;
	char token[128]; /* of the admin listener */
	struct event *tick, *quick, *signals;
	int signal_fd;

	/* main thread: two processes at one store (takeover.h) */
	struct sockets sockets;	   /* that others opened, at start */
	struct takeover *takeover; /* waits for a crumbd that takes our place */
	int successor;		   /* talks to the crumbd that takes our place; -1: there is none */
	struct sockets kept;	   /* our listening sockets, until the successor is ready */
	int predecessor;	   /* talks to the crumbd whose place we take; -1: there is none */

	/* shared, as its header says */
	struct collect_shared shared;

	/* reloading thread */
	struct retired *retired;

	/* shared by main and reloading thread, under places_lock */
	pthread_mutex_t places_lock;
	char places_file[FILE_PATH_MAX]; /* empty: there is none */
	struct timespec places_changed;	 /* of the file that was read */
	off_t places_size;

	/* shared, under reload_lock */
	pthread_mutex_t reload_lock;
	pthread_cond_t reload_wake;
	bool reload_wanted;    /* begin a round */
	bool reload_options;   /* the round reads the configuration, too */
	bool reload_stop;      /* end the thread */
	uint64_t reload_asked; /* rounds that somebody has asked for */
	uint64_t reload_done;  /* the latest of them that is over */
	json_t *reload_told;   /* what the latest round took and refused; NULL: no memory */
	pthread_t reloader;    /* main thread */
	bool reload_runs;      /* main thread */
};

/* --- reload.c: what changes while the server runs */
/* At start, on the main thread. */
enum err reload_places_first(struct server *s) MUST_CHECK;
/* Reads the file of places again if it has changed. Each second, on the main thread. */
void reload_places(struct server *s);
enum err reload_lists(struct server *s) MUST_CHECK;
/* Gives the node's rules and destinations to the collect threads. */
void reload_share(struct server *s);
/* There are new models: reads rules and destinations again. Any thread. */
enum err reload_models(void *server) MUST_CHECK;
void *reload_run(void *server);	    /* the reloading thread */
void reload_want(struct server *s); /* asks for a round without options; any thread */
void reload_end(struct server *s);  /* ends the reloading thread behind the round it is in */
/* Asks for a round with options, as SIGHUP does, and returns its number. Any thread. */
uint64_t reload_all(void *server);
/* Is the round over? *told is a new reference to what that round, or a later one, took and refused;
 * NULL: there was no memory to say it. Any thread. */
bool reload_over(void *server, uint64_t round, json_t **told);

#endif
