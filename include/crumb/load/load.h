/* How a rule set is made: the files of a folder are a bundle, and a bundle is compiled. Any thread;
 * a call shares nothing with others. */
#ifndef CRUMB_LOAD_LOAD_H
#define CRUMB_LOAD_LOAD_H

#include "crumb/rules/rules.h"
#include "crumb/yaml/yaml.h"

/* The keys of a file of rules, and those of the maps in it. */
extern const struct yaml_table rules_table;

/* Reads *.yaml and *.yml of a folder, or one file, into a bundle; and the models of lookalikes,
 * *.json of another folder (NULL, or not there: none).
 */
enum err rules_read(const char *path, const char *models, struct buf *bundle) MUST_CHECK;
/* Warns of a folder without such files, and of its sub-folders that have some: nobody reads those.
 */
void rules_left_out(const char *path, struct report *report);
/* Compiles. Mistakes go to `report` (NULL: only the first is kept, as err_text()); any of them is
 * ERR_SYNTAX. The result has one reference. */
enum err rules_load(struct str bundle, struct report *report, struct rules **out) MUST_CHECK;
/* The same for rules that were never taken: what is a mistake in new ones only is reported as well,
 * and so is what `check` finds, which is called with the rules, mistakes and all, and `arg`. */
enum err rules_load_new(struct str bundle,
    void (*check)(struct rules *r, const void *arg, struct report *report), const void *arg,
    struct report *report, struct rules **out) MUST_CHECK;
/* The text of a file of the bundle; empty when there is none by that name. */
struct str rules_file(struct str bundle, struct str name);

#endif
