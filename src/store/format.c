#include "store_format.h"

#include "crumb/base/file.h"
#include "crumb/disk/checked.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

#define TEXT_MAX 256

static void print(const struct format *f, struct buf *out)
{
	char id[2 * STORE_ID_LEN + 1];
	buf_addf(out, "crumb store 1\nshards %u\n", f->shards);
	if (!f->sealed)
		return;
	sodium_bin2hex(id, sizeof id, f->id, sizeof f->id);
	buf_addf(out, "id %s\nkeys %llu\n", id, (unsigned long long)f->serial);
	checked_end(out);
}

/* What was read is right when it is what would be written: nothing but this has to be looked at. */
static bool parse(const char *text, size_t n, struct format *f)
{
	char id[2 * STORE_ID_LEN + 1] = "";
	struct buf again = {0};
	unsigned long long serial = 0;
	size_t len;
	*f = (struct format){.there = true};
	int fields = sscanf(text, "crumb store 1\nshards %3u\nid %32[0-9a-f]\nkeys %20llu\n",
	    &f->shards, id, &serial);
	if (fields != 1 && fields != 3)
		return false;
	f->sealed = fields == 3;
	f->serial = serial;
	if (f->sealed &&
	    (sodium_hex2bin(f->id, sizeof f->id, id, strlen(id), NULL, &len, NULL) != 0 ||
		len != sizeof f->id))
		return false;
	print(f, &again);
	bool same =
	    f->shards >= 1 && f->shards <= 256 && str_eq(buf_view(&again), str_make(text, n));
	buf_done(&again);
	return same;
}

enum err format_read(const char *folder, struct format *out)
{
	char path[FILE_PATH_MAX], text[TEXT_MAX];
	snprintf(path, sizeof path, "%s/format", folder);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		*out = (struct format){.there = false};
		return OK;
	}
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	enum err e =
	    n < 0 && errno == EISDIR
		? err_set(ERR_CORRUPT, "%s is no file: put it back, every backup has it", path)
	    : n < 0 ? err_sys("%s", path)
		    : OK;
	if (fd >= 0)
		close(fd);
	if (e)
		return e;
	text[n] = 0;
	return parse(text, (size_t)n, out) ? OK
					   : err_set(ERR_CORRUPT,
						 "%s is damaged, or written by another version of "
						 "crumb: put it back, every backup has it",
						 path);
}

enum err format_write(const char *folder, const struct format *f)
{
	char path[FILE_PATH_MAX];
	struct buf text = {0};
	snprintf(path, sizeof path, "%s/format", folder);
	print(f, &text);
	enum err e =
	    text.failed ? err_set(ERR_NOMEM, "no memory") : file_replace(path, buf_view(&text));
	buf_done(&text);
	return e;
}
