/* The file of cluster.key: made once, read at each start. certificate.c derives from it. */
#include "crumb/cluster/cluster_key.h"

#include "crumb/base/code.h"
#include "crumb/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE (2 * CLUSTER_KEY_LEN + 1) /* the digits and the end of the line */

/* --- making */

static enum err write_whole(int fd, const char *path, const char line[LINE])
{
	if (write(fd, line, LINE) != LINE || fsync(fd) != 0)
		return err_sys("%s", path);
	return OK;
}

/* The folder of a path: what was made in it is to survive a power failure. */
static enum err sync_folder_of(const char *path)
{
	char folder[FILE_PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	if (n >= sizeof folder)
		return err_set(ERR_USAGE, "%s: too long a path", path);
	snprintf(folder, sizeof folder, "%.*s", (int)n, path);
	if (!slash)
		return folder_sync(".");
	return folder_sync(n ? folder : "/");
}

/* O_EXCL: neither a key in use nor what a link leads to is overwritten. */
enum err cluster_key_make(const char *path)
{
	uint8_t random[CLUSTER_KEY_LEN];
	char line[LINE];
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EEXIST)
		return err_set(ERR_USAGE,
		    "%s is there already: a key that nodes use is not overwritten", path);
	if (fd < 0)
		return err_sys("%s", path);
	randombytes_buf(random, sizeof random);
	hex_encode(random, sizeof random, line);
	line[LINE - 1] = '\n';
	enum err e = write_whole(fd, path, line);
	sodium_memzero(random, sizeof random);
	sodium_memzero(line, sizeof line);
	close(fd);
	if (!e)
		e = sync_folder_of(path);
	if (e)
		unlink(path);
	return e;
}

/* --- reading */

/* Is it a file of its owner alone? Looked at by the descriptor, so that it is the file that is read
 * then. */
static enum err private_file(int fd, const char *path)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return err_sys("%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(ERR_USAGE, "%s is no file", path);
	if (st.st_mode & 077)
		return err_set(ERR_USAGE,
		    "%s can be read or written by others (mode %03o): chmod 600 %s", path,
		    (unsigned)st.st_mode & 0777, path);
	return OK;
}

static enum err read_digits(int fd, const char *path, struct cluster_key *out)
{
	char text[LINE + 1]; /* one more, to see that there is more */
	ssize_t n = read(fd, text, sizeof text);
	if (n < 0)
		return err_sys("%s", path);
	struct str line = str_trim(str_make(text, (size_t)n));
	bool fine = n <= LINE && hex_decode(line, out->bytes, sizeof out->bytes);
	sodium_memzero(text, sizeof text);
	return fine ? OK
		    : err_set(ERR_USAGE,
			  "%s is no cluster.key: one line of %d hex digits is meant, as 'crumb "
			  "cluster key FILE' makes it",
			  path, 2 * CLUSTER_KEY_LEN);
}

/* O_NONBLOCK: a pipe that nobody writes to is refused, not waited for. */
enum err cluster_key_open(const char *path, struct cluster_key **out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return err_set(ERR_NOT_FOUND,
		    "%s is not there: 'crumb cluster key FILE' makes a key; copy it to every node",
		    path);
	if (fd < 0)
		return err_sys("%s", path);
	struct cluster_key *k = sodium_malloc(sizeof *k);
	enum err e = k ? private_file(fd, path) : err_set(ERR_NOMEM, "no memory");
	if (!e)
		e = read_digits(fd, path, k);
	close(fd);
	if (e) {
		sodium_free(k);
		return e;
	}
	*out = k;
	return OK;
}

void cluster_key_close(struct cluster_key *k)
{
	sodium_free(k);
}
