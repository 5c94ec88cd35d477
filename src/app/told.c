/* What was taken and refused when things were read again: sentences for the log and, as JSON, for
 * whoever asked (POST /v1/reload). */
#include "app.h"

#include "crumb/base/code.h"
#include "crumb/base/log.h"

#include <jansson.h>
#include <stdarg.h>

void told_begin(struct told *t)
{
	for (int i = 0; i < TOLD_KINDS; i++)
		t->lists[i] = json_array();
}

void told_add(struct told *t, enum told_kind kind, const char *module, const char *fmt, ...)
{
	char text[1024], whole[1100];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (kind == TOLD_REFUSED)
		log_error(module, "%s", text);
	else if (kind == TOLD_WAITING)
		log_warn(module, "%s", text);
	else
		log_info(module, "%s", text);
	int n = snprintf(whole, sizeof whole, "%s %s", module, text);
	json_array_append_new(
	    t->lists[kind], json_stringn(whole, utf8_valid(str_make(whole, (size_t)n))));
}

json_t *told_json(struct told *t, const char *rules)
{
	static const char *const names[TOLD_KINDS] = {"taken", "waiting", "refused"};
	const json_t *first = json_array_get(t->lists[TOLD_REFUSED], 0);
	json_t *j = json_pack("{s:s}", "rules", rules);
	bool whole = true;
	if (first)
		whole &=
		    json_object_set_new(j, "error", json_string(json_string_value(first))) == 0;
	for (int i = 0; i < TOLD_KINDS; i++) {
		whole &= t->lists[i] && json_object_set_new(j, names[i], t->lists[i]) == 0;
		t->lists[i] = NULL;
	}
	if (whole)
		return j;
	json_decref(j);
	return NULL;
}
