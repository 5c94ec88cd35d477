/* What the routes of the collect listener share: the time of this pass, bodies that come
 * compressed, and texts that are wiped when they are freed. */
#include "crumb/collect/collecting.h"

#include "crumb/base/clock.h"
#include "crumb/core/metric.h"
#include "crumb/http/coding.h"

#include <stdlib.h>

void collect_text_free(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

uint32_t collect_now(struct collect *c)
{
	if (!c->now) {
		c->now = clock_now();
		c->now_us = clock_mono_us();
		c->early = c->now < clock_floor();
	}
	return c->now;
}

int collect_decode(struct collect *c, struct http_request *r, size_t most, const char **why)
{
	enum coding coding = coding_of(r->header[H_CONTENT_ENCODING]);
	if (coding == CODING_IDENTITY)
		return 0;
	if (coding == CODING_UNKNOWN) {
		metric_inc(M_BAD_CODING);
		*why = "this Content-Encoding is unknown: send gzip, deflate or plain bytes";
		return 415;
	}
	c->stack_used = true;
	switch (coding_read(coding, r->body, most, &c->plain)) {
	case OK:
		r->body = buf_view(&c->plain);
		return 0;
	case ERR_FULL:
		metric_inc(M_BAD_BODY_SIZE);
		*why = "the body is too long once it is uncompressed";
		return 413;
	case ERR_NOMEM:
		*why = "there is no memory for this body now";
		return 503;
	default:
		metric_inc(M_BAD_BODY);
		*why = "the body is not of its Content-Encoding";
		return 400;
	}
}
