/* What both readers of YAML ask first: is it nested deeper than anybody means? libyaml takes time that grows with the square of the depth. */
#ifndef CRUMB_YAML_DEEP_H
#define CRUMB_YAML_DEEP_H

#include "crumb/base/str.h"

#define YAML_DEPTH_MOST 64

/* True: more than YAML_DEPTH_MOST maps and lists lie within each other; line and column, from 0, of the first that does. What is no YAML is not deep. */
bool yaml_deep(struct str text, size_t *line, size_t *column);

#endif
