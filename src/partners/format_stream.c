/* The stream format: who entered and left, as server-sent events. What is sent is written by
 * delivery/stream.c, for whoever asks. */
#include "crumb/partners/format.h"

const struct format format_stream = {
    .name = "stream",
    .says = "who enters and who leaves, as server-sent events ([Stream](#stream))",
    .ways = {&way_stream},
    .compressions = COMPRESS_ANY,
    .life = LIFE_AT_PARTNER,
    .removal = REMOVAL_ROW,
};
