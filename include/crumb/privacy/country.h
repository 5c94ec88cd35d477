/* Codes of countries, ISO 3166-1, from etc/countries.txt. Read-only; any thread. */
#ifndef CRUMB_PRIVACY_COUNTRY_H
#define CRUMB_PRIVACY_COUNTRY_H

#include "crumb/base/str.h"

/* Is it an assigned code of two letters, in capitals or not? */
bool country_known(struct str code);
/* The code that was meant by three letters ("DEU"), a name ("Germany"), or a code of common use
 * ("UK"). Empty: unknown. */
struct str country_meant(struct str text);

#endif
