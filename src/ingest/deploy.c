/* The way of rules from a folder to a rule set that can serve: read all files and models into one
 * bundle, load the destinations (rules name them), compile the bundle, and check it against the
 * installation. */
#include "crumb/ingest/deploy.h"
#include "crumb/load/load.h"

#include "crumb/base/clock.h"
#include "crumb/base/log.h"
#include "crumb/privacy/kgate.h"
#include "crumb/privacy/place.h"
#include "crumb/privacy/scrub.h"

/* For the checker: would the wall replace this segment of a path, and by which word? */
static bool scrubs(struct str segment, const char **by)
{
	enum scrub_kind kind = scrub_look(segment);
	*by = scrub_words[kind];
	return kind != SCRUB_NONE;
}

struct rules_policy deploy_policy(const struct config *c)
{
	char file[4096];
	struct place_db *places = NULL;
	struct kgate gate = kgate_of(c);
	struct rules_policy p = {.retention_days = (unsigned)c->retention_days,
	    .k = kgate_k(&gate),
	    .today = day_of(clock_now()),
	    .sensitive_destinations = c->sensitive_destinations,
	    .scrubs = scrubs,
	    .drops = scrub_name_is_personal};
	if (place_db_file(c, file, sizeof file) && place_db_open(file, &places) == OK)
		p.regions = place_db_regions(places) ? REGIONS_SOME : REGIONS_NONE;
	place_db_unref(places);
	return p;
}

void deploy_models(const struct config *c, char out[FILE_PATH_MAX])
{
	snprintf(out, FILE_PATH_MAX, "%.4000s/models", c->store_path);
}

enum err deploy_bundle(
    const struct config *c, struct str bundle, struct report *report, struct rules **out)
{
	struct rules *r = NULL;
	struct destinations *destinations = NULL;
	enum err e = destinations_load(c->destinations_path, report, &destinations);
	if (!e) {
		struct rules_policy policy = deploy_policy(c);
		policy.destinations = destinations;
		e = rules_load_checked(bundle, &policy, report, &r);
	}
	destinations_unref(destinations);
	if (e)
		rules_unref(r);
	else
		*out = r;
	return e;
}

enum err deploy_rules(
    const struct config *c, const char *path, struct report *report, struct rules **out)
{
	struct buf bundle = {0};
	struct report own = {0}, *to = report ? report : &own;
	char models[FILE_PATH_MAX];
	deploy_models(c, models);
	enum err e = rules_read(path, models, &bundle);
	if (!e)
		rules_left_out(path, to);
	if (!e)
		e = deploy_bundle(c, buf_view(&bundle), to, out);
	buf_done(&bundle);
	if (!e && !report && own.n)
		log_warn(
		    "rules", "there are warnings; 'crumb rules check' lists them n=%zu", own.n);
	report_done(&own);
	return e;
}
