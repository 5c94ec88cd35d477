/* Conditions that stand in no file of rules: previews, questions. They are parsed into the rules'
 * own nodes, so whoever asks gives a copy of the rules that nobody else uses. What is
 * to be counted has no sums but those that a segment asks for: profiles do not have what nobody
 * added up. */
#include "crumb/condition/parse.h"

#include "crumb/condition/eval.h"

static struct yaml_place locate_alone(const void *arg, size_t offset, size_t length)
{
	(void)arg;
	return (struct yaml_place){"condition", 1, offset + 1, length};
}

/* A sum that no segment of the rules asks for was never added up. */
static const struct rule_node *unsummed(const struct rules *r, int at)
{
	const struct rule_node *n = &r->nodes[at], *found = NULL;
	if (n->kind == NODE_AND || n->kind == NODE_OR || n->kind == NODE_NOT) {
		found = unsummed(r, n->left);
		return found || n->kind == NODE_NOT ? found : unsummed(r, n->right);
	}
	return n->kind == NODE_SUM && !r->categories[n->cat].summed ? n : NULL;
}

/* Is the condition to be counted, or only said in words? */
enum meant { TO_COUNT, TO_SAY };

static enum err parse_alone(
    struct rules *r, struct str text, enum meant meant, struct report *report, int *root)
{
	struct report own = {0}, *to = report ? report : &own;
	struct condition_place place = {locate_alone, NULL};
	struct str kept = arena_keep(&r->arena, text);
	bool fine = condition_parse(r, kept, &place, to, root);
	enum err e = fine ? OK : report_error(to);
	if (!e && rules_holds_of_nobody(r, *root)) {
		struct yaml_place at = locate_alone(NULL, 0, text.n);
		report_add(to, &at, SEVERITY_ERROR, "holds-of-nobody",
		    "add what they did: visits and …",
		    "the condition is true of somebody who never did anything");
		e = report_error(to);
	}
	const struct rule_node *sum = e || meant == TO_SAY ? NULL : unsummed(r, *root);
	if (sum) {
		struct yaml_place at =
		    locate_alone(NULL, (size_t)(sum->text.p - kept.p), sum->text.n);
		report_add(to, &at, SEVERITY_ERROR, "not-summed",
		    "values are added up once a segment asks for them: put the condition into the "
		    "rules",
		    "the values of this category are not added up");
		e = report_error(to);
	}
	if (!e)
		rules_link_nodes(r, *root);
	report_done(&own);
	return e;
}

enum err rules_condition(struct rules *r, struct str text, struct report *report, int *root)
{
	return parse_alone(r, text, TO_COUNT, report, root);
}

enum err rules_condition_said(struct rules *r, struct str text, struct report *report, int *root)
{
	return parse_alone(r, text, TO_SAY, report, root);
}
