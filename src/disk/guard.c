/* The last words of a process whose mapped file was damaged.
 *
 * SIGBUS and SIGSEGV come with an address. The handler reads /proc/self/maps, which lists what is
 * mapped where, and looks for the line that has the address. When that line names a file of LMDB,
 * the handler says so and ends the process. Else the fault is none of ours: the handler that was
 * there before takes its place, and what faulted faults again, as if nobody had looked.
 *
 * A handler of signals may call little: no malloc, no stdio, no lock. All that it uses here is on
 * its stack. */
#include "guard.h"

#include "crumb/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

static struct sigaction before_bus, before_segv;

static void guard_say(const char *text)
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

/* Other threads run on until _exit(). From here on they log nothing, so that the reason is what
 * stands last; only a line that is being written already may still follow it. */
void guard_end(const char *file)
{
	log_threshold(LOG_NOTHING);
	guard_say(program_invocation_short_name);
	guard_say(": ");
	guard_say(file);
	guard_say(" was damaged while it was in use and cannot be read any further. Start again: "
		  "the start finds what is left and says what is lost (docs/damage.md)\n");
	_exit(1);
}

/* --- which file is mapped there?
 *
 *     7f1c5a600000-7f1c5a700000 r--s 00000000 fd:01 1048 /var/lib/crumb/state/3/0/data.mdb
 *     from         to           rights offset device inode path                    a line */

#define LINE_MOST 4400 /* a path of 4096 and what stands before it */

static unsigned digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	return 16;
}

/* Reads hexadecimal digits; returns what stands behind them. */
static const char *hex(const char *p, uintptr_t *out)
{
	for (*out = 0; digit_of(*p) < 16; p++)
		*out = *out << 4 | digit_of(*p);
	return p;
}

/* The path of a line, if its range has the address and it is a file of LMDB; else NULL. */
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

/* Goes through the list, which comes in parts that end anywhere. Returns when the address is in
 * none of our files. */
static void look_for(uintptr_t address)
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
	look_for((uintptr_t)info->si_addr);
	/* none of ours: what faulted does so again, and the handler of before gets it */
	sigaction(number, number == SIGBUS ? &before_bus : &before_segv, NULL);
}

static void set_handlers(void)
{
	struct sigaction act = {.sa_sigaction = faulted, .sa_flags = SA_SIGINFO};
	sigemptyset(&act.sa_mask);
	sigaction(SIGBUS, &act, &before_bus);
	sigaction(SIGSEGV, &act, &before_segv);
}

void guard_begin(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, set_handlers);
}
