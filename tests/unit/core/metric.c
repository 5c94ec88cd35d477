/* core/metric: what is counted stands in /metrics as its row says. */
#include "unit.h"

#include "crumb/core/metric.h"

static struct buf said;

static void print(void (*what)(void))
{
	struct ambient a;
	ambient_init(&a);
	struct ambient *before = ambient_enter(&a);
	buf_clear(&said);
	what();
	buf_add(&said, "", 1);
	ambient_enter(before);
	ambient_done(&a);
}

static void told(const char *line)
{
	if (!strstr(said.p, line))
		fail_msg("nothing of '%s' in\n%s", line, said.p);
}

static void count_some(void)
{
	metric_inc(M_HITS);
	metric_add(M_REFUSED_GPC, 7);
	metric_took(H_HIT, 500, 2); /* an end belongs to its bucket */
	metric_took(H_HIT, 501, 3);
	metric_took(H_HIT, 9000000, 1);
	metric_print(&said);
}

TEST(counters_and_a_histogram_are_told_below_their_heads)
{
	print(count_some);
	told("# TYPE crumb_hits_total counter\ncrumb_hits_total 1\n");
	told("crumb_refused_total{reason=\"gpc\"} 7\ncrumb_refused_total{reason=\"optout\"} 0\n");
	told("# TYPE crumb_hit_duration_seconds histogram\n"
	     "crumb_hit_duration_seconds_bucket{le=\"0.0005\"} 2\n"
	     "crumb_hit_duration_seconds_bucket{le=\"0.001\"} 5\n");
	told("crumb_hit_duration_seconds_bucket{le=\"2.5\"} 5\n"
	     "crumb_hit_duration_seconds_bucket{le=\"+Inf\"} 6\n"
	     "crumb_hit_duration_seconds_sum 9.002503\n"
	     "crumb_hit_duration_seconds_count 6\n");
	buf_done(&said);
}

static double seven(void *of)
{
	return of == &said ? 7 : 0;
}

static void nobody(struct buf *out, const struct gauge *g, void *of)
{
}

static void somebody(struct buf *out, const struct gauge *g, void *of)
{
	gauge_sample(out, g, "a", 0.5);
}

static void ask_gauges(void)
{
	static const struct gauge table[] = {
	    {METRICS_store, "one", NULL, "days", "What it is.", .read = seven},
	    {METRICS_store, "none", "of", "days", "What it is.", .print = nobody},
	    {METRICS_store, "some", "of", "days", "What it is.", .print = somebody},
	    {0},
	};
	metric_gauges(&said, table, &said);
}

TEST(a_gauge_without_a_sample_is_not_told)
{
	print(ask_gauges);
	assert_string_equal(said.p,
	    "# HELP crumb_one What it is.\n# TYPE crumb_one gauge\ncrumb_one 7\n"
	    "# HELP crumb_some What it is.\n# TYPE crumb_some gauge\n"
	    "crumb_some{of=\"a\"} 0.5\n");
	buf_done(&said);
}

TEST(the_ends_of_buckets_grow)
{
	for (enum histogram h = 0; h < HISTOGRAM_MAX; h++) {
		const uint64_t *ends = metric_histograms[h].ends;
		assert_true(ends[0] > 0 && ends[HISTOGRAM_ENDS_MOST] == 0);
		for (unsigned i = 1; ends[i]; i++)
			assert_true(ends[i] > ends[i - 1]);
	}
}

UNIT_TESTS(cmocka_unit_test(counters_and_a_histogram_are_told_below_their_heads),
    cmocka_unit_test(a_gauge_without_a_sample_is_not_told),
    cmocka_unit_test(the_ends_of_buckets_grow))
