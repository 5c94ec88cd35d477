/* The server's parts, for the files of app/ that start it, run it and read things again. */
#ifndef CRUMB_SRC_APP_SERVING_H
#define CRUMB_SRC_APP_SERVING_H

#include "app.h"

#include "crumb/admin/admin.h"
#include "crumb/node/courier.h"
#include "crumb/node/keeper.h"
#include "takeover.h"

#include <jansson.h>
#include <pthread.h>
#include <sys/stat.h>

struct server {
	struct config config;
	struct node node;
	struct keeper *keeper;
	struct courier *courier;
	struct collect_shared shared;
	struct event_base *base;
	struct admin *admin;
	struct collect **collects;
	pthread_t *threads;
	unsigned threads_n, running;
	bool test_clock, take_over;
	struct sockets sockets;	   /* that others opened, at start */
	struct takeover *takeover; /* waits for the one that takes our place */
	int successor;		   /* it has come; -1: not yet */
	struct sockets kept;	   /* ours, until it is ready */
	int predecessor;	   /* whose place we take; -1: nobody's */
	char token[128];
	int argc;
	char **argv;
	bool verbose;
	struct retired { /* options that were in force, or are, but for those of the start */
		struct config *config;
		struct fixed *fixed; /* that was in force before these; NULL: the same is */
		struct retired *next;
	} * retired;
	pthread_mutex_t places_lock; /* guards what follows */
	char places_file[4096];
	struct timespec places_changed;
	off_t places_size;
	struct event *tick, *quick, *signals;
	int signal_fd;
	/* reads rules again, so that the main thread answers meanwhile */
	pthread_t reloader;
	pthread_mutex_t reload_lock;
	pthread_cond_t reload_wake;
	bool reload_wanted, reload_options /* the configuration, too */, reload_stop, reload_runs;
	uint64_t reload_asked,
	    reload_done;     /* rounds: who asks waits for one that began afterwards */
	json_t *reload_told; /* what became of the latest; NULL: none was, or there is no memory to
				say it */
};

/* --- reload.c: what changes while the server runs */
enum err reload_places_first(struct server *s) MUST_CHECK;
void reload_places(
    struct server *s); /* looks whether the file of places is another one; each second */
enum err reload_lists(struct server *s) MUST_CHECK;
void reload_share(struct server *s); /* the node's rules and destinations, to the threads */
enum err reload_models(
    void *server) MUST_CHECK;	/* there are new models: rules and destinations; any thread */
void *reload_run(void *server); /* the thread that does it */
void reload_want(struct server *s, bool stop); /* wakes it */
/* As SIGHUP does, the configuration too; the number of the round that will have done it. */
uint64_t reload_all(void *server);
/* Is the round over? *told is a reference to what became of it, or of a later one; NULL: there is
 * no memory to say it. */
bool reload_over(void *server, uint64_t round, json_t **told);

#endif
