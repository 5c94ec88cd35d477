/* JSON objects to hits: the keys of the pixel, as text, numbers or truth values. */
#include "crumb/ingest/ingest.h"

#include <jansson.h>
#include <math.h>

/* A value as text. Numbers are written into `numbers`, which must not move: room is made before. */
static bool text_of(json_t *v, struct buf *numbers, struct str *out)
{
	if (json_is_string(v)) {
		*out = str_make(json_string_value(v), json_string_length(v));
		return true;
	}
	size_t from = numbers->n;
	if (json_is_integer(v))
		buf_addf(numbers, "%lld", (long long)json_integer_value(v));
	else if (json_is_real(v))
		buf_addf(numbers, "%.15g", json_real_value(v));
	else if (json_is_boolean(v))
		buf_c(numbers, json_is_true(v) ? "true" : "false");
	else if (json_is_null(v))
		;
	else
		return false;
	*out = str_make(numbers->p ? numbers->p + from : "", numbers->n - from);
	return true;
}

static bool number_of(json_t *v, double *out)
{
	if (json_is_number(v)) {
		*out = json_number_value(v);
		return isfinite(*out);
	}
	if (!json_is_string(v))
		return false;
	char *end;
	*out = strtod(json_string_value(v), &end);
	return end != json_string_value(v) && *end == 0 && isfinite(*out);
}

static bool add_pair(struct attr *list, unsigned *n, struct str name, json_t *value, struct buf *numbers)
{
	struct str text;
	if (!text_of(value, numbers, &text))
		return false;
	if (*n == HIT_PARAMS_MAX) {
		metric_inc(M_ATTR_DROPPED);
		return true;
	}
	list[(*n)++] = (struct attr){name, text};
	return true;
}

static bool add_attrs(json_t *object, struct hit *h, struct buf *numbers)
{
	const char *key;
	json_t *value;
	if (!json_is_object(object) || json_object_size(object) > 48)
		return false;
	json_object_foreach(object, key, value) if (!add_pair(h->attrs, &h->attrs_n, str_c(key), value, numbers)) return false;
	return true;
}

bool ingest_json(json_t *object, const char *title_key, struct hit *h, struct buf *numbers)
{
	const char *key;
	json_t *value;
	struct str text;
	if (!json_is_object(object) || !buf_reserve(numbers, 4096) || json_object_size(object) > 96)
		return false;
	json_object_foreach(object, key, value)
	{
		struct str k = str_c(key);
		if (k.n > 2 && str_starts(k, STR("a."))) {
			if (!add_pair(h->attrs, &h->attrs_n, str_skip(k, 2), value, numbers))
				return false;
			continue;
		}
		if (k.n > 2 && str_starts(k, STR("p_"))) {
			if (!add_pair(h->params, &h->params_n, str_skip(k, 2), value, numbers))
				return false;
			continue;
		}
		if (str_eq(k, STR("a"))) {
			if (!add_attrs(value, h, numbers))
				return false;
			continue;
		}
		if (str_eq(k, STR("v"))) {
			if (!json_is_null(value) && !number_of(value, &h->v))
				return false;
			h->has_v = !json_is_null(value);
			continue;
		}
		struct str *into = str_eq(k, STR("e"))		    ? &h->name
				   : str_eq(k, STR("u"))	    ? &h->url
				   : str_eq(k, STR("r"))	    ? &h->referrer
				   : strcmp(key, title_key) == 0    ? &h->title
				   : str_eq(k, STR("gdpr_consent")) ? &h->gdpr_consent
				   : str_eq(k, STR("gpp"))	    ? &h->gpp
				   : str_eq(k, STR("gpp_sid"))	    ? &h->gpp_sid
				   : str_eq(k, STR("us_privacy"))   ? &h->us_privacy
								    : NULL;
		bool flag = str_eq(k, STR("anon")) || str_eq(k, STR("gdpr"));
		if (!into && !flag)
			continue; /* keys of somebody else */
		if (!text_of(value, numbers, &text))
			return false;
		if (into)
			*into = text;
		else if (str_eq(k, STR("anon")))
			h->anon |= str_eq(text, STR("1")) || str_eq(text, STR("true"));
		else
			h->gdpr |= str_eq(text, STR("1")) || str_eq(text, STR("true"));
	}
	return true;
}
