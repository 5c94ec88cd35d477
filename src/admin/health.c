/* GET /healthz, /readyz: told at once, on the main thread, whatever else is asked. Health says that
 * the loop runs; readiness, that hits are recorded and the views follow. A service manager restarts
 * what is not healthy, and a load balancer passes by what is not ready. */
#include "routes.h"

static bool healthy(struct admin *a, struct job *j)
{
	(void)a;
	admin_say(j->ticket, 200, "ok\n");
	return true;
}

/* "ready", or all reasons why not. Doubts and damage are said even while it is ready. */
static bool readiness(struct admin *a, struct job *j)
{
	struct buf b = {0};
	char why[1200], clock[400];
	bool trouble = node_trouble(a->node, why, sizeof why);
	bool doubt = watch_tell(&a->node->watch, clock, sizeof clock);
	bool low = atomic_load(&a->shared->disk_low);
	bool well = a->ready && !trouble && !low && !watch_refuses(&a->node->watch);
	if (well)
		buf_c(&b, "ready\n");
	else
		buf_c(&b, a->ready ? "not ready: " : "not ready\n"); /* no reason yet at a start */
	if (a->ready && trouble)
		buf_addf(&b, "%s\n", why);
	if (a->ready && low)
		buf_addf(&b,
		    "less than %ld %% of the disk is free: new visitors are refused "
		    "(store.reserve_percent)\n",
		    a->config->disk_reserve_percent);
	if (a->ready && doubt)
		buf_addf(&b, "%s\n", clock);
	if (*callers_trouble(a))
		buf_addf(&b, "%s\n", a->callers.trouble);
	damage_print(a->node->store->damage, &b);
	buf_add(&b, "", 1);
	const char *text = b.failed ? "not ready\n" : b.p;
	admin_say(j->ticket, well ? 200 : 503, text);
	buf_done(&b);
	return true;
}

const struct route routes_health[] = {
    {
	.method = HTTP_M_GET,
	.path = "/healthz",
	.help = "Says that the server runs. It is told at once, whatever else is asked, and to "
		"everybody.",
	.role = ROLE_VIEWER,
	.open = true,
	.by = BY_MAIN,
	.answers = {{200, "`ok`", .type = "text/plain"}},
	.answer = healthy,
    },
    {
	.method = HTTP_M_GET,
	.path = "/readyz",
	.help = "Says whether hits can be recorded and the views can follow. `crumb_trouble` is "
		"the same as a number. What failed is tried again, and the answer becomes 200 by "
		"itself. A clock in doubt is told here, with what to do, even while the server is "
		"ready; so is damage that was found. It is told to everybody.",
	.role = ROLE_VIEWER,
	.open = true,
	.by = BY_MAIN,
	.answers = {{200, "`ready`", .type = "text/plain"},
	    {503,
		"while it starts, while hits cannot be recorded (a full disk, a wrong clock), "
		"while new visitors are refused because the disk is nearly full, and while the "
		"views cannot follow; the text says why",
		.type = "text/plain"}},
	.answer = readiness,
    },
    {0},
};
