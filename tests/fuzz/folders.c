/* Whole files of the store, as a damaged disk or another program may leave them: the folder of a destination with its ledger, the one before, and a
 * delivery under way, together; and what the k gate told. The input is the files as text, each behind a line "== NAME":
 *
 *     == pending/acks
 *     0>
 *     0+
 *
 * Ledgers get the right sum behind them, so that the rest is looked at, unless their name is followed by "!". */
#include "../../src/delivery/ledger.h"
#include "../../src/delivery/pending.h"
#include "crumb/base/log.h"
#include "crumb/delivery/held.h"
#include "crumb/privacy/kgate.h"
#include "crumb/partners/destinations.h"
#include "crumb/store/store.h"

#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW 1800000000u

static const char *const names[] = {"held", "held.before", "pending/rows", "pending/manifest.json", "pending/acks", "pending/refused", "pending/state", "pending/shown.json", "pending/a.csv", "log", "last", "gone", "made"};
static char store[64], folder[128];
static struct destinations *all;

static void put(const char *path, struct str content)
{
	FILE *f = fopen(path, "w");
	CHECK(f);
	if (content.n)
		CHECK(fwrite(content.p, 1, content.n, f) == content.n);
	fclose(f);
}

static void put_named(struct str name, struct str content)
{
	char path[256];
	struct buf whole = {0};
	bool bare = name.n && name.p[name.n - 1] == '!', ledger;
	name.n -= bare;
	if (str_eq(name, STR("told"))) {
		snprintf(path, sizeof path, "%s/told", store);
		put(path, content);
		return;
	}
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (!str_eq(name, str_c(names[i])))
			continue;
		ledger = i < 3;
		buf_str(&whole, content);
		if (ledger && !bare) {
			uint8_t sum[16];
			crypto_generichash(sum, sizeof sum, (const uint8_t *)content.p, content.n, NULL, 0);
			buf_add(&whole, sum, sizeof sum);
		}
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		put(path, buf_view(&whole));
		buf_done(&whole);
	}
}

/* A ledger that opens has rows of segments that it names, and ends. */
static void sound(const char *name)
{
	char path[256];
	struct held_reader *r;
	struct held_item item = {.id_n = 0};
	unsigned segments;
	snprintf(path, sizeof path, "%s/%s", folder, name);
	if (held_open(path, &r) != OK)
		return;
	held_segments(r, &segments);
	while (held_next(r, &item))
		for (unsigned i = 0; i < item.rows_n; i++)
			CHECK(item.rows[i].segment < segments);
	held_item_done(&item);
	held_close(r);
}

static void destination(void)
{
	struct kgate gate = {20, NULL};
	struct outbox o;
	struct pending p;
	json_t *list;
	if (deliveries_list(store, all, NULL, &gate, NOW, &list) == OK)
		json_decref(list);
	(void)deliver_next_try(store, "lake", NOW);
	(void)deliver_last(store, "lake");
	CHECK(outbox_open(store, "lake", 0, &o) == OK);
	enum err e = ledger_mend(&o, "lake", NOW);
	sound("held");
	if (!e) {
		e = pending_open(&o, &all->list[0], NOW, &p);
		if (!e) {
			CHECK(pending_day(&p) <= 65535 && p.next_try <= NOW + 400 * 86400u);
			if (pending_rows_sound(&p))
				e = pending_finish(&p, p.files % 2 ? DELIVERY_DONE : DELIVERY_FAILED, "fuzz");
			else
				e = ledger_drop_pending(&o, "lake", NOW);
			pending_free(&p);
		} else if (e == ERR_CORRUPT) {
			e = ledger_drop_pending(&o, "lake", NOW);
		}
		sound("held");
	}
	outbox_close(&o);
	if (deliveries_list(store, all, "lake", &gate, NOW, &list) == OK)
		json_decref(list);
}

static void told(void)
{
	char path[128];
	struct kgate g = {20, NULL};
	snprintf(path, sizeof path, "%s/told", store);
	g.memory = kgate_memory_open(path, KGATE_ANEW);
	bool was = kgate_show_group(&g, 's', "a", 25).told;
	CHECK(!kgate_show_group(&g, 's', "a", 19).told);
	CHECK(kgate_show_group(&g, 's', "a", 30).told && kgate_show_group(&g, 's', "a", 25).told);
	CHECK(!kgate_show_group(&g, 's', "a", 19).told && !kgate_show_group(&g, 's', "a", 29).told);
	kgate_memory_free(g.memory);
	g.memory =
	    kgate_memory_open(path, was ? KGATE_ANEW : KGATE_READ); /* the next process knows it */
	CHECK(!kgate_show_group(&g, 's', "a", 29).told && kgate_show_group(&g, 's', "a", 30).told);
	kgate_memory_free(g.memory);
}

static void clean_up(void)
{
	destinations_unref(all);
	(void)folder_remove(store);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char path[128];
	(void)argc, (void)argv;
	CHECK(sodium_init() >= 0);
	log_threshold((enum log_level)(LOG_ERROR + 1));
	snprintf(store, sizeof store, "%s/crumb-fuzz.%d", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", getpid());
	CHECK(mkdir(store, 0700) == 0);
	snprintf(path, sizeof path, "%s/destinations.yaml", store);
	put(path, STR("version: 1\ndestinations:\n  - {id: lake, format: csv}\n"));
	CHECK(destinations_load(path, NULL, &all) == OK);
	atexit(clean_up);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char path[256];
	struct str rest = str_make((const char *)data, n), name;
	snprintf(path, sizeof path, "%s/exports", store);
	CHECK(folder_remove(path) == OK && mkdir(path, 0700) == 0);
	snprintf(folder, sizeof folder, "%s/exports/lake", store);
	CHECK(mkdir(folder, 0700) == 0);
	snprintf(path, sizeof path, "%s/told", store);
	unlink(path);
	if (memmem(data, n, "pending/", 8)) {
		snprintf(path, sizeof path, "%s/pending", folder);
		CHECK(mkdir(path, 0700) == 0);
	}
	while (rest.n > 3 && memcmp(rest.p, "== ", 3) == 0) {
		rest = str_skip(rest, 3);
		str_cut(&rest, '\n', &name);
		const char *next = rest.n ? memmem(rest.p, rest.n, "\n== ", 4) : NULL;
		struct str content = str_make(rest.n ? rest.p : "", next ? (size_t)(next - rest.p) + 1 : rest.n);
		put_named(name, content);
		if (!next)
			break;
		rest = str_skip(rest, content.n);
	}
	destination();
	told();
	return 0;
}
