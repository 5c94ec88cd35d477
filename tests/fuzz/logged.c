/* Bytes that claim to be a record of a log outside: they are none, or a record of just this id, shard and day. And bytes that claim to be a
 * window: they are none, or one that is the same when it was saved and loaded.
 *
 * The first byte says what: 0 a window; 1 a record's key of 16 bytes, then its value; else records. */
#include "../../src/journal/logged.h"
#include "../../src/journal/window.h"

static const uint8_t day_key[32] = {7}, rules[16] = {3};

static void window(struct str bytes)
{
	struct window w, again;
	uint8_t saved[WINDOW_SAVED_MOST], twice[WINDOW_SAVED_MOST];
	if (!window_load(&w, bytes))
		return;
	size_t n = window_save(&w, saved);
	CHECK(n <= sizeof saved && window_load(&again, sealed_bytes(saved, n)));
	CHECK(window_save(&again, twice) == n && memcmp(saved, twice, n) == 0);
	enum window_is is = window_look(&w, w.top / 2);
	CHECK(is == window_look(&again, w.top / 2) && is == window_take(&w, w.top / 2));
	CHECK(window_look(&w, w.top / 2) != COUNTER_NEW);
	window_join(&again, &w);
	CHECK(again.top == w.top);
}

static void claimed(struct opener *o, const uint8_t key[32], struct str bytes)
{
	struct str id = str_make(bytes.p, bytes.n < LOGGED_KEY_LEN ? bytes.n : LOGGED_KEY_LEN), value = str_skip(bytes, LOGGED_KEY_LEN);
	struct logged_head h;
	struct buf got = {0};
	enum err peeked = logged_peek(id, value, &h), opened = logged_open(o, key, id, value, &got);
	CHECK(opened != OK || peeked == OK);
	buf_done(&got);
}

static void there_and_back(struct sealer *s, struct opener *o, const uint8_t key[32], struct str records)
{
	struct journal_block b = {.day = 20000, .shard = 2, .count = 5, .records = records};
	struct buf got = {0}, value = {0};
	struct logged_head h;
	uint8_t id[LOGGED_KEY_LEN];
	logged_id_save((struct logged_id){9, records.n}, id);
	struct str name = sealed_bytes(id, sizeof id);
	CHECK(logged_make(s, &b, (struct logged_id){9, records.n}, key, rules, &value) == OK);
	CHECK(logged_peek(name, buf_view(&value), &h) == OK && h.day == 20000 && h.shard == 2 && h.count == 5 && h.id.counter == records.n);
	CHECK(logged_open(o, key, name, buf_view(&value), &got) == OK && got.n == records.n);
	CHECK(records.n == 0 || memcmp(got.p, records.p, records.n) == 0);
	value.p[(records.n * 7) % value.n] ^= 1;
	CHECK(logged_open(o, key, name, buf_view(&value), &got) != OK);
	buf_done(&got);
	buf_done(&value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct sealer s;
	static struct opener o;
	static uint8_t key[32];
	if (!o.zstd) {
		CHECK(sodium_init() >= 0 && sealer_init(&s) && opener_init(&o));
		logged_key(day_key, key);
	}
	if (n == 0)
		return 0;
	struct str rest = str_make((const char *)data + 1, n - 1);
	if (data[0] == 0)
		window(rest);
	else if (data[0] == 1)
		claimed(&o, key, rest);
	else
		there_and_back(&s, &o, key, rest);
	return 0;
}
