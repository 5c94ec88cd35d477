/* Codes of countries, ISO 3166-1, from etc/countries.txt. Read-only; any thread. */
#ifndef CRUMB_PRIVACY_COUNTRY_H
#define CRUMB_PRIVACY_COUNTRY_H

#include "crumb/base/str.h"

/* Is it a code of two letters that is assigned? ASCII case aside. */
bool country_known(struct str code);
/* What was meant by three letters, a name, or a code that only common use knows; empty: nobody can
 * tell. */
struct str country_meant(struct str text);

#endif
