/* Deliveries by day, as JSON: what delivery/by_day.h and delivery/reach.h know, through the gate. A
 * number of rows speaks of visitors, a number of failures does not. */
#include "crumb/report/deliveries_by_day.h"

#include "crumb/base/clock.h"
#include "crumb/delivery/by_day.h"
#include "crumb/delivery/reach.h"
#include "crumb/report/days.h"

#include <jansson.h>

static void fill_null(json_t *list, unsigned days)
{
	for (unsigned i = 0; i < days; i++)
		json_array_append_new(list, json_null());
}

/* Members by day. The gate has a memory of the present alone; while the destination is withheld
 * now, its days below k + 10 are withheld, too, as those of a segment are. */
static void put_members(json_t *row, const char *store, const struct destination *d,
    const struct kgate *gate, unsigned days, uint16_t today)
{
	struct reach all[RETENTION_MAX];
	struct kgate bare = {gate->k, NULL};
	json_t *members = json_array(), *with_id = json_array();
	unsigned n = reach_days(store, d->id, all);
	fill_null(members, days);
	fill_null(with_id, days);
	bool now = n && reach_show(gate, d, &all[n - 1]).members.told;
	for (unsigned i = 0; i < n; i++) {
		struct reach_shown s = reach_show(&bare, d, &all[i]);
		if (all[i].day > today || all[i].day + days <= today ||
		    (!now && all[i].members < kgate_k(gate) + KGATE_STEP))
			continue;
		size_t at = all[i].day + days - 1u - today;
		json_array_set_new(members, at, report_shown(s.members));
		json_array_set_new(with_id, at, report_shown(s.with_id));
	}
	json_object_set_new(row, "members", members);
	json_object_set_new(row, "with_id", with_id);
}

static json_t *destination_row(const char *store, const struct destination *d,
    const struct kgate *gate, unsigned days, uint16_t today)
{
	struct delivery_day by_day[RETENTION_MAX];
	json_t *added = json_array(), *removed = json_array(), *refused = json_array(),
	       *failures = json_array();
	deliveries_by_day(store, d->id, today, days, by_day);
	for (unsigned i = 0; i < days; i++) {
		const struct delivery_day *one = &by_day[i];
		json_array_append_new(added, report_shown(kgate_show(gate, one->added)));
		json_array_append_new(removed, report_shown(kgate_show(gate, one->removed)));
		json_array_append_new(refused, report_shown(kgate_show(gate, one->refused)));
		json_array_append_new(failures, json_integer(one->failures));
	}
	json_t *row = json_pack("{s:s,s:o,s:o,s:o,s:o}", "id", d->id, "added", added, "removed",
	    removed, "refused", refused, "failures", failures);
	put_members(row, store, d, gate, days, today);
	return row;
}

enum err deliveries_report(const char *store, const struct destinations *all, const char *only,
    const struct kgate *gate, unsigned days, uint32_t now, json_t **out)
{
	const struct destination *one = NULL;
	enum err e = only ? destinations_find_named(all, str_c(only), &one) : OK;
	if (e)
		return e;
	CHECK(days <= RETENTION_MAX);
	json_t *list = json_array();
	for (size_t i = 0; i < all->n; i++)
		if (!one || one == &all->list[i])
			json_array_append_new(
			    list, destination_row(store, &all->list[i], gate, days, day_of(now)));
	*out = json_pack("{s:o,s:o}", "days", report_days(day_of(now), days), "destinations", list);
	return OK;
}
