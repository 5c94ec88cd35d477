/* What conditions and models ask of a profile: where a window begins, and what is known of the visitor. */
#include "crumb/rules/fact.h"

uint16_t rules_window_start(uint8_t window, uint16_t today)
{
	return window == 0 || window > today ? 0 : (uint16_t)(today - window + 1);
}

struct str rules_fact(const struct profile *p, enum fact f)
{
	switch (f) {
	case FACT_COUNTRY:
		return place_country(&p->place);
	case FACT_REGION:
		return place_region(&p->place);
	case FACT_DEVICE:
		return str_c(p->agent_day ? device_names[p->agent.device] : "");
	case FACT_OS:
		return str_c(p->agent_day ? os_names[p->agent.os] : "");
	case FACT_BROWSER:
	case FACT_MAX:
	default:
		return str_c(p->agent_day ? browser_names[p->agent.browser] : "");
	}
}
