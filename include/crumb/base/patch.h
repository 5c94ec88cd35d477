/* The difference of two texts, line by line, as `diff -u` and git write it: `patch -p1` and `git
 * apply` take it.
 *
 *     --- a/shop.yaml
 *     +++ b/shop.yaml
 *     @@ -3,3 +3,3 @@
 *        - id: coats
 *     -    when: outerwear
 *     +    when: outerwear >= 2
 *          owner: anna
 *
 * Lines at the beginning and the end that both texts have are passed over. Between them the longest
 * common subsequence of lines is found by a table, whose cells are at most 4,000,000 (16 MB);
 * beyond that, what lies between is told as taken out and put in whole: long, and as right. Pure;
 * any thread. */
#ifndef CRUMB_BASE_PATCH_H
#define CRUMB_BASE_PATCH_H

#include "crumb/base/buf.h"

/* Appends the patch; nothing where the texts are equal. A text whose p is NULL is a file that is
 * not there. A shortage of memory shows in out->failed. */
void patch_make(struct str before, struct str after, const char *name, struct buf *out);

#endif
