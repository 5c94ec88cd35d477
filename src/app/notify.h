/* Tells the service manager how crumbd is (sd_notify(3)): a datagram to the socket that
 * NOTIFY_SOCKET names. Where there is no such socket nothing is sent. */
#ifndef CRUMB_SRC_APP_NOTIFY_H
#define CRUMB_SRC_APP_NOTIFY_H

#include <stdbool.h>

/* Reads the manager's variables and takes them out of the environment. Before threads. */
void notify_begin(void);
/* Sends lines such as READY=1. Any thread. */
void notify(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void notify_reloading(void); /* any thread */
/* Sends WATCHDOG=1 where the manager wants it. To be called by the main loop, once a second. */
void notify_alive(void);

#endif
