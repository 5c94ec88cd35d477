/* Answers of the admin listener: JSON, sentences, and what went wrong. No answer is ever half of
 * itself: when JSON cannot be made for want of memory, a constant text says so with 503. Nothing
 * may be stored by what is between us and the client. */
#include "job.h"

#include "crumb/base/json.h"
#include "crumb/base/code.h"

#include <stdlib.h>

#define NO_STORE STR("Cache-Control: no-store\r\n")
#define TRY_AGAIN STR("Retry-After: 5\r\nCache-Control: no-store\r\n")

static void reply_no_memory(struct http_ticket t)
{
	http_reply(t, 503, "application/json", TRY_AGAIN,
	    STR("{\"error\":\"no memory for this answer\"}\n"));
}

void admin_json(struct http_ticket t, int status, json_t *root)
{
	char *text = root ? json_whole(root, JSON_COMPACT) : NULL;
	if (text)
		http_reply(t, status, "application/json", NO_STORE, str_c(text));
	else
		reply_no_memory(t);
	free(text);
	json_decref(root);
}

/* {"error": why}, with the given headers. */
static void refuse_with(struct http_ticket t, int status, struct str headers, const char *why)
{
	size_t n = utf8_valid(str_c(why));
	json_t *j = json_pack("{s:o}", "error", json_stringn(why, n));
	char *text = j ? json_whole(j, JSON_COMPACT) : NULL;
	if (text)
		http_reply(t, status, "application/json", headers, str_c(text));
	else
		reply_no_memory(t);
	free(text);
	json_decref(j);
}

void admin_refuse(struct http_ticket t, int status, const char *why)
{
	refuse_with(t, status, status == 503 ? TRY_AGAIN : NO_STORE, why);
}

void refuse_caller(struct http_ticket t, int status, const char *why)
{
	struct str headers = NO_STORE;
	if (status == 401)
		headers = STR("WWW-Authenticate: Bearer\r\nCache-Control: no-store\r\n");
	else if (status == 429)
		headers = STR("Retry-After: 60\r\nCache-Control: no-store\r\n");
	refuse_with(t, status, headers, why);
}

void admin_say(struct http_ticket t, int status, const char *text)
{
	http_reply(t, status, "text/plain", NO_STORE, str_c(text));
}

int admin_status(enum err e)
{
	switch (e) {
	case OK:
		return 200;
	case ERR_USAGE:
	case ERR_SYNTAX:
		return 400;
	case ERR_NOT_FOUND:
		return 404;
	case ERR_NOMEM:
	case ERR_FULL:
	case ERR_BUSY: /* the server is busy; ask.c answers 429 when the asker is the reason */
		return 503;
	default:
		return 500;
	}
}

bool job_told(struct admin *a, struct job *j)
{
	(void)a;
	if (j->answer)
		admin_json(j->ticket, admin_status(j->result), j->answer);
	else if (!j->result)
		reply_no_memory(j->ticket);
	else
		admin_refuse(j->ticket, admin_status(j->result), j->why);
	j->answer = NULL;
	return true;
}
