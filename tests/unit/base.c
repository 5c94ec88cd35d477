#include "unit.h"

#include "crumb/base/number.h"
#include "crumb/base/buf.h"
#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/csv.h"
#include "crumb/base/file.h"
#include "crumb/base/low.h"
#include "crumb/base/map.h"
#include "crumb/base/plain.h"
#include "crumb/base/mp.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

TEST(base64url_round_trips_and_refuses_stray_bits)
{
	uint8_t in[40], out[40];
	char text[60];
	for (size_t n = 0; n <= sizeof in; n++) {
		for (size_t i = 0; i < n; i++)
			in[i] = (uint8_t)rand();
		b64url_encode(in, n, text);
		assert_true(b64url_decode(str_make(text, B64URL_LEN(n)), out, n));
		assert_memory_equal(in, out, n);
	}
	assert_true(b64url_decode(STR("-_8"), out, 2) && out[0] == 0xfb && out[1] == 0xff);
	assert_false(b64url_decode(STR("-_9"), out, 2));
	assert_false(b64url_decode(STR("-_"), out, 2));
	assert_false(b64url_decode(STR("+/8"), out, 2));
}

TEST(hex_takes_both_cases_and_exact_length)
{
	uint8_t out[3];
	assert_true(hex_decode(STR("00fFa1"), out, 3));
	assert_int_equal(out[1], 0xff);
	assert_false(hex_decode(STR("00ff"), out, 3));
	assert_false(hex_decode(STR("00ffg1"), out, 3));
}

TEST(percent_decoding_leaves_what_is_no_escape)
{
	char out[64];
	size_t n = percent_decode(STR("a%20b+c%zz%4"), out, true);
	assert_memory_equal(out, "a b c%zz%4", n);
	assert_int_equal(n, 10);
	n = percent_decode(STR("%41%"), out, false);
	assert_int_equal(n, 2);
	assert_memory_equal(out, "A%", 2);
	n = percent_decode(STR("%e2%82%ac"), out, false);
	assert_memory_equal(out, "\xe2\x82\xac", n);
}

TEST(utf8_is_checked_as_the_standard_says)
{
	assert_int_equal(utf8_valid(STR("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80")), 15);
	assert_int_equal(utf8_valid(STR("a\xc0\xaf")), 1);	   /* overlong */
	assert_int_equal(utf8_valid(STR("a\xed\xa0\x80")), 1);	   /* surrogate */
	assert_int_equal(utf8_valid(STR("a\xf4\x90\x80\x80")), 1); /* above U+10FFFF */
	assert_int_equal(utf8_valid(STR("a\xe2\x82")), 1);	   /* cut */
	assert_int_equal(utf8_valid(STR("a\x80")), 1);
}

TEST(numbers_do_not_overflow)
{
	uint64_t v;
	assert_true(str_u64(STR("18446744073709551615"), &v) && v == UINT64_MAX);
	assert_false(str_u64(STR("18446744073709551616"), &v));
	assert_false(str_u64(STR(""), &v));
	assert_false(str_u64(STR("1x"), &v));
	assert_false(str_u64(STR("-1"), &v));
}

TEST(globs_match_any_bytes)
{
	assert_true(str_iglob(STR("*.Example.com"), STR("a.b.EXAMPLE.com")));
	assert_true(str_iglob(STR("a*b*c"), STR("aXbYbZc")));
	assert_false(str_iglob(STR("a*b*c"), STR("aXbYbZ")));
	assert_true(str_iglob(STR("*"), STR("")));
	assert_false(str_iglob(STR(""), STR("a")));
}

TEST(msgpack_reads_what_msgpack_c_writes)
{
	struct buf b = {0};
	msgpack_packer pk;
	static const uint64_t numbers[] = {0, 127, 128, 255, 256, 65535, 65536, UINT32_MAX, (uint64_t)UINT32_MAX + 1, UINT64_MAX};
	char big[70000];
	memset(big, 'x', sizeof big);
	mp_packer(&pk, &b);
	for (size_t i = 0; i < 10; i++)
		msgpack_pack_uint64(&pk, numbers[i]);
	mp_put_str(&pk, STR("short"));
	mp_put_bin(&pk, big, 300);
	mp_put_str(&pk, str_make(big, sizeof big));
	msgpack_pack_array(&pk, 70000);
	msgpack_pack_map(&pk, 20);
	msgpack_pack_nil(&pk);
	msgpack_pack_double(&pk, -1.5);
	struct mp m = mp_over(buf_view(&b));
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(mp_uint(&m), numbers[i]);
	assert_true(str_eq(mp_str(&m), STR("short")));
	assert_int_equal(mp_str(&m).n, 300);
	assert_int_equal(mp_str(&m).n, sizeof big);
	assert_int_equal(mp_array(&m), 70000);
	assert_int_equal(mp_map(&m), 20);
	assert_true(mp_nil(&m));
	assert_true(mp_double(&m) == -1.5);
	assert_false(m.bad);
	assert_true(m.p == m.end);
	for (size_t cut = 0; cut < b.n; cut += cut < 400 ? 1 : 997) {
		struct mp c = mp_over(str_make(b.p, cut));
		while (!c.bad && c.p < c.end)
			(void)mp_uint(&c);
	}
	mp_uint(&m);
	assert_true(m.bad); /* past the end */
	buf_done(&b);
}

TEST(days_are_written_and_read)
{
	char text[DAY_TEXT];
	uint16_t day;
	day_text(20780, text);
	assert_string_equal(text, "2026-11-23");
	assert_true(day_parse(text, 10, &day) && day == 20780);
	assert_false(day_parse("2026-02-30", 10, &day));
	assert_false(day_parse("2026-2-3", 8, &day));
}

TEST(times_are_written_as_they_are_read)
{
	static const struct {
		int64_t t;
		const char *text;
	} all[] = {{0, "1970-01-01T00:00:00Z"}, {20780LL * DAY_S + 43201, "2026-11-23T12:00:01Z"}, {951782400, "2000-02-29T00:00:00Z"}, {-1, "1969-12-31T23:59:59Z"},
	    {UINT32_MAX, "2106-02-07T06:28:15Z"}, {253402300799, "9999-12-31T23:59:59Z"}, {253402300800, "9999-12-31T23:59:59Z"}, {INT64_MAX, "9999-12-31T23:59:59Z"},
	    {-62167219200, "0000-01-01T00:00:00Z"}, {INT64_MIN, "0000-01-01T00:00:00Z"}};
	char text[TIME_TEXT];
	int64_t again;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		time_text(all[i].t, text);
		assert_string_equal(text, all[i].text);
	}
	for (int64_t t = -(1LL << 33); t < 1LL << 34; t += 86399 * 301) {
		time_text(t, text);
		assert_true(time_parse_rfc3339(text, TIME_TEXT - 1, &again) && again == t);
	}
}

TEST(rfc3339_times_are_read)
{
	int64_t t;
	assert_true(time_parse_rfc3339("2026-11-23T12:00:00Z", 20, &t) && t == 20780LL * DAY_S + 43200);
	assert_true(time_parse_rfc3339("2026-11-23T12:00:00.123+02:00", 29, &t) && t == 20780LL * DAY_S + 36000);
	assert_true(time_parse_rfc3339("2026-11-23", 10, &t) && t == 20780LL * DAY_S);
	static const struct {
		const char *text;
		int64_t at; /* seconds of that day; NONE: no time */
	} all[] = {{"2026-11-23T12:00:00", 43200}, {"2026-11-23t12:00:00z", 43200}, {"2026-11-23 12:00:00Z", 43200}, {"2026-11-23 12:00:00 +0000", 43200},
	    {"2026-11-23T12:00:00+0000", 43200}, {"2026-11-23T12:00:00-00:00", 43200}, {"2026-11-23T12:00:00+01", 39600}, {"2026-11-23T12:00:00-0130", 48600},
	    {"2026-11-23T12:00:00.000001Z", 43200}, {"2026-11-23T12:00:60Z", 43260}, {"2026-11-23T23:59:60Z", DAY_S}, {"2026-11-23T23:59:60.5+00:00", DAY_S},
	    {"2026-11-23T00:00:00+23:59", -86340}, {"2026-11-23T12:00Z", 43200}, {"2026-11-23T12:00:00.Z", -1}, {"2026-11-23T12:00:61Z", -1},
	    {"2026-11-23T24:00:00Z", -1}, {"2026-11-23T12:60:00Z", -1}, {"2026-11-31T12:00:00Z", -1}, {"2026-13-23T12:00:00Z", -1},
	    {"2026-02-29T12:00:00Z", -1}, {"2026-11-23T12:00:00+1", -1}, {"2026-11-23T12:00:00+24:00", -1}, {"2026-11-23T12:00:00Zx", -1},
	    {"2026-11-23T", -1}, {"2026-11-23T12", -1}, {"2026-11-23 ", -1}, {" 2026-11-23T12:00:00Z", -1}, {"yesterday", -1}, {"", -1}, {"26-11-23T12:00:00Z", -1}};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		bool fine = time_parse_rfc3339(all[i].text, strlen(all[i].text), &t);
		if (fine != (all[i].at != -1) || (fine && t != 20780LL * DAY_S + all[i].at))
			fail_msg("%s: %d, %lld", all[i].text, fine, (long long)t);
	}
	assert_true(time_parse_rfc3339("9999-12-31", 10, &t) && t > UINT32_MAX);
	assert_true(time_parse_rfc3339("1969-12-31T23:59:60Z", 20, &t) && t == 0);
	assert_false(day_parse("9999-12-31", 10, &(uint16_t){0}));
}

TEST(numbers_have_one_grammar)
{
	static const struct {
		const char *text;
		double v;
	} fine[] = {{"10", 10}, {"-1.5", -1.5}, {"+1", 1}, {"1e3", 1000}, {"1E+3", 1000}, {"1.5e-1", 0.15}, {".5", 0.5}, {"5.", 5}, {"007", 7}, {"0", 0},
	    {"12345678901234567890", 12345678901234567890.0}};
	static const char *const none[] = {"", " ", " 10", "10 ", "0xA", "0x1p3", "10,00", "1,000.00", "1.000,00", "1_000", "NaN", "nan", "inf", "Infinity", "-inf",
	    "1e", "1e+", "e3", ".", "+", "-", "+-1", "1.2.3", "10\u20ac", "\u0661\u0660", "1e999", "-1e999", "1 000", "0b1", "1f", "ten"};
	double v;
	(void)state;
	for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
		if (!number_read(str_c(fine[i].text), &v) || v < fine[i].v - 1e-9 * fine[i].v || v > fine[i].v + 1e-9 * fine[i].v)
			if (fine[i].v >= 0 || v > fine[i].v || v < fine[i].v)
				fail_msg("%s", fine[i].text);
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		if (number_read(str_c(none[i]), &v))
			fail_msg("'%s' is %g", none[i], v);
	assert_false(number_read(str_make("1\0", 2), &v));
}

TEST(a_byte_order_mark_is_no_text)
{
	(void)state;
	assert_true(str_eq(str_unmarked(STR("\xef\xbb\xbfid")), STR("id")) && str_eq(str_unmarked(STR("id")), STR("id")) && str_unmarked(STR("\xef\xbb\xbf")).n == 0);
	assert_true(str_eq(str_unmarked(STR("\xef\xbb")), STR("\xef\xbb")));
}

TEST(a_map_finds_what_was_put_and_nothing_else)
{
	static char keys[5000][12];
	struct map m = {NULL, 0, 0};
	uint32_t v = 0;
	assert_false(map_get(&m, STR("x"), &v));
	for (uint32_t i = 0; i < 5000; i++) {
		snprintf(keys[i], sizeof keys[i], "key%u", i);
		assert_true(map_put(&m, str_c(keys[i]), i));
	}
	assert_true(map_put(&m, STR(""), 77)); /* the empty key is one too */
	assert_false(map_put(&m, str_c(keys[9]), 1));
	map_set(&m, str_c(keys[9]), 1234);
	for (uint32_t i = 0; i < 5000; i++)
		assert_true(map_get(&m, str_c(keys[i]), &v) && v == (i == 9 ? 1234 : i));
	assert_true(map_get(&m, STR(""), &v) && v == 77);
	assert_false(map_get(&m, STR("key5000"), &v));
	map_done(&m);
}

TEST(any_msgpack_value_is_passed_over_whole)
{
	struct buf b = {0};
	msgpack_packer pk;
	mp_packer(&pk, &b);
	for (int round = 0; round < 2; round++) {
		msgpack_pack_array(&pk, 9);
		msgpack_pack_uint64(&pk, 1ull << 40);
		msgpack_pack_int64(&pk, -5000000000);
		msgpack_pack_double(&pk, 1.5);
		msgpack_pack_nil(&pk);
		msgpack_pack_true(&pk);
		mp_put_str(&pk, STR("a text that is longer than thirty-one bytes, so that it has a length"));
		mp_put_bin(&pk, "bin", 3);
		msgpack_pack_map(&pk, 1);
		mp_put_str(&pk, STR("k"));
		msgpack_pack_array(&pk, 0);
		msgpack_pack_uint8(&pk, 7);
	}
	struct mp m = mp_over(buf_view(&b));
	mp_skip(&m);
	assert_true(!m.bad && (size_t)(m.end - m.p) == b.n / 2);
	mp_skip(&m);
	assert_true(!m.bad && m.p == m.end);
	for (size_t cut = 0; cut < b.n / 2; cut++) {
		struct mp part = mp_over(str_make(b.p, cut));
		mp_skip(&part);
		assert_true(part.bad);
	}
	buf_done(&b);
}

TEST(cells_of_csv_are_exact_for_programs_and_harmless_for_people)
{
	static const struct {
		const char *cell, *exact, *text;
	} cases[] = {
	    {"", "", ""},
	    {"coats", "coats", "coats"},
	    {"-12", "-12", "'-12"},
	    {"=1+1", "=1+1", "'=1+1"},
	    {"@x", "@x", "'@x"},
	    {"+1", "+1", "'+1"},
	    {"a,b", "\"a,b\"", "\"a,b\""},
	    {"=a,b", "\"=a,b\"", "\"'=a,b\""},
	    {"say \"x\"", "\"say \"\"x\"\"\"", "\"say \"\"x\"\"\""},
	    {"a\nb", "\"a\nb\"", "\"a b\""},
	    {"\t=1", "\t=1", "' =1"},
	    {"\r=1", "\"\r=1\"", "\"' =1\""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf exact = {0}, text = {0};
		csv_exact(&exact, str_c(cases[i].cell));
		csv_text(&text, str_c(cases[i].cell));
		assert_true(str_eq(exact.n ? buf_view(&exact) : STR(""), str_c(cases[i].exact)));
		assert_true(str_eq(text.n ? buf_view(&text) : STR(""), str_c(cases[i].text)));
		buf_done(&exact);
		buf_done(&text);
	}
}

/* --- files */

static void read_all(const char *path, char *out, size_t cap)
{
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	out[fread(out, 1, cap - 1, f)] = 0;
	fclose(f);
}

static unsigned entries(const char *folder)
{
	unsigned n = 0;
	DIR *d = opendir(folder);
	for (struct dirent *f; (f = readdir(d));)
		n += strcmp(f->d_name, ".") != 0 && strcmp(f->d_name, "..") != 0;
	closedir(d);
	return n;
}

TEST(a_new_file_replaces_a_link_and_never_writes_through_one)
{
	char folder[] = "/tmp/crumb-file-XXXXXX", path[64], victim[64], old[64], text[64];
	struct file_new n;
	struct stat st;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/seg.csv", folder);
	snprintf(victim, sizeof victim, "%s/victim", folder);
	snprintf(old, sizeof old, "%s/seg.csv.new", folder);
	assert_int_equal(file_replace(victim, STR("mine")), OK);
	assert_int_equal(symlink(victim, path), 0);
	assert_int_equal(symlink(victim, old), 0);
	assert_int_equal(file_replace(path, STR("fresh")), OK);
	read_all(victim, text, sizeof text);
	assert_string_equal(text, "mine");
	read_all(path, text, sizeof text);
	assert_string_equal(text, "fresh");
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
	/* dropped: as if nothing had been */
	assert_int_equal(file_begin(&n, path, 0644), OK);
	fputs("half", n.file);
	file_drop(&n);
	read_all(path, text, sizeof text);
	assert_string_equal(text, "fresh");
	assert_int_equal(entries(folder), 3);
	/* what is no file stays what it is */
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(file_begin(&n, path, 0644), ERR_USAGE);
	assert_int_equal(file_begin(&n, folder, 0644), ERR_USAGE);
	assert_int_equal(file_begin(&n, "", 0644), ERR_USAGE);
	assert_int_equal(file_begin(&n, "/tmp/", 0644), ERR_USAGE);
	assert_int_equal(file_begin(&n, "/dev/stdout", 0644), ERR_USAGE);
	assert_int_equal(file_begin(&n, "/proc/self/fd/1", 0644), ERR_USAGE);
	unlink(path);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(file_begin(&n, path, 0644), ERR_USAGE);
	unlink(path);
	assert_int_equal(symlink("/nowhere/at/all", path), 0);
	assert_int_equal(file_replace(path, STR("fresh")), OK);
	unlink(path);
	unlink(victim);
	unlink(old);
	rmdir(folder);
}

static void *replace_often(void *path)
{
	char text[4000];
	memset(text, 'a' + (int)((uintptr_t)&text / 65536 % 26), sizeof text);
	for (int i = 0; i < 50; i++)
		CHECK(file_replace(path, str_make(text, sizeof text)) == OK);
	return NULL;
}

TEST(two_writers_of_one_path_leave_one_whole_file)
{
	char folder[] = "/tmp/crumb-file-XXXXXX", path[64], text[4100];
	pthread_t threads[4];
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/model", folder);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, replace_often, path), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	read_all(path, text, sizeof text);
	assert_int_equal(strlen(text), 4000);
	assert_int_equal(strspn(text, (char[]){text[0], 0}), 4000);
	assert_int_equal(entries(folder), 1);
	unlink(path);
	rmdir(folder);
}

TEST(what_commands_a_terminal_is_shown_as_an_escape)
{
	static const struct {
		const char *in, *out;
	} all[] = {{"plain \xc3\xa4\xf0\x9f\xa7\xa5", "plain \xc3\xa4\xf0\x9f\xa7\xa5"}, {"\x1b[31m", "\\u001b[31m"}, {"\x7f\r\n", "\\u007f\\u000d\\u000a"},
	    {"\xc2\x9b", "\\u009b"}, {"\x9b", "\\x9b"}, {"\xe2\x80\xae", "\\u202e"}, {"\xe2\x81\xa6", "\\u2066"}, {"\xc3", "\\xc3"}, {"\xe2\x80x", "\\xe2\\x80x"},
	    {"\xc0\x9b", "\\xc0\\x9b"}, {"\xff\xfe", "\\xff\\xfe"}, {"\xed\xa0\x80", "\\xed\\xa0\\x80"}};
	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		char got[64] = "", piece[PLAIN_MOST];
		size_t used = 0, n;
		for (struct str s = str_c(all[i].in); s.n;) {
			size_t took = plain_char(s, true, piece, &n);
			assert_true(took > 0 && n <= sizeof piece && used + n < sizeof got);
			for (size_t part = 1; part < took; part++) /* fewer bytes of it: it waits for the others */
				assert_int_equal(plain_char(str_make(s.p, part), false, piece, &n), 0);
			took = plain_char(s, true, piece, &n);
			memcpy(got + used, piece, n);
			used += n;
			s = str_skip(s, took);
		}
		assert_string_equal(got, all[i].out);
	}
}

TEST(no_zero_byte_is_one_of_a_set)
{
	(void)state;
	assert_true(chr_one_of('-', "-_.~") && chr_one_of('~', "-_.~"));
	assert_false(chr_one_of('a', "-_.~") || chr_one_of(0, "-_.~") || chr_one_of(0, ""));
}

static sem_t is_low, is_over;
static _Atomic pid_t low_thread;

static void *be_low(void *arg)
{
	low_begin();
	low_thread = gettid();
	sem_post(&is_low);
	while (sem_wait(&is_over) != 0)
		;
	*(bool *)arg = sched_getscheduler(0) == SCHED_OTHER;
	low_hold();
	low_release();
	*(bool *)arg &= sched_getscheduler(0) == SCHED_OTHER;
	return NULL;
}

/* The last test of this program: nobody is low after it. */
TEST(who_ends_waits_for_no_low_thread)
{
	pthread_t thread;
	bool ordinary = false;
	(void)state;
	sem_init(&is_low, 0, 0);
	sem_init(&is_over, 0, 0);
	assert_int_equal(pthread_create(&thread, NULL, be_low, &ordinary), 0);
	while (sem_wait(&is_low) != 0)
		;
	low_over();
	assert_int_equal(sched_getscheduler(low_thread), SCHED_OTHER);
	sem_post(&is_over);
	pthread_join(thread, NULL);
	assert_true(ordinary);
	sem_destroy(&is_low);
	sem_destroy(&is_over);
}

RUN(cmocka_unit_test(what_commands_a_terminal_is_shown_as_an_escape), cmocka_unit_test(no_zero_byte_is_one_of_a_set), cmocka_unit_test(base64url_round_trips_and_refuses_stray_bits), cmocka_unit_test(hex_takes_both_cases_and_exact_length),
    cmocka_unit_test(percent_decoding_leaves_what_is_no_escape), cmocka_unit_test(utf8_is_checked_as_the_standard_says),
    cmocka_unit_test(numbers_do_not_overflow), cmocka_unit_test(globs_match_any_bytes), cmocka_unit_test(msgpack_reads_what_msgpack_c_writes),
    cmocka_unit_test(days_are_written_and_read), cmocka_unit_test(times_are_written_as_they_are_read), cmocka_unit_test(rfc3339_times_are_read), cmocka_unit_test(numbers_have_one_grammar),
    cmocka_unit_test(a_byte_order_mark_is_no_text),
    cmocka_unit_test(a_map_finds_what_was_put_and_nothing_else), cmocka_unit_test(any_msgpack_value_is_passed_over_whole),
    cmocka_unit_test(a_new_file_replaces_a_link_and_never_writes_through_one), cmocka_unit_test(cells_of_csv_are_exact_for_programs_and_harmless_for_people),
    cmocka_unit_test(two_writers_of_one_path_leave_one_whole_file),
    cmocka_unit_test(who_ends_waits_for_no_low_thread))
