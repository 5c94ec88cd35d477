/* What is asked of YAML before it is read: is it nested deeper than anybody means? libyaml takes
 * time that grows with the square of the depth. */
#ifndef CRUMB_YAML_DEEP_H
#define CRUMB_YAML_DEEP_H

#include "crumb/base/str.h"

#define YAML_DEPTH_MOST 64

/* True: more than YAML_DEPTH_MOST maps and lists lie within each other; *at is the character, from
 * 0, where the first of them begins. What is no YAML is not deep. */
bool yaml_deep(struct str text, size_t *at);

#endif
