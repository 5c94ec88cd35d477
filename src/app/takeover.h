/* A new crumbd takes the place of the one that runs, and nobody who asks notices.
 *
 *      new                                  old
 *      looks at options, rules, lists
 *      connects to STORE/takeover ───────►  looks whose process it is
 *      "take over 1"              ───────►
 *                                 ◄───────  every socket that it listens at ("collect", "admin"),
 * "that is all" do they fit collect.listen? "go"                       ───────►  ends imports,
 * deliveries, nightly work; then its collect threads accept no more, answer what was ◄───────
 * asked, and give each connection that asks for nothing ("collect-connection", "admin-connection");
 *                                           commits, closes the store
 *      opens the store            ◄───────  "released"
 *      serves; "ready"            ───────►  ends
 *
 * Whoever connects in between waits in the kernel's queue of sockets that at least one of the two
 * has open; who is connected already finds the new process behind his connection. A new process
 * that ends before "go" leaves everything as it was; when it ends between "go" and "ready" the old
 * program starts again, with the sockets, which it has kept open (sockets_exec()). Messages are
 * records (SOCK_SEQPACKET) of a word and at most one descriptor. */
#ifndef CRUMB_SRC_APP_TAKEOVER_H
#define CRUMB_SRC_APP_TAKEOVER_H

#include "sockets.h"

struct event_base;
struct takeover;

/* The old one. Waits in the store's folder for whoever takes over; `mine` lists the sockets to
 * give, `asked` is called at "go": from then on the descriptor `to` is the caller's. On the main
 * thread. */
enum err takeover_offer(const char *store, struct event_base *base,
    void (*mine)(void *arg, struct sockets *out), void (*asked)(void *arg, int to), void *arg,
    struct takeover **out) MUST_CHECK;
void takeover_close(struct takeover *t); /* while the store is still ours */
/* Sends a word with a descriptor, or none when it is -1. Any thread. False: nobody has it. */
bool takeover_send(int to, const char *word, int fd);
bool takeover_wait(int to); /* released: is the new one ready? False: it has ended before */

/* The new one. *from is -1 when nobody runs. */
enum err takeover_ask(const char *store, struct sockets *out, int *from) MUST_CHECK;
/* Takes the old one's connections until it has let go of the store; then, over `from`, it waits for
 * the word "ready". */
enum err takeover_go(int from, struct sockets *out) MUST_CHECK;

#endif
