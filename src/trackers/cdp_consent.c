/* Consent as Segment's and RudderStack's libraries send it, in the context of a message or a batch:
 *
 *	"consent": {"categoryPreferences": {"Advertising": true, "Analytics": false}}
 *	"consentManagement": {"allowedConsentIds": ["C0002"], "deniedConsentIds": []}
 *
 * Both may be there. Of everything that is said the strictest holds; what is there and has another
 * shape cannot be read, which is a no. */
#include "cdp.h"

#include "crumb/privacy/consent.h"

static enum said said_by(const json_t *v)
{
	if (json_is_boolean(v))
		return json_is_true(v) ? SAID_YES : SAID_NO;
	if (json_is_number(v))
		return json_number_value(v) == 0 ? SAID_NO : SAID_YES;
	return consent_said(cdp_text(v)); /* of null the text is empty */
}

static enum categories of_value(const json_t *v)
{
	if (json_is_object(v) || json_is_array(v))
		return CATEGORIES_UNREADABLE;
	switch (said_by(v)) {
	case SAID_NOTHING:
		return CATEGORIES_MISSING;
	case SAID_NO:
		return CATEGORIES_REFUSED;
	default:
		return CATEGORIES_YES;
	}
}

/* The largest is the strictest. */
static void strictest(enum categories *all, enum categories one)
{
	if (one > *all)
		*all = one;
}

/* {"Advertising": true, …}: each category of `segment.consent` must be there and true. Without that
 * option all that are there must be true. */
static enum categories of_preferences(const struct config *c, json_t *preferences)
{
	const struct word_list *needed = &c->lists.segment_consent;
	enum categories all = CATEGORIES_NONE;
	const char *name;
	json_t *value;
	for (unsigned i = 0; i < needed->n; i++) {
		bool found = false;
		json_object_foreach(preferences, name, value)
		{
			if (str_ieq(str_c(name), needed->word[i])) {
				found = true;
				strictest(&all, of_value(value));
			}
		}
		if (!found)
			strictest(&all, CATEGORIES_MISSING);
	}
	if (!needed->n)
		json_object_foreach(preferences, name, value) strictest(&all, of_value(value));
	return all;
}

static bool listed(const json_t *ids, struct str id)
{
	const json_t *v;
	size_t i;
	json_array_foreach(ids, i, v)
	{
		if (json_is_string(v) && str_ieq(cdp_text(v), id))
			return true;
	}
	return false;
}

/* {"allowedConsentIds": [ID, …], "deniedConsentIds": [ID, …]}: the same for ids. */
static enum categories of_management(const struct config *c, const json_t *m)
{
	const json_t *allowed = json_object_get(m, "allowedConsentIds"),
		     *denied = json_object_get(m, "deniedConsentIds");
	const struct word_list *needed = &c->lists.segment_consent;
	enum categories all = CATEGORIES_NONE;
	if ((allowed && !json_is_array(allowed)) || (denied && !json_is_array(denied)))
		return CATEGORIES_UNREADABLE;
	for (unsigned i = 0; i < needed->n; i++) {
		struct str id = needed->word[i];
		if (listed(denied, id))
			strictest(&all, CATEGORIES_REFUSED);
		else
			strictest(&all, listed(allowed, id) ? CATEGORIES_YES : CATEGORIES_MISSING);
	}
	if (needed->n)
		return all;
	if (json_array_size(denied))
		return CATEGORIES_REFUSED;
	return json_array_size(allowed) ? CATEGORIES_YES : CATEGORIES_NONE;
}

enum categories cdp_consent(const struct config *c, const json_t *message, const json_t *context)
{
	const json_t *contexts[2] = {json_object_get(message, "context"), context};
	enum categories all = CATEGORIES_NONE;
	for (int i = 0; i < 2; i++) {
		const json_t *consent = json_object_get(contexts[i], "consent"),
			     *management = json_object_get(contexts[i], "consentManagement");
		json_t *preferences = json_object_get(consent, "categoryPreferences");
		if (json_is_object(preferences))
			strictest(&all, of_preferences(c, preferences));
		else if ((consent && !json_is_null(consent) && !json_is_object(consent)) ||
			 (preferences && !json_is_null(preferences)))
			strictest(&all, CATEGORIES_UNREADABLE);
		if (json_is_object(management))
			strictest(&all, of_management(c, management));
		else if (management && !json_is_null(management))
			strictest(&all, CATEGORIES_UNREADABLE);
	}
	return all;
}
