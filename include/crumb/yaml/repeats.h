/* What is asked of YAML before it is read: how much longer do aliases make it? A few hundred bytes
 * of anchors and aliases can stand for more than a machine's memory:
 *
 *     any: &many [… ten thousand entries …]
 *     any: *many                                 and so a thousand times
 *
 * and libyaml compares each anchor with all before it. */
#ifndef CRUMB_YAML_REPEATS_H
#define CRUMB_YAML_REPEATS_H

#include "crumb/base/str.h"

#define YAML_ANCHORS_MOST 200
#define YAML_REPEATED_MOST 1000000 /* characters of text that aliases stand for */

/* True: it has more anchors, its aliases stand for more text, or one stands within what it means;
 * *at is the character, from 0, where that is. What is no YAML repeats nothing. */
bool yaml_repeats(struct str text, size_t *at);

#endif
