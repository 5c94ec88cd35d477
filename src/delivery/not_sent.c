/* Members who did not go, by reason: exact in files, gated in answers. delivery/not_sent.h says why
 * one number more may have to be withheld than those below k. */
#include "not_sent.h"

/* How the JSON calls each. */
static const char *const stays_words[STAYS_N] = {
    [STAYS_NOT] = "go",
    [STAYS_NO_ID] = "no_id",
    [STAYS_NO_CONSENT] = "no_consent",
    [STAYS_OTHER_SOURCE] = "other_source",
    [STAYS_HELD_OUT] = "held_out",
};

json_t *not_sent_exact(const struct plan_result *r)
{
	json_t *all = json_object();
	for (unsigned i = 0; i < STAYS_N; i++)
		json_object_set_new(all, stays_words[i], json_integer((json_int_t)r->stays[i]));
	return all;
}

/* False: these are not the numbers that somebody counted. */
static bool read_numbers(const json_t *all, uint64_t out[STAYS_N])
{
	for (unsigned i = 0; i < STAYS_N; i++) {
		const json_t *n = json_object_get(all, stays_words[i]);
		if (!json_is_integer(n) || json_integer_value(n) < 0)
			return false;
		out[i] = (uint64_t)json_integer_value(n);
	}
	return true;
}

/* Takes back what was told of the smallest group, where it gives a smaller one away. */
static void hide_one_more(
    const struct kgate *gate, const uint64_t n[STAYS_N], struct shown told[STAYS_N])
{
	uint64_t hidden = 0;
	unsigned least = STAYS_N;
	for (unsigned i = 0; i < STAYS_N; i++) {
		if (!told[i].told)
			hidden += n[i];
		else if (i >= STAYS_NO_CONSENT && (least == STAYS_N || n[i] < n[least]))
			least = i;
	}
	if (hidden > 0 && hidden < kgate_k(gate) && least < STAYS_N)
		told[least].told = false;
}

void not_sent_gate(json_t *row, const struct kgate *gate)
{
	uint64_t n[STAYS_N];
	struct shown told[STAYS_N];
	if (!read_numbers(json_object_get(row, "not_sent"), n)) {
		json_object_del(row, "not_sent");
		return;
	}
	for (unsigned i = 0; i < STAYS_N; i++)
		told[i] = kgate_show(gate, n[i]);
	hide_one_more(gate, n, told);
	json_t *all = json_object();
	for (unsigned i = STAYS_NO_ID; i < STAYS_N; i++)
		json_object_set_new(all, stays_words[i],
		    told[i].told ? json_integer((json_int_t)told[i].n) : json_null());
	/* no memory: the exact numbers may not stay */
	if (json_object_set_new(row, "not_sent", all) != 0)
		json_object_del(row, "not_sent");
}
