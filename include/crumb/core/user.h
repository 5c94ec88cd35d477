/* Whose process this is. A store belongs to one user, who cannot read files that another user
 * leaves in it. So a process that root starts becomes that user for good before it opens anything.
 * A process that another user starts stays as it is. To be called before there are threads. */
#ifndef CRUMB_CORE_USER_H
#define CRUMB_CORE_USER_H

#include "crumb/core/config.h"

#define USER_NAME 64

/* The server becomes process.user. ERR_USAGE: the user does not exist or is root, or the store
 * belongs to somebody else. */
enum err user_of_server(const struct config *c) MUST_CHECK;
/* A command becomes the store's owner, or process.user where there is no store yet. `who` is the
 * name of that user, or empty when nothing changed. */
enum err user_of_command(const struct config *c, char who[USER_NAME]) MUST_CHECK;

#endif
