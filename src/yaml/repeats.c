/* How much text the aliases of a text stand for. libyaml is asked event by event, as for the depth
 * (deep.c), which was looked at before: so many maps and lists are never open at once. Of each
 * anchor the number of characters is kept, with those that aliases within it stand for:
 *
 *     a: &x [1, 2, 3]        x: 9
 *     b: &y [*x, *x]         y: 8 + 2 * 9
 *     c: *y                  26 more */
#include "crumb/yaml/repeats.h"

#include "crumb/base/err.h"
#include "crumb/yaml/deep.h"

#include <stdlib.h>
#include <yaml.h>

#define OPEN_MOST (YAML_DEPTH_MOST + 2)

struct anchor {
	char *name;
	size_t size;
	bool open; /* what it means has not ended */
};

struct repeats {
	struct anchor anchors[YAML_ANCHORS_MOST];
	unsigned n;
	struct {
		int anchor; /* -1: none */
		size_t begin, before;
	} open[OPEN_MOST]; /* maps and lists; `before`: `repeated` when it began */
	unsigned depth;
	size_t repeated;
};

/* The number of an anchor's place; -1: it has no name. False: there are too many. */
static bool add_anchor(struct repeats *r, const yaml_char_t *name, int *out)
{
	*out = -1;
	if (!name)
		return true;
	if (r->n == YAML_ANCHORS_MOST)
		return false;
	struct anchor *a = &r->anchors[r->n];
	*a = (struct anchor){.name = str_dup(str_c((const char *)name)), .open = true};
	CHECK(a->name);
	*out = (int)r->n++;
	return true;
}

static void end_anchor(struct repeats *r, int i, size_t size)
{
	if (i < 0)
		return;
	r->anchors[i].size = size;
	r->anchors[i].open = false;
}

static bool take_scalar(struct repeats *r, const yaml_event_t *e)
{
	int i;
	bool room = add_anchor(r, e->data.scalar.anchor, &i);
	end_anchor(r, i, e->end_mark.index - e->start_mark.index);
	return room;
}

static bool take_start(struct repeats *r, const yaml_event_t *e, const yaml_char_t *name)
{
	int i;
	if (!add_anchor(r, name, &i) || r->depth == OPEN_MOST)
		return false;
	r->open[r->depth].anchor = i;
	r->open[r->depth].begin = e->start_mark.index;
	r->open[r->depth++].before = r->repeated;
	return true;
}

static bool take_end(struct repeats *r, const yaml_event_t *e)
{
	if (!r->depth--)
		return false;
	size_t size = e->end_mark.index - r->open[r->depth].begin;
	end_anchor(r, r->open[r->depth].anchor, size + r->repeated - r->open[r->depth].before);
	return true;
}

/* One that means nothing is refused by whoever reads the text. */
static bool take_alias(struct repeats *r, const yaml_event_t *e)
{
	for (unsigned i = r->n; i-- > 0;) {
		const struct anchor *a = &r->anchors[i];
		if (strcmp(a->name, (const char *)e->data.alias.anchor) != 0)
			continue;
		r->repeated += a->size;
		return !a->open && r->repeated <= YAML_REPEATED_MOST;
	}
	return true;
}

static bool take(struct repeats *r, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		return take_scalar(r, e);
	case YAML_SEQUENCE_START_EVENT:
		return take_start(r, e, e->data.sequence_start.anchor);
	case YAML_MAPPING_START_EVENT:
		return take_start(r, e, e->data.mapping_start.anchor);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return take_end(r, e);
	case YAML_ALIAS_EVENT:
		return take_alias(r, e);
	default:
		return true;
	}
}

bool yaml_repeats(struct str text, size_t *at)
{
	struct repeats r = {.n = 0};
	yaml_parser_t parser;
	yaml_event_t event;
	bool end = false, fine = true;
	if (!text.n || !memchr(text.p, '&', text.n))
		return false;
	CHECK(yaml_parser_initialize(&parser));
	yaml_parser_set_input_string(&parser, (const unsigned char *)text.p, text.n);
	while (!end && fine && yaml_parser_parse(&parser, &event)) {
		end = event.type == YAML_STREAM_END_EVENT;
		fine = take(&r, &event);
		if (!fine)
			*at = event.start_mark.index;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	for (unsigned i = 0; i < r.n; i++)
		free(r.anchors[i].name);
	return !fine;
}
