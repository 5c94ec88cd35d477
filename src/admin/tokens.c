/* The file admin.tokens: read whole, written whole. Writers hold a lock on the store's folder
 * (flock) from reading to writing, so that of two additions none is lost. */
#include "crumb/admin/tokens.h"

#include "crumb/base/array.h"
#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/file.h"
#include "crumb/disk/checked.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#define HEAD "crumb tokens 1\n"
#define LINE_MOST (WHO_MOST + 10 + DAY_TEXT + 2 * TOKEN_HASH + 4)
#define FILE_MOST ((size_t)TOKENS_MOST * LINE_MOST + 100)
_Static_assert(B64URL_LEN(TOKEN_HASH) + 1 == TOKEN_TEXT, "a token has as many bytes as its hash");

static const char *const role_names[ROLES] = {
    [ROLE_VIEWER] = "viewer", [ROLE_MARKETER] = "marketer", [ROLE_OPERATOR] = "operator"};

const char *role_name(enum route_role role)
{
	return role_names[role];
}

bool role_read(struct str word, enum route_role *out)
{
	for (int i = 0; i < ROLES; i++)
		if (str_eq(word, str_c(role_names[i]))) {
			*out = (enum route_role)i;
			return true;
		}
	return false;
}

/* --- tokens */

void token_hash(struct str text, uint8_t out[TOKEN_HASH])
{
	crypto_generichash(out, TOKEN_HASH, (const uint8_t *)text.p, text.n, NULL, 0);
}

void token_make(char text[TOKEN_TEXT], uint8_t hash[TOKEN_HASH])
{
	uint8_t random[TOKEN_HASH];
	randombytes_buf(random, sizeof random);
	b64url_encode(random, sizeof random, text);
	text[TOKEN_TEXT - 1] = 0;
	sodium_memzero(random, sizeof random);
	token_hash(str_make(text, TOKEN_TEXT - 1), hash);
}

/* A name stands in the history, in the log and in a line of the file. */
static bool name_fits(struct str name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!chr_alpha(name.p[i]) && !chr_digit(name.p[i]) &&
		    (i == 0 || !chr_one_of(name.p[i], "._@-")))
			return false;
	return name.n > 0 && name.n <= WHO_MOST && !str_ieq(name, STR(WHO_OPERATOR));
}

const struct token *tokens_find(const struct tokens *t, const uint8_t hash[TOKEN_HASH])
{
	const struct token *found = NULL;
	for (size_t i = 0; i < t->n; i++)
		if (sodium_memcmp(t->v[i].hash, hash, TOKEN_HASH) == 0)
			found = &t->v[i];
	return found;
}

const struct token *tokens_named(const struct tokens *t, struct str name)
{
	for (size_t i = 0; i < t->n; i++)
		if (str_ieq(str_c(t->v[i].name), name))
			return &t->v[i];
	return NULL;
}

void tokens_done(struct tokens *t)
{
	free(t->v);
	*t = (struct tokens){0};
}

/* --- the file */

void tokens_path(const char *store, char out[4096])
{
	snprintf(out, 4096, "%s/admin.tokens", store);
}

static bool read_line(struct str line, struct token *out)
{
	struct str part[4];
	for (int i = 0; i < 4; i++)
		if (!str_cut(&line, ' ', &part[i]))
			return false;
	if (line.p || !name_fits(part[0]) || !role_read(part[1], &out->role) ||
	    !day_parse(part[2].p, part[2].n, &out->day) ||
	    !hex_decode(part[3], out->hash, TOKEN_HASH))
		return false;
	snprintf(out->name, sizeof out->name, STR_FMT, STR_ARG(part[0]));
	return true;
}

static enum err damaged(const char *path)
{
	return err_set(ERR_CORRUPT,
	    "%s is damaged, and no token but admin.token is taken: move it away, and make the "
	    "tokens again with 'crumb token add'",
	    path);
}

static enum err parse(const char *path, struct str all, struct tokens *out)
{
	struct str text, line;
	if (!checked_text(all, &text) || !str_starts(text, STR(HEAD)))
		return damaged(path);
	text = str_skip(text, strlen(HEAD));
	while (str_cut(&text, '\n', &line)) {
		if (!line.n && !text.p)
			break; /* behind the last line end */
		if (!array_room(out->v, out->cap, out->n + 1))
			return err_set(ERR_NOMEM, "no memory");
		if (out->n == TOKENS_MOST || !read_line(line, &out->v[out->n]))
			return damaged(path);
		out->n++;
	}
	return OK;
}

enum err tokens_read(const char *store, struct tokens *out)
{
	char path[FILE_PATH_MAX];
	struct tokens made = {0};
	struct buf all = {0};
	tokens_path(store, path);
	enum err e = file_read(path, FILE_MOST, &all);
	if (e == ERR_NOT_FOUND)
		e = OK;
	else if (e == ERR_USAGE)
		e = damaged(path);
	else if (!e)
		e = parse(path, buf_view(&all), &made);
	buf_done(&all);
	if (e) {
		tokens_done(&made);
		return e;
	}
	tokens_done(out);
	*out = made;
	return OK;
}

static enum err tokens_write(const char *store, const struct tokens *t)
{
	char path[FILE_PATH_MAX], day[DAY_TEXT], hash[2 * TOKEN_HASH];
	struct buf text = {0};
	tokens_path(store, path);
	buf_c(&text, HEAD);
	for (size_t i = 0; i < t->n; i++) {
		const struct token *one = &t->v[i];
		day_text(one->day, day);
		hex_encode(one->hash, TOKEN_HASH, hash);
		buf_addf(&text, "%s %s %s %.*s\n", one->name, role_name(one->role), day,
		    (int)sizeof hash, hash);
	}
	checked_end(&text);
	enum err e = text.failed ? err_set(ERR_NOMEM, "no memory") : OK;
	if (!e)
		e = file_replace(path, buf_view(&text));
	buf_done(&text);
	return e;
}

/* --- changes */

/* The store's folder, locked until it is closed. */
static enum err folder_lock(const char *store, int *out)
{
	int fd = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys_path(store);
	if (flock(fd, LOCK_EX) != 0) {
		enum err e = err_sys("%s", store);
		close(fd);
		return e;
	}
	*out = fd;
	return OK;
}

static enum err add(
    struct tokens *t, struct str name, enum route_role role, uint16_t day, char text[TOKEN_TEXT])
{
	if (!name_fits(name))
		return err_set(ERR_USAGE,
		    "'" STR_FMT "' is no name for a token: letters, digits and . _ @ -, of which a "
		    "letter or digit comes first; %d at most, and not '" WHO_OPERATOR "'",
		    STR_ARG(name), WHO_MOST);
	if (tokens_named(t, name))
		return err_set(ERR_USAGE,
		    "there is a token '%s' already: remove it first, or take another name",
		    tokens_named(t, name)->name);
	if (t->n == TOKENS_MOST)
		return err_set(ERR_FULL, "there are %d tokens, and no more are kept: remove some",
		    TOKENS_MOST);
	if (!array_room(t->v, t->cap, t->n + 1))
		return err_set(ERR_NOMEM, "no memory");
	struct token *one = &t->v[t->n++];
	*one = (struct token){.role = role, .day = day};
	snprintf(one->name, sizeof one->name, STR_FMT, STR_ARG(name));
	token_make(text, one->hash);
	return OK;
}

enum err tokens_add(
    const char *store, struct str name, enum route_role role, uint16_t day, char text[TOKEN_TEXT])
{
	struct tokens t = {0};
	char made[TOKEN_TEXT];
	int fd;
	enum err e = folder_lock(store, &fd);
	if (e)
		return e;
	if (!(e = tokens_read(store, &t)) && !(e = add(&t, name, role, day, made)) &&
	    !(e = tokens_write(store, &t)))
		memcpy(text, made, TOKEN_TEXT);
	sodium_memzero(made, sizeof made);
	tokens_done(&t);
	close(fd);
	return e;
}

enum err tokens_remove(const char *store, struct str name)
{
	struct tokens t = {0};
	int fd;
	enum err e = folder_lock(store, &fd);
	if (e)
		return e;
	if (!(e = tokens_read(store, &t))) {
		const struct token *one = tokens_named(&t, name);
		if (!one) {
			e = err_set(
			    ERR_NOT_FOUND, "there is no token '" STR_FMT "'", STR_ARG(name));
		} else {
			size_t at = (size_t)(one - t.v);
			memmove(&t.v[at], &t.v[at + 1], (--t.n - at) * sizeof *t.v);
			e = tokens_write(store, &t);
		}
	}
	tokens_done(&t);
	close(fd);
	return e;
}
