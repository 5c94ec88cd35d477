/* A file to read, or '-' for stdin: plain, or compressed with gzip or zstd, which its first bytes
 * tell. One thread. An input costs 64 KB, and with zstd 16 MB at most. */
#ifndef CRUMB_SRC_CLI_INPUT_H
#define CRUMB_SRC_CLI_INPUT_H

#include "crumb/base/buf.h"
#include "crumb/base/err.h"

struct input;

enum err input_open(const char *path, struct input **out) MUST_CHECK;
/* Reads up to n bytes; *got is 0 at the end. ERR_CORRUPT: the file cannot be unpacked. */
enum err input_read(struct input *in, char *to, size_t n, size_t *got) MUST_CHECK;
/* Bytes of the file, as it lies there. *size 0: it is not known. */
void input_progress(const struct input *in, uint64_t *read, uint64_t *size);
void input_close(struct input *in);

#endif
