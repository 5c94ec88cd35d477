/* Models of lookalikes as JSON. Nothing is computed: a model's file has all of it but the words for
 * its features, which are those of the rules that serve. */
#include "crumb/answers/model_answer.h"

#include "crumb/load/load.h"
#include "crumb/rules/like.h"

#include <jansson.h>
#include <stdio.h>

_Static_assert(MODEL_WORDS >= FEATURE_WORDS, "words of a feature fit");

enum err model_file(const struct rules *r, struct str id, uint16_t *segment, json_t **out)
{
	char name[200];
	uint16_t at;
	enum err e = rules_find_lookalike(r, id, &at);
	if (e)
		return e;
	snprintf(name, sizeof name, "%s" STR_FMT, LIKE_PREFIX, STR_ARG(id));
	struct str text = rules_file(buf_view(&r->bundle), str_c(name));
	json_t *model = text.n ? json_loadb(text.p, text.n, 0, NULL) : NULL;
	if (!model)
		return err_set(ERR_NOT_FOUND,
		    "'" STR_FMT "' was not trained yet: crumb lookalike train " STR_FMT,
		    STR_ARG(id), STR_ARG(id));
	*segment = at;
	*out = model;
	return OK;
}

/* Copies of some keys of the file, behind the id. */
static json_t *part_of(struct str id, const json_t *file, const char *const *keys)
{
	json_t *j = json_pack("{s:s%}", "id", id.p, id.n);
	for (; *keys; keys++) {
		json_t *value = json_object_get(file, *keys);
		json_object_set_new(j, *keys, value ? json_incref(value) : json_null());
	}
	return j;
}

json_t *model_curve(struct str id, const json_t *file)
{
	static const char *const keys[] = {
	    "trained", "auc", "activity_auc", "lift_at_10", "curve", NULL};
	return part_of(id, file, keys);
}

const char *model_words(const struct rules *r, const char *name, char out[MODEL_WORDS])
{
	struct feature f;
	if (feature_parse(r, str_c(name), &f))
		feature_words(r, &f, out);
	else
		snprintf(out, MODEL_WORDS, "%s, which is gone", name);
	return out;
}

json_t *model_features(const struct rules *r, struct str id, const json_t *file)
{
	static const char *const keys[] = {"trained", "warnings", NULL};
	json_t *j = part_of(id, file, keys);
	json_t *list = json_deep_copy(json_object_get(file, "features")), *f;
	size_t i;
	char words[MODEL_WORDS];
	json_array_foreach(list, i, f) json_object_set_new(f, "words",
	    json_string(model_words(r, json_string_value(json_object_get(f, "f")), words)));
	json_object_set_new(j, "features", list);
	return j;
}
