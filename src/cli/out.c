/* What commands print. Names, conditions and messages come from files and servers: nothing of them
 * commands the terminal that shows it, whichever command prints it. JSON stays JSON, since an
 * escape in it means the same. */
#include "crumb/base/plain.h"
#include "crumb/cli/cli.h"

#include <stdio.h>
#include <unistd.h>

struct sink {
	int fd;
	char rest[4]; /* the beginning of a character whose other bytes have not come */
	size_t rest_n;
};

static bool put_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t did = write(fd, p, n);
		if (did < 0)
			return false;
		p += did;
		n -= (size_t)did;
	}
	return true;
}

/* The bytes of one write with what was left of the one before. */
static ssize_t sink_write(void *cookie, const char *p, size_t n)
{
	struct sink *s = cookie;
	char out[4096], text[sizeof s->rest + 1024];
	size_t used = 0;
	for (size_t done = 0; done < n;) {
		size_t part = n - done < 1024 ? n - done : 1024, have = s->rest_n + part, at = 0;
		memcpy(text, s->rest, s->rest_n);
		memcpy(text + s->rest_n, p + done, part);
		done += part;
		s->rest_n = 0;
		while (at < have) {
			char shown[PLAIN_MOST];
			size_t length = 1, took = 1;
			if (text[at] == '\n' || text[at] == '\t')
				shown[0] = text[at];
			else
				took = plain_char_so_far(
				    str_make(text + at, have - at), shown, &length);
			if (took == 0) {
				s->rest_n = have - at;
				memcpy(s->rest, text + at, s->rest_n);
				break;
			}
			if (used + length > sizeof out) {
				if (!put_all(s->fd, out, used))
					return 0;
				used = 0;
			}
			memcpy(out + used, shown, length);
			used += length;
			at += took;
		}
	}
	return put_all(s->fd, out, used) ? (ssize_t)n : 0;
}

void cli_plain_output(void)
{
	static struct sink sinks[2] = {{.fd = STDOUT_FILENO}, {.fd = STDERR_FILENO}};
	const cookie_io_functions_t io = {.write = sink_write};
	FILE *out = fopencookie(&sinks[0], "w", io), *err = fopencookie(&sinks[1], "w", io);
	if (!out || !err)
		return;
	setvbuf(out, NULL, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF, BUFSIZ);
	setvbuf(err, NULL, _IONBF, 0);
	stdout = out;
	stderr = err;
}
