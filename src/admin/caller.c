/* Who asks the admin listener. */
#include "job.h"

#include "crumb/base/clock.h"
#include "crumb/base/file.h"
#include "crumb/base/log.h"
#include "crumb/core/metric.h"
#include "crumb/store/store.h"

#include <errno.h>

#define CHANGES_NOTED 20 /* changes of the file that the history names one by one */

/* --- the file of tokens */

static bool same_file(const struct stat *x, const struct stat *y)
{
	return x->st_ino == y->st_ino && x->st_size == y->st_size &&
	       memcmp(&x->st_mtim, &y->st_mtim, sizeof x->st_mtim) == 0 &&
	       memcmp(&x->st_ctim, &y->st_ctim, sizeof x->st_ctim) == 0;
}

static bool has_hash(const struct tokens *t, const uint8_t hash[TOKEN_HASH])
{
	for (size_t i = 0; i < t->n; i++)
		if (memcmp(t->v[i].hash, hash, TOKEN_HASH) == 0)
			return true;
	return false;
}

/* Notes the tokens of `of` that are not in `without`. */
static void note_changes(
    struct admin *a, const struct tokens *of, const struct tokens *without, const char *what)
{
	unsigned noted = 0;
	for (size_t i = 0; i < of->n && noted < CHANGES_NOTED; i++) {
		if (has_hash(without, of->v[i].hash))
			continue;
		history_say(
		    a, "crumb token", ROLE_OPERATOR, what, of->v[i].name, role_name(of->v[i].role));
		noted++;
	}
}

/* Reads the file. What was read before stays beside a trouble, so that the next list can be
 * compared with it. */
static enum err read_again(struct admin *a, struct tokens *before)
{
	struct callers *c = &a->callers;
	struct tokens now = {0};
	enum err e = tokens_read(a->node->store->path, &now);
	if (e && strcmp(c->trouble, err_text()) != 0)
		log_error("admin", "no token but admin.token is taken why=\"%s\"", err_text());
	snprintf(c->trouble, sizeof c->trouble, "%s", e ? err_text() : "");
	if (!e) {
		*before = c->tokens;
		c->tokens = now;
	}
	return e;
}

void callers_look(struct admin *a)
{
	struct callers *c = &a->callers;
	char path[FILE_PATH_MAX];
	struct stat st = {0};
	struct tokens before = {0};
	tokens_path(a->node->store->path, path);
	if (stat(path, &st) != 0)
		memset(&st, 0, sizeof st);
	if (same_file(&st, &c->seen))
		return;
	enum err e = read_again(a, &before);
	if (e != ERR_NOMEM)
		c->seen = st;
	if (e)
		return;
	note_changes(a, &c->tokens, &before, "token.add");
	note_changes(a, &before, &c->tokens, "token.remove");
	tokens_done(&before);
}

const char *callers_trouble(struct admin *a)
{
	callers_look(a);
	return a->callers.trouble;
}

/* What the file has at a start is no change. */
void callers_start(struct admin *a, const char *operator_token)
{
	struct callers *c = &a->callers;
	char path[FILE_PATH_MAX];
	struct tokens before = {0};
	token_hash(str_c(operator_token), c->operator_token);
	tokens_path(a->node->store->path, path);
	if (stat(path, &c->seen) != 0)
		memset(&c->seen, 0, sizeof c->seen);
	if (read_again(a, &before) == OK)
		tokens_done(&before);
}

void callers_end(struct admin *a)
{
	tokens_done(&a->callers.tokens);
	sodium_memzero(&a->callers, sizeof a->callers);
}

/* --- who it is */

/* Hashes are compared, in constant time, so that the time of an answer tells neither bytes nor
 * length of a token. */
bool caller_by_hash(struct admin *a, const uint8_t hash[TOKEN_HASH], struct caller *out)
{
	struct callers *c = &a->callers;
	*out = (struct caller){.role = ROLE_VIEWER};
	memcpy(out->token, hash, TOKEN_HASH);
	if (sodium_memcmp(hash, c->operator_token, TOKEN_HASH) == 0) {
		out->role = ROLE_OPERATOR;
		snprintf(out->who, sizeof out->who, WHO_OPERATOR);
		return true;
	}
	callers_look(a);
	const struct token *t = *c->trouble ? NULL : tokens_find(&c->tokens, hash);
	if (!t)
		return false;
	out->role = t->role;
	snprintf(out->who, sizeof out->who, "%s", t->name);
	return true;
}

bool caller_by_token(struct admin *a, struct str token, struct caller *out)
{
	uint8_t hash[TOKEN_HASH];
	token_hash(token, hash);
	return token.n && caller_by_hash(a, hash, out);
}

bool caller_bears(const struct http_request *r)
{
	return r->header[H_AUTHORIZATION].n > 0;
}

/* The next value of our cookie. A page at another port of this host may have set one, too. */
static bool next_cookie(struct str *cookies, struct str *value)
{
	struct str pair;
	while (str_cut(cookies, ';', &pair)) {
		pair = str_trim(pair);
		if (!str_starts(pair, STR(COOKIE_NAME "=")))
			continue;
		*value = str_skip(pair, strlen(COOKIE_NAME "="));
		return true;
	}
	return false;
}

/* A page at another port or name of our site sends the cookie with what it loads, without Origin:
 * it could not read the answer, but see that there is one. An Origin was looked at (asked_at.c). */
static bool of_our_page(const struct http_request *r)
{
	struct str site = r->header[H_SEC_FETCH_SITE];
	return !site.n || r->header[H_ORIGIN].n || str_eq(site, STR("same-origin")) ||
	       str_eq(site, STR("none"));
}

static bool by_cookie(struct admin *a, const struct http_request *r, struct caller *out)
{
	struct str rest = r->header[H_COOKIE], value;
	while (of_our_page(r) && next_cookie(&rest, &value)) {
		const struct session *s = sessions_find(&a->callers.sessions, value, clock_now());
		if (!s || !caller_by_hash(a, s->token, out))
			continue;
		out->until = s->until;
		return true;
	}
	return false;
}

/* Whoever sends a token means the token: a wrong one is not made good by a cookie. */
bool caller_of(struct admin *a, const struct http_request *r, struct caller *out)
{
	struct str bearer = STR("Bearer "), header = r->header[H_AUTHORIZATION];
	if (!caller_bears(r))
		return by_cookie(a, r, out);
	return header.n > bearer.n && str_ieq(str_make(header.p, bearer.n), bearer) &&
	       caller_by_token(a, str_skip(header, bearer.n), out);
}

void caller_leave(struct admin *a, const struct http_request *r)
{
	struct str rest = r->header[H_COOKIE], value;
	struct session spent;
	while (next_cookie(&rest, &value))
		(void)sessions_spend(&a->callers.sessions, value, clock_now(), &spent);
}

/* --- from where */

static struct cidr_list proxies(const struct admin *a)
{
	struct collect_shared *s = a->shared;
	pthread_mutex_lock(&s->lock);
	struct cidr_list trusted = s->trusted;
	pthread_mutex_unlock(&s->lock);
	return trusted;
}

enum wrong_how caller_wrong(struct admin *a, const struct http_request *r)
{
	struct cidr_list trusted = proxies(a);
	uint8_t address[16] = {0};
	if (address_of_peer(r->peer, address) && cidr_list_has(&trusted, r->peer))
		(void)address_asked(&trusted, r->header[H_FORWARDED_FOR], address);
	enum wrong_how how =
	    wrong_note(&a->callers.wrong, address, (uint32_t)(clock_mono_us() / 1000000));
	metric_inc(how == WRONG_TOO_OFTEN ? M_TOO_MANY_WRONG : M_UNAUTHORIZED);
	return how;
}

bool caller_secure(const struct admin *a, const struct http_request *r)
{
	struct str said = r->header[H_FORWARDED_PROTO], first;
	if (!said.n || !str_cut(&said, ',', &first))
		return false;
	struct cidr_list trusted = proxies(a);
	return cidr_list_has(&trusted, r->peer) && str_ieq(str_trim(first), STR("https"));
}
