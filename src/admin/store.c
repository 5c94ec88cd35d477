/* POST /v1/compact does the night's work now, /v1/backup writes a copy of the store. The night's
 * work is the keeper's (node/keeper.h): the route asks for a round, and waits until a round with
 * that number is over or one more has failed. */
#include "routes.h"

#include "crumb/store/backup.h"

/* --- the work of the night */

struct compacting {
	uint64_t round, failures; /* of the keeper, when it was asked */
};

static enum err compact_parse(struct admin *a, struct job *j, const struct asked *q)
{
	struct compacting *c = j->state;
	(void)q;
	c->failures = keeper_failures(a->keeper, j->why, sizeof j->why);
	c->round = keeper_now(a->keeper);
	return OK;
}

static bool compact_answer(struct admin *a, struct job *j)
{
	const struct compacting *c = j->state;
	char why[400], text[500];
	if (keeper_rounds(a->keeper) >= c->round) {
		admin_say(j->ticket, 200, "compacted\n");
	} else if (keeper_failures(a->keeper, why, sizeof why) > c->failures) {
		snprintf(text, sizeof text, "not possible now: %s", why);
		admin_refuse(j->ticket, 503, text);
	} else if (job_late(j))
		admin_refuse(j->ticket, 503, "not finished yet; it goes on");
	else
		return false;
	return true;
}

/* --- backup */

#define PATH_MOST 4096

static void backup(struct admin *a, struct job *j)
{
	/* an absolute path without a zero byte, since it becomes a C string */
	char folder[PATH_MOST];
	struct backup_totals t;
	struct str where = job_body(j);
	bool fits = where.n && where.n < sizeof folder && where.p[0] == '/' &&
		    str_find(where, 0) == where.n;
	snprintf(folder, sizeof folder, STR_FMT, STR_ARG(where));
	j->result = fits ? writing_published(a)
			 : err_set(ERR_USAGE, "send the absolute path of an empty folder");
	if (!j->result)
		j->result = backup_write(a->node->store, folder, NULL, &t);
	if (!j->result)
		j->answer = json_pack(
		    "{s:I,s:I}", "days", (json_int_t)t.days, "bytes", (json_int_t)t.bytes);
}

/* --- shapes */

static const struct shape backup_fields[] = {
    {"days", SHAPE_WHOLE, .help = "of the journal"},
    {"bytes", SHAPE_WHOLE, .when = SHAPE_ALWAYS},
    {0},
};

const struct route routes_store[] = {
    {
	.method = HTTP_M_POST,
	.path = "/v1/compact",
	.help = "Does the work of the night now, and answers when it is done.",
	.role = ROLE_OPERATOR,
	.by = BY_MAIN_LATER,
	.history = "compact",
	.answers = {{200, "`compacted`", .type = "text/plain"},
	    {503, .when = "it is not possible now; or it is not finished within two minutes, and "
			  "goes on"}},
	.state = sizeof(struct compacting),
	.parse = compact_parse,
	.answer = compact_answer,
    },
    {
	.method = HTTP_M_POST,
	.path = "/v1/backup",
	.help = "Writes a backup of the journal, as `crumb db backup`.",
	.role = ROLE_OPERATOR,
	.by = BY_LONG,
	.history = "backup",
	.body = {"The absolute path of an empty folder on the server's machine.", "text/plain",
	    PATH_MOST},
	.answers = {{200, "how much it is", .shape = {.kind = SHAPE_OBJECT, .of = backup_fields}},
	    {400, .when = "it is no absolute path, or the folder is not empty"},
	    {404, .when = "the folder cannot be made: the one above it is not there"}},
	.run = backup,
    },
    {0},
};
