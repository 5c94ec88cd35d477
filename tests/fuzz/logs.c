/* Access logs. The first byte says in which form; of a form of its own the first line is the notation. Whatever comes out is lines of JSON with an
 * address, and the first lines tell the same form twice. */
#include "crumb/ingest/access.h"

#include "crumb/base/code.h"

#include <jansson.h>
#include <stdlib.h>

static void line(struct access *a, struct str s, struct buf *out)
{
	json_error_t error;
	buf_clear(out);
	enum access_kind kind = access_line(a, s, out);
	CHECK(kind < ACCESS_KINDS && (kind != ACCESS_MALFORMED || a->why));
	CHECK((out->n > 0) == (kind == ACCESS_EVENT));
	if (!out->n)
		return;
	CHECK(out->p[out->n - 1] == '\n' && str_find(buf_view(out), '\n') == out->n - 1 && utf8_valid(buf_view(out)) == out->n);
	json_t *j = json_loadb(out->p, out->n, 0, &error);
	struct network n;
	CHECK(j && json_is_string(json_object_get(j, "ip")) && json_is_string(json_object_get(j, "u")));
	CHECK(network_parse(str_c(json_string_value(json_object_get(j, "ip"))), &n));
	json_decref(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct config config;
	struct access a;
	struct buf out = {0};
	struct str s, one;
	if (n == 0)
		return 0;
	if (!config.trusted_proxies)
		CHECK(config_init(&config) == OK && config_set(&config, "trusted_proxies=10.0.0.0/8,2001:db8::/32") == OK);
	CHECK(access_init(&a, &config, "shop.example") == OK);
	s = str_make((const char *)data + 1, n - 1);
	enum access_form form = data[0] % 8 < ACCESS_FORMS ? (enum access_form)(data[0] % 8) : ACCESS_OWN;
	if (form == ACCESS_OWN) {
		char *notation = str_cut(&s, '\n', &one) ? str_dup(one) : NULL;
		bool fits = notation && access_set_notation(&a, notation) == OK;
		free(notation);
		if (!fits)
			s.n = 0;
	} else if (data[0] & 0x80) {
		bool found = access_detect(&a, s);
		enum access_form first = a.form;
		CHECK(access_detect(&a, s) == found && a.form == first);
	} else {
		CHECK(access_set_form(&a, access_form_name(form)));
	}
	while (s.n && str_cut(&s, '\n', &one))
		line(&a, one, &out);
	buf_done(&out);
	access_done(&a);
	return 0;
}
