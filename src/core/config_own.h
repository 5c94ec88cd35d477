/* Inside the configuration: what config_file.c needs of the table of options. Any thread. */
#ifndef CRUMB_SRC_CORE_CONFIG_OWN_H
#define CRUMB_SRC_CORE_CONFIG_OWN_H

#include "crumb/core/config.h"

const struct option *config_find(struct str name); /* NULL: there is no such option */
/* The option that an unknown name may have meant. Empty: nothing is near. */
struct str config_meant(struct str name);
struct str config_last_part(struct str name); /* behind the last dot */
/* Reads the value and sets the option. A value that is refused leaves the option as it was;
 * err_text() begins with the option's name. */
enum err config_put(struct config *c, const struct option *o, struct str value) MUST_CHECK;

#endif
