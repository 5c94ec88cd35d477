/* views/trial: what rules that do not serve would do, seen in a folder of its own. */
#include "folded.h"

#include "crumb/views/trial.h"

#include <dirent.h>

static double told;

static void hear(void *arg, double share)
{
	told = share;
}

/* Names of files below a folder. */
static unsigned files_in(const char *path)
{
	unsigned n = 0;
	DIR *d = opendir(path);
	for (struct dirent *e; d && (e = readdir(d));)
		n += e->d_name[0] != '.';
	if (d)
		closedir(d);
	return n;
}

TEST(a_trial_is_what_the_journal_makes_of_other_rules_and_leaves_no_file)
{
	struct folded *w = open_folded(SHOP);
	struct rules *r = load("version: 1\ncategories: [{id: boots, any: [{path: "
			       "/boots}]}]\nsegments: [{id: s, when: boots}]\n");
	struct trial trial;
	struct totals n;
	char path[128], state_path[160];
	told = 0;
	snprintf(path, sizeof path, "%s/trial", folder);
	snprintf(state_path, sizeof state_path, "%s/state", path);
	assert_int_equal(mkdir(path, 0700), 0);
	look(w, 1, NOON, "/boots");
	look(w, 2, NOON - 8 * DAY_S, "/coats");
	look(w, 3, NOON - 95 * DAY_S, "/boots");
	assert_int_equal(
	    trial_open(w->s, &w->c, r, path, NOON, &(struct trial_watch){.progress = hear}, &trial),
	    OK);
	assert_true(told >= 1);
	assert_int_equal(files_in(state_path), 0); /* they have no names any more */
	assert_int_equal(view_totals(trial.generation, NOON, &n), OK);
	assert_true(n.visitors == 2 && n.events == 2);
	struct fold *f = &trial.generation->fold[0];
	struct db_txn t;
	assert_int_equal(db_begin(&f->shard.db, DB_READ, &t), OK);
	assert_int_equal(members_size(&f->shard, &t, 0), 1);
	db_abort(&t);
	trial_close(&trial);
	assert_null(trial.generation);
	assert_false(fold_begun(w->f)); /* the store's own views know nothing of it */
	rules_unref(r);
	close_folded(w);
}

TEST(a_folder_that_cannot_be_written_to_is_told)
{
	struct folded *w = open_folded(SHOP);
	struct trial trial;
	assert_int_equal(trial_open(w->s, &w->c, w->g->rules, "/nowhere/at/all", NOON,
			     &(struct trial_watch){.stop = NULL}, &trial),
	    ERR_IO);
	assert_string_equal(err_text(), "/nowhere/at/all/state: cannot be made");
	close_folded(w);
}

UNIT_TESTS(FOLDED(a_trial_is_what_the_journal_makes_of_other_rules_and_leaves_no_file),
    FOLDED(a_folder_that_cannot_be_written_to_is_told))
