/* Text files that end with a line of their sum. The line has one length, so that it is found by
 * counting from the end, whatever the text says. */
#include "crumb/disk/checked.h"

#include "crumb/base/file.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUM_LEN 8
#define LINE_LEN (6 + 2 * SUM_LEN + 1) /* "check ", digits, newline */

bool checked_read(const char *path, size_t most, struct buf *out)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool fine = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		    (size_t)st.st_size <= most && buf_reserve(out, (size_t)st.st_size + 1) &&
		    read(fd, out->p, (size_t)st.st_size) == st.st_size;
	if (fd >= 0)
		close(fd);
	if (fine) {
		out->n = (size_t)st.st_size;
		out->p[out->n] = 0;
	}
	return fine;
}

static void line_of(struct str text, char out[LINE_LEN + 1])
{
	uint8_t sum[32];
	char hex[2 * SUM_LEN + 1];
	crypto_generichash(sum, sizeof sum, (const uint8_t *)text.p, text.n, NULL, 0);
	sodium_bin2hex(hex, sizeof hex, sum, SUM_LEN);
	snprintf(out, LINE_LEN + 1, "check %s\n", hex);
}

bool checked_text(struct str all, struct str *out)
{
	char line[LINE_LEN + 1];
	if (all.n < LINE_LEN)
		return false;
	*out = str_make(all.p, all.n - LINE_LEN);
	line_of(*out, line);
	return memcmp(all.p + out->n, line, LINE_LEN) == 0;
}

void checked_end(struct buf *text)
{
	char line[LINE_LEN + 1];
	if (text->failed)
		return;
	line_of(buf_view(text), line);
	buf_c(text, line);
}

enum err checked_write(const char *path, struct buf *text)
{
	checked_end(text);
	return text->failed ? err_set(ERR_NOMEM, "no memory") : file_replace(path, buf_view(text));
}
