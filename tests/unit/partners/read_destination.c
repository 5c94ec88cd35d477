/* partners/read_destination: which destinations are taken, and what is said of the others. */
#include "folder.h"

#include "crumb/base/file.h"
#include "crumb/partners/format.h"
#include "crumb/yaml/report.h"

/* What is said of `partners:` with one partner acme and one destination, as "MESSAGE (HINT)", a
 * line each; "" when it is taken: then *out is the set. Lives until the next call. */
static const char *read(const char *destination, struct destinations **out)
{
	static char said[2000];
	char path[100], text[1000];
	struct report report = {0};
	size_t n = 0;
	snprintf(path, sizeof path, "%s/destinations.yaml", folder);
	snprintf(text, sizeof text, "version: 1\npartners: [{id: acme}]\ndestinations:\n  - {%s}\n",
	    destination);
	assert_int_equal(file_replace(path, str_c(text)), OK);
	enum err e = destinations_load(path, &report, out);
	assert_int_equal(e, report.errors ? ERR_SYNTAX : OK);
	said[0] = 0;
	for (size_t i = 0; i < report.n; i++)
		n += (size_t)snprintf(said + n, sizeof said - n, "%s%s (%s)", n ? "\n" : "",
		    report.list[i].message, report.list[i].hint);
	report_done(&report);
	return said;
}

static void refused(const char *destination, const char *said)
{
	struct destinations *d;
	assert_string_equal(read(destination, &d), said);
}

/* `way`, limits and compression that the destination has. */
static void taken(const char *destination, const struct way *way, uint64_t rows, uint64_t bytes,
    unsigned ttl_days, enum compression compress)
{
	struct destinations *d;
	const char *said = read(destination, &d);
	if (*said)
		fail_msg("%s: %s", destination, said);
	assert_int_equal(d->n, 1);
	const struct destination *x = &d->list[0];
	if (x->way != way || x->rows != rows || x->bytes != bytes || x->ttl_days != ttl_days ||
	    x->compress != compress)
		fail_msg("%s: %s, %llu rows, %llu bytes, %u days, %d", destination, x->way->name,
		    (unsigned long long)x->rows, (unsigned long long)x->bytes, x->ttl_days,
		    (int)x->compress);
	destinations_unref(d);
}

TEST(limits_are_those_of_the_file_the_way_and_the_partner_whichever_is_least)
{
	taken("id: x, format: csv", &way_directory, 0, 0, 0, COMPRESS_NONE);
	taken("id: x, format: csv, rows: 10, bytes: 2kB, ttl: 30d, compress: zstd", &way_directory,
	    10, 2000, 30, COMPRESS_ZSTD);
	taken("id: x, format: csv, deliver: {url: \"https://p.example/in\"}, compress: gz",
	    &way_https, 0, 10000000, 0, COMPRESS_GZ);
	taken("id: x, format: ttd-thirdparty, settings: {data_provider_id: p}, rows: 2000, bytes: "
	      "1GB, ttl: 90d, deliver: {url: \"https://p.example/in\"}",
	    &way_https, 1000, 2000000, 90, COMPRESS_NONE);
	taken("id: x, format: aam, settings: {dpid: \"7\"}, deliver: {directory: /tmp/x}",
	    &way_directory, 0, 1000000000, 120, COMPRESS_NONE);
}

TEST(what_asks_for_itself_says_no_way)
{
	taken("id: x, format: stream, compress: gz", &way_stream, 0, 0, 0, COMPRESS_GZ);
	taken("id: page", &way_page, 0, 0, 0, COMPRESS_NONE);
	taken("id: file, labels: [log]", &way_file, 0, 0, 0, COMPRESS_NONE);
	taken("id: page, format: csv", &way_directory, 0, 0, 0, COMPRESS_NONE);
	refused("id: x, format: stream, deliver: {directory: /tmp/x}",
	    "format stream cannot go by directory (whoever wants it asks for it: leave deliver: "
	    "out)");
	refused("id: x, format: stream, schedule: hourly",
	    "format stream has no schedule (whoever wants it asks for it: leave schedule: out)");
	refused("id: x, format: stream, partner: acme",
	    "format stream speaks of visitors by our pseudonyms for it (match it with GET "
	    "/sync?redirect=)");
	refused("id: x, format: csv, schedule: hourly",
	    "a destination with a schedule must say where it goes (say deliver: {directory: …} or "
	    "{url: …})");
}

TEST(a_format_and_a_way_take_only_what_both_can)
{
	refused(
	    "id: x, format: aam, settings: {dpid: \"7\"}, deliver: {url: \"https://p.example\"}",
	    "format aam cannot go by https (say deliver: {directory: …})");
	refused("id: x, format: xandr-avro, settings: {member: \"7\"}, compress: gz",
	    "format xandr-avro cannot go by directory compressed with gz (it may be none)");
	refused("id: x, format: liveramp, settings: {distribution_id: \"7\"}, compress: zstd",
	    "format liveramp cannot go by directory compressed with zstd (it may be none gz)");
	refused("id: x, format: csv, deliver: {url: \"https://p.example\"}, compress: zstd",
	    "format csv cannot go by https compressed with zstd (it may be none gz)");
}

TEST(settings_and_names_are_those_of_the_format)
{
	refused("id: x, format: ttd-thirdparty, settings: {data_provider: p}",
	    "format ttd-thirdparty has no setting 'data_provider' (did you mean "
	    "'data_provider_id'?)\nformat ttd-thirdparty wants data_provider_id (write it below "
	    "settings:)");
	refused("id: x, format: liveramp, settings: {distribution_id: a/b}",
	    "distribution_id is a part of names of files: no '/' and no control characters ()");
	refused(
	    "id: x, format: liveramp, settings: {distribution_id: d}, segments: {coats: \"a,b\"}",
	    "the name of segment 'coats' has a sign that ends a cell or a row of format liveramp "
	    "(name it as the partner does)");
	refused("id: x, format: google-bulk, segments: {coats: coats}",
	    "format google-bulk wants the partner's number for segment 'coats' ()");
	refused("id: x, format: cvs", "there is no format 'cvs' (did you mean 'csv'?)");
}

/* What is said here goes to logs. */
TEST(an_address_that_may_hold_a_password_is_not_said)
{
	static const char *const urls[] = {
	    "https://me:hidden@p.example/in", "http://p.example/?key=hidden", "ftp://hidden"};
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		struct destinations *d;
		char text[200];
		snprintf(text, sizeof text, "id: x, format: csv, deliver: {url: \"%s\"}", urls[i]);
		const char *said = read(text, &d);
		assert_true(*said);
		assert_null(strstr(said, "hidden"));
	}
	refused(
	    "id: x, format: csv, deliver: {url: \"https://p.example\", sign: {kind: md5, secret: "
	    "hidden}}",
	    "sign wants kind: ttd or hmac-sha256 (DESTINATIONS.md says what each is)");
}

UNIT_TESTS(IN_FOLDER(limits_are_those_of_the_file_the_way_and_the_partner_whichever_is_least),
    IN_FOLDER(what_asks_for_itself_says_no_way),
    IN_FOLDER(a_format_and_a_way_take_only_what_both_can),
    IN_FOLDER(settings_and_names_are_those_of_the_format),
    IN_FOLDER(an_address_that_may_hold_a_password_is_not_said))
