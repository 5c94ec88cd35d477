/* What categorising one event costs under a rule set, nothing remembered: bench-match RULES. Prints nanoseconds an event and the
 * seconds that loading and making the matcher took. The events are 4,096 different ones, of which few match. */
#include "crumb/base/clock.h"
#include "crumb/load/load.h"
#include "crumb/check/check.h"
#include "crumb/match/match.h"

#include <stdio.h>
#include <stdlib.h>

#define EVENTS 4096
#define ROUNDS 50

int main(int argc, char **argv)
{
	static struct event events[EVENTS];
	static char text[EVENTS][3][80];
	struct buf bundle = {0};
	struct rules *r;
	struct match *m;
	uint64_t leaves[EVENT_LEAVES_MAX], sum = 0;
	if (argc != 2 || sodium_init() < 0 || rules_read(argv[1], NULL, &bundle) != OK)
		return fputs("usage: bench-match RULES\n", stderr), 2;
	uint64_t from = clock_mono_us();
	if (rules_load(buf_view(&bundle), NULL, &r) != OK || rules_match_begin(r, &m) != OK)
		return fprintf(stderr, "%s\n", err_text()), 1;
	double loaded = (double)(clock_mono_us() - from) / 1e6;
	uint16_t *cats = calloc(r->categories_n + 1, sizeof *cats);
	for (unsigned i = 0; i < EVENTS; i++) {
		snprintf(text[i][0], 80, "/dir%u/list/page-%u", i * 7919 % 10000, i);
		snprintf(text[i][1], 80, "www.site%u.example", i * 104729 % 10000);
		snprintf(text[i][2], 80, "Word%u in the winter coat sale of brand%u", i * 1299709 % 10000, i);
		events[i] = (struct event){.path = str_c(text[i][0]), .host = str_c(text[i][1]), .name = STR("view")};
	}
	from = clock_mono_us();
	for (unsigned k = 0; k < ROUNDS; k++)
		for (unsigned i = 0; i < EVENTS; i++) {
			struct leaf_input in = {str_c(text[i][2]), {NULL, 0}, NULL, 0};
			events[i].leaves_n = rules_leaves(m, &in, leaves);
			memcpy(events[i].leaves, leaves, events[i].leaves_n * sizeof *leaves);
			sum += rules_categorise(m, &events[i], cats);
		}
	double ns = (double)(clock_mono_us() - from) * 1e3 / (ROUNDS * EVENTS);
	printf("{\"ns\":%.1f,\"load_s\":%.3f,\"patterns\":%zu,\"matched\":%llu}\n", ns, loaded, r->patterns_n, (unsigned long long)sum);
	rules_match_end(m);
	rules_unref(r);
	free(cats);
	buf_done(&bundle);
	return 0;
}
