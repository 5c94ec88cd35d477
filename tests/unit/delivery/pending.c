/* delivery/pending: a delivery that is under way goes on where it was cut off, and ends once. */
#include "folder.h"
#include "partner.h"

#include "src/delivery/pending.h"

#include "crumb/base/code.h"
#include "crumb/base/file.h"
#include "crumb/base/memory.h"
#include "crumb/delivery/held.h"

#include <sodium.h>

#define DAY 20780u
#define NOW (DAY * DAY_S + 3600u)

static struct outbox box;
static struct destination lake;
static char there[100];

static int begin(void **state)
{
	memory_begin();
	if (make_folder(state) != 0)
		return -1;
	snprintf(there, sizeof there, "%s/there", folder);
	lake = (struct destination){.id = (char *)(uintptr_t) "lake",
	    .format = &format_ndjson,
	    .way = &way_directory,
	    .where = str_c(there),
	    .retries = 1,
	    .timeout_s = 20};
	return outbox_open(folder, "lake", 0, &box) != OK;
}

static int end(void **state)
{
	outbox_close(&box);
	return drop_folder(state);
}
#define BOXED(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const char *in_box(const char *name)
{
	static char path[OUTBOX_PATH];
	outbox_path(&box, name, path);
	return path;
}

static void put(const char *name, const char *text)
{
	assert_int_equal(file_replace(in_box(name), str_c(text)), OK);
}

/* "": there is none. */
static const char *text_of(const char *path)
{
	static struct buf b;
	if (!text_read(path, &b))
		return "";
	buf_add(&b, "", 1);
	return b.p;
}

static void put_row(struct held_writer *w, uint32_t i, uint8_t state)
{
	struct held_item item = {.id = {'v', (char)('1' + i)}, .id_n = 2};
	bool held = state == HELD_MAYBE;
	*held_item_add(&item) =
	    (struct held_row){.until = DAY + 30, .file = held ? 0 : i, .state = state};
	held_put(w, &item);
	held_item_done(&item);
}

/* v1 is added by the first of two files, v2 by the second: both are perhaps there. */
static void make_pending(void)
{
	static const struct held_segment names[] = {{"coats", "101"}};
	static const char *const texts[] = {"{\"id\":\"v1\"}\n", "{\"id\":\"v2\"}\n"};
	char sums[2][65], manifest[1000];
	struct held_writer *w, *held;
	assert_int_equal(folder_make(in_box("pending/files"), 0700), OK);
	assert_int_equal(held_create(in_box("held"), names, 1, &held), OK);
	assert_int_equal(held_create(in_box("pending/rows"), names, 1, &w), OK);
	for (uint32_t i = 0; i < 2; i++) {
		uint8_t sum[32];
		put_row(w, i, OP_ADD);
		put_row(held, i, HELD_MAYBE);
		put(i ? "pending/files/two" : "pending/files/one", texts[i]);
		crypto_hash_sha256(sum, (const uint8_t *)texts[i], strlen(texts[i]));
		hex_encode(sum, 32, sums[i]);
		sums[i][64] = 0;
	}
	assert_int_equal(held_finish(w), OK);
	assert_int_equal(held_finish(held), OK);
	snprintf(manifest, sizeof manifest,
	    "{\"delivery\":\"d1\",\"destination\":\"lake\",\"mode\":\"full\",\"created\":"
	    "\"2026-11-23T01:00:00Z\",\"rules\":\"r\",\"added\":2,\"removed\":0,\"files\":["
	    "{\"name\":\"one\",\"sha256\":\"%s\"},{\"name\":\"two\",\"sha256\":\"%s\"}]}",
	    sums[0], sums[1]);
	put("pending/manifest.json", manifest);
}

/* As far as it gets. */
static struct delivery gone_on(bool patient, uint32_t now)
{
	struct pending p;
	struct delivery d = {.files = 0};
	assert_int_equal(pending_open(&box, &lake, now, &p), OK);
	assert_int_equal(pending_go_on(&p, patient, NULL, &d), OK);
	pending_free(&p);
	return d;
}

/* Ids of whom the partner has, each with a blank. */
static const char *held_ids(void)
{
	static char ids[100];
	struct held_reader *r;
	struct held_item i = {.id_n = 0};
	ids[0] = 0;
	assert_int_equal(held_open(in_box("held"), &r), OK);
	while (held_next(r, &i))
		for (unsigned k = 0; k < i.rows_n; k++)
			if (i.rows[k].state == HELD_SURE)
				strncat(strncat(ids, i.id, i.id_n), " ", 2);
	held_item_done(&i);
	held_close(r);
	return ids;
}

static enum err opened(void)
{
	struct pending p;
	enum err e = pending_open(&box, &lake, NOW, &p);
	if (!e)
		pending_free(&p);
	return e;
}

TEST(nothing_is_under_way_in_a_new_folder)
{
	assert_int_equal(opened(), ERR_NOT_FOUND);
}

TEST(another_who_delivers_there_is_not_waited_for_longer_than_wanted)
{
	struct outbox other;
	assert_int_equal(outbox_open(folder, "lake", 0, &other), ERR_BUSY);
	assert_non_null(strstr(err_text(), "'lake' is being delivered to"));
	assert_int_equal(outbox_open(folder, "other", 0, &other), OK);
	outbox_close(&other);
}

TEST(to_a_folder_files_come_under_their_names_and_the_delivery_ends)
{
	char path[200];
	make_pending();
	struct delivery d = gone_on(false, NOW);
	assert_int_equal(d.state, DELIVERY_DONE);
	assert_true(d.extent == FORMAT_FULL && d.adds == 2 && d.files == 2 && d.files_done == 2);
	assert_string_equal(d.id, "d1");
	snprintf(path, sizeof path, "%s/two", there);
	assert_string_equal(text_of(path), "{\"id\":\"v2\"}\n");
	snprintf(path, sizeof path, "%s/d1.manifest.json", there);
	assert_non_null(strstr(text_of(path), "\"sha256\""));
	assert_string_equal(held_ids(), "v1 v2 ");
	assert_int_equal(opened(), ERR_NOT_FOUND);
	assert_non_null(strstr(text_of(in_box("log")), "\"state\":\"delivered\""));
}

TEST(a_file_that_is_not_what_was_written_ends_it_and_what_is_left_is_put_aside)
{
	make_pending();
	put("pending/files/two", "{\"id\":\"v3\"}\n");
	struct delivery d = gone_on(false, NOW);
	assert_int_equal(d.state, DELIVERY_FAILED);
	assert_string_equal(d.why, "file two is damaged: the next delivery says its rows again");
	assert_string_equal(held_ids(), "");
	assert_string_equal(text_of(in_box("dead/d1/two")), "{\"id\":\"v3\"}\n");
	assert_non_null(strstr(text_of(in_box("dead/d1/why")), "file two is damaged"));
	assert_int_equal(opened(), ERR_NOT_FOUND);
}

TEST(only_what_was_not_acknowledged_is_sent)
{
	make_pending();
	lake.way = &way_https;
	put("pending/acks", "0>\n0+\n1"); /* the last line was cut off */
	PARTNER(TAKES);
	lake.where = str_c(partner.url);
	struct delivery d = gone_on(false, NOW);
	const char *asked = partner_end();
	assert_int_equal(d.state, DELIVERY_DONE);
	assert_null(strstr(asked, "v1"));
	assert_non_null(strstr(asked, "Idempotency-Key: d1-2\r\n"));
	assert_string_equal(held_ids(), "v1 v2 ");
}

TEST(pauses_double_and_then_it_is_given_up)
{
	make_pending();
	lake.way = &way_https;
	PARTNER("HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", TAKES,
	    "HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
	lake.where = str_c(partner.url);
	struct delivery d = gone_on(false, NOW);
	assert_int_equal(d.state, DELIVERY_WAITS);
	assert_int_equal(d.attempts, 1);
	assert_int_equal(d.next_try, NOW + 60);
	assert_string_equal(d.why, "status 500");
	d = gone_on(true, NOW + 59); /* not before its time: nothing is sent */
	assert_int_equal(d.state, DELIVERY_WAITS);
	assert_string_equal(d.why, "the delivery waits for its next try");
	d = gone_on(true, NOW + 60); /* one is taken, then there is one failure too many */
	assert_int_equal(d.state, DELIVERY_FAILED);
	assert_int_equal(d.attempts, 2);
	partner_end();
	assert_string_equal(held_ids(), "v1 ");
	assert_string_equal(text_of(in_box("dead/d1/two")), "{\"id\":\"v2\"}\n");
	assert_string_equal(text_of(in_box("dead/d1/one")), "");
	assert_non_null(strstr(text_of(in_box("log")), "\"files_done\":1,\"attempts\":2"));
}

TEST(a_refusal_in_other_letters_than_utf_8_ends_it_like_any_other)
{
	make_pending();
	lake.way = &way_https;
	PARTNER("HTTP/1.1 400 No\r\nContent-Length: 6\r\nConnection: close\r\n\r\n"
		"r\xe9"
		"fus\xe9");
	lake.where = str_c(partner.url);
	struct delivery d = gone_on(false, NOW);
	partner_end();
	assert_int_equal(d.state, DELIVERY_FAILED);
	assert_non_null(strstr(text_of(in_box("log")), "\"state\":\"failed\""));
	assert_non_null(strstr(text_of(in_box("log")), "status 400: r"));
	assert_int_equal(opened(), ERR_NOT_FOUND);
}

/* Somebody else's words may be cut within a character on their way. */
TEST(a_reason_that_ends_within_a_character_is_logged_up_to_there)
{
	struct pending p;
	make_pending();
	assert_int_equal(pending_open(&box, &lake, NOW, &p), OK);
	assert_int_equal(pending_finish(&p, DELIVERY_FAILED, "caf\xc3"), OK);
	pending_free(&p);
	assert_non_null(strstr(text_of(in_box("log")), "\"why\":\"caf\""));
}

TEST(a_pause_that_nobody_wrote_is_none)
{
	struct pending p;
	make_pending();
	put("pending/state", "3 4294967295\n");
	assert_int_equal(pending_open(&box, &lake, NOW, &p), OK);
	assert_int_equal(p.attempts, 3);
	assert_int_equal(p.next_try, 0);
	assert_int_equal(pending_day(&p), DAY);
	assert_true(pending_rows_sound(&p));
	pending_free(&p);
}

TEST(rows_that_were_refused_are_not_held_and_are_kept_with_what_was_said)
{
	make_pending();
	put("pending/acks", "0>\n0+\n1>\n1+\n");
	put("pending/refused", "v2\t101\t1\t7\tno such id\nhalf a li");
	struct delivery d = gone_on(false, NOW);
	assert_int_equal(d.state, DELIVERY_DONE);
	assert_int_equal(d.refused, 1);
	assert_string_equal(held_ids(), "v1 ");
	assert_non_null(
	    strstr(text_of(in_box("dead/d1/refused.tsv")), "v2\t101\t1\t7\tno such id"));
}

TEST(what_the_partner_took_perhaps_is_perhaps_held)
{
	make_pending();
	lake.way = &way_https; /* to which there is nothing left to send */
	put("pending/acks", "0>\n0?\n1>\n1+\n");
	struct delivery d = gone_on(false, NOW);
	assert_int_equal(d.state, DELIVERY_DONE);
	assert_string_equal(held_ids(), "v2 ");
}

TEST(what_is_no_delivery_of_ours_is_damage_and_names_lead_nowhere_else)
{
	static const char *const bad[] = {"", "{}", "[1",
	    "{\"delivery\":\"../d1\",\"destination\":\"lake\",\"mode\":\"full\",\"created\":\"\","
	    "\"rules\":\"r\",\"added\":2,\"removed\":0,\"files\":[]}",
	    "{\"delivery\":\"d1\",\"destination\":\"lake\",\"mode\":\"full\",\"created\":\"\","
	    "\"rules\":\"r\",\"added\":2,\"removed\":0,\"files\":[{\"name\":\".one\","
	    "\"sha256\":"
	    "\"0123456789012345678901234567890123456789012345678901234567890123\"}]}",
	    "{\"delivery\":\"d1\",\"destination\":\"lake\",\"mode\":\"full\",\"created\":\"\","
	    "\"rules\":\"r\",\"added\":\"2\",\"removed\":0,\"files\":[]}"};
	assert_int_equal(folder_make(in_box("pending"), 0700), OK);
	assert_int_equal(opened(), ERR_CORRUPT); /* a folder without a manifest */
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		put("pending/manifest.json", bad[i]);
		if (opened() != ERR_CORRUPT)
			fail_msg("taken: %s", bad[i]);
	}
}

UNIT_TESTS(BOXED(nothing_is_under_way_in_a_new_folder),
    BOXED(another_who_delivers_there_is_not_waited_for_longer_than_wanted),
    BOXED(to_a_folder_files_come_under_their_names_and_the_delivery_ends),
    BOXED(a_file_that_is_not_what_was_written_ends_it_and_what_is_left_is_put_aside),
    BOXED(only_what_was_not_acknowledged_is_sent), BOXED(pauses_double_and_then_it_is_given_up),
    BOXED(a_refusal_in_other_letters_than_utf_8_ends_it_like_any_other),
    BOXED(a_reason_that_ends_within_a_character_is_logged_up_to_there),
    BOXED(a_pause_that_nobody_wrote_is_none),
    BOXED(rows_that_were_refused_are_not_held_and_are_kept_with_what_was_said),
    BOXED(what_the_partner_took_perhaps_is_perhaps_held),
    BOXED(what_is_no_delivery_of_ours_is_damage_and_names_lead_nowhere_else))
