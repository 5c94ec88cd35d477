/* A new crumbd takes the place of the one that runs, and no client notices.
 *
 *     new                                    old
 *     looks at options, rules, lists
 *     connects to STORE/takeover    ──────►  looks whose process that is
 *     "take over 1"                 ──────►
 *                                   ◄──────  "collect", "admin": each socket that it listens at
 *     do they fit collect.listen?   ◄──────  "that is all"
 *     "go"                          ──────►  ends imports, deliveries, the work of the night
 *                                            collect threads: accept no more, answer what was
 *                                            asked, give each connection that asks for nothing
 *                                   ◄──────  "collect-connection", "admin-connection"
 *                                            commits, closes the store
 *     opens the store               ◄──────  "released"
 *     serves
 *     "ready"                       ──────►  ends
 *
 * Who notices what:
 *
 *     connects meanwhile            waits in the kernel's queue of a socket that at least one of
 *                                   the two processes has open
 *     is connected, asks nothing    finds the new process behind the same connection
 *     has asked                     is answered by the old process, and the connection is closed
 *
 * What happens when the new process ends:
 *
 *     before "go"                   nothing: the old process serves as before
 *     between "go" and "ready"      the old program starts again, with its listening sockets, which
 *                                   it has kept open (sockets_exec())
 *
 * When the old process ends before "released", the kernel lets go of the store's lock, and the new
 * process goes on. Messages are records (SOCK_SEQPACKET) of a word and at most one descriptor. */
#ifndef CRUMB_SRC_APP_TAKEOVER_H
#define CRUMB_SRC_APP_TAKEOVER_H

#include "sockets.h"

struct event_base;
struct takeover;

/* --- the old process */

/* Waits in the store's folder for a process that takes over. `mine` lists the sockets to give,
 * which stay the caller's. `asked` is called at "go" with the descriptor `to`, which is the
 * caller's from then on. Both are called on the thread of `base`. */
enum err takeover_offer(const char *store, struct event_base *base,
    void (*mine)(void *arg, struct sockets *out), void (*asked)(void *arg, int to), void *arg,
    struct takeover **out) MUST_CHECK;
void takeover_close(struct takeover *t); /* while the store is still ours */
/* Sends a word and a copy of a descriptor (-1: none). Any thread. False: it was not sent. */
bool takeover_send(int to, const char *word, int fd);
/* Waits until the new process is ready. False: it has ended before. */
bool takeover_wait(int to);

/* --- the new process; main thread */

/* Takes the listening sockets. *from talks to the old process; -1: no process runs. ERR_BUSY: the
 * old process does not give them up. */
enum err takeover_ask(const char *store, struct sockets *out, int *from) MUST_CHECK;
/* Says "go", and takes the connections until the old process has let go of the store. The old
 * process then waits for the word "ready". ERR_BUSY: it has not let go in two minutes. */
enum err takeover_go(int from, struct sockets *out) MUST_CHECK;

#endif
