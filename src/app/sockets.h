/* Sockets that this process did not open: those of a service manager (LISTEN_FDS), or of the crumbd
 * that ran before it (takeover.h). A struct sockets owns its descriptors. One thread at a time. */
#ifndef CRUMB_SRC_APP_SOCKETS_H
#define CRUMB_SRC_APP_SOCKETS_H

#include "crumb/base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* What a socket is for. The process before has accepted the connections; they ask for nothing yet.
 * Roles up to SOCKET_ADMIN listen. */
enum socket_role {
	SOCKET_COLLECT,
	SOCKET_ADMIN,
	SOCKET_COLLECT_CONN,
	SOCKET_ADMIN_CONN,
	SOCKET_ROLES
};

struct socket_one {
	int fd; /* -1: somebody took it */
	enum socket_role role;
};
struct sockets {
	struct socket_one *v;
	size_t n, cap;
};

extern const char *const socket_names[SOCKET_ROLES];
bool socket_role(const char *name, size_t n, enum socket_role *out);

/* Takes the descriptor. Where memory is missing it is closed. */
void sockets_add(struct sockets *s, enum socket_role role, int fd);
/* Borrows the i-th socket of a role; -1: there is none. */
int sockets_get(const struct sockets *s, enum socket_role role, size_t i);
size_t sockets_count(const struct sockets *s, enum socket_role role);
void sockets_done(struct sockets *s); /* closes what is left */

/* Takes the sockets of sd_listen_fds(3). ERR_USAGE: a name is neither collect nor admin. To be
 * called once, before threads. */
enum err sockets_of_environment(struct sockets *out) MUST_CHECK;

/* Runs the program again in this process, with the listening sockets. Returns only a failure. */
enum err sockets_exec(const struct sockets *s, char **argv) MUST_CHECK;
/* Replaces borrowed descriptors by copies, which stay open when the others are closed. */
void sockets_keep(struct sockets *s);

#endif
