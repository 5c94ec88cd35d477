/* The page format: what pages learn of their own visitor, as collect/segments.c answers. */
#include "crumb/partners/format.h"

const struct format format_page = {
    .name = "page",
    .says = "what a page learns of its own visitor ([Pages](#pages))",
    .ways = {&way_page},
    .compressions = COMPRESS_ANY,
    .built_in = true,
    .life = LIFE_AT_PARTNER,
    .removal = REMOVAL_ITEM,
};
