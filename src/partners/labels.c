/* Whose data a segment is made of, and who may get it.
 *
 * The labels of a segment are its own, those of every category and attribute that its condition
 * names, of the partners whose attributes these are, and of segments that it refers to. A negation
 * counts like anything else: who is not in a category says something of the category. A destination
 * may get a segment if it may get every label. */
#include "crumb/partners/destinations.h"

struct labels_walk {
	const struct rules *r;
	const struct destinations *all;
	bool (*each)(void *arg, struct str label);
	void *arg;
};

static bool each_label(const struct labels_walk *w, const struct labels *l)
{
	for (unsigned i = 0; i < l->n; i++)
		if (!w->each(w->arg, l->list[i]))
			return false;
	return true;
}

/* A category, what is above it, and what is below it: an event of a child counts for its parents.
 */
static bool category_labels(const struct labels_walk *w, uint16_t cat)
{
	for (int at = cat; at > 0; at = w->r->categories[at].parent)
		if (!each_label(w, &w->r->categories[at].labels))
			return false;
	struct str id = str_c(w->r->categories[cat].id);
	for (size_t i = (size_t)cat + 1; cat && i < w->r->categories_n; i++) {
		struct str other = str_c(w->r->categories[i].id);
		if (other.n > id.n && str_starts(other, id) && other.p[id.n] == '.' &&
		    !each_label(w, &w->r->categories[i].labels))
			return false;
	}
	return true;
}

/* A condition, node by node, until `each` says no. A label may be told twice. */
static bool node_labels(const struct labels_walk *w, int at)
{
	const struct rule_node *n = &w->r->nodes[at];
	const struct vocabulary *v;
	const struct partner *from;
	switch (n->kind) {
	case NODE_AND:
	case NODE_OR:
		return node_labels(w, n->left) && node_labels(w, n->right);
	case NODE_NOT:
		return node_labels(w, n->left);
	case NODE_THEN:
		return category_labels(w, n->cat) && category_labels(w, n->then);
	case NODE_COUNT:
	case NODE_DAYS:
	case NODE_SUM:
	case NODE_FIRST:
		return category_labels(w, n->cat);
	case NODE_ATTR:
		v = rules_vocabulary(w->r, n->attr);
		from = v && v->source ? destinations_partner(w->all, str_c(v->source)) : NULL;
		return !v || (each_label(w, &v->labels) && (!from || each_label(w, &from->labels)));
	case NODE_SEGMENT:
		return segment_labels_each(
		    w->r, &w->r->segments[n->segment], w->all, w->each, w->arg);
	default:
		return true;
	}
}

/* Where segments refer to each other in a circle (`tangled`), conditions are not followed. */
bool segment_labels_each(const struct rules *r, const struct segment *s,
    const struct destinations *all, bool (*each)(void *, struct str), void *arg)
{
	struct labels_walk w = {r, all, each, arg};
	return each_label(&w, &s->labels) &&
	       (s->root < 0 || r->tangled || node_labels(&w, s->root));
}

struct allowed {
	const struct destination *d;
	struct str label;
};

static bool is_allowed(void *arg, struct str label)
{
	struct allowed *a = arg;
	for (unsigned i = 0; a->d && i < a->d->labels.n; i++)
		if (str_eq(a->d->labels.list[i], label))
			return true;
	a->label = label;
	return false;
}

bool segment_labels_allowed(const struct rules *r, const struct segment *s,
    const struct destinations *all, const struct destination *d, struct str *label)
{
	struct allowed a = {d, STR("")};
	bool fine = segment_labels_each(r, s, all, is_allowed, &a);
	if (!fine)
		*label = a.label;
	return fine;
}
