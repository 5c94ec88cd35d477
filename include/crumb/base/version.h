/* What `--version`, the manual pages and crumb_build_info say. */
#ifndef CRUMB_BASE_VERSION_H
#define CRUMB_BASE_VERSION_H

#define CRUMB_VERSION "0.1.0"

#endif
