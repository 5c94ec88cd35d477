/* The file format: what `crumb export SEGMENT` writes (delivery/export.c), which is nobody's
 * delivery. */
#include "crumb/partners/format.h"

const struct format format_file = {
    .name = "file",
    .says = "what `crumb export SEGMENT` writes ([Export file](PROTOCOL.md#export-file))",
    .ways = {&way_file},
    .compressions = COMPRESS_ANY,
    .built_in = true,
    .life = LIFE_IN_ROW,
    .removal = REMOVAL_ITEM,
};
