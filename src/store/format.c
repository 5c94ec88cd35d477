/* The file `format`: five lines, written whole, read strictly. */
#include "store_format.h"

#include "crumb/base/file.h"
#include "crumb/core/config.h"
#include "crumb/disk/checked.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

#define TEXT_MAX 256 /* of the file, which has some 100 bytes */

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

/* Reads the text, writes it anew and compares: then blanks, signs and a wrong check need no looking
 * at. */
static bool format_parse(const char *text, size_t n, struct format *f)
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
	bool same = f->shards >= 1 && f->shards <= SHARDS_MAX &&
		    str_eq(buf_view(&again), str_make(text, n));
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
	enum err e = OK;
	if (n < 0 && errno == EISDIR)
		e = err_set(ERR_CORRUPT, "%s is no file: put it back, every backup has it", path);
	else if (n < 0)
		e = err_sys("%s", path);
	if (fd >= 0)
		close(fd);
	if (e)
		return e;
	text[n] = 0;
	return format_parse(text, (size_t)n, out)
		   ? OK
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
