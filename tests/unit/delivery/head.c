/* delivery/head: only what we wrote is looked at, and only what k share is told. */
#include "folder.h"

#include "encoded.h"

#include "crumb/base/code.h"
#include "crumb/base/file.h"
#include "crumb/base/memory.h"
#include "crumb/delivery/deliver.h"
#include "crumb/delivery/head.h"

#include <errno.h>
#include <jansson.h>
#include <sodium.h>
#include <unistd.h>
#include <zlib.h>

/* Reads of what was delivered are cut off by signals so often, and then are what they always are
 * (the Makefile wraps read()). */
static unsigned signals;
ssize_t __real_read(int fd, void *into, size_t n);
ssize_t __wrap_read(int fd, void *into, size_t n);
ssize_t __wrap_read(int fd, void *into, size_t n)
{
	char link[64], path[400] = "";
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	if (!signals || readlink(link, path, sizeof path - 1) < 0 || !strstr(path, "/there/"))
		return __real_read(fd, into, n);
	signals--;
	errno = EINTR;
	return -1;
}

#define LONG (5u << 20) /* bytes: more than the beginning of a file */
#define HEADER "id,segment,expires,action\n"

static const struct kgate gate = {20, NULL};
static struct destination lake;
static struct store store;
static struct generation generation = {.store = &store};
static char there[100];

static int begin(void **state)
{
	memory_begin();
	if (make_folder(state) != 0)
		return -1;
	snprintf(there, sizeof there, "%s/there", folder);
	snprintf(store.path, sizeof store.path, "%s", folder);
	lake = (struct destination){.id = (char *)(uintptr_t) "lake",
	    .format = &format_csv,
	    .partner = -1,
	    .way = &way_directory,
	    .where = str_c(there)};
	char exports[100];
	snprintf(exports, sizeof exports, "%s/exports/lake", folder);
	return folder_make(there, 0700) || folder_make(exports, 0700);
}
#define SHOWN(name) cmocka_unit_test_setup_teardown(name, begin, drop_folder)

static const char *place_of(const char *name)
{
	static char path[400];
	snprintf(path, sizeof path, "%s/%s", there, name);
	return path;
}

static void put(const char *name, struct str bytes)
{
	assert_int_equal(file_replace(place_of(name), bytes), OK);
}

/* The log says that the file was delivered, and begins with these bytes. */
static void note(const char *name, struct str bytes)
{
	char path[200], hex[65];
	uint8_t sum[32];
	crypto_hash_sha256(
	    sum, (const uint8_t *)bytes.p, bytes.n < FORMAT_BEGINS ? bytes.n : FORMAT_BEGINS);
	hex_encode(sum, 32, hex);
	hex[64] = 0;
	json_t *line = json_pack("{s:s,s:s,s:i,s:{s:s,s:s}}", "delivery", "d1", "state",
	    "delivered", "files", 1, "first", "name", name, "begins", hex);
	snprintf(path, sizeof path, "%s/exports/lake/log", folder);
	assert_int_equal(json_dump_file(line, path, JSON_COMPACT), 0);
	json_decref(line);
}

static void deliver_file(const char *name, struct str bytes)
{
	note(name, bytes);
	put(name, bytes);
}

static json_t *told(unsigned lines)
{
	const struct plan_wish w = {.g = &generation, .d = &lake};
	json_t *out = NULL;
	assert_int_equal(head_told(&w, &gate, lines, &out), OK);
	return out;
}

static void state_is(const char *wanted)
{
	json_t *t = told(20);
	assert_string_equal(json_string_value(json_object_get(t, "state")), wanted);
	assert_int_equal(json_object_get(t, "lines") != NULL, strcmp(wanted, "file") == 0);
	json_decref(t);
}

/* The lines with '|' between them; lives until the next call. */
static const char *lines_of(json_t *t)
{
	static char text[1000];
	const json_t *lines = json_object_get(t, "lines"), *line;
	size_t i;
	*text = 0;
	json_array_foreach(lines, i, line)
	{
		size_t n = strlen(text);
		snprintf(text + n, sizeof text - n, "%s|", json_string_value(line));
	}
	return text;
}
#define LINES(t, wanted)                                                                           \
	do {                                                                                       \
		json_t *t_ = t;                                                                    \
		assert_string_equal(lines_of(t_), wanted);                                         \
		json_decref(t_);                                                                   \
	} while (0)

/* So many rows of different ids. */
static void rows(struct buf *b, unsigned n, const char *segment)
{
	static unsigned id;
	for (unsigned i = 0; i < n; i++)
		buf_addf(b, "visitor-%08u,%s,2026-12-01,add\n", id++, segment);
}

TEST(a_line_is_told_from_k_on)
{
	struct buf b = {0};
	buf_c(&b, HEADER);
	rows(&b, 19, "boots");
	rows(&b, 20, "coats");
	deliver_file("f.csv", buf_view(&b));
	LINES(told(20), "id,segment,expires,action|" MASK ",coats,2026-12-01,add|");
	rows(&b, 1, "boots");
	deliver_file("f.csv", buf_view(&b));
	LINES(told(20), "id,segment,expires,action|" MASK ",boots,2026-12-01,add|" MASK
			",coats,2026-12-01,add|");
	buf_done(&b);
}

TEST(the_head_of_a_file_is_not_told_alone)
{
	struct buf b = {0};
	buf_c(&b, HEADER);
	rows(&b, 19, "coats");
	deliver_file("f.csv", buf_view(&b));
	LINES(told(20), "");
	buf_done(&b);
}

TEST(of_a_long_file_the_beginning_is_told_and_compared)
{
	struct buf b = {0};
	buf_c(&b, HEADER);
	while (b.n < LONG)
		rows(&b, 1000, "coats");
	deliver_file("f.csv", buf_view(&b));
	json_t *t = told(20);
	assert_true(json_is_true(json_object_get(t, "part")));
	LINES(t, "id,segment,expires,action|" MASK ",coats,2026-12-01,add|");
	b.p[LONG - 10] ^= 1; /* beyond what is looked at */
	put("f.csv", buf_view(&b));
	state_is("file");
	b.p[FORMAT_BEGINS - 1] ^= 1;
	put("f.csv", buf_view(&b));
	state_is("changed");
	buf_done(&b);
}

TEST(a_signal_does_not_end_a_file)
{
	struct buf b = {0};
	buf_c(&b, HEADER);
	rows(&b, 30, "coats");
	deliver_file("f.csv", buf_view(&b));
	const struct plan_wish w = {.g = &generation, .d = &lake};
	json_t *out = NULL;
	signals = 3;
	assert_int_equal(head_told(&w, &gate, 20, &out), OK);
	assert_int_equal(signals, 0);
	LINES(out, "id,segment,expires,action|" MASK ",coats,2026-12-01,add|");
	buf_done(&b);
}

TEST(what_somebody_else_wrote_is_not_told)
{
	struct buf b = {0}, planted = {0};
	buf_c(&b, HEADER);
	rows(&b, 30, "coats");
	deliver_file("f.csv", buf_view(&b));
	state_is("file");
	buf_c(&planted, HEADER);
	rows(&planted, 30, "visitor-00000001"); /* somebody, k times */
	put("f.csv", buf_view(&planted));
	state_is("changed");
	buf_str(&b, buf_view(&planted));
	put("f.csv", buf_view(&b)); /* behind what is ours */
	state_is("changed");
	put("f.csv", STR(""));
	state_is("changed");
	buf_done(&b);
	buf_done(&planted);
}

TEST(what_is_no_file_is_gone_and_nobody_waits_for_it)
{
	struct buf b = {0};
	state_is("none");
	buf_c(&b, HEADER);
	rows(&b, 30, "coats");
	note("f.csv", buf_view(&b));
	state_is("gone");
	assert_int_equal(mkfifo(place_of("f.csv"), 0600), 0);
	state_is("gone");
	unlink(place_of("f.csv"));
	assert_int_equal(mkdir(place_of("f.csv"), 0700), 0);
	state_is("gone");
	rmdir(place_of("f.csv"));
	put("other.csv", buf_view(&b)); /* the very bytes, behind a link */
	assert_int_equal(symlink("other.csv", place_of("f.csv")), 0);
	state_is("gone");
	buf_done(&b);
}

/* The log is ours; a name that leads elsewhere is none of those that we write. */
TEST(names_lead_nowhere_else)
{
	struct buf b = {0};
	buf_c(&b, HEADER);
	rows(&b, 30, "coats");
	put("../f.csv", buf_view(&b));
	put(".f.csv", buf_view(&b));
	note("../f.csv", buf_view(&b));
	state_is("gone");
	note(".f.csv", buf_view(&b));
	state_is("gone");
	note("", buf_view(&b));
	state_is("older");
	buf_done(&b);
}

TEST(a_file_that_unpacks_to_very_much_is_read_to_a_bound)
{
	static const char zeros[65536];
	struct buf b = {0};
	gzFile z = gzopen(place_of("f.csv.gz"), "wb9");
	gzwrite(z, HEADER, sizeof HEADER - 1);
	for (int i = 0; i < 20; i++)
		gzwrite(z, "a,coats,,remove\n", 16);
	for (unsigned n = 0; n < 1024; n++) /* 64 MB */
		gzwrite(z, zeros, sizeof zeros);
	gzclose(z);
	assert_int_equal(file_read(place_of("f.csv.gz"), LONG, &b), OK);
	note("f.csv.gz", buf_view(&b));
	json_t *t = told(20);
	assert_true(json_is_true(json_object_get(t, "part")));
	LINES(t, "id,segment,expires,action|" MASK ",coats,,remove|");
	buf_done(&b);
}

TEST(lines_that_are_no_text_are_left_out)
{
	struct buf b = {0};
	buf_c(&b, HEADER);
	for (int i = 0; i < 20; i++)
		buf_add(&b, "a,co\0ats,,remove\nb,co\xff\xfe,,remove\nc,coats,,remove\n", 49);
	deliver_file("f.csv", buf_view(&b));
	json_t *t = told(20);
	const json_t *lines = json_object_get(t, "lines"), *line;
	size_t i;
	json_array_foreach(lines, i, line)
	{
		assert_int_equal(strlen(json_string_value(line)), json_string_length(line));
	}
	LINES(t, "id,segment,expires,action|" MASK ",coats,,remove|");
	buf_done(&b);
}

UNIT_TESTS(SHOWN(a_line_is_told_from_k_on), SHOWN(the_head_of_a_file_is_not_told_alone),
    SHOWN(of_a_long_file_the_beginning_is_told_and_compared), SHOWN(a_signal_does_not_end_a_file),
    SHOWN(what_somebody_else_wrote_is_not_told),
    SHOWN(what_is_no_file_is_gone_and_nobody_waits_for_it), SHOWN(names_lead_nowhere_else),
    SHOWN(a_file_that_unpacks_to_very_much_is_read_to_a_bound),
    SHOWN(lines_that_are_no_text_are_left_out))
