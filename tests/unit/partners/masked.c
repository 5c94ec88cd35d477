/* partners/masked: what each format has written is shown without ids, and nothing that is made of
 * an id is left. */
#include "encoded.h"

#include "crumb/base/code.h"

#include <sodium.h>

#define IDS 40

static struct destination
    d_csv = {.format = &format_csv, .partner = -1},
    d_ndjson = {.format = &format_ndjson, .partner = -1},
    d_ortb = {.format = &format_ortb, .partner = -1},
    d_text = {.format = &format_xandr_text, .partner = 0},
    d_codes = {.format = &format_xandr_text,
	.partner = 0,
	SETTINGS({S("fields"), S("SEG_CODE,MEMBER_ID")}, {S("member"), S("9")})},
    d_avro = {.format = &format_xandr_avro, .partner = 0},
    d_own = {.format = &format_xandr_avro, .partner = -1, SETTINGS({S("member"), S("9")})},
    d_ttd = {.format = &format_ttd_advertiser,
	.partner = 0,
	SETTINGS({S("advertiser_id"), S("adv")})},
    d_third = {.format = &format_ttd_thirdparty,
	.partner = -1,
	SETTINGS({S("data_provider_id"), S("prov")})},
    d_google = {.format = &format_google_bulk, .partner = 0},
    d_aam = {.format = &format_aam, .partner = 0, SETTINGS({S("dpid"), S("7")})},
    d_live = {.format = &format_liveramp, .partner = 0, SETTINGS({S("distribution_id"), S("3")})},
    d_segment = {.format = &format_segment, .partner = -1};

/* Different lines that come of the three kinds of rows below. */
static const struct {
	struct destination *d;
	unsigned different;
} all[] = {{&d_csv, 3}, {&d_ndjson, 3}, {&d_ortb, 3}, {&d_text, 3}, {&d_codes, 3}, {&d_avro, 3},
    {&d_own, 3}, {&d_ttd, 3}, {&d_third, 3}, {&d_google, 3}, {&d_aam, 3}, {&d_live, 3},
    {&d_segment, 3}};

static char ids[IDS][16];

/* A third each is in coats, in both, and taken out of coats. */
static struct str written(struct destination *d)
{
	static const struct out_row in[] = {ADD(coats, 30)},
				    both[] = {ADD(coats, 30), ADD(boots, 9)},
				    out[] = {REMOVE(coats)};
	static const struct out_row *const rows[] = {in, both, out};
	struct out_item items[IDS];
	d->id = (char *)(uintptr_t) "lake";
	for (unsigned i = 0; i < IDS; i++) {
		snprintf(ids[i], sizeof ids[i], "57278%05u", 10000 + i * 137);
		items[i] = (struct out_item){
		    .id = str_c(ids[i]), .rows = rows[i % 3], .n = i % 3 == 1 ? 2 : 1};
	}
	return encoded(d, FORMAT_DELTA, items, IDS, NULL);
}

static void has_not(struct str text, const char *what, const struct destination *d)
{
	if (str_ihas(text, str_c(what)))
		fail_msg("%s shows %s", d->format->name, what);
}

/* Nor what programs make of ids. */
static void has_nothing_of(struct str text, const char *id, const struct destination *d)
{
	uint8_t sum[32];
	char hex[65] = "", plain[17], base64[32];
	has_not(text, id, d);
	crypto_hash_sha256(sum, (const uint8_t *)id, strlen(id));
	hex_encode(sum, 32, hex);
	hex[16] = 0; /* its beginning would do */
	has_not(text, hex, d);
	snprintf(plain, sizeof plain, "%016llx", (unsigned long long)hash_plain64(id, strlen(id)));
	has_not(text, plain, d);
	sodium_bin2base64(base64, sizeof base64, (const uint8_t *)id, strlen(id),
	    sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	for (char *p = base64; *p; p++)
		*p = chr_lower(*p);
	has_not(text, base64, d);
}

static unsigned count_different(struct str text, unsigned *lines)
{
	struct str seen[IDS], line;
	unsigned n = 0, i;
	*lines = 0;
	while (text.n && str_cut(&text, '\n', &line)) {
		for (i = 0; i < n && !str_eq(seen[i], line); i++)
			;
		if (i == n && n < IDS)
			seen[n++] = line;
		++*lines;
	}
	return n;
}

/* Whatever is of one id alone makes its line another one than the others'. */
TEST(lines_of_the_same_rows_are_the_same)
{
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct masked m = {.cut = false};
		unsigned lines;
		all[i].d->format->masked(all[i].d, written(all[i].d), &m);
		if (count_different(buf_view(&m.lines), &lines) != all[i].different)
			fail_msg("%s:\n%.*s", all[i].d->format->name, (int)m.lines.n, m.lines.p);
		assert_true(lines >= IDS && !m.cut);
		masked_done(&m);
	}
}

TEST(nothing_of_an_id_is_shown)
{
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct masked m = {.cut = false};
		all[i].d->format->masked(all[i].d, written(all[i].d), &m);
		for (unsigned id = 0; id < IDS; id++) {
			has_nothing_of(buf_view(&m.lines), ids[id], all[i].d);
			has_nothing_of(m.head.n ? buf_view(&m.head) : STR(""), ids[id], all[i].d);
		}
		masked_done(&m);
	}
}

TEST(nor_of_a_file_that_is_cut_anywhere)
{
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct str whole = written(all[i].d);
		for (size_t n = 0; n < whole.n; n++) {
			struct masked m = {.cut = false};
			char *exact = memcpy(malloc(n + 1), whole.p, n); /* nothing behind it */
			all[i].d->format->masked(all[i].d, str_make(exact, n), &m);
			if (m.lines.n)
				has_not(buf_view(&m.lines), "57278", all[i].d);
			masked_done(&m);
			free(exact);
		}
	}
}

/* Each format that writes files is in the list above. */
TEST(every_format_is_asked)
{
	for (const struct format *const *f = formats; *f; f++) {
		bool asked = false;
		for (size_t i = 0; i < sizeof all / sizeof *all; i++)
			asked |= all[i].d->format == *f;
		assert_int_equal(asked, (*f)->item != NULL);
	}
}

TEST(an_id_in_quotes_is_all_masked)
{
	static const struct out_row in[] = {ADD(coats, 30)};
	const struct out_item item = {.id = STR("57278,\"57278\n57278"), .rows = in, .n = 1};
	struct masked m = {.cut = false};
	d_csv.id = (char *)(uintptr_t) "lake";
	format_csv.masked(&d_csv, encoded(&d_csv, FORMAT_FULL, &item, 1, NULL), &m);
	IS(buf_view(&m.lines), MASK ",101,2026-12-23,add\n");
	masked_done(&m);
}

/* Somebody's id where the format has none. */
static void left_out(struct destination *d, const char *text)
{
	struct masked m = {.cut = false};
	d->id = (char *)(uintptr_t) "lake";
	d->format->masked(d, str_c(text), &m);
	if (m.lines.n)
		fail_msg("%s shows %.*s", d->format->name, (int)m.lines.n, m.lines.p);
	masked_done(&m);
}

TEST(what_is_not_as_the_format_writes_it_is_left_out)
{
	left_out(&d_csv, "57278,101,2026-12-01,add\n");
	left_out(&d_csv, "id,segment,expires,action\nx,57278\nx,101,2026-12-01,57278\n"
			 "x,101,57278,add\nx,101,2026-12-01,57278,remove\n");
	left_out(
	    &d_ndjson, "{\"id\":\"x\",\"segment\":\"101\",\"who\":\"57278\"}\n[57278]\n57278\n");
	left_out(&d_ndjson, "{\"id\":57278,\"segment\":\"101\"}\n");
	left_out(&d_ortb, "{\"user\":{\"id\":\"x\",\"buyeruid\":\"57278\",\"data\":[]}}\n"
			  "{\"user\":{\"id\":\"x\",\"data\":[]},\"site\":\"57278\"}\n"
			  "{\"user\":{\"id\":\"x\",\"data\":[{\"id\":\"57278\"}]}}\n"
			  "{\"user\":{\"id\":\"x\",\"data\":[{\"segment\":[{\"who\":57278}]}]}}\n");
	left_out(&d_segment, "{\"batch\":[{\"messageId\":\"m\",\"anonymousId\":\"x\","
			     "\"userId\":\"57278\"},57278]}");
	left_out(&d_ttd, "{\"Items\":[{\"TDID\":\"x\",\"Data\":[{\"Name\":\"101\",\"Who\":57278}]},"
			 "{\"TDID\":\"x\",\"Who\":\"57278\",\"Data\":[]},{\"Data\":[]},"
			 "{\"TDID\":\"x\",\"Data\":57278}]}");
	left_out(&d_aam, "57278\n");
	left_out(&d_live, "57278\n");
	left_out(&d_text, "57278\n");
}

UNIT_TESTS(cmocka_unit_test(lines_of_the_same_rows_are_the_same),
    cmocka_unit_test(nothing_of_an_id_is_shown),
    cmocka_unit_test(nor_of_a_file_that_is_cut_anywhere), cmocka_unit_test(every_format_is_asked),
    cmocka_unit_test(an_id_in_quotes_is_all_masked),
    cmocka_unit_test(what_is_not_as_the_format_writes_it_is_left_out))
