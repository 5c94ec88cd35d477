/* Sockets that this process did not open, and how they go to the next one.
 *
 * A service manager hands sockets over as descriptors 3, 4, 5 …, counts them in LISTEN_FDS and
 * names them in LISTEN_FDNAMES (sd_listen_fds(3)). sockets_exec() does the same for the program
 * that it runs, so both come in by sockets_of_environment(). */
#include "sockets.h"

#include "crumb/base/array.h"
#include "crumb/base/buf.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_FD 3 /* SD_LISTEN_FDS_START */

const char *const socket_names[SOCKET_ROLES] = {
    "collect", "admin", "collect-connection", "admin-connection"};

bool socket_role(const char *name, size_t n, enum socket_role *out)
{
	for (int i = 0; i < SOCKET_ROLES; i++) {
		if (str_eq(str_make(name, n), str_c(socket_names[i]))) {
			*out = (enum socket_role)i;
			return true;
		}
	}
	return false;
}

void sockets_add(struct sockets *s, enum socket_role role, int fd)
{
	if (!array_room(s->v, s->cap, s->n + 1)) {
		close(fd);
		return;
	}
	s->v[s->n++] = (struct socket_one){fd, role};
}

int sockets_get(const struct sockets *s, enum socket_role role, size_t i)
{
	for (size_t k = 0; k < s->n; k++)
		if (s->v[k].role == role && s->v[k].fd >= 0 && i-- == 0)
			return s->v[k].fd;
	return -1;
}

size_t sockets_count(const struct sockets *s, enum socket_role role)
{
	size_t n = 0;
	for (size_t k = 0; k < s->n; k++)
		n += s->v[k].role == role;
	return n;
}

void sockets_done(struct sockets *s)
{
	for (size_t k = 0; k < s->n; k++)
		if (s->v[k].fd >= 0)
			close(s->v[k].fd);
	free(s->v);
	*s = (struct sockets){0};
}

static enum err take_inherited(struct sockets *out, uint64_t n, const char *names)
{
	struct str rest = str_c(names ? names : ""), name;
	for (uint64_t i = 0; i < n; i++) {
		enum socket_role role;
		if (!str_cut(&rest, ':', &name))
			name = STR("");
		if (!socket_role(name.p, name.n, &role) || role > SOCKET_ADMIN)
			return err_set(ERR_USAGE,
			    "LISTEN_FDNAMES calls socket %llu '" STR_FMT
			    "': name it collect or admin (FileDescriptorName=)",
			    (unsigned long long)i + 1, STR_ARG(name));
		fcntl(FIRST_FD + (int)i, F_SETFD, FD_CLOEXEC);
		sockets_add(out, role, FIRST_FD + (int)i);
	}
	return OK;
}

enum err sockets_of_environment(struct sockets *out)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	uint64_t p, n;
	enum err e = OK;
	if (pid && count && str_u64(str_c(pid), &p) && p == (uint64_t)getpid() &&
	    str_u64(str_c(count), &n) && n < 10000)
		e = take_inherited(out, n, getenv("LISTEN_FDNAMES"));
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return e;
}

/* The copies are above the numbers that sockets_exec() moves them to, so that no dup2() there
 * closes one that is still to be moved. */
void sockets_keep(struct sockets *s)
{
	const int above = FIRST_FD + (int)s->n;
	for (size_t k = 0; k < s->n; k++)
		s->v[k].fd = fcntl(s->v[k].fd, F_DUPFD_CLOEXEC, above);
}

/* dup2() clears FD_CLOEXEC, so exactly the sockets that are moved stay open. */
enum err sockets_exec(const struct sockets *s, char **argv)
{
	struct buf names = {0};
	char pid[24], count[24];
	size_t n = 0;
	for (size_t k = 0; k < s->n; k++) {
		if (s->v[k].fd < 0 || s->v[k].role > SOCKET_ADMIN ||
		    dup2(s->v[k].fd, FIRST_FD + (int)n) < 0)
			continue;
		buf_c(&names, n++ ? ":" : "");
		buf_c(&names, socket_names[s->v[k].role]);
	}
	buf_add(&names, "", 1);
	snprintf(pid, sizeof pid, "%ld", (long)getpid());
	snprintf(count, sizeof count, "%zu", n);
	if (names.failed || setenv("LISTEN_PID", pid, 1) != 0 ||
	    setenv("LISTEN_FDS", count, 1) != 0 || setenv("LISTEN_FDNAMES", names.p, 1) != 0)
		return err_set(ERR_NOMEM, "no memory");
	execv("/proc/self/exe", argv);
	return err_sys("/proc/self/exe");
}
