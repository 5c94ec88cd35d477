/* Writing files so that they appear whole, and reading whole files.
 *
 * A new file is written without a name (O_TMPFILE) in the folder of its path, which is the file
 * system on which it can be renamed. At its end it gets a random name for a moment (link), since a
 * link cannot replace what stands at the path; then it is renamed onto the path. Its bytes are
 * synced before the rename and the folder after it, so a power failure leaves the old file or the
 * new one. */
#include "crumb/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

void file_temporary(const char *folder, char out[FILE_PATH_MAX + FILE_NEW_NAME])
{
	uint64_t r = 0;
	CHECK(getrandom(&r, sizeof r, 0) == sizeof r);
	snprintf(out, FILE_PATH_MAX + FILE_NEW_NAME, "%s/.crumb-%016" PRIx64 ".part", folder, r);
}

enum err folder_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys("%s", path);
	int rc = fsync(fd);
	enum err e = rc ? err_sys("%s", path) : OK;
	close(fd);
	return e;
}

/* Keeps the path and its folder. */
static enum err split(struct file_new *n, const char *path)
{
	size_t length = strlen(path);
	if (length == 0 || length >= sizeof n->path || path[length - 1] == '/')
		return err_set(ERR_USAGE, "'%.100s' is no path of a file", path);
	memcpy(n->path, path, length + 1);
	const char *slash = strrchr(path, '/');
	size_t folder = slash ? (size_t)(slash - path) : 0;
	memcpy(n->folder, path, folder);
	n->folder[folder] = 0;
	if (folder == 0)
		snprintf(n->folder, sizeof n->folder, "%s", slash ? "/" : ".");
	return OK;
}

/* A file without a name, or under one that is nobody else's. */
static int open_fresh(struct file_new *n, unsigned mode)
{
	n->temporary[0] = 0;
	/* linkat() names the file by its place in /proc; a chroot may have none */
	bool can_be_named = access("/proc/self/fd", X_OK) == 0;
	int fd = can_be_named ? open(n->folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, mode) : -1;
	if (fd >= 0 || (can_be_named && (errno == ENOSPC || errno == EMFILE || errno == ENFILE)))
		return fd;
	file_temporary(n->folder, n->temporary);
	return open(n->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
}

enum err file_begin(struct file_new *n, const char *path, unsigned mode)
{
	struct stat st;
	enum err e = split(n, path);
	if (e)
		return e;
	/* /dev/stdout is a link and leads to a pipe or a file: whoever names it means what it leads
	 * to, so it is not to be replaced */
	bool device = (strncmp(path, "/dev/", 5) == 0 && strncmp(path, "/dev/shm/", 9) != 0) ||
		      strncmp(path, "/proc/", 6) == 0;
	if (device || (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) ||
	    (lstat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode)))
		return err_set(
		    ERR_USAGE, "%s: this is no file, so none is written here: move it away", path);
	int fd = open_fresh(n, mode);
	if (fd < 0)
		return err_sys_path(n->path);
	n->file = fdopen(fd, "wb");
	if (n->file)
		return OK;
	e = err_sys_path(n->path);
	close(fd);
	if (*n->temporary)
		unlink(n->temporary);
	return e;
}

/* A rename is what replaces; a link cannot. So the file gets a name for a moment. */
static bool name_it(struct file_new *n)
{
	char self[64];
	if (*n->temporary)
		return true;
	file_temporary(n->folder, n->temporary);
	snprintf(self, sizeof self, "/proc/self/fd/%d", fileno(n->file));
	if (linkat(AT_FDCWD, self, AT_FDCWD, n->temporary, AT_SYMLINK_FOLLOW) == 0)
		return true;
	n->temporary[0] = 0;
	return false;
}

enum err file_finish(struct file_new *n)
{
	bool written =
	    !ferror(n->file) && fflush(n->file) == 0 && fsync(fileno(n->file)) == 0 && name_it(n);
	enum err e = written ? OK : err_sys_path(n->path);
	if (fclose(n->file) != 0 && !e)
		e = err_sys_path(n->path);
	n->file = NULL;
	if (!e && rename(n->temporary, n->path) != 0)
		e = err_sys_path(n->path);
	if (e && *n->temporary)
		unlink(n->temporary);
	return e ? e : folder_sync(n->folder);
}

void file_drop(struct file_new *n)
{
	if (!n->file)
		return;
	fclose(n->file);
	n->file = NULL;
	if (*n->temporary)
		unlink(n->temporary);
}

enum err file_replace(const char *path, struct str content)
{
	struct file_new n;
	enum err e = file_begin(&n, path, 0600);
	if (e)
		return e;
	if (content.n && fwrite(content.p, 1, content.n, n.file) != content.n) {
		e = err_sys_path(path);
		file_drop(&n);
		return e;
	}
	return file_finish(&n);
}

/* Reads until `most` bytes are there or the file ends; -1 and errno: it cannot be read. */
static ssize_t read_up_to(int fd, char *to, size_t most)
{
	size_t n = 0;
	while (n < most) {
		ssize_t part = read(fd, to + n, most - n);
		if (part < 0 && errno == EINTR)
			continue;
		if (part < 0)
			return -1;
		if (part == 0)
			break;
		n += (size_t)part;
	}
	return (ssize_t)n;
}

static bool write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t part = write(fd, p, n);
		if (part < 0 && errno == EINTR)
			continue;
		if (part < 0)
			return false;
		p += part;
		n -= (size_t)part;
	}
	return true;
}

static enum err copy_open(int in, const char *from, int out, const char *to, uint64_t *bytes)
{
	char part[1 << 16];
	ssize_t n;
	while ((n = read_up_to(in, part, sizeof part)) > 0) {
		if (!write_all(out, part, (size_t)n))
			return err_sys_path(to);
		if (bytes)
			*bytes += (uint64_t)n;
	}
	if (n < 0)
		return err_sys_path(from);
	return fsync(out) != 0 ? err_sys_path(to) : OK;
}

enum err file_copy(const char *from, const char *to, unsigned mode, uint64_t *bytes)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return err_sys_path(from);
	int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	enum err e = out < 0 ? err_sys_path(to) : copy_open(in, from, out, to, bytes);
	if (out >= 0)
		close(out);
	close(in);
	return e;
}

#define READ_PART 65536

static enum err file_read_all(int fd, const char *path, size_t most, struct buf *out)
{
	size_t before = out->n;
	for (;;) {
		/* one byte more than there may be, so that a longer file is told from a full one */
		size_t left = most - (out->n - before);
		size_t part = left < READ_PART ? left + 1 : READ_PART;
		if (!buf_reserve(out, part))
			return err_set(ERR_NOMEM, "%s: no memory to read it", path);
		ssize_t n = read_up_to(fd, out->p + out->n, part);
		if (n < 0)
			return err_sys("%s", path);
		if ((size_t)n > left)
			return err_set(
			    ERR_USAGE, "%s is longer than it can be (%zu bytes)", path, most);
		out->n += (size_t)n;
		if ((size_t)n < part)
			return OK;
	}
}

enum err file_read(const char *path, size_t most, struct buf *out)
{
	size_t before = out->n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys_path(path);
	enum err e = file_read_all(fd, path, most, out);
	close(fd);
	if (e)
		out->n = before;
	return e;
}

enum err file_read_text(const char *path, char *out, size_t cap)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys_path(path);
	ssize_t n = read_up_to(fd, out, cap - 1);
	enum err e = n < 0 ? err_sys("%s", path) : OK;
	close(fd);
	out[n < 0 ? 0 : n] = 0;
	return e;
}
