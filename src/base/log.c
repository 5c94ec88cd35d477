#include "crumb/base/log.h"

#include "crumb/base/plain.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

static enum log_level threshold = LOG_INFO;

struct line {
	char text[1024];
	size_t n;
};

void log_threshold(enum log_level least)
{
	threshold = least;
}

static void put(struct line *l, const char *p, size_t n)
{
	if (n > sizeof l->text - 1 - l->n) /* room for the end of the line */
		n = sizeof l->text - 1 - l->n;
	memcpy(l->text + l->n, p, n);
	l->n += n;
}

/* A text that somebody else wrote: it neither ends its quotes nor its line, nor commands the terminal that shows it. */
static void put_text(struct line *l, struct str s)
{
	while (s.n && l->n < sizeof l->text - 1) {
		char out[PLAIN_MOST];
		size_t n, took = plain_char(s, true, out, &n);
		if (s.p[0] == '"' || s.p[0] == '\\')
			put(l, "\\", 1);
		put(l, out, n);
		s = str_skip(s, took);
	}
}

/* One directive of a format that takes a number; `spec` is the directive. */
static void put_number(struct line *l, const char *spec, char kind, unsigned longs, bool size, va_list *ap)
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
	put(l, text, n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

static void put_string(struct line *l, int most, const char *s)
{
	s = s ? s : "(null)";
	put_text(l, str_make(s, most < 0 ? strlen(s) : strnlen(s, (size_t)most)));
}

/* printf() for what log lines use: texts (%s, %.*s), numbers, %%. */
static void format(struct line *l, const char *fmt, va_list *ap)
{
	while (*fmt) {
		const char *from = fmt;
		if (*fmt++ != '%') {
			put(l, *from == '\n' ? " " : from, 1);
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
			put(l, "%", 1);
		} else if (kind == 's') {
			put_string(l, most, va_arg(*ap, const char *));
		} else if (n < sizeof spec) {
			memcpy(spec, from, n);
			spec[n] = 0;
			put_number(l, spec, kind, longs, size, ap);
		}
	}
}

void log_line(enum log_level level, const char *module, const char *fmt, ...)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};
	struct line l = {.n = 0};
	va_list ap;
	if (level < threshold)
		return;
	put(&l, names[level], strlen(names[level]));
	put(&l, " ", 1);
	put(&l, module, strlen(module));
	put(&l, " ", 1);
	va_start(ap, fmt);
	format(&l, fmt, &ap);
	va_end(ap);
	l.text[l.n++] = '\n';
	if (write(STDERR_FILENO, l.text, l.n) < 0) {
		/* nowhere to say it */
	}
}
