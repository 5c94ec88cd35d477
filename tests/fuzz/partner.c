/* What comes from partners: answers to deliveries, lines of their files and of access logs, etc/destinations.yaml, and the file of what they hold. The
 * first byte says which. */
#include "../../src/cli/convert.c"
#include "crumb/export/held.h"
#include "crumb/export/push.h"

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

static void answers(struct str s, bool google)
{
	struct push_answer a = {.verdict = PUSH_LATER};
	(google ? push_read_google : push_read_ttd)(s, &a);
	unsigned lines = 0;
	for (size_t i = 0; i < a.refused.n; i++)
		lines += a.refused.p[i] == '\n';
	CHECK(lines == a.refused_n);
	push_answer_done(&a);
}

static void lines(struct str s, int kind)
{
	struct convert c;
	struct buf out = {0};
	struct str line;
	if (kind)
		convert_csv(&c, kind == 2);
	else
		convert_combined(&c, "shop.example");
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
			if (encoder_init(&e, &d->list[i], true, STR("fuzz"), 1800000000) == OK)
				encoder_done(&e);
		}
		destinations_unref(d);
	}
	report_done(&report);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n == 0)
		return 0;
	struct str s = str_make((const char *)data + 1, n - 1);
	switch (data[0] % 7) {
	case 0:
	case 1:
		answers(s, data[0] % 7);
		break;
	case 2:
	case 3:
	case 4:
		lines(s, data[0] % 7 - 2);
		break;
	case 5:
		held(data + 1, n - 1);
		break;
	default:
		destinations(data + 1, n - 1);
	}
	return 0;
}
