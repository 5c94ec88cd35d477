/* The rows of ways and of compressions; partners/way.h says what a row has. */
#include "crumb/partners/way.h"

#include <stddef.h>

#define REQUEST_BYTES 10000000ull /* of one, where nobody says */

const struct compression_row compressions[COMPRESSIONS] = {
    [COMPRESS_NONE] = {.name = "none", .ending = ""},
    [COMPRESS_GZ] = {.name = "gz", .ending = ".gz", .coding = "gzip"},
    [COMPRESS_ZSTD] = {.name = "zstd", .ending = ".zst"},
};

enum compression compression_find(struct str name)
{
	for (unsigned i = 0; i < COMPRESSIONS; i++)
		if (str_eq(name, str_c(compressions[i].name)))
			return (enum compression)i;
	return COMPRESSIONS;
}

const struct way way_directory = {
    .name = "directory",
    .key = "directory",
    .says = "files appear in a folder under their names, the manifest last",
    .where = WHERE_FOLDER,
    .compressions = COMPRESS_ANY,
};
const struct way way_https = {
    .name = "https",
    .key = "url",
    .says = "each file is the body of one POST",
    .where = WHERE_URL,
    .compressions = 1u << COMPRESS_NONE | 1u << COMPRESS_GZ,
    .bytes = REQUEST_BYTES,
};
const struct way way_stream = {
    .name = "stream",
    .says = "the partner reads server-sent events at the admin listener",
    .compressions = COMPRESS_ANY,
    .own_ids = true,
};
const struct way way_page = {
    .name = "page",
    .says = "pages ask for their own visitor with `GET /segments`",
    .compressions = COMPRESS_ANY,
};
const struct way way_file = {
    .name = "file",
    .says = "`crumb export SEGMENT` writes it where it is told to",
    .compressions = COMPRESS_ANY,
};

#define WAY_LISTED(name) &way_##name,
const struct way *const ways[] = {WAYS(WAY_LISTED) NULL};
