/* A file to read, or '-', plain or compressed with gzip or zstd, which its first bytes tell. */
#ifndef CRUMB_SRC_CLI_INPUT_H
#define CRUMB_SRC_CLI_INPUT_H

#include "crumb/base/buf.h"
#include "crumb/base/err.h"

struct input;

enum err input_open(const char *path, struct input **out) MUST_CHECK;
/* Up to n bytes; 0 at the end. ERR_CORRUPT: what is there cannot be unpacked. */
enum err input_read(struct input *in, char *to, size_t n, size_t *got) MUST_CHECK;
void input_progress(const struct input *in, uint64_t *read,
    uint64_t *size); /* bytes of the file; size 0: unknown */
void input_close(struct input *in);

#endif
