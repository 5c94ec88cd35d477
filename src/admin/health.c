/* GET /healthz, /readyz: told at once, on the main thread, whatever else is asked. */
#include "routes.h"

static bool healthy(struct admin *a, struct job *j)
{
	(void)a;
	admin_say(j->ticket, 200, "ok\n");
	return true;
}

static bool readiness(struct admin *a, struct job *j)
{
	struct buf b = {0};
	char why[1200], clock[400];
	bool trouble = node_trouble(a->node, why, sizeof why);
	bool doubt = watch_tell(&a->node->watch, clock, sizeof clock);
	bool low = atomic_load(&a->shared->disk_low);
	bool well = a->ready && !trouble && !low && !watch_refuses(&a->node->watch);
	buf_c(&b, well ? "ready\n" : a->ready ? "not ready: " : "not ready\n");
	if (a->ready && trouble)
		buf_addf(&b, "%s\n", why);
	if (a->ready && low)
		buf_addf(&b,
		    "less than %ld %% of the disk is free: new visitors are refused "
		    "(store.reserve_percent)\n",
		    a->config->disk_reserve_percent);
	if (a->ready && doubt)
		buf_addf(&b, "%s\n", clock);
	damage_print(a->node->store->damage, &b);
	buf_add(&b, "", 1);
	admin_say(j->ticket, well ? 200 : 503, b.failed ? "not ready\n" : b.p);
	buf_done(&b);
	return true;
}

const struct route routes_health[] = {
    {
	.method = HTTP_M_GET,
	.path = "/healthz",
	.help = "Says that the server runs. It is told at once, whatever else is asked.",
	.role = ROLE_VIEWER,
	.by = BY_MAIN,
	.answers = {{200, "`ok`", .type = "text/plain"}},
	.answer = healthy,
    },
    {
	.method = HTTP_M_GET,
	.path = "/readyz",
	.help = "Says whether hits can be recorded and the views can follow. `crumb_trouble` is "
		"the same as a number. Trouble is tried again, and the answer is 200 again by "
		"itself. A clock of which the server is not sure is told here, with what to do, "
		"also while it is ready; so is damage that was found.",
	.role = ROLE_VIEWER,
	.by = BY_MAIN,
	.answers = {{200, "`ready`", .type = "text/plain"},
	    {503,
		"while starting, while hits cannot be recorded (a full disk, a clock that is "
		"wrong), while new visitors are refused because the disk is nearly full, and while "
		"the views cannot follow; the reason is said",
		.type = "text/plain"}},
	.answer = readiness,
    },
    {0},
};
