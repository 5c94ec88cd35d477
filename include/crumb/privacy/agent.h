/* A user agent becomes device, OS and browser family. Versions and models are dropped. Pure; any
 * thread. */
#ifndef CRUMB_PRIVACY_AGENT_H
#define CRUMB_PRIVACY_AGENT_H

#include "crumb/model/event.h"

struct agent agent_parse(struct str user_agent);

#endif
