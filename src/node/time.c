/* Is the clock right? A wrong clock destroys what is to be kept, or records what nobody finds.
 *
 * Within a run, wall time is compared with boot time (base/clock.h). At a start there is only what
 * the store knows: the last day on which a clock was believed (`seen`), which whoever writes the
 * store notes there, and the days of its records. Today and these days decide:
 *
 *     the clock                              doubt    hits       days end   until
 *     says a day before 2020                 UNSET    refused    no         set
 *     is more than a day before the newest   BEHIND   refused    no         set right or confirmed
 *         record
 *     is more than DAYS_OFF days after       AHEAD    recorded   no         set right or confirmed
 *         `seen`
 *     moved by more than an hour against     JUMPED   recorded   no         set right or confirmed
 *         boot time
 *     does none of these                     NONE     recorded   yes
 *
 * While days do not end, outlets tell nothing that is overdue.
 *
 * A server may well have been off for a few weeks: what was due meanwhile ends at its start, as
 * promised. But nobody can tell a server that was off for months from a clock that is wrong by
 * months. In the first case waiting for an operator's word costs nothing, since nobody reads what
 * is overdue. In the second it saves everything.
 *
 * A day that was written while in doubt is no witness, so `seen` stays. When an operator says that
 * an earlier clock is right, there may be records of days to come; `seen.ahead` is the newest of
 * these, and records up to there are no witnesses either. */
#include "crumb/node/node.h"

#include "crumb/base/clock.h"
#include "crumb/base/log.h"

#define DAYS_OFF 30 /* that a server may have been off */
#define DAYS_BACK 1 /* that a clock may be behind the newest record */
#define TELL_AGAIN_S 3600

static uint16_t newest_record(const struct watch *w)
{
	uint16_t days[JOURNAL_DAYS_MAX], newest = 0;
	unsigned n = journal_days(w->store->journal, days, JOURNAL_DAYS_MAX);
	for (unsigned i = 0; i < n; i++)
		newest = days[i] > newest ? days[i] : newest;
	return newest;
}

static uint16_t later_day(uint16_t a, uint16_t b)
{
	return a > b ? a : b;
}

/* The table at the head, but for JUMPED. Also tells the clock how far back it may go (the floor).
 */
static enum doubt judge_clock(struct watch *w, uint32_t now)
{
	uint16_t today = day_of(now), record = newest_record(w);
	uint16_t newest = later_day(w->seen.day, record > w->seen.ahead ? record : 0);
	uint32_t floor = newest > DAYS_BACK ? (uint32_t)(newest - DAYS_BACK) * DAY_S : 0;
	clock_set_floor(w->believe ? 0 : floor);
	w->newest = newest;
	if (now < CLOCK_LEAST)
		return DOUBT_UNSET;
	if (w->believe)
		return DOUBT_NONE;
	if (now < floor)
		return DOUBT_BEHIND;
	w->newest = w->seen.day;
	return w->seen.day && today > w->seen.day + DAYS_OFF ? DOUBT_AHEAD : DOUBT_NONE;
}

/* Writes `seen` down; what cannot be written now is tried again by the next look. */
static void save_seen(struct watch *w)
{
	bool before = w->unsaved;
	w->unsaved = store_save_seen(w->store, w->seen) != OK;
	if (w->unsaved && !before)
		log_warn("clock", "today could not be noted, will be tried again why=\"%s\"",
		    err_text());
}

/* The clock is believed today: notes the day when it is a new one. */
static void note_day(struct watch *w, uint16_t today)
{
	if (today > w->seen.day) {
		w->seen.day = today;
		w->seen.ahead = w->seen.ahead > today ? w->seen.ahead : 0;
		w->unsaved = true;
	}
	if (w->unsaved)
		save_seen(w);
}

void watch_look(struct watch *w)
{
	char why[400];
	enum doubt before = w->doubt;
	bool jumped;
	w->doubt = judge_clock(w, clock_now());
	if (before && before != DOUBT_JUMPED && !w->doubt)
		clock_confirm(); /* it was set right, which looks like a jump */
	if (w->doubt && w->doubt != DOUBT_JUMPED)
		clock_doubt();
	else
		clock_believe();
	jumped = clock_jumped();
	if (!w->doubt && jumped)
		w->doubt = DOUBT_JUMPED;
	if (!w->doubt) {
		note_day(w, day_of(clock_now()));
		if (before)
			log_info("clock", "the clock is believed again");
		w->told = 0;
		return;
	}
	uint32_t s = (uint32_t)(clock_mono_us() / 1000000) + 1;
	if ((w->doubt != before || s - w->told >= TELL_AGAIN_S) && watch_tell(w, why, sizeof why)) {
		log_error("clock", "%s", why);
		w->told = s;
	}
}

void watch_start(struct watch *w, struct store *s, enum node_clock clock)
{
	*w = (struct watch){
	    .store = s, .believe = clock == NODE_CLOCK_BELIEVED, .seen = store_seen(s)};
	clock_believe();
	if (!w->seen.day && (w->seen.day = later_day(store_kept_day(s), newest_record(w))))
		save_seen(
		    w); /* an older crumb's store: what is recorded from now on is no witness */
	watch_look(w);
}

bool watch_refuses(const struct watch *w)
{
	return w->doubt == DOUBT_UNSET || w->doubt == DOUBT_BEHIND;
}

bool watch_tell(const struct watch *w, char *out, size_t cap)
{
	char today[DAY_TEXT], newest[DAY_TEXT];
	uint16_t day = day_of(clock_now());
	day_text(day, today);
	day_text(w->newest, newest);
	switch (w->doubt) {
	case DOUBT_NONE:
		*out = 0;
		break;
	case DOUBT_UNSET:
		snprintf(out, cap,
		    "the clock was not set (%s): nothing is recorded or deleted until it is",
		    today);
		break;
	case DOUBT_BEHIND:
		snprintf(out, cap,
		    "the clock (%s) is %d days behind the newest record (%s): nothing is recorded "
		    "or deleted until it is set right; if it is right, confirm it "
		    "with 'crumb clock confirm' or POST /v1/clock/confirm",
		    today, w->newest - day, newest);
		break;
	case DOUBT_AHEAD:
		snprintf(out, cap,
		    "the clock (%s) is %d days ahead of the day on which it was believed last "
		    "(%s): "
		    "nothing is deleted until it is set right; if it is right, confirm it "
		    "with 'crumb clock confirm' or POST /v1/clock/confirm",
		    today, day - w->newest, newest);
		break;
	case DOUBT_JUMPED:
		snprintf(out, cap,
		    "the wall clock jumped by more than an hour (it says %s): nothing is deleted "
		    "until it is confirmed with 'crumb clock confirm' or POST /v1/clock/confirm",
		    today);
		break;
	}
	return w->doubt != DOUBT_NONE;
}

enum err watch_confirm(struct watch *w)
{
	uint32_t now = clock_now();
	uint16_t today = day_of(now), record = newest_record(w);
	if (now < CLOCK_LEAST)
		return err_set(ERR_USAGE, "the clock says a day before 2020: set it");
	w->seen = (struct seen){.day = today, .ahead = record > today + DAYS_BACK ? record : 0};
	save_seen(w);
	clock_confirm();
	watch_look(w);
	return OK;
}
