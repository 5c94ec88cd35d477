/* A Kafka cluster for functional tests that need no Java: librdkafka's cluster in memory, in a
 * process of its own, and a test's hand in it.
 *
 *     mock-cluster TOPIC PARTITIONS      says where it is, and ends when its input does
 *
 * Each line that comes is a command, and each is answered by a line:
 *
 *     down, up           the broker ends all connections and takes none; takes them again
 *     slow MS            each answer comes so much later
 *     fail CODE N        so many requests to append are answered with Kafka's error CODE
 *     again              all records of the topic are appended once more, the last one first
 *     junk P N BYTES V   N records of so many arbitrary bytes, the first of which is V, are
 *                        appended to a partition
 *     save FILE          writes keys and values of all records to a file
 *     ends               first and next offset of each partition
 *
 * Of a broker it has no more than that: no retention by time, no groups that hold, at most 5 MiB a
 * partition, of which the oldest go first. tests/cluster/kafka.py has real ones. */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PARTITIONS_MOST 64
#define BROKER 1
#define API_PRODUCE 0
#define WAIT_MS 60000

/* The mock's sockets wait for 40 ms before a small answer; a broker's do not. */
int accept(int fd, struct sockaddr *restrict address, socklen_t *restrict len);
int accept(int fd, struct sockaddr *restrict address, socklen_t *restrict len)
{
	int got = (int)syscall(SYS_accept4, fd, address, len, 0);
	if (got >= 0)
		setsockopt(got, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	return got;
}

static struct {
	const char *topic;
	int partitions;
	rd_kafka_t *owner; /* of the cluster */
	rd_kafka_mock_cluster_t *cluster;
	rd_kafka_t *producer;
	int refused; /* records of ours that were not appended */
} it;

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "mock-cluster: %s: %s\n", what, why);
	exit(1);
}

static void set(rd_kafka_conf_t *c, const char *name, const char *value)
{
	char why[200];
	if (rd_kafka_conf_set(c, name, value, why, sizeof why) != RD_KAFKA_CONF_OK)
		fail(name, why);
}

static rd_kafka_t *client(rd_kafka_type_t type, rd_kafka_conf_t *c)
{
	char why[200];
	set(c, "log_level", "0");
	if (it.cluster)
		set(c, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(it.cluster));
	rd_kafka_t *rd = rd_kafka_new(type, c, why, sizeof why);
	if (!rd)
		fail("no client", why);
	return rd;
}

/* --- appending */

static void reported(rd_kafka_t *rd, const rd_kafka_message_t *m, void *arg)
{
	(void)rd;
	(void)arg;
	it.refused += m->err != 0;
}

static void append(int partition, const void *key, size_t key_n, const void *value, size_t n)
{
	rd_kafka_resp_err_t no = rd_kafka_producev(it.producer, RD_KAFKA_V_TOPIC(it.topic),
	    RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
	    RD_KAFKA_V_KEY(key, key_n), RD_KAFKA_V_VALUE((void *)(uintptr_t)value, n),
	    RD_KAFKA_V_END);
	it.refused += no != 0;
}

/* How many were refused. */
static int appended(void)
{
	int refused = rd_kafka_flush(it.producer, WAIT_MS) ? 1 : it.refused;
	it.refused = 0;
	return refused;
}

static int junk(int partition, int n, size_t bytes, int first)
{
	unsigned char *value = malloc(bytes + 1);
	for (int i = 0; i < n; i++) {
		for (size_t k = 0; k < bytes; k++)
			value[k] = k ? (unsigned char)random() : (unsigned char)first;
		append(partition, value, bytes < 16 ? bytes : 16, value, bytes);
		if (i % 16 == 15)
			rd_kafka_flush(it.producer, WAIT_MS); /* its queue has an end */
	}
	free(value);
	return appended();
}

/* --- reading all there is */

struct records {
	rd_kafka_message_t **m;
	size_t n, cap;
};

static void keep(struct records *r, rd_kafka_message_t *m)
{
	if (r->n == r->cap) {
		r->cap = r->cap ? 2 * r->cap : 64;
		r->m = realloc(r->m, r->cap * sizeof(rd_kafka_message_t *));
	}
	r->m[r->n++] = m;
}

/* Returns a consumer that has the records; it is ended after them. */
static rd_kafka_t *read_all(struct records *r)
{
	rd_kafka_conf_t *c = rd_kafka_conf_new();
	set(c, "group.id", "mock");
	set(c, "enable.partition.eof", "true");
	set(c, "enable.auto.commit", "false");
	set(c, "auto.offset.reset", "earliest");
	set(c, "fetch.wait.max.ms", "5");
	rd_kafka_t *rd = client(RD_KAFKA_CONSUMER, c);
	rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(it.partitions);
	for (int i = 0; i < it.partitions; i++)
		rd_kafka_topic_partition_list_add(all, it.topic, i)->offset =
		    RD_KAFKA_OFFSET_BEGINNING;
	rd_kafka_poll_set_consumer(rd);
	rd_kafka_assign(rd, all);
	rd_kafka_topic_partition_list_destroy(all);
	for (int ended = 0; ended < it.partitions;) {
		rd_kafka_message_t *m = rd_kafka_consumer_poll(rd, WAIT_MS);
		if (!m)
			fail("nothing is read", "time-out");
		if (!m->err) {
			keep(r, m);
			continue;
		}
		ended += m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
		rd_kafka_message_destroy(m);
	}
	return rd;
}

static void read_end(struct records *r, rd_kafka_t *rd)
{
	for (size_t i = 0; i < r->n; i++)
		rd_kafka_message_destroy(r->m[i]);
	free(r->m);
	rd_kafka_destroy(rd);
}

static int again(void)
{
	struct records r = {0};
	rd_kafka_t *rd = read_all(&r);
	for (size_t i = r.n; i--;)
		append(
		    r.m[i]->partition, r.m[i]->key, r.m[i]->key_len, r.m[i]->payload, r.m[i]->len);
	read_end(&r, rd);
	return appended();
}

static int save(const char *path)
{
	struct records r = {0};
	FILE *f = fopen(path, "wb");
	if (!f)
		return 1;
	rd_kafka_t *rd = read_all(&r);
	for (size_t i = 0; i < r.n; i++) {
		fwrite(r.m[i]->key, 1, r.m[i]->key_len, f);
		fwrite(r.m[i]->payload, 1, r.m[i]->len, f);
	}
	read_end(&r, rd);
	return fclose(f);
}

static void say_ends(void)
{
	printf("ok");
	for (int i = 0; i < it.partitions; i++) {
		int64_t low = -1, high = -1;
		rd_kafka_query_watermark_offsets(it.producer, it.topic, i, &low, &high, WAIT_MS);
		printf(" %lld-%lld", (long long)low, (long long)high);
	}
	printf("\n");
}

/* --- commands */

static int fail_produce(int code, int n)
{
	for (int i = 0; i < n; i++)
		rd_kafka_mock_push_request_errors(
		    it.cluster, API_PRODUCE, 1, (rd_kafka_resp_err_t)code);
	return 0;
}

/* 0: done. */
static int obey(const char *line)
{
	char path[4096];
	int a, b, first;
	size_t n;
	if (strcmp(line, "down") == 0)
		return rd_kafka_mock_broker_set_down(it.cluster, BROKER);
	if (strcmp(line, "up") == 0)
		return rd_kafka_mock_broker_set_up(it.cluster, BROKER);
	if (sscanf(line, "slow %d", &a) == 1)
		return rd_kafka_mock_broker_set_rtt(it.cluster, BROKER, a);
	if (sscanf(line, "fail %d %d", &a, &b) == 2)
		return fail_produce(a, b);
	if (sscanf(line, "junk %d %d %zu %d", &a, &b, &n, &first) == 4)
		return junk(a, b, n, first);
	if (strcmp(line, "again") == 0)
		return again();
	if (sscanf(line, "save %4095s", path) == 1)
		return save(path);
	return 1;
}

static void begin(const char *topic, int partitions)
{
	it.topic = topic;
	it.partitions = partitions;
	it.owner = client(RD_KAFKA_PRODUCER, rd_kafka_conf_new());
	it.cluster = rd_kafka_mock_cluster_new(it.owner, 1);
	if (!it.cluster || rd_kafka_mock_topic_create(it.cluster, topic, partitions, 1))
		fail(topic, "not made");
	rd_kafka_conf_t *c = rd_kafka_conf_new();
	rd_kafka_conf_set_dr_msg_cb(c, reported);
	it.producer = client(RD_KAFKA_PRODUCER, c);
}

int main(int argc, char **argv)
{
	char line[5000];
	if (argc != 3 || atoi(argv[2]) < 1 || atoi(argv[2]) > PARTITIONS_MOST)
		fail("usage", "mock-cluster TOPIC PARTITIONS");
	setvbuf(stdout, NULL, _IOLBF, 0);
	begin(argv[1], atoi(argv[2]));
	printf("%s\n", rd_kafka_mock_cluster_bootstraps(it.cluster));
	while (fgets(line, sizeof line, stdin)) {
		line[strcspn(line, "\n")] = 0;
		if (strcmp(line, "ends") == 0)
			say_ends();
		else
			printf("%s\n", obey(line) ? "no" : "ok");
	}
	rd_kafka_destroy(it.producer);
	rd_kafka_mock_cluster_destroy(it.cluster);
	rd_kafka_destroy(it.owner);
	return 0;
}
