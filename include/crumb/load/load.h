/* How a rule set is made: the files of a folder are a bundle, and a bundle is compiled.
 *
 *     rules, .yaml ─┐                        ┌─ load_bundle ───────────────────────────────────┐
 *                   ├─ rules_read ─> bundle ─┤ files ─> numbers ─> conditions ─> links         ├─>
 *     models, .json ┘   (bytes)              └─────────────────────────────────────────────────┘
 *                                                              struct rules, immutable, refs = 1
 *
 *  1. Files: each is parsed as YAML, and its sections go to arrays: vocabularies, categories with
 *     their patterns, segments with their conditions and journeys with their categories as text.
 *     Equal patterns are kept once.
 *  2. Numbers: categories and segments are sorted by id. Their places in the arrays are their
 *     numbers from now on, so the same bundle gives the same numbers on every machine. Parents that
 *     exist only by being part of an id are added: apparel.coats makes apparel.
 *  3. Conditions: each is parsed to nodes that name categories and segments by number. It may name
 *     anything of any file, which is why it waits until here.
 *  4. Links: what follows from all of it: which segments a category can change, circles, what is
 *     sensitive, the hashes of definitions.
 *
 * Mistakes never stop a step: all of them are reported at the end, and then there are no rules.
 * Nothing of a rule set changes after it was returned, so any thread reads it without a lock.
 *
 * Any thread; a call shares nothing with others. */
#ifndef CRUMB_LOAD_LOAD_H
#define CRUMB_LOAD_LOAD_H

#include "crumb/rules/rules.h"
#include "crumb/yaml/yaml.h"

/* The keys of a file of rules, and those of the maps in it. */
extern const struct yaml_table rules_table;

/* Reads *.yaml and *.yml of a folder, or one file, into a bundle; and the models of lookalikes,
 * *.json of another folder (NULL, or not there: none). */
enum err rules_read(const char *path, const char *models, struct buf *bundle) MUST_CHECK;
/* Warns of a folder without such files, and of sub-folders that have some, which nobody reads. */
void rules_left_out(const char *path, struct report *report);
/* Compiles. Mistakes go to `report` (NULL: only the first is kept, as err_text()); any of them is
 * ERR_SYNTAX. The result has one reference. */
enum err rules_load(struct str bundle, struct report *report, struct rules **out) MUST_CHECK;
/* The same for rules that were never in force: what is a mistake in new rules only is reported as
 * well, and so is what `check` finds. `check` is called with `arg` and the rules, mistakes and all.
 */
enum err rules_load_new(struct str bundle,
    void (*check)(struct rules *r, const void *arg, struct report *report), const void *arg,
    struct report *report, struct rules **out) MUST_CHECK;
/* The text of a file of the bundle; empty when there is none by that name. */
struct str rules_file(struct str bundle, struct str name);

#endif
