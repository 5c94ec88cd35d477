/* Signing in: POST /v1/login, /v1/logout, /v1/login/link; GET /v1/who, /v1/tokens.
 *
 *     form: token=TOKEN        303, and a cookie that is a session of that token
 *     form: token=of a link    the same, once, within ten minutes
 *
 * A page of somebody else could sign a browser in as somebody whom that page chose, and see what is
 * done then. So Sec-Fetch-Site must not say that another site asks. */
#include "routes.h"

#include "crumb/base/clock.h"
#include "crumb/base/host.h"

/* --- POST /v1/login */

struct signing_in {
	int status;
	const char *why;
	uint64_t at_us; /* not to be answered before, by clock_mono_us() */
	bool secure;
	char secret[TOKEN_TEXT]; /* of the session */
};

/* The field `token` of the form. It is a view into the form, or into `scratch`. */
static struct str form_token(struct str form, char *scratch)
{
	struct http_query fields = {.rest = form, .scratch = scratch};
	struct str key, value;
	while (http_query_next(&fields, &key, &value))
		if (str_eq(key, STR("token")))
			return str_trim(value);
	return STR("");
}

/* A token, or what a one-time link has instead. */
static bool is_good(struct admin *a, struct str token, struct caller *out)
{
	struct session link;
	return caller_by_token(a, token, out) ||
	       (sessions_spend(&a->callers.links, token, clock_now(), &link) &&
		   caller_by_hash(a, link.token, out));
}

static void refuse_token(struct admin *a, struct signing_in *s, const struct http_request *r)
{
	enum wrong_how how = caller_wrong(a, r);
	s->status = how == WRONG_TOO_OFTEN ? 429 : 401;
	s->why = "this is no token, or a link that was used or is over";
	s->at_us = how == WRONG_LATER ? clock_mono_us() + WRONG_WAIT_US : 0;
}

static enum err login_parse(struct admin *a, struct job *j, const struct asked *q)
{
	struct signing_in *s = j->state;
	const struct http_request *r = q->request;
	struct str site = r->header[H_SEC_FETCH_SITE];
	char scratch[HTTP_STRANGER_BODY];
	struct caller by;
	if (site.n && !str_eq(site, STR("same-origin")) && !str_eq(site, STR("none"))) {
		s->status = 403;
		s->why = "a page of another site may not sign you in: open the dashboard's own";
		return OK;
	}
	struct str token = form_token(r->body, scratch);
	if (!token.n)
		return err_set(ERR_USAGE, "send a form with the field 'token'");
	if (is_good(a, token, &by)) {
		caller_leave(a, r); /* the session that this browser had */
		sessions_begin(&a->callers.sessions, by.token, clock_now() + SESSION_S, s->secret);
		s->secure = caller_secure(a, r);
		s->status = 303;
		history_say_often(a, by.who, by.role, "login");
	} else {
		refuse_token(a, s, r);
	}
	sodium_memzero(scratch, sizeof scratch);
	return OK;
}

static bool login_answer(struct admin *a, struct job *j)
{
	const struct signing_in *s = j->state;
	char headers[300];
	(void)a;
	if (clock_mono_us() < s->at_us)
		return false;
	if (s->status != 303) {
		refuse_caller(j->ticket, s->status, s->why);
		return true;
	}
	snprintf(headers, sizeof headers,
	    "Location: /\r\nSet-Cookie: " COOKIE_NAME "=%s; Path=/; Max-Age=%d; HttpOnly; "
	    "SameSite=Strict%s\r\nCache-Control: no-store\r\n",
	    s->secret, SESSION_S, s->secure ? "; Secure" : "");
	http_reply(j->ticket, 303, "text/plain", str_c(headers), STR("signed in\n"));
	sodium_memzero(headers, sizeof headers);
	return true;
}

static void login_done(struct job *j)
{
	sodium_memzero(j->state, sizeof(struct signing_in));
}

/* --- POST /v1/logout */

static enum err logout_parse(struct admin *a, struct job *j, const struct asked *q)
{
	(void)j;
	caller_leave(a, q->request);
	return OK;
}

static bool logout_answer(struct admin *a, struct job *j)
{
	(void)a;
	http_reply(j->ticket, 303, "text/plain",
	    STR("Location: /\r\nSet-Cookie: " COOKIE_NAME
		"=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict\r\nCache-Control: no-store\r\n"),
	    STR("signed out\n"));
	return true;
}

/* --- POST /v1/login/link */

#define URL_MOST 400

/* Where the dashboard is, as whoever asks has it. Nobody can open 0.0.0.0. */
static void address_of(struct admin *a, const struct http_request *r, char *out, size_t cap)
{
	struct host_around at = host_around(r->header[H_HOST]);
	char bound[128];
	if (!at.host.n) {
		http_server_address(a->server, bound, sizeof bound);
		at = host_around(str_c(bound));
	}
	if (str_eq(at.host, STR("0.0.0.0")))
		at.host = STR("127.0.0.1");
	else if (str_eq(at.host, STR("[::]")))
		at.host = STR("[::1]");
	snprintf(out, cap, "%s://" STR_FMT "%s" STR_FMT, caller_secure(a, r) ? "https" : "http",
	    STR_ARG(at.host), at.port.n ? ":" : "", STR_ARG(at.port));
}

static enum err link_parse(struct admin *a, struct job *j, const struct asked *q)
{
	char secret[TOKEN_TEXT], where[URL_MOST], url[URL_MOST + TOKEN_TEXT + 16];
	uint32_t until = clock_now() + LINK_S;
	address_of(a, q->request, where, sizeof where);
	sessions_begin(&a->callers.links, q->caller->token, until, secret);
	snprintf(url, sizeof url, "%s/#token=%s", where, secret);
	j->answer = json_pack("{s:s,s:I}", "url", url, "until", (json_int_t)until);
	sodium_memzero(secret, sizeof secret);
	sodium_memzero(url, sizeof url);
	history_note_often(a, j, "login.link");
	return OK;
}

/* --- GET /v1/who, GET /v1/tokens */

static enum err who_parse(struct admin *a, struct job *j, const struct asked *q)
{
	uint32_t until = q->caller->until;
	json_t *end = until ? json_integer(until) : json_null();
	j->answer = json_pack("{s:s,s:s,s:o,s:I}", "name", j->who, "role", role_name(j->role),
	    "until", end, "below", (json_int_t)kgate_k(&a->gate));
	return OK;
}

static enum err tokens_parse(struct admin *a, struct job *j, const struct asked *q)
{
	(void)q;
	if (*callers_trouble(a))
		return err_set(ERR_CORRUPT, "%s", a->callers.trouble);
	j->answer = json_array();
	for (size_t i = 0; i < a->callers.tokens.n; i++) {
		const struct token *t = &a->callers.tokens.v[i];
		char day[DAY_TEXT];
		day_text(t->day, day);
		json_array_append_new(j->answer, json_pack("{s:s,s:s,s:s}", "name", t->name, "role",
						     role_name(t->role), "added", day));
	}
	return OK;
}

/* --- shapes */

static const struct shape link_fields[] = {
    {"url", SHAPE_TEXT, .help = "to be opened in a browser, once"},
    {"until", SHAPE_WHOLE, .help = "seconds since 1970: ten minutes from now"},
    {0},
};

static const struct shape who_fields[] = {
    {"name", SHAPE_TEXT, .help = "of the token; `operator` is `admin.token`"},
    {"role", SHAPE_TEXT, .help = "`viewer`, `marketer` or `operator`"},
    {"until", SHAPE_WHOLE, SHAPE_OR_NULL,
	.help = "when the session ends, seconds since 1970; null: the token itself was sent"},
    {"below", SHAPE_WHOLE, .help = "`privacy.k`: a group of fewer visitors is told by no answer"},
    {0},
};

static const struct shape tokens_fields[] = {
    {"name", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"role", SHAPE_TEXT, .help = "`viewer`, `marketer` or `operator`"},
    {"added", SHAPE_DAY, .when = SHAPE_ALWAYS},
    {0},
};

#define FORM "application/x-www-form-urlencoded"

const struct route routes_login[] = {
    {
	.method = HTTP_M_POST,
	.path = "/v1/login",
	.help = "Signs a browser in. The cookie `crumb_admin` is a session of 12 hours; it ends "
		"with its token, with `/v1/logout` and with the server. It is `HttpOnly`, "
		"`SameSite=Strict`, and `Secure` where a trusted proxy says `X-Forwarded-Proto: "
		"https`. At most 100 sessions: for one more the oldest of the token that has most "
		"goes.",
	.role = ROLE_VIEWER,
	.open = true,
	.by = BY_MAIN_LATER,
	.small = true,
	.body = {"A form: `token=` and a token, or the text behind `#token=` of a one-time link.",
	    FORM, HTTP_STRANGER_BODY},
	.answers = {{303, "signed in; `Location: /`", .type = "text/plain"},
	    {403, .when = "`Sec-Fetch-Site` says that a page of another site asks"}},
	.state = sizeof(struct signing_in),
	.parse = login_parse,
	.answer = login_answer,
	.done = login_done,
    },
    {
	.method = HTTP_M_POST,
	.path = "/v1/logout",
	.help = "Ends the session whose cookie comes with the request, and takes the cookie away.",
	.role = ROLE_VIEWER,
	.by = BY_MAIN_LATER,
	.answers = {{303, "signed out; `Location: /`", .type = "text/plain"}},
	.parse = logout_parse,
	.answer = logout_answer,
    },
    {
	.method = HTTP_M_POST,
	.path = "/v1/login/link",
	.help = "Makes a link that signs a browser in as whoever asks, once, within ten minutes, "
		"as `crumb dashboard` does. The token stands behind `#`, which no browser sends "
		"and no log has: the page sends it to `/v1/login`.",
	.role = ROLE_VIEWER,
	.by = BY_MAIN_LATER,
	.answers = {{200, "the link", .shape = {.kind = SHAPE_OBJECT, .of = link_fields}}},
	.parse = link_parse,
    },
    {
	.method = HTTP_M_GET,
	.path = "/v1/who",
	.help = "Who asks.",
	.role = ROLE_VIEWER,
	.by = BY_MAIN_LATER,
	.answers = {{200, "name and role", .shape = {.kind = SHAPE_OBJECT, .of = who_fields}}},
	.parse = who_parse,
    },
    {
	.method = HTTP_M_GET,
	.path = "/v1/tokens",
	.help = "The tokens beside `admin.token`, as `crumb token list --json`.",
	.role = ROLE_OPERATOR,
	.by = BY_MAIN_LATER,
	.answers = {{200, "a row for each token",
			.shape = {.kind = SHAPE_LIST, .of = tokens_fields}},
	    {500, .when = "the file of tokens cannot be read"}},
	.parse = tokens_parse,
    },
    {0},
};
