/* What crumb says to visitors at /me, one row for each language. A new language is a row of words.c
 * and its name in `words_tags`; tests/functional/test_me.py sees to it that no row has a hole.
 * Texts are HTML in UTF-8. @1, @2 … stand for values, which are filled in escaped. Constant; any
 * thread. */
#ifndef CRUMB_COLLECT_WORDS_H
#define CRUMB_COLLECT_WORDS_H

#include "crumb/base/str.h"

#define WORDS_LANGUAGES 2

enum word {
	W_TITLE,
	W_OPTED_OUT_NOW,
	W_NOTHING,
	W_ONCE,
	W_KNOWN, /* @1 first day, @2 last day, @3 day on which it ends */
	W_INTERESTS,
	W_WHAT,
	W_TIMES,
	W_DAYS,
	W_FORGOTTEN_ON,
	W_AUDIENCES,
	W_NAME,
	W_LEFT_ON,
	W_NONE_YET,
	W_PLACE,
	W_COUNTRY,
	W_REGION,
	W_DEVICE,
	W_OS,
	W_BROWSER,
	W_CONSENT,
	W_CONSENT_ROW, /* @1 day, @2 numbers of purposes */
	W_PAGES_SAID,
	W_OTHERS,
	W_WHO,
	W_BY_WHAT,
	W_SINCE,
	W_CHOICE,
	W_DOWNLOAD,
	W_FORGET,
	W_OPTOUT,
	W_OPTIN,
	W_LEAVES,   /* what opting out leaves; @1 days of the cookie, @2 days of the erasure */
	W_OPERATOR, /* @1 who */
	W_POLICY,
	W_FORGOTTEN,
	W_NOT_KNOWN, /* a title */
	W_WAS_NOTHING,
	W_OUT, /* a title */
	W_IS_OUT,
	W_COOKIE_SAYS, /* @1 days */
	W_IN,	       /* a title */
	W_IS_IN,
	W_RECEIPT, /* @1 receipt, @2 day, @3 time */
	W_BACK,
	W_MAX
};

/* Tags of BCP 47 with one part. The first is for visitors who ask for none of them. */
extern const char *const words_tags[WORDS_LANGUAGES];
extern const char *const words[WORDS_LANGUAGES][W_MAX];
/* The word for a kind of device; `device` itself when there is none. */
const char *words_device(unsigned language, const char *device);

#endif
