/* Reads the options again while the server runs.
 *
 * The command line, and the file that it names, are read into a fresh configuration as at a start.
 * Then each option that differs from the one in force goes one of two ways:
 *
 *     RELOAD   the new value stays in the fresh configuration
 *     START    a sentence says that it waits, and the old value is taken over
 *
 * A mistake anywhere throws the fresh configuration away whole: half of a file is never in
 * force. */
#include "app.h"

#include "crumb/base/log.h"

#include <stdlib.h>

/* Options that a running server does not take stay as they are. *any: another option has
 * changed. */
static enum err keep_of_the_start(
    const struct config *now, struct config *fresh, struct told *told, bool *any)
{
	enum err e = OK;
	for (size_t i = 0; i < config_options_n && !e; i++) {
		const struct option *o = &config_options[i];
		if (config_same(now, fresh, o))
			continue;
		*any |= config_is_live(o);
		if (config_is_live(o))
			continue;
		told_add(told, TOLD_WAITING, "config", "%s changed: takes effect at the next start",
		    o->name);
		e = config_take(fresh, now, o);
	}
	fresh->told = now->told;
	return e;
}

void again_tell(const struct config *before, const struct config *now, struct told *told)
{
	for (size_t i = 0; i < config_options_n; i++)
		if (!config_same(before, now, &config_options[i]))
			told_add(told, TOLD_TAKEN, "config", "%s changed: in force from now on",
			    config_options[i].name);
}

static void log_mistakes(const struct report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct finding *f = &r->list[i];
		log_error("config", "%s:%zu:%zu: %s%s%s", f->file, f->line, f->column, f->message,
		    *f->hint ? "; " : "", f->hint);
	}
}

enum err again_read(
    int argc, char **argv, const struct config *now, struct told *told, struct config **out)
{
	static struct options_found f; /* large; only the reloading thread is here */
	struct arguments a;
	struct config *fresh = calloc(1, sizeof *fresh);
	bool any = false;
	if (!fresh)
		return err_set(ERR_NOMEM, "no memory");
	enum err e = arguments_read(argc, argv, fresh, &a);
	log_mistakes(&a.mistakes);
	arguments_done(&a);
	if (!e) {
		options_check(fresh, NULL, &f);
		if (f.wrong)
			e = err_set(
			    ERR_USAGE, "%u of the options cannot work", options_say(&f, NULL));
	}
	if (!e)
		e = keep_of_the_start(now, fresh, told, &any);
	if (e || !any)
		again_free(fresh);
	if (!e)
		*out = any ? fresh : NULL;
	return e;
}

void again_free(struct config *c)
{
	if (c)
		config_done(c);
	free(c);
}
