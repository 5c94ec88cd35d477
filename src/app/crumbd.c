/* crumbd: the server. Starts a node, its collect threads and the admin listener; ends on SIGTERM.
 *
 * The order of a start: what can be refused comes first, while another crumbd may still serve.
 *
 *     1  command line, options, user             nothing is opened yet
 *     2  places, lists, rules (node_prepare)     all that can be wrong with files
 *     3  take-over, if it is asked for           the other crumbd lets go of the store
 *     4  the store and its views (node_open)
 *     5  listeners; admin answers from here on, and says why it is not ready
 *     6  waits until the views have changed rules in them
 *     7  collect threads; "ready"
 *
 * The order of a stop: the reverse, with one rule. What takes long (imports, deliveries, the night)
 * ends while hits are still taken. Then the collect threads answer what was asked, the journal
 * commits, and the store is closed.
 *
 * Threads: main (this file's loop: signals, ticks, admin), collect, reload, and those of the
 * node. */
#include "serving.h"

#include "crumb/base/clock.h"
#include "crumb/base/log.h"
#include "crumb/base/low.h"
#include "crumb/base/memory.h"
#include "crumb/base/thread.h"
#include "crumb/base/version.h"
#include "crumb/core/user.h"
#include "crumb/admin/admin.h"
#include "crumb/collect/fixed.h"
#include "crumb/collect/live.h"
#include "crumb/collect/recent.h"
#include "crumb/node/courier.h"
#include "crumb/node/keeper.h"
#include "crumb/node/log_topics.h"
#include "crumb/trackers/trackers.h"
#include "notify.h"

#include <event2/event.h>
#include <jansson.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- events of the main thread */

/* Once a second. */
static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;
	(void)fd, (void)what;
	notify_alive();
	node_tick(&s->node);
	if (atomic_exchange(&s->node.models_changed, false))
		reload_want(s);
	keeper_tick(s->keeper);
	live_expire(s->shared.live, clock_now());
	atomic_store(
	    &s->shared.disk_low, store_low(s->node.store, s->shared.config->disk_reserve_percent));
	reload_places(s);
}

/* A hundred times a second; does nothing while nobody waits. */
static void on_quick(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;
	(void)fd, (void)what;
	if (admin_waits(s->admin))
		admin_tick(s->admin);
}

static void terminate(struct server *s)
{
	log_info("main", "stopping");
	notify("STOPPING=1\nSTATUS=answering what was asked");
	event_base_loopbreak(s->base);
}

/* Signals are blocked in every thread and read here, so that no handler interrupts anything. */
static void on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;
	struct signalfd_siginfo info;
	(void)what;
	while (read(fd, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo == SIGHUP) {
			reload_all(s);
		} else {
			terminate(s);
		}
	}
}

static void our_signals(sigset_t *out)
{
	sigemptyset(out);
	sigaddset(out, SIGTERM);
	sigaddset(out, SIGINT);
	sigaddset(out, SIGHUP);
}

/* --- from one process to the next */

static void list_sockets(void *arg, struct sockets *out)
{
	struct server *s = arg;
	int fd;
	for (unsigned i = 0; i < s->threads_n; i++)
		for (unsigned k = 0; (fd = collect_socket(s->collects[i], k)) >= 0; k++)
			sockets_add(out, SOCKET_COLLECT, fd);
	sockets_add(out, SOCKET_ADMIN, admin_socket(s->admin));
}

static void on_taken_over(void *arg, int to)
{
	struct server *s = arg;
	s->successor = to;
	log_info("main", "another crumbd takes over");
	terminate(s);
}

static bool give_collect(void *arg, int fd)
{
	const struct server *s = arg;
	return takeover_send(s->successor, socket_names[SOCKET_COLLECT_CONN], fd);
}

static bool give_admin(void *arg, int fd)
{
	const struct server *s = arg;
	return takeover_send(s->successor, socket_names[SOCKET_ADMIN_CONN], fd);
}

/* Do the listening sockets that we are given listen where our options say? */
static enum err sockets_fit(const struct server *s, const struct sockets *given)
{
	const char *const listen[] = {
	    [SOCKET_COLLECT] = s->config.collect_listen, [SOCKET_ADMIN] = s->config.admin_listen};
	enum err e = OK;
	if (sockets_get(given, SOCKET_COLLECT, 0) < 0)
		return err_set(ERR_USAGE, "the server that runs gave no sockets");
	for (size_t i = 0; i < given->n && !e; i++)
		if (given->v[i].role <= SOCKET_ADMIN)
			e = http_socket_fits(listen[given->v[i].role], given->v[i].fd);
	return e;
}

/* Takes the place of the crumbd that runs. Options, rules and files have been looked at: the other
 * one leaves only for one that can serve. */
static enum err take_over(struct server *s)
{
	struct sockets given = {0};
	int from;
	enum err e = takeover_ask(s->config.store_path, &given, &from);
	if (!e && from < 0)
		log_info("main", "there is nobody to take over from");
	if (!e && from >= 0 && (e = sockets_fit(s, &given))) {
		close(from);
		e = err_wrap(e, "collect.listen and admin.listen stay as they are at a take-over, "
				"or the server is stopped first");
	} else if (!e && from >= 0) {
		s->predecessor = from;
		e = takeover_go(from, &given);
	}
	for (size_t i = 0; i < given.n && !e; i++) {
		sockets_add(&s->sockets, given.v[i].role, given.v[i].fd);
		given.v[i].fd = -1;
	}
	sockets_done(&given);
	return e;
}

/* Takes the connections that the crumbd before us had. Before the collect threads run. */
static void adopt(struct server *s)
{
	unsigned next = 0;
	for (size_t i = 0; i < s->sockets.n; i++) {
		struct socket_one *one = &s->sockets.v[i];
		struct sockaddr_storage peer = {0};
		socklen_t n = sizeof peer;
		if (one->role <= SOCKET_ADMIN ||
		    getpeername(one->fd, (struct sockaddr *)&peer, &n) != 0)
			continue; /* sockets_done() closes it; this client has hung up meanwhile */
		if (one->role == SOCKET_ADMIN_CONN)
			admin_adopt(s->admin, one->fd, &peer);
		else
			collect_adopt(s->collects[next++ % s->threads_n], one->fd, &peer);
		one->fd = -1;
	}
}

/* --- start */

/* Called again and again while the start waits: health is told, and why crumbd is not ready yet. */
static void answer_admin(void *arg)
{
	struct server *s = arg;
	event_base_loop(s->base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
	if (admin_waits(s->admin))
		admin_tick(s->admin);
}

/* The bearer token of the admin listener: the operator's, or one that is made of 24 random
 * bytes. */
static enum err make_token(struct server *s)
{
	uint8_t random[24];
	if (*s->config.admin_token) {
		if (strlen(s->config.admin_token) >= sizeof s->token)
			return err_set(ERR_USAGE, "admin.token is longer than %zu characters",
			    sizeof s->token - 1);
		snprintf(s->token, sizeof s->token, "%s", s->config.admin_token);
		return OK;
	}
	randombytes_buf(random, sizeof random);
	sodium_bin2hex(s->token, sizeof s->token, random, sizeof random);
	return OK;
}

static long collect_threads(const struct server *s)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	if (s->config.collect_threads)
		return s->config.collect_threads;
	return cores > 2 ? cores / 2 : 1;
}

/* Makes the collect threads' listeners. Each has a socket of its own, and the kernel spreads
 * connections over those that share a port. Sockets that we were given are used instead. */
static enum err start_collect(struct server *s)
{
	long n = collect_threads(s);
	char listen[512];
	enum err e = OK;
	s->collects = calloc((size_t)n, sizeof *s->collects);
	s->threads = calloc((size_t)n, sizeof *s->threads);
	CHECK(s->collects && s->threads);
	snprintf(listen, sizeof listen, "%s", s->config.collect_listen);
	size_t given = sockets_count(&s->sockets, SOCKET_COLLECT);
	if (given && http_socket_fits(listen, sockets_get(&s->sockets, SOCKET_COLLECT, 0)) != OK)
		log_warn(
		    "main", "collect.listen is not used, the sockets that were handed to us are");
	if (!given && (e = http_port_free(listen)))
		return err_wrap(e, "collect.listen");
	for (; s->threads_n < (unsigned)n && !e; s->threads_n++) {
		if ((e = collect_new(
			 &s->shared, given ? NULL : listen, &s->collects[s->threads_n])))
			break;
		/* the others share the port that the first one got */
		if (!given)
			collect_address(s->collects[s->threads_n], listen, sizeof listen);
	}
	/* Connections wait in each of the sockets that we were given, so each socket has a thread.
	 * No other socket is opened: the next crumbd would not be given it. */
	for (size_t i = 0; given && !e && i < (given > (size_t)n ? given : (size_t)n); i++)
		e = collect_listen(s->collects[i % (size_t)n],
		    sockets_get(&s->sockets, SOCKET_COLLECT, i % given));
	return e;
}

/* Descriptors that are no connection of a collect thread. An LMDB environment has three. There is
 * an environment for each day, and one for each shard of up to three generations: the one that
 * serves, the one that is built, and the one that its readers have not left yet. The rest is for
 * threads, exports and the admin listener. With 90 days, 4 shards and 2 threads that is
 * 3 * 92 + 9 * 4 + 4 * 2 + 256 + 64 = 640. */
static long other_descriptors(const struct server *s)
{
	const struct config *c = &s->config;
	return 3 * (c->retention_days + 2) + 3 * 3 * c->shards + 4L * s->threads_n +
	       ADMIN_CONNECTIONS + 64;
}

/* Divides the descriptors that are left among the collect threads, so that the store never lacks a
 * descriptor because of connections. A quarter is for connections in any case. */
static void limit_connections(struct server *s)
{
	struct rlimit files;
	long each = s->config.connections;
	if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY)
		return;
	long all = files.rlim_cur > LONG_MAX ? LONG_MAX : (long)files.rlim_cur,
	     needed = other_descriptors(s), room = all - needed;
	if (room < all / 4)
		room = all / 4;
	if (each > room / s->threads_n) {
		each = room / s->threads_n;
		log_warn("main",
		    "collect.connections does not fit the limit of open files: raise it (ulimit "
		    "-n, LimitNOFILE=) limit=%ld needed=%ld connections_per_thread=%ld",
		    all, needed + s->config.connections * s->threads_n, each);
	}
	for (unsigned i = 0; i < s->threads_n; i++)
		collect_limit(s->collects[i], each > 16 ? (unsigned)each : 16);
}

static enum err run_collect(struct server *s)
{
	while (s->running < s->threads_n && thread_start(&s->threads[s->running], "collect",
						collect_run, s->collects[s->running]) == OK)
		s->running++;
	if (s->running == s->threads_n)
		return OK;
	for (unsigned i = 0; i < s->running; i++)
		collect_stop(s->collects[i]);
	return err_set(ERR_IO, "no thread that takes hits: raise the limit of threads (ulimit -u, "
			       "TasksMax=), or lower collect.threads");
}

static void add_events(struct server *s)
{
	sigset_t ours;
	our_signals(&ours);
	s->signal_fd = signalfd(-1, &ours, SFD_NONBLOCK | SFD_CLOEXEC);
	CHECK(s->signal_fd >= 0);
	s->tick = event_new(s->base, -1, EV_PERSIST, on_tick, s);
	s->quick = event_new(s->base, -1, EV_PERSIST, on_quick, s);
	s->signals = event_new(s->base, s->signal_fd, EV_READ | EV_PERSIST, on_signal, s);
	event_add(s->tick, &(struct timeval){1, 0});
	event_add(s->quick, &(struct timeval){0, 10000});
	event_add(s->signals, NULL);
}

/* Other nodes reach us from here on. A crumbd that we take over from has closed its listener by
 * then. */
static enum err open_cluster(struct server *s)
{
	char where[128];
	enum err e = cluster_open(s->base, &s->config, s->node.store->keys, &s->cluster);
	if (e)
		return e;
	cluster_address(s->cluster, where, sizeof where);
	log_info("cluster", "other nodes reach this one address=%s", where);
	return OK;
}

/* Steps 2 to 7. After a failure stop() frees what was made. */
static enum err start(struct server *s)
{
	sigset_t ours;
	our_signals(&ours);
	pthread_sigmask(SIG_BLOCK, &ours, NULL); /* threads inherit the mask */
	collect_shared_init(&s->shared);
	enum err e = cidr_list_parse(s->config.trusted_proxies, &s->shared.trusted);
	if (e)
		return err_wrap(e, "trusted_proxies");
	pthread_mutex_init(&s->reload_lock, NULL);
	pthread_mutex_init(&s->places_lock, NULL);
	atomic_store(&s->shared.config, &s->config);
	pthread_cond_init(&s->reload_wake, NULL);
	if ((e = cluster_check(&s->config)))
		return err_wrap(e, "cluster.key");
	if ((e = make_token(s)) || (e = reload_places_first(s)) || (e = reload_lists(s)))
		return e;
	if ((e = node_prepare(&s->node, &s->config)) || (e = log_topics_fit(&s->config)) ||
	    (s->take_over && (e = take_over(s))))
		return e;
	if ((e = node_open(&s->node, s->test_clock ? NODE_CLOCK_BELIEVED : NODE_CLOCK_JUDGED)))
		return e;
	/* the k gate remembers from here on what this server tells, and what it told before */
	char told[FILE_PATH_MAX + sizeof "/told"];
	snprintf(told, sizeof told, "%s/told", s->config.store_path);
	s->config.told = kgate_memory_open(told, KGATE_ANEW);
	if ((e = keeper_start(&s->node, &s->keeper)))
		return e;
	s->shared.trackers = trackers;
	s->shared.store = s->node.store;
	s->shared.writer = s->node.writer;
	s->shared.engine = s->node.engine;
	s->shared.live = live_new();
	s->shared.recent = recent_new();
	s->shared.fixed = fixed_new(&s->config);
	if (!s->shared.live || !s->shared.recent || !s->shared.fixed)
		return err_set(ERR_NOMEM, "no memory");
	reload_share(s);
	s->base = event_base_new();
	if (!s->base)
		return err_set(ERR_IO, "no event loop");
	if ((e = start_collect(s)))
		return e;
	if ((e = admin_new(s->base, &s->node, s->keeper, &s->shared, s->token,
		 s->test_clock ? ADMIN_CLOCK_MOVABLE : ADMIN_CLOCK_REAL,
		 sockets_get(&s->sockets, SOCKET_ADMIN, 0), &s->admin)))
		return err_wrap(e, "admin.listen");
	if (*s->config.node_address && (e = open_cluster(s)))
		return e;
	admin_on_models(s->admin, reload_models, s);
	admin_on_reload(s->admin, reload_all, reload_over, s);
	char admin[128];
	admin_address(s->admin, admin, sizeof admin);
	if ((e = store_save_admin(s->node.store, admin, s->token)))
		return e;
	/* Clients may wait in sockets that were there before us. They wait for their hits to be
	 * taken, so we do not wait for the views. */
	bool waited_for = s->sockets.n > 0;
	s->node.meanwhile = answer_admin;
	s->node.meanwhile_arg = s;
	if (!waited_for && !node_wait(&s->node, s->config.rules_wait_s, NODE_SERVES))
		log_warn("main", "serving before the views have caught up");
	if ((e = courier_start(&s->node, &s->courier)))
		return e;
	limit_connections(s);
	if ((e = thread_start(&s->reloader, "reload", reload_run, s)))
		return e;
	s->reload_runs = true;
	if (s->take_over && waited_for) /* a lookalike may have been trained since step 2 */
		reload_want(s);
	/* the first visitor is refused like all others when the disk is low */
	atomic_store(&s->shared.disk_low, store_low(s->node.store, s->config.disk_reserve_percent));
	adopt(s);
	sockets_done(&s->sockets);
	if ((e = run_collect(s)))
		return e;
	if (takeover_offer(
		s->config.store_path, s->base, list_sockets, on_taken_over, s, &s->takeover) != OK)
		log_warn("main", "nobody will be able to take over why=\"%s\"", err_text());
	add_events(s);
	admin_ready(s->admin);
	return OK;
}

/* Ends everything that start() has begun, as far as it came. When another crumbd takes over,
 * listening sockets are kept (in s->kept) until it is ready, connections are given to it, and it is
 * told when the store is free. */
static void stop(struct server *s)
{
	bool taken_over = s->successor >= 0;
	low_over();
	collect_shared_end(&s->shared);
	if (taken_over) {
		list_sockets(s, &s->kept);
		sockets_keep(&s->kept);
		admin_give(s->admin, give_admin, s);
	}
	takeover_close(s->takeover);
	cluster_close(s->cluster); /* before the successor opens it */
	/* what may take long ends while hits are still taken */
	admin_free(s->admin);
	if (s->reload_runs) {
		reload_end(s);
		pthread_join(s->reloader, NULL);
	}
	keeper_stop(s->keeper);
	courier_stop(s->courier);
	for (unsigned i = 0; i < s->running; i++) {
		if (taken_over)
			collect_give(s->collects[i], give_collect, s);
		else
			collect_stop(s->collects[i]);
	}
	for (unsigned i = 0; i < s->running; i++)
		pthread_join(s->threads[i], NULL);
	writer_stop(s->node.writer);
	s->node.writer = NULL;
	engine_stop(s->node.engine);
	s->node.engine = NULL;
	for (unsigned i = 0; i < s->threads_n; i++)
		collect_free(s->collects[i]);
	node_stop(&s->node);
	kgate_memory_free(s->config.told);
	s->config.told = NULL;
	if (taken_over)
		takeover_send(s->successor, "released", -1);
	sockets_done(&s->sockets);
	struct event *events[] = {s->tick, s->quick, s->signals};
	for (size_t i = 0; i < sizeof events / sizeof *events; i++)
		if (events[i])
			event_free(events[i]);
	if (s->base)
		event_base_free(s->base);
	json_decref(s->reload_told);
	rules_unref(s->shared.rules);
	destinations_unref(s->shared.destinations);
	place_db_unref(s->shared.places);
	junk_unref(s->shared.lists);
	live_free(s->shared.live);
	recent_free(s->shared.recent);
	fixed_free(s->shared.fixed);
	free(s->collects);
	free(s->threads);
	while (s->retired) {
		struct retired *r = s->retired;
		s->retired = r->next;
		again_free(r->config);
		fixed_free(r->fixed);
		free(r);
	}
	config_done(&s->config);
	libevent_global_shutdown();
}

/* Says all options that cannot work. ERR_USAGE: crumbd does not start. */
static enum err look_at_options(const struct config *c)
{
	static struct options_found f;
	struct destinations *d = NULL;
	if (destinations_load(c->destinations_path, NULL, &d) != OK)
		d = NULL; /* node_prepare() says why */
	options_check(c, d, &f);
	destinations_unref(d);
	if (!f.wrong)
		return options_say(&f, NULL) ? ERR_USAGE : OK;
	options_say(&f, stderr);
	return ERR_USAGE;
}

/* Bodies are raw hits: memory that the JSON library frees is wiped first. */
static void wipe_and_free(void *p)
{
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

/* The process becomes process.user. Becoming another user makes a process dumpable again. */
static enum err drop_privileges(const struct config *c)
{
	if (!*c->process_user && geteuid() == 0 && getpid() != 1)
		log_warn(
		    "main", "running as root: set process.user, or start it as a user of its own");
	enum err e = user_of_server(c);
	if (!e && prctl(PR_SET_DUMPABLE, 0) != 0)
		e = err_sys("prctl");
	return e;
}

/* Before anything is read: raw hits leave no trace in core dumps or freed memory, files that are
 * made are the user's alone, and there are as many descriptors as the system allows. */
static void prepare_process(void)
{
	struct rlimit files;
	json_set_alloc_funcs(memory_for_json, wipe_and_free);
	signal(SIGPIPE, SIG_IGN);
	umask(077);
	prctl(PR_SET_DUMPABLE, 0);
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	/* as root: threads of low priority may come back after root is gone (base/low.h) */
	setrlimit(RLIMIT_NICE, &(struct rlimit){20, 20});
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

/* Exit status: 0 it has served and ended, or had only to print; 1 it could not start, or did not
 * get its place back after a take-over that failed; 2 the command line or the options are wrong. */
int main(int argc, char **argv)
{
	static struct server s = {.successor = -1, .predecessor = -1};
	prepare_process();
	struct arguments a = {.help = false};
	enum err e = sodium_init() < 0 ? err_set(ERR_IO, "libsodium does not start")
				       : arguments_read(argc, argv, &s.config, &a);
	if (!e && (a.help || a.version)) {
		if (a.version)
			puts("crumbd " CRUMB_VERSION);
		else
			arguments_help(stdout);
		arguments_done(&a);
		config_done(&s.config);
		return 0;
	}
	if (a.check) {
		log_threshold(LOG_ERROR);
		int rc = check_all(&s.config, e, &a);
		arguments_done(&a);
		config_done(&s.config);
		return rc;
	}
	s.argc = argc;
	s.argv = argv;
	s.verbose = a.verbose;
	s.test_clock = a.test_clock;
	s.take_over = a.take_over;
	notify_begin();
	log_shape(s.config.log_form);
	log_threshold(a.verbose ? LOG_DEBUG : s.config.log_level);
	if (!e)
		e = sockets_of_environment(&s.sockets);
	if (!e)
		e = drop_privileges(&s.config);
	if (e && a.shown.n)
		fwrite(a.shown.p, 1, a.shown.n, stderr);
	if (e) {
		fprintf(stderr, "crumbd: %s\n", err_text());
		arguments_done(&a);
		return 2;
	}
	arguments_done(&a);
	if (look_at_options(&s.config))
		return 2;
	if ((e = start(&s))) {
		fprintf(stderr, "crumbd: %s\n", err_text());
		stop(&s);
		return 1;
	}
	char collect[128], admin[128];
	collect_address(s.collects[0], collect, sizeof collect);
	admin_address(s.admin, admin, sizeof admin);
	printf("ready collect=%s admin=%s\n", collect, admin);
	fflush(stdout);
	notify("READY=1\nSTATUS=ready collect=%s admin=%s", collect, admin);
	if (s.predecessor >= 0) {
		takeover_send(s.predecessor, "ready", -1);
		close(s.predecessor);
	}
	event_base_dispatch(s.base);
	sigset_t ours;
	our_signals(&ours);
	sigdelset(&ours, SIGHUP);
	pthread_sigmask(SIG_UNBLOCK, &ours, NULL); /* a second SIGTERM ends the process at once */
	stop(&s);
	if (s.successor >= 0 && !takeover_wait(s.successor)) {
		log_error("main", "the crumbd that took over has ended before it was ready: this "
				  "one starts again");
		if (sockets_exec(&s.kept, argv) != OK)
			log_error("main", "it cannot why=\"%s\"", err_text());
		return 1;
	}
	return 0;
}
