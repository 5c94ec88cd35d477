/* Text as a reader takes it: what differs in case, or in how a letter is composed of its parts, is
 * the same. Unicode by utf8proc. Any thread.
 *
 * Folded text is well-formed UTF-8, in Unicode's full case folding (ß is ss, final sigma a sigma)
 * and composed (NFC); what is not to be seen (soft hyphens, zero-width characters: the default
 * ignorables) is left out, the dots of i and ı are one. What is no UTF-8 becomes U+FFFD. */
#ifndef CRUMB_BASE_TEXT_H
#define CRUMB_BASE_TEXT_H

#include "crumb/base/str.h"

/* Is every byte ASCII? Such text needs no more than chr_lower(). */
bool text_plain(struct str s);
/* Writes s folded, as much of it as fits; returns how many bytes. */
size_t text_fold(struct str s, char *out, size_t cap);
/* The same for a regular expression: ASCII stays as it is, for a letter may be an escape. */
size_t text_fold_regex(struct str s, char *out, size_t cap);
/* Words to look for or in: folded further (compatibility forms are plain, marks that only decorate
 * are off, so é is e), with one blank between words and around them. What is no letter, mark or
 * digit separates words. */
size_t text_words(struct str s, char *out, size_t cap);
bool text_eq(struct str a, struct str b); /* when folded */
bool text_glob(struct str folded_pattern, struct str s);
/* Does it have letters of a script that is written without blanks between words? */
bool text_runs_on(struct str s);

#endif
