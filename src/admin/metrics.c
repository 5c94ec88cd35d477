/* GET /metrics: the route. gauges.c prints the metrics. A scrape is small (`.small`): it is
 * answered even when memory is short, because an operator needs it then. Where there is no room for
 * its own text it is refused with 503: half of it would read as if gauges had gone. */
#include "routes.h"

static void metrics_run(struct admin *a, struct job *j)
{
	admin_metrics(a, &j->out);
}

static bool metrics_answer(struct admin *a, struct job *j)
{
	if (j->result)
		return job_told(a, j);
	http_reply(j->ticket, 200, "text/plain; version=0.0.4", STR(""), buf_view(&j->out));
	return true;
}

const struct route routes_metrics[] = {
    {
	.method = HTTP_M_GET,
	.path = "/metrics",
	.help = "Prometheus text. `crumb_segment_size{segment=…}` is what `/v1/segments` tells, "
		"absent where that withholds; `crumb_segment_alert{segment=…}` is there for "
		"segments with an alert; `crumb_hit_duration_seconds` is a histogram; "
		"`crumb_build_info` has the version. [METRICS.md](METRICS.md) has all of them.",
	.role = ROLE_OPERATOR,
	.by = BY_TELL,
	.answers = {{200, "the metrics", .type = "text/plain; version=0.0.4"}},
	.small = true,
	.run = metrics_run,
	.answer = metrics_answer,
    },
    {0},
};
