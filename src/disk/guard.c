#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

static struct sigaction before_bus, before_segv;

static void say(const char *text)
{
	size_t n = strlen(text);
	while (n > 0) {
		ssize_t w = write(STDERR_FILENO, text, n);
		if (w <= 0)
			return;
		text += w;
		n -= (size_t)w;
	}
}

void guard_end(const char *file)
{
	say(program_invocation_short_name);
	say(": ");
	say(file);
	say(" was damaged while it was in use and cannot be read any further: start again, what is "
	    "left is then found and what is lost is told "
	    "(docs/damage.md)\n");
	_exit(1);
}

/* --- which file is mapped there? One line of the list is `from-to rights offset device inode
 * path`. Only what a handler of signals may call. */

#define LINE_MOST 4400

static const char *hex(const char *p, uintptr_t *out)
{
	for (*out = 0;; p++) {
		unsigned digit = *p >= '0' && *p <= '9'	  ? (unsigned)(*p - '0')
				 : *p >= 'a' && *p <= 'f' ? (unsigned)(*p - 'a') + 10
							  : 16;
		if (digit == 16)
			return p;
		*out = *out << 4 | digit;
	}
}

/* The path in a line that has the address, if it is one of LMDB's files. */
static const char *path_in(const char *line, uintptr_t address)
{
	static const char *const ours[] = {"/data.mdb", "/lock.mdb"};
	uintptr_t from, to;
	const char *p = hex(line, &from);
	if (*p != '-')
		return NULL;
	(void)hex(p + 1, &to);
	const char *path = address >= from && address < to ? strchr(line, '/') : NULL;
	size_t n = path ? strlen(path) : 0;
	for (int i = 0; i < 2; i++)
		if (n > strlen(ours[i]) && strcmp(path + n - strlen(ours[i]), ours[i]) == 0)
			return path;
	return NULL;
}

static void look(uintptr_t address)
{
	char part[1024], line[LINE_MOST];
	size_t at = 0;
	ssize_t n;
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && (n = read(fd, part, sizeof part)) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			if (part[i] != '\n') {
				line[at] = part[i];
				at += at + 1 < sizeof line;
				continue;
			}
			line[at] = 0;
			at = 0;
			const char *path = path_in(line, address);
			if (path)
				guard_end(path);
		}
	}
	if (fd >= 0)
		close(fd);
}

static void faulted(int number, siginfo_t *info, void *context)
{
	(void)context;
	look((uintptr_t)info->si_addr);
	/* none of ours: as if nobody had looked. What faulted does so again. */
	sigaction(number, number == SIGBUS ? &before_bus : &before_segv, NULL);
}

static void begin(void)
{
	struct sigaction act = {.sa_sigaction = faulted, .sa_flags = SA_SIGINFO};
	sigemptyset(&act.sa_mask);
	sigaction(SIGBUS, &act, &before_bus);
	sigaction(SIGSEGV, &act, &before_segv);
}

void guard_begin(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, begin);
}
