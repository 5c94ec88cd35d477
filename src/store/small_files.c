/* The small files of a store, each a line or two of text: kept, seen, clock and admin. Each is
 * written to another name and renamed, so that a reader sees the old text or the new. A file that
 * is missing or makes no sense is as if nothing had been noted. */
#include "store_path.h"

#include "crumb/base/clock.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

uint16_t store_kept_day(const struct store *s)
{
	char path[FILE_PATH_MAX], text[32];
	uint16_t day;
	store_path(s, "kept", path);
	bool noted = file_read_text(path, text, sizeof text) == OK &&
		     day_parse(text, strcspn(text, "\n"), &day);
	return noted ? day : 0;
}

enum err store_save_kept_day(const struct store *s, uint16_t day)
{
	char path[FILE_PATH_MAX], text[DAY_TEXT], line[DAY_TEXT + 1];
	store_path(s, "kept", path);
	day_text(day, text);
	snprintf(line, sizeof line, "%s\n", text);
	return file_replace(path, str_c(line));
}

/* The line is "DAY", or "DAY AHEAD". */
struct seen store_seen(const struct store *s)
{
	char path[FILE_PATH_MAX], text[40];
	struct seen seen = {0, 0};
	store_path(s, "seen", path);
	if (file_read_text(path, text, sizeof text) != OK || strlen(text) < DAY_TEXT ||
	    !day_parse(text, DAY_TEXT - 1, &seen.day))
		return (struct seen){0, 0};
	if (text[DAY_TEXT - 1] == ' ' &&
	    !day_parse(text + DAY_TEXT, strcspn(text + DAY_TEXT, "\n"), &seen.ahead))
		seen.ahead = 0;
	return seen;
}

enum err store_save_seen(const struct store *s, struct seen seen)
{
	char path[FILE_PATH_MAX], day[DAY_TEXT], ahead[DAY_TEXT], line[2 * DAY_TEXT + 2];
	store_path(s, "seen", path);
	day_text(seen.day, day);
	day_text(seen.ahead, ahead);
	if (seen.ahead)
		snprintf(line, sizeof line, "%s %s\n", day, ahead);
	else
		snprintf(line, sizeof line, "%s\n", day);
	return file_replace(path, str_c(line));
}

enum err store_save_clock(const struct store *s, int64_t offset)
{
	char path[FILE_PATH_MAX], text[32];
	store_path(s, "clock", path);
	snprintf(text, sizeof text, "%lld\n", (long long)offset);
	return file_replace(path, str_c(text));
}

void store_load_clock(const struct config *c)
{
	char path[FILE_PATH_MAX], text[32];
	snprintf(path, sizeof path, "%s/clock", c->store_path);
	if (file_read_text(path, text, sizeof text) == OK)
		clock_set_offset(strtoll(text, NULL, 10));
}

/* Writes over what is there, which takes no room on a full disk. */
static bool file_overwrite(const char *path, struct str content)
{
	int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	bool done = fd >= 0 && pwrite(fd, content.p, content.n, 0) == (ssize_t)content.n &&
		    ftruncate(fd, (off_t)content.n) == 0;
	if (fd >= 0)
		close(fd);
	return done;
}

/* Without this file no command reaches the server, so that a full disk may not stop it. A text that
 * a crash cut off names nobody, as if the file were not there. */
enum err store_save_admin(const struct store *s, const char *address, const char *token)
{
	char path[FILE_PATH_MAX], text[300];
	store_path(s, "admin", path);
	snprintf(text, sizeof text, "%s\n%s\n", address, token);
	enum err e = file_replace(path, str_c(text));
	return e == ERR_FULL && file_overwrite(path, str_c(text)) ? OK : e;
}

bool store_load_admin(const struct config *c, char address[128], char token[128])
{
	char path[FILE_PATH_MAX], text[300];
	snprintf(path, sizeof path, "%s/admin", c->store_path);
	return file_read_text(path, text, sizeof text) == OK &&
	       sscanf(text, "%127s\n%127s\n", address, token) == 2;
}
