/* What the topics of the log must be like (broker/topics.h): a table of rules, and the faults that
 * it finds in what was read. Nothing here asks a broker.
 *
 * A rule gives the bounds of one setting, the value that a new topic gets, and the promise that a
 * value outside breaks. Values of Kafka are text: a rule for numbers reads them as such. */
#include "crumb/broker/topics.h"

#include "crumb/base/buf.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define HOUR_MS ((int64_t)3600 * 1000)
#define DAY_MS (24 * HOUR_MS)

enum { OF_LOG = 1 << TOPIC_LOG, OF_CONTROL = 1 << TOPIC_CONTROL, OF_BOTH = OF_LOG | OF_CONTROL };

struct rule {
	unsigned jobs;
	const char *setting;
	const char *word;    /* the only right value; NULL: a number */
	int64_t least, most; /* of a number */
	int64_t initial;
	/* MAY_LACK: brokers that do not know the setting do not do what it is about */
	enum { MUST_HAVE, MAY_LACK } where;
	const char *why;
};

static const struct rule rules[] = {
    {.jobs = OF_BOTH,
	.setting = "cleanup.policy",
	.word = "delete",
	.why = "compaction drops records that nobody has stored yet, and keeps others for ever"},
    {.jobs = OF_LOG,
	.setting = "retention.ms",
	.least = HOUR_MS,
	.most = DAY_MS,
	.initial = DAY_MS,
	.why = "what was erased or has expired leaves the brokers' files after a day; and a node "
	       "that is away for a moment finds what it missed"},
    {.jobs = OF_CONTROL,
	.setting = "retention.ms",
	.least = 91 * DAY_MS,
	.most = 92 * DAY_MS,
	.initial = 91 * DAY_MS,
	.why = "an erasure is known for as long as what it erased could come back, and no longer"},
    {.jobs = OF_BOTH,
	.setting = "retention.bytes",
	.least = -1,
	.most = -1,
	.initial = -1,
	.why = "brokers delete answered hits that nobody has stored yet when there are many"},
    {.jobs = OF_LOG,
	.setting = "segment.ms",
	.least = 1000,
	.most = HOUR_MS,
	.initial = HOUR_MS,
	.why = "brokers delete whole segments: what was erased stays until its segment is old"},
    {.jobs = OF_CONTROL,
	.setting = "segment.ms",
	.least = 1000,
	.most = DAY_MS,
	.initial = DAY_MS,
	.why = "brokers delete whole segments: what has expired stays until its segment is old"},
    {.jobs = OF_BOTH,
	.setting = "file.delete.delay.ms",
	.least = 0,
	.most = HOUR_MS,
	.initial = 60000,
	.where = MAY_LACK,
	.why = "what brokers have deleted stays on their disks for as long"},
    {.jobs = OF_BOTH,
	.setting = "remote.storage.enable",
	.word = "false",
	.where = MAY_LACK,
	.why = "copies in another storage are not deleted with the brokers' files"},
    {.jobs = OF_BOTH,
	.setting = "message.timestamp.type",
	.word = "LogAppendTime",
	.why = "the age of a record is what a sender's clock says, and so is its deletion"},
    {.jobs = OF_BOTH,
	.setting = "unclean.leader.election.enable",
	.word = "false",
	.why = "a broker that lacks answered hits may become the leader, and they are lost"},
    {.jobs = OF_BOTH,
	.setting = "max.message.bytes",
	.least = 1000000,
	.most = INT32_MAX,
	.initial = 1048588,
	.why = "a record has up to 1,000,000 bytes; its hits are answered 503 if it is refused"},
};

#define MIN_INSYNC "min.insync.replicas"
static const char *const min_insync_why =
    "an answered hit is on one broker only, and is lost with it";

#define RULES (sizeof rules / sizeof *rules)
_Static_assert(RULES < TOPIC_RULES, "and min.insync.replicas");

static const char *format(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static const char *format(struct arena *a, const char *fmt, ...)
{
	char text[512];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	return arena_keep(a, str_c(text)).p;
}

/* Acknowledged by two, where there are two. */
static int64_t min_insync_least(unsigned replicas)
{
	return replicas > 1 ? 2 : 1;
}

static const char *rule_initial(const struct rule *r, struct arena *a)
{
	return r->word ? r->word : format(a, "%" PRId64, r->initial);
}

size_t topic_settings_new(
    enum topic_job job, unsigned replicas, struct arena *a, struct topic_setting out[TOPIC_RULES])
{
	size_t n = 0;
	for (size_t i = 0; i < RULES; i++)
		/* a broker refuses a topic with a setting that it does not know */
		if (rules[i].jobs & 1U << job && rules[i].where == MUST_HAVE)
			out[n++] =
			    (struct topic_setting){rules[i].setting, rule_initial(&rules[i], a)};
	out[n++] =
	    (struct topic_setting){MIN_INSYNC, format(a, "%" PRId64, min_insync_least(replicas))};
	return n;
}

/* --- words of a command */

/* A word for a shell: as it is where nothing in it means something to one. */
static void shell_word(struct buf *b, const char *word)
{
	bool plain = *word;
	for (const char *p = word; *p && plain; p++)
		plain = chr_alpha(*p) || chr_digit(*p) || chr_one_of(*p, "._-:,/=[]");
	if (plain) {
		buf_c(b, word);
		return;
	}
	buf_c(b, "'");
	for (const char *p = word; *p; p++)
		if (*p == '\'')
			buf_c(b, "'\\''");
		else
			buf_add(b, p, 1);
	buf_c(b, "'");
}

static void tool_begin(struct buf *b, const struct topics_place *place, const char *tool)
{
	buf_addf(b, "%s --bootstrap-server ", tool);
	shell_word(b, place->brokers);
}

/* Takes what was written; without memory the process ends, as an arena's does. */
static const char *keep_text(struct arena *a, struct buf *b)
{
	CHECK(!b->failed);
	const char *kept = arena_keep(a, buf_view(b)).p;
	buf_done(b);
	return kept;
}

static const char *mend_setting(const struct topics_place *place, struct arena *a,
    const char *topic, const char *setting, const char *value)
{
	struct buf b = {0};
	tool_begin(&b, place, "kafka-configs.sh");
	buf_c(&b, " --alter --entity-type topics --entity-name ");
	shell_word(&b, topic);
	buf_addf(&b, " --add-config %s=%s", setting, value);
	return keep_text(a, &b);
}

/* The brokers that should have a partition: those that have it, and as many of the others as are
 * wanted, beginning with another one for each partition. */
static void replicas_json(struct buf *b, const struct topics *t, const struct topic *topic,
    unsigned partition, unsigned wanted)
{
	const struct topic_replicas *has = &topic->of[partition];
	unsigned n = 0;
	for (; n < has->n; n++)
		buf_addf(b, "%s%d", n ? "," : "", (int)has->brokers[n]);
	for (unsigned i = 0; i < t->brokers_n && n < wanted; i++) {
		int32_t other = t->brokers[(partition + i) % t->brokers_n];
		bool new = true;
		for (unsigned j = 0; j < has->n; j++)
			new = new && has->brokers[j] != other;
		if (new)
			buf_addf(b, "%s%d", n++ ? "," : "", (int)other);
	}
}

/* More than three cost disks and time, and no promise needs them. */
static unsigned replicas_wanted(unsigned brokers)
{
	return brokers < TOPIC_REPLICAS ? brokers : TOPIC_REPLICAS;
}

static const char *mend_replicas(
    const struct topics_place *place, struct topics *t, const struct topic *topic, const char *name)
{
	struct buf b = {0};
	buf_c(&b, "echo '{\"version\":1,\"partitions\":[");
	for (unsigned i = 0; i < topic->partitions; i++) {
		buf_addf(&b, "%s{\"topic\":\"%s\",\"partition\":%u,\"replicas\":[", i ? "," : "",
		    name, i);
		replicas_json(&b, t, topic, i, replicas_wanted(t->brokers_n));
		buf_c(&b, "]}");
	}
	buf_c(&b, "]}' >replicas.json && ");
	tool_begin(&b, place, "kafka-reassign-partitions.sh");
	buf_c(&b, " --reassignment-json-file replicas.json --execute");
	return keep_text(&t->arena, &b);
}

/* --- what is wrong */

struct finding {
	const struct topics_place *place;
	struct topics *t;
	enum topic_job job;
	const struct topic *topic;
	const char *name;
	struct topic_fault *faults;
	size_t n;
};

static struct topic_fault *fault(struct finding *f, enum fault_kind kind, const char *setting)
{
	struct topic_fault *new = &f->faults[f->n++];
	*new = (struct topic_fault){.kind = kind, .topic = f->name, .setting = setting};
	return new;
}

static const char *setting_of(const struct topic *t, const char *name)
{
	for (size_t i = 0; i < t->settings_n; i++)
		if (strcmp(t->settings[i].name, name) == 0)
			return t->settings[i].value;
	return NULL;
}

/* False: it is no number, and so in no bounds. */
static bool setting_number(const char *text, int64_t *out)
{
	char *end;
	*out = strtoll(text, &end, 10);
	return *text && !*end;
}

/* Kafka reads TRUE as true, and so do we. */
static bool rule_holds(const struct rule *r, const char *value)
{
	int64_t v;
	if (r->word)
		return str_ieq(str_c(r->word), str_c(value));
	return setting_number(value, &v) && v >= r->least && v <= r->most;
}

static const char *rule_must(const struct rule *r, struct arena *a)
{
	if (r->word)
		return r->word;
	if (r->least == r->most)
		return format(a, "%" PRId64, r->least);
	return format(a, "%" PRId64 " to %" PRId64, r->least, r->most);
}

static void unread(struct finding *f, const char *setting, const char *why)
{
	struct topic_fault *new = fault(f, FAULT_UNREAD, setting);
	new->is = "not to be seen";
	new->must = "seen";
	new->why = why;
	new->mend = "let crumb describe the settings of the topic (DESCRIBE_CONFIGS), or set "
		    "log.unsafe to yes when you know that they are right";
}

/* `value` is what the command that mends it sets. */
static void wrong_setting(struct finding *f, const char *setting, const char *is, const char *must,
    const char *why, const char *value)
{
	struct topic_fault *new = fault(f, FAULT_WRONG, setting);
	new->is = is;
	new->must = must;
	new->why = why;
	new->mend = mend_setting(f->place, &f->t->arena, f->name, setting, value);
}

static void look_at_rule(struct finding *f, const struct rule *r)
{
	const char *value = setting_of(f->topic, r->setting);
	if (!(r->jobs & 1U << f->job) || (!value && r->where == MAY_LACK))
		return;
	if (!value)
		unread(f, r->setting, r->why);
	else if (!rule_holds(r, value))
		wrong_setting(f, r->setting, value, rule_must(r, &f->t->arena), r->why,
		    rule_initial(r, &f->t->arena));
}

/* By the number of brokers, since a topic with one replica on three is not replicated. */
static void look_at_min_insync(struct finding *f)
{
	const char *value = setting_of(f->topic, MIN_INSYNC);
	int64_t v, least = min_insync_least(f->t->brokers_n);
	/* never more than there are, or nothing is acknowledged; those may become more */
	int64_t most = f->topic->replicas > least ? f->topic->replicas : least;
	const char *must = format(&f->t->arena, "%" PRId64, least);
	if (!value)
		unread(f, MIN_INSYNC, min_insync_why);
	else if (!setting_number(value, &v) || v < least)
		wrong_setting(f, MIN_INSYNC, value, must, min_insync_why, must);
	else if (v > most)
		wrong_setting(f, MIN_INSYNC, value, must,
		    "there are not so many replicas: no hit is ever acknowledged", must);
}

static void look_at_partitions(struct finding *f)
{
	unsigned must = f->job == TOPIC_LOG ? f->place->partitions : 1;
	struct arena *a = &f->t->arena;
	if (f->topic->partitions == must)
		return;
	struct topic_fault *new = fault(f, FAULT_WRONG, "partitions");
	new->is = format(a, "%u", f->topic->partitions);
	new->must = format(a, "%u", must);
	new->why = f->job == TOPIC_LOG
		       ? "a partition is a shard: all that is known of a visitor stands in one"
		       : "what nodes tell each other has one order";
	if (f->topic->partitions < must)
		new->mend = "crumb log init";
	else /* no broker takes a partition away */
		new->mend = format(a,
		    "a new store with store.shards: %u; or, while nothing is in the topic that "
		    "anybody needs, kafka-topics.sh --delete and then crumb log init",
		    f->topic->partitions);
}

static void look_at_replicas(struct finding *f)
{
	struct arena *a = &f->t->arena;
	if (f->topic->replicas > 1 || f->t->brokers_n < 2)
		return;
	struct topic_fault *new = fault(f, FAULT_WRONG, "replicas");
	new->is = format(a, "%u", f->topic->replicas);
	new->must = format(a, "%u", replicas_wanted(f->t->brokers_n));
	new->why = min_insync_why;
	new->mend = mend_replicas(f->place, f->t, f->topic, f->name);
}

/* Of a topic that is missing, nothing else is said. */
static void look_at_topic(struct finding *f)
{
	if (!f->topic->there) {
		struct topic_fault *new = fault(f, FAULT_MISSING, "topic");
		new->is = "missing";
		new->must = "there";
		new->why = "no hit can be taken";
		new->mend = "crumb log init";
		return;
	}
	look_at_partitions(f);
	look_at_replicas(f);
	if (f->topic->unread) {
		unread(f, "settings", f->topic->unread);
		return;
	}
	look_at_min_insync(f);
	for (size_t i = 0; i < RULES; i++)
		look_at_rule(f, &rules[i]);
}

struct topic_fault *topics_faults(const struct topics_place *place, struct topics *t, size_t *n)
{
	/* a topic has one for each rule at most, and those of its partitions and replicas */
	size_t most = TOPIC_JOBS * (TOPIC_RULES + 2);
	struct finding f = {.place = place, .t = t};
	f.faults = arena_alloc(&t->arena, most * sizeof *f.faults);
	for (f.job = 0; f.job < TOPIC_JOBS; f.job++) {
		f.topic = &t->topic[f.job];
		f.name = place->names[f.job];
		look_at_topic(&f);
	}
	*n = f.n;
	return f.n ? f.faults : NULL;
}

void topics_done(struct topics *t)
{
	arena_done(&t->arena);
	*t = (struct topics){0};
}
