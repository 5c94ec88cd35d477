/* The list of damage: one note for each place, in the order in which places were first noted. There
 * are a few notes at most, or a journal full of them, so that the list is walked. */
#include "crumb/disk/damage.h"

#include "crumb/base/lock.h"
#include "crumb/base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	WHERE_CAP = 64,
	TEXT_CAP = 400,
	LINE_CAP = WHERE_CAP + TEXT_CAP + 100 /* both, and how many events are lost */
};

struct note {
	struct note *next;
	uint64_t lost; /* EVENTS_UNKNOWN: nobody knows */
	char where[WHERE_CAP], text[TEXT_CAP];
};

struct damage {
	pthread_mutex_t lock;
	struct note *first; /* shared, under lock */
};

struct damage *damage_new(void)
{
	struct damage *d = calloc(1, sizeof *d);
	CHECK(d);
	pthread_mutex_init(&d->lock, NULL);
	return d;
}

void damage_free(struct damage *d)
{
	if (!d)
		return;
	while (d->first) {
		struct note *next = d->first->next;
		free(d->first);
		d->first = next;
	}
	pthread_mutex_destroy(&d->lock);
	free(d);
}

/* The pointer to the note of a place, or the one at the end of the list where it would be. */
static struct note **find_note(struct damage *d, const char *where)
{
	CHECK_HELD(&d->lock);
	struct note **at = &d->first;
	while (*at && strncmp((*at)->where, where, sizeof(*at)->where - 1) != 0)
		at = &(*at)->next;
	return at;
}

/* False: the same is noted already. */
static bool put_note(struct damage *d, const char *where, uint64_t lost, const char *text)
{
	pthread_mutex_lock(&d->lock);
	struct note **at = find_note(d, where), *n = *at;
	bool news = !n || n->lost != lost || strcmp(n->text, text) != 0;
	if (!n) {
		n = *at = calloc(1, sizeof *n);
		CHECK(n);
		snprintf(n->where, sizeof n->where, "%s", where);
	}
	n->lost = lost;
	snprintf(n->text, sizeof n->text, "%s", text);
	pthread_mutex_unlock(&d->lock);
	return news;
}

bool damage_noted(struct damage *d, const char *where)
{
	pthread_mutex_lock(&d->lock);
	bool noted = *find_note(d, where) != NULL;
	pthread_mutex_unlock(&d->lock);
	return noted;
}

void damage_note(struct damage *d, const char *where, uint64_t lost_events, const char *fmt, ...)
{
	char text[TEXT_CAP];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (!put_note(d, where, lost_events, text))
		return;
	if (lost_events == EVENTS_UNKNOWN)
		log_error("store", "damaged file=%s lost_events=unknown why=\"%s\"", where, text);
	else
		log_error("store", "damaged file=%s lost_events=%llu why=\"%s\"", where,
		    (unsigned long long)lost_events, text);
}

void damage_sum(struct damage *d, struct damage_sum *out)
{
	*out = (struct damage_sum){0, 0, 0, false};
	pthread_mutex_lock(&d->lock);
	for (struct note *n = d->first; n; n = n->next) {
		if (strncmp(n->where, "journal/", 8) == 0)
			out->days++;
		else
			out->others++;
		if (n->lost == EVENTS_UNKNOWN)
			out->unknown = true;
		else
			out->lost_events += n->lost;
	}
	pthread_mutex_unlock(&d->lock);
}

void damage_each(struct damage *d, void (*each)(void *, const char *), void *arg)
{
	pthread_mutex_lock(&d->lock);
	for (struct note *n = d->first; n; n = n->next) {
		char line[LINE_CAP];
		if (n->lost == EVENTS_UNKNOWN)
			snprintf(line, sizeof line, "%s: %s; nobody knows how many events that is",
			    n->where, n->text);
		else
			snprintf(line, sizeof line, "%s: %s; %llu events are lost", n->where,
			    n->text, (unsigned long long)n->lost);
		each(arg, line);
	}
	pthread_mutex_unlock(&d->lock);
}

static void add_line(void *arg, const char *text)
{
	buf_addf(arg, "%s\n", text);
}

void damage_print(struct damage *d, struct buf *out)
{
	damage_each(d, add_line, out);
}

/* --- what an operator reads */

static double days(void *damage)
{
	struct damage_sum sum;
	damage_sum(damage, &sum);
	return sum.days;
}

static double files(void *damage)
{
	struct damage_sum sum;
	damage_sum(damage, &sum);
	return sum.others;
}

static double lost(void *damage)
{
	struct damage_sum sum;
	damage_sum(damage, &sum);
	return (double)sum.lost_events;
}

const struct gauge damage_gauges[] = {
    {METRICS_store, "damaged_days", NULL, "days",
	"Days of the journal that are gone or cannot be read, whole or in part. docs/damage.md "
	"says what to do.",
	.read = days},
    {METRICS_store, "damaged_files", NULL, "files",
	"Other files of the store that were damaged. docs/damage.md says what to do.",
	.read = files},
    {METRICS_store, "lost_events", NULL, "events",
	"Events that were stored and cannot be read any more. Look at the disk.", .read = lost},
    {0},
};
