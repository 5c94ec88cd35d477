/* Tells the service manager how we are (sd_notify(3)): a datagram to the socket that NOTIFY_SOCKET
 * names. Without one nothing is said. */
#ifndef CRUMB_SRC_APP_NOTIFY_H
#define CRUMB_SRC_APP_NOTIFY_H

#include <stdbool.h>

void notify_begin(void); /* reads the environment and takes it out; before threads */
void notify(const char *fmt, ...)
    __attribute__((format(printf, 1, 2))); /* lines like READY=1; any thread */
void notify_reloading(void);
void notify_alive(
    void); /* from the main loop, once a second; says so when the manager wants to hear it */

#endif
