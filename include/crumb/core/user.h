/* Whose process this is. A store belongs to one user, who is closed out of files that another
 * leaves in it: what root starts becomes that user for good before it opens anything. Who is not
 * root stays who he is. */
#ifndef CRUMB_CORE_USER_H
#define CRUMB_CORE_USER_H

#include "crumb/core/config.h"

#define USER_NAME 64

/* The server: becomes process.user. Refused: a user that does not exist or is root, and a store
 * that belongs to somebody else. */
enum err user_of_server(const struct config *c) MUST_CHECK;
/* A command: becomes the store's owner, or process.user where there is no store yet. `who` is empty
 * when nothing changed. */
enum err user_of_command(const struct config *c, char who[USER_NAME]) MUST_CHECK;

#endif
