/* reference routes, route-answers, collect-routes: the routes of both listeners (admin/route.h,
 * collect/collect_route.h). docs/PROTOCOL.md and etc/openapi.json are made from them, so shapes of
 * answers are told as trees. Words for an enum stand in its order; WORD() ends the program when an
 * enum has grown and its words have not. */
#include "references.h"

#include "crumb/admin/route.h"
#include "crumb/collect/collect_route.h"

static void put_key(json_t *row, const char *key, const char *text)
{
	if (text)
		CHECK(json_object_set_new(row, key, json_string(text)) == 0);
}

static const char *word(const char *const *words, size_t n, size_t i)
{
	CHECK(i < n && words[i]);
	return words[i];
}
#define WORD(words, i) word(words, sizeof words / sizeof *words, i)

/* A shape as a tree: `fields` has the shapes of an object's fields, or of each object of a list. */
static json_t *shape_json(const struct shape *s)
{
	static const char *const kinds[SHAPE_KINDS] = {
	    "none", "text", "whole", "real", "truth", "day", "texts", "wholes", "object", "list"};
	static const char *const whens[SHAPE_WHENS] = {
	    "always", "or null", "sometimes", "sometimes or null"};
	json_t *row =
	    json_pack("{s:s,s:s}", "kind", WORD(kinds, s->kind), "when", WORD(whens, s->when));
	put_key(row, "name", s->name);
	put_key(row, "help", s->help);
	if (!s->of)
		return row;
	json_t *fields = json_array();
	for (const struct shape *f = s->of; f->name; f++)
		reference_add(fields, shape_json(f));
	CHECK(json_object_set_new(row, "fields", fields) == 0);
	return row;
}

static json_t *answers_json(const struct route_answer *list)
{
	json_t *rows = json_array();
	for (const struct route_answer *a = list; a->status; a++) {
		const char *type = a->type ? a->type : "application/json";
		json_t *row =
		    json_pack("{s:i,s:s,s:s}", "status", a->status, "when", a->when, "type", type);
		if (a->shape.kind)
			CHECK(json_object_set_new(row, "shape", shape_json(&a->shape)) == 0);
		reference_add(rows, row);
	}
	return rows;
}

static json_t *param_json(const struct route_param *p)
{
	static const char *const kinds[PARAM_KINDS] = {
	    "text", "number", "hash", "span", "word", "flag"};
	json_t *row = json_pack("{s:s,s:s,s:b,s:s}", "name", p->name, "kind", WORD(kinds, p->kind),
	    "must", p->need == PARAM_MUST, "help", p->help);
	put_key(row, "words", p->words);
	put_key(row, "example", p->example);
	return row;
}

static json_t *route_json(const struct route *r)
{
	static const char *const methods[] = {[HTTP_M_GET] = "GET", [HTTP_M_POST] = "POST"};
	static const char *const roles[ROLES] = {"viewer", "marketer", "operator"};
	static const char *const bys[BY_MAX] = {
	    "main", "main later", "tell", "ask", "write", "long"};
	json_t *params = json_array();
	for (const struct route_param *p = r->params; p->name; p++)
		reference_add(params, param_json(p));
	json_t *row = json_pack("{s:s,s:s,s:s,s:s,s:s,s:o,s:o}", "method", WORD(methods, r->method),
	    "path", r->path, "help", r->help, "role", r->open ? "anybody" : WORD(roles, r->role),
	    "by", WORD(bys, r->by), "params", params, "answers", answers_json(r->answers));
	const struct route_body *b = &r->body;
	json_t *body = json_null();
	if (b->help)
		body = json_pack(
		    "{s:s,s:s,s:I}", "help", b->help, "type", b->type, "most", (json_int_t)b->most);
	CHECK(json_object_set_new(row, "body", body) == 0);
	return row;
}

json_t *reference_routes(const struct cli *c)
{
	json_t *rows = json_array();
	(void)c;
	for (const struct route *const *table = admin_routes; *table; table++)
		for (const struct route *r = *table; r->path; r++)
			reference_add(rows, route_json(r));
	return rows;
}

json_t *reference_route_answers(const struct cli *c)
{
	(void)c;
	return answers_json(admin_answers);
}

static void add_method(
    json_t *rows, const struct collect_route *r, const char *method, const char *help)
{
	if (help)
		reference_add(rows,
		    json_pack("{s:s,s:s,s:s}", "method", method, "path", r->path.p, "help", help));
}

json_t *reference_collect_routes(const struct cli *c)
{
	json_t *rows = json_array();
	(void)c;
	for (const struct collect_route *r = collect_routes; r->path.p; r++) {
		CHECK(!r->get == !r->get_help && !r->post == !r->post_help);
		CHECK(!r->options == !r->options_help);
		add_method(rows, r, "GET", r->get_help);
		add_method(rows, r, "POST", r->post_help);
		add_method(rows, r, "OPTIONS", r->options_help);
	}
	return rows;
}
