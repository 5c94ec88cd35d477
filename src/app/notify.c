/* Datagrams to the service manager, in the format of sd_notify(3), without its library. A message
 * that cannot be sent is dropped: a manager that does not listen must not stop the server. */
#include "notify.h"

#include "crumb/base/clock.h"
#include "crumb/base/log.h"
#include "crumb/base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* set by notify_begin(), then constant */
static int fd = -1;
static struct sockaddr_un where;
static socklen_t where_n;
static bool watched;

/* A name that begins with '@' is in the abstract namespace: its first byte is zero, and its length
 * counts no zero at the end. WATCHDOG_PID says for which process the watchdog is. */
void notify_begin(void)
{
	const char *path = getenv("NOTIFY_SOCKET"), *usec = getenv("WATCHDOG_USEC"),
		   *pid = getenv("WATCHDOG_PID");
	uint64_t p, us;
	size_t n = path ? strlen(path) : 0;
	if (n > 1 && n < sizeof where.sun_path && (path[0] == '/' || path[0] == '@')) {
		where = (struct sockaddr_un){.sun_family = AF_UNIX};
		memcpy(where.sun_path, path, n);
		if (path[0] == '@')
			where.sun_path[0] = 0;
		where_n =
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (path[0] == '/'));
		fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	}
	watched = usec && str_u64(str_c(usec), &us) && us > 0 &&
		  (!pid || (str_u64(str_c(pid), &p) && p == (uint64_t)getpid()));
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

void notify(const char *fmt, ...)
{
	char text[512];
	va_list ap;
	if (fd < 0)
		return;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (n > 0 && sendto(fd, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1,
			 MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&where, where_n) < 0)
		log_debug("notify", "the service manager does not hear why=%s", strerror(errno));
}

void notify_reloading(void)
{
	notify("RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=reading rules again",
	    (unsigned long long)clock_mono_us());
}

void notify_alive(void)
{
	if (watched)
		notify("WATCHDOG=1");
}
