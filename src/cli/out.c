/* What commands print. Names, conditions and messages come from files and servers. Their bytes must
 * not command the terminal that shows them, whichever command prints them.
 *
 * stdout and stderr are replaced by streams of glibc (fopencookie(3)) that hand each character to
 * plain_char_so_far() (base/plain.h), which escapes control characters. A write may end in the
 * middle of a character; its first bytes (`rest`) wait for the next write. JSON stays JSON, since
 * an escape in it means the same. */
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

/* One write, in parts that fit the buffers: `text` has what was left of the write before and a part
 * of this one, `out` what is shown of it. Returns 0 on failure, as the stream wants it. */
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
			bool line_end = text[at] == '\r' && at + 1 < have && text[at + 1] == '\n';
			if (text[at] == '\r' && at + 1 == have)
				took = 0; /* it may be the end of a line of CSV */
			else if (text[at] == '\n' || text[at] == '\t' || line_end)
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
