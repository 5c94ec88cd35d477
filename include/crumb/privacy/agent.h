/* User agent to device, OS and browser family. Families only: versions and models are dropped here.
 */
#ifndef CRUMB_PRIVACY_AGENT_H
#define CRUMB_PRIVACY_AGENT_H

#include "crumb/model/event.h"

struct agent agent_parse(struct str user_agent);

#endif
