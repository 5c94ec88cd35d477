/* What comes from partners: answers to deliveries, lines of their files, etc/destinations.yaml, and the file of what they hold;
 * and models of lookalikes. The first byte says which. */
#include "crumb/base/mp.h"
#include "../../src/cli/convert.c"
#include "crumb/load/load.h"
#include "crumb/delivery/held.h"
#include "crumb/partners/format.h"
#include "crumb/rules/like.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static int written(const uint8_t *data, size_t n, char path[64])
{
	int fd = memfd_create("fuzz", 0);
	CHECK(fd >= 0 && write(fd, data, n) == (ssize_t)n);
	snprintf(path, 64, "/proc/self/fd/%d", fd);
	return fd;
}

static void answers(struct str s, const struct format *format)
{
	struct push_answer a = {.verdict = PUSH_TAKEN};
	format->answered(s, &a);
	unsigned lines = 0;
	for (size_t i = 0; i < a.refused.n; i++)
		lines += a.refused.p[i] == '\n';
	CHECK(lines == a.refused_n);
	push_answer_done(&a);
}

/* A file that somebody left in a folder, to be shown without ids; the first byte chooses the
 * format. */
static void shown(struct str s)
{
	struct masked m = {.head = {0}};
	struct destination d = {.id = (char *)(uintptr_t) "fuzz", .partner = -1};
	unsigned n = 0;
	while (formats[n])
		n++;
	d.format = formats[s.n ? (uint8_t)s.p[0] % n : 0];
	if (d.format->masked && s.n)
		d.format->masked(&d, str_skip(s, 1), &m);
	CHECK(m.lines.n == 0 || m.lines.p[m.lines.n - 1] == '\n');
	masked_done(&m);
}

static void lines(struct str s, int kind)
{
	struct convert c;
	struct buf out = {0};
	struct str line;
	convert_csv(&c, kind == 2);
	while (s.n && str_cut(&s, '\n', &line)) {
		size_t from = out.n;
		bool fine = line.n && c.line(&c, line, &out);
		CHECK(fine || out.n == from);
		CHECK(out.n == from || out.p[out.n - 1] == '\n');
	}
	buf_done(&out);
	convert_done(&c);
}

static void held(const uint8_t *data, size_t n)
{
	char path[64];
	struct held_reader *r;
	struct held_item item = {.id_n = 0};
	struct buf whole = {0};
	uint8_t sum[16];
	/* with the right sum behind it, so that the rest is looked at */
	buf_add(&whole, data, n);
	crypto_generichash(sum, 16, data, n, NULL, 0);
	buf_add(&whole, sum, 16);
	int fd = written((const uint8_t *)whole.p, whole.n, path);
	if (held_open(path, &r) == OK) {
		unsigned segments;
		held_segments(r, &segments);
		while (held_next(r, &item))
			for (unsigned i = 0; i < item.rows_n; i++)
				CHECK(item.rows[i].segment < segments);
		held_close(r);
	}
	held_item_done(&item);
	buf_done(&whole);
	close(fd);
}

static void destinations(const uint8_t *data, size_t n)
{
	char path[64];
	struct destinations *d;
	struct report report = {0};
	int fd = written(data, n, path);
	if (destinations_load(path, &report, &d) == OK) {
		for (size_t i = 0; i < d->n; i++) {
			struct encoder e;
			CHECK(destinations_find(d, str_c(d->list[i].id)) == &d->list[i]);
			if (encoder_init(&e, &d->list[i], FORMAT_FULL, STR("fuzz"), 1800000000) == OK)
				encoder_done(&e);
		}
		destinations_unref(d);
	}
	report_done(&report);
	close(fd);
}

/* A file of a lookalike's model, against rules that have what some of it names. */
static void model(struct str s)
{
	static const char text[] = "version: 1\ncategories: [{id: a.b, any: [{path: /b}]}, {id: c, any: [{path: /c}]}]\n";
	struct rules *r;
	struct like_model *m;
	struct buf bundle = {0};
	msgpack_packer pk;
	uint16_t until;
	mp_packer(&pk, &bundle);
	msgpack_pack_array(&pk, 2);
	mp_put_str(&pk, STR("r.yaml"));
	mp_put_str(&pk, STR(text));
	CHECK(rules_load(buf_view(&bundle), NULL, &r) == OK);
	if (like_read(r, s, &m, &until) == OK) {
		struct profile p = {0};
		profile_add(&p, 0, 20000, 1);
		profile_add(&p, 2, 20000, 3);
		int64_t score = like_score(m, &p, 20001);
		double chance = like_chance(m, score);
		CHECK(m->facts_at <= m->n && like_length(m, &p, 20001) > 0);
		CHECK(m->knots_n == 0 || (chance >= 0 && chance <= 1));
		profile_done(&p);
	}
	rules_unref(r);
	buf_done(&bundle);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n == 0)
		return 0;
	struct str s = str_make((const char *)data + 1, n - 1);
	if (data[0] > 247) {
		shown(s);
		return 0;
	}
	switch (data[0] % 8) {
	case 0:
	case 1:
		answers(s, data[0] % 8 ? &format_google_bulk : &format_ttd_advertiser);
		break;
	case 2:
	case 3:
	case 4:
		lines(s, data[0] % 8 - 2);
		break;
	case 5:
		held(data + 1, n - 1);
		break;
	case 6:
		model(s);
		break;
	default:
		destinations(data + 1, n - 1);
	}
	return 0;
}
