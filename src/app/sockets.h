/* Sockets that this process did not open: a service manager's (LISTEN_FDS), or those of the crumbd
 * that ran before it (takeover.h). */
#ifndef CRUMB_SRC_APP_SOCKETS_H
#define CRUMB_SRC_APP_SOCKETS_H

#include "crumb/base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* What it is for. A connection was accepted by the process before, and asks for nothing yet. */
enum socket_role {
	SOCKET_COLLECT,
	SOCKET_ADMIN,
	SOCKET_COLLECT_CONN,
	SOCKET_ADMIN_CONN,
	SOCKET_ROLES
};

struct sockets {
	struct socket_one {
		int fd;
		enum socket_role role;
	} * v;
	size_t n, cap;
};

extern const char *const socket_names[SOCKET_ROLES];
bool socket_role(const char *name, size_t n, enum socket_role *out);

void sockets_add(
    struct sockets *s, enum socket_role role, int fd); /* takes it; without memory it is closed */
int sockets_get(const struct sockets *s, enum socket_role role,
    size_t i); /* the i-th of that role, or -1; stays with s */
size_t sockets_count(const struct sockets *s, enum socket_role role);
void sockets_done(struct sockets *s); /* closes what is left */

/* Those of sd_listen_fds(3). Refused: names that are neither collect nor admin. Call once, before
 * threads. */
enum err sockets_of_environment(struct sockets *out) MUST_CHECK;

/* The program once more, with these sockets. Returns when that is impossible. */
enum err sockets_exec(const struct sockets *s, char **argv) MUST_CHECK;
/* Descriptors of their own for sockets that others will close. */
void sockets_keep(struct sockets *s);

#endif
