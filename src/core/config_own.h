/* Inside the configuration: what its file needs of the table of options. */
#ifndef CRUMB_SRC_CORE_CONFIG_OWN_H
#define CRUMB_SRC_CORE_CONFIG_OWN_H

#include "crumb/core/config.h"

const struct option *config_find(struct str name); /* NULL: there is none */
struct str config_meant(struct str
	name); /* the option that a name which is none may have meant; empty: nothing is near */
struct str config_last_part(struct str name); /* behind the last dot */
/* Reads the value and sets it. What is refused leaves the option as it was; err_text() begins with
 * the option's name. */
enum err config_put(struct config *c, const struct option *o, struct str value) MUST_CHECK;

#endif
