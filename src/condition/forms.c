/* What a condition can ask, as rows. The rows say how people write it; condition.c parses it. */
#include "crumb/condition/forms.h"

const struct condition_form condition_forms[] = {
    {.kind = NODE_COUNT,
	.form = "`CATEGORY`",
	.says = "there was at least one event of it in the last 90 days",
	.example = "`outerwear`"},
    {.kind = NODE_COUNT,
	.form = "`CATEGORY OP N`",
	.says = "so many events; OP is `>= > = < <= !=`",
	.example = "`outerwear >= 3`"},
    {.kind = NODE_COUNT,
	.form = "`CATEGORY between N and M`",
	.says = "from N to M events",
	.example = "`outerwear between 2 and 5 in 14d`"},
    {.kind = NODE_COUNT,
	.form = "`… in Nd`",
	.says = "counted in the last N days: today and the N−1 before",
	.example = "`purchase >= 1 in 30d`"},
    {.begins = BEGINS_WITH_CALL,
	.word = "segment",
	.kind = NODE_SEGMENT,
	.form = "`segment(ID)`",
	.says = "is in that segment",
	.example = "`segment(customers)`"},
    {.begins = BEGINS_WITH_CALL,
	.word = "days",
	.kind = NODE_DAYS,
	.form = "`days(CATEGORY) OP N in Nd`",
	.says = "on so many different days",
	.example = "`days(news) >= 5 in 7d`"},
    {.begins = BEGINS_WITH_CALL,
	.word = "last",
	.kind = NODE_COUNT,
	.form = "`last(CATEGORY) within Nd`",
	.says = "the same as `CATEGORY in Nd`",
	.example = "`last(cart) within 2d`"},
    {.begins = BEGINS_WITH_CALL,
	.word = "first",
	.kind = NODE_FIRST,
	.form = "`first(CATEGORY) within Nd`",
	.says = "the first that is kept was in the last N days: who began lately",
	.example = "`first(purchase) within 7d`"},
    {.begins = BEGINS_WITH_CALL,
	.word = "sum",
	.kind = NODE_SUM,
	.form = "`sum(v of CATEGORY) OP X in Nd`",
	.says = "the values that pages sent along (`v`) add up to so much. Exact to six decimals",
	.example = "`sum(v of purchase) >= 99.50 in 30d`"},
    {.kind = NODE_THEN,
	.form = "`A then B within Nd`",
	.says = "some day with B is 0 to N−1 days after a day with A",
	.example = "`cart then purchase within 3d`"},
    {.begins = BEGINS_WITH_WORD,
	.word = "visits",
	.kind = NODE_DAYS,
	.form = "`visits`, `visits OP N in Nd`",
	.says = "active on so many days",
	.example = "`visits >= 4 in 14d`"},
    {.kind = NODE_FACT,
	.form = "`FACT`",
	.says = "`=`, `!=`, `in (…)`, `not in (…)`; the latest that is known",
	.example = "`country in (US, CA)`"},
    {.kind = NODE_ATTR,
	.form = "`attr.NAME`",
	.says = "the latest value: `=`, `!=`, `in`, and for numbers `> >= < <=`, `between`",
	.example = "`attr.price between 50 and 100`"},
    {.kind = NODE_AND,
	.form = "`not`, `and`, `or`, `( )`",
	.says = "`not` binds tightest, then `and`, then `or`",
	.example = "`not purchase in 30d and (coats or shoes)`"},
};
const size_t condition_forms_n = sizeof condition_forms / sizeof *condition_forms;

const struct condition_form *condition_form(enum form_begins begins, struct str word)
{
	for (size_t i = 0; i < condition_forms_n; i++) {
		const struct condition_form *f = &condition_forms[i];
		if (f->begins == begins && f->word && str_ieq(word, str_c(f->word)))
			return f;
	}
	return NULL;
}

bool condition_reserved(struct str word)
{
	for (int f = 0; f < FACT_MAX; f++)
		if (str_ieq(word, str_c(fact_name((enum fact)f))))
			return true;
	return str_listed(word, "and|or|not|in|then|within|between|of") ||
	       condition_form(BEGINS_WITH_WORD, word);
}
