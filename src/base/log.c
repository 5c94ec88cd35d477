/* A line is formatted into a buffer on the stack and written with one write(), so that lines of
 * threads do not mix. No memory is allocated and no lock is taken. What does not fit is cut.
 *
 * The formatting is not printf's: a %s is a text that somebody else may have written, and each of
 * its characters is made harmless (base/plain.h) as it is copied. Numbers go to snprintf() one by
 * one. */
#include "crumb/base/log.h"

#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/plain.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static _Atomic int threshold = LOG_INFO; /* shared, any thread */
static enum log_form shape = LOG_PLAIN;	 /* set before there are threads, then only read */

struct line {
	char text[1024];
	size_t n;
};

void log_threshold(enum log_level least)
{
	atomic_store_explicit(&threshold, (int)least, memory_order_relaxed);
}

void log_shape(enum log_form form)
{
	shape = form;
}

static void log_put(struct line *l, const char *p, size_t n)
{
	if (n > sizeof l->text - 1 - l->n) /* room for the end of the line */
		n = sizeof l->text - 1 - l->n;
	memcpy(l->text + l->n, p, n);
	l->n += n;
}

/* A text that somebody else wrote: it neither ends its quotes nor its line, nor commands the
 * terminal that shows it. */
static void log_put_text(struct line *l, struct str s)
{
	while (s.n && l->n < sizeof l->text - 1) {
		char out[PLAIN_MOST];
		size_t n, took = plain_char(s, out, &n);
		if (s.p[0] == '"' || s.p[0] == '\\')
			log_put(l, "\\", 1);
		log_put(l, out, n);
		s = str_skip(s, took);
	}
}

/* One directive of a format that takes a number; `spec` is the directive. */
static void put_number(
    struct line *l, const char *spec, char kind, unsigned longs, bool size, va_list *ap)
{
	char text[64];
	int n;
	if (chr_one_of(kind, "aefgAEFG"))
		n = snprintf(text, sizeof text, spec, va_arg(*ap, double));
	else if (size)
		n = snprintf(text, sizeof text, spec, va_arg(*ap, size_t));
	else if (longs == 2)
		n = snprintf(text, sizeof text, spec, va_arg(*ap, long long));
	else if (longs == 1)
		n = snprintf(text, sizeof text, spec, va_arg(*ap, long));
	else
		n = snprintf(text, sizeof text, spec, va_arg(*ap, int));
	if (n > 0)
		log_put(l, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

/* `most` is the precision of %.*s; below 0: there is none. */
static void put_string(struct line *l, int most, const char *s)
{
	s = s ? s : "(null)";
	log_put_text(l, str_make(s, most < 0 ? strlen(s) : strnlen(s, (size_t)most)));
}

/* printf() for what log lines use: texts (%s, %.*s), numbers, %%. */
static void format(struct line *l, const char *fmt, va_list *ap)
{
	while (*fmt) {
		const char *from = fmt;
		if (*fmt++ != '%') {
			log_put(l, *from == '\n' ? " " : from, 1);
			continue;
		}
		int most = -1;
		unsigned longs = 0;
		bool size = false;
		char spec[16];
		for (; chr_one_of(*fmt, "-+ #.*hlzj0123456789"); fmt++) {
			longs += *fmt == 'l';
			size |= *fmt == 'z' || *fmt == 'j';
			if (*fmt == '*')
				most = va_arg(*ap, int);
		}
		char kind = *fmt ? *fmt++ : '%';
		size_t n = (size_t)(fmt - from);
		if (kind == '%') {
			log_put(l, "%", 1);
		} else if (kind == 's') {
			put_string(l, most, va_arg(*ap, const char *));
		} else if (n < sizeof spec) {
			memcpy(spec, from, n);
			spec[n] = 0;
			put_number(l, spec, kind, longs, size, ap);
		}
	}
}

/* A line that was cut may end within a character. Returns how many bytes are whole characters. */
static size_t whole_characters(const char *p, size_t n)
{
	size_t i = n;
	while (i > 0 && n - i < 4 && ((uint8_t)p[i - 1] & 0xc0) == 0x80)
		i--;
	uint8_t lead = i ? (uint8_t)p[i - 1] : 0;
	size_t want = utf8_length(lead);
	return want > 1 && n - i + 1 < want ? i - 1 : n;
}

/* The message has no control characters: format() has seen to that. */
static size_t to_json(const char *time, const char *level, const char *module,
    const struct line *message, char *out, size_t cap)
{
	size_t n = (size_t)snprintf(out, cap,
	    "{\"time\":\"%s\",\"level\":\"%s\",\"module\":\"%s\",\"message\":\"", time, level,
	    module);
	for (size_t i = 0, most = whole_characters(message->text, message->n); i < most; i++) {
		if (message->text[i] == '"' || message->text[i] == '\\')
			out[n++] = '\\';
		out[n++] = message->text[i];
	}
	memcpy(out + n, "\"}\n", 3);
	return n + 3;
}

/* Of the machine, not the one that tests move. */
static void machine_time(char out[32])
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	time_text(now.tv_sec, out);
	snprintf(out + TIME_TEXT - 2, 32 - (TIME_TEXT - 2), ".%03uZ",
	    (unsigned)(now.tv_nsec / 1000000) % 1000); /* in the place of its Z */
}

void log_line(enum log_level level, const char *module, const char *fmt, ...)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};
	struct line l = {.n = 0};
	/* each byte of a message may get a backslash; the rest is names and the time */
	char time[32] = "", json[2 * sizeof l.text + 256];
	va_list ap;
	if ((int)level < atomic_load_explicit(&threshold, memory_order_relaxed))
		return;
	if (shape != LOG_PLAIN)
		machine_time(time);
	if (shape != LOG_JSON) {
		log_put(&l, time, strlen(time));
		log_put(&l, " ", *time ? 1 : 0);
		log_put(&l, names[level], strlen(names[level]));
		log_put(&l, " ", 1);
		log_put(&l, module, strlen(module));
		log_put(&l, " ", 1);
	}
	va_start(ap, fmt);
	format(&l, fmt, &ap);
	va_end(ap);
	const char *text = l.text;
	size_t n = l.n;
	if (shape == LOG_JSON) {
		n = to_json(time, names[level], module, &l, json, sizeof json);
		text = json;
	} else {
		l.text[n++] = '\n';
	}
	if (write(STDERR_FILENO, text, n) < 0) {
		/* nowhere to say it */
	}
}
