/* What conditions and models ask of a profile: where a window begins, and what is known of the
 * visitor. */
#include "crumb/rules/fact.h"

uint16_t rules_window_start(uint8_t window, uint16_t today)
{
	return window == 0 || window > today ? 0 : (uint16_t)(today - window + 1);
}

/* A fact is a field of events whose latest value the profile keeps. Device, system and browser
 * stand in its struct agent at the same offset as in the event's. */
struct str rules_fact(const struct profile *p, enum fact f)
{
	const struct field *row = &rule_fields[rule_facts[f].field];
	if (row->from == FROM_COUNTRY)
		return place_country(&p->place);
	if (row->from == FROM_REGION)
		return place_region(&p->place);
	size_t at = row->at - offsetof(struct event, agent);
	return str_c(p->agent_day ? row->words[((const uint8_t *)&p->agent)[at]] : "");
}
