/* An import by a running server: each piece is a POST to /v1/import with its name, and the last
 * answer is that the views have folded everything. A piece whose answer was lost is sent again
 * (cli/client.c), since the server knows it by its name. */
#include "importer.h"

#include "crumb/base/code.h"

/* Adds what the server says of a piece to the sums. */
static void add_reply(struct importer *im, const json_t *root)
{
	const char *why;
	json_t *n;
	size_t i;
	json_array_foreach(json_object_get(root, "refused_lines"), i, n)
	    lines_refused(&im->lines, (uint64_t)json_integer_value(json_object_get(n, "line")),
		json_string_value(json_object_get(n, "reason")), NULL);
	im->read += (uint64_t)json_integer_value(json_object_get(root, "read"));
	im->accepted += (uint64_t)json_integer_value(json_object_get(root, "accepted"));
	im->aside += (uint64_t)json_integer_value(json_object_get(root, "set_aside"));
	im->already += (uint64_t)json_integer_value(json_object_get(root, "already"));
	json_object_foreach(json_object_get(root, "refused"), why, n)
	    import_refused(im, why, (uint64_t)json_integer_value(n));
}

/* A piece of which no line is left, such as one of static files, is not sent. */
static int post_slice(struct importer *im, const struct slice_id *id, struct str lines)
{
	struct reply r;
	char path[400], from[33] = "", to[33] = "";
	if (!lines.n)
		return EXIT_FINE;
	hex_encode(id->from, sizeof id->from, from);
	hex_encode(id->to, sizeof id->to, to);
	int n = snprintf(path, sizeof path, "/v1/import?from=%s&to=%s&bytes=%llu&lines=%llu", from,
	    to, (unsigned long long)id->bytes, (unsigned long long)id->lines);
	if (im->again)
		n += snprintf(path + n, sizeof path - (size_t)n, CLIENT_AGAIN);
	if (im->dry)
		n += snprintf(path + n, sizeof path - (size_t)n, "&dry=1");
	if (im->partner)
		snprintf(path + n, sizeof path - (size_t)n, "&partner=%s", im->partner);
	if (!client_post(im->cli, path, lines, &r))
		return EXIT_WRONG;
	json_error_t error;
	json_t *root = r.status == 200 ? json_loadb(r.body.p, r.body.n, 0, &error) : NULL;
	int rc = EXIT_FINE;
	if (root)
		add_reply(im, root);
	else
		rc = cli_fail("the server stopped the import after %llu lines: " STR_FMT,
		    (unsigned long long)im->accepted, STR_ARG(str_trim(buf_view(&r.body))));
	json_decref(root);
	buf_done(&r.body);
	return rc;
}

int import_by_server(struct importer *im)
{
	struct str lines, events;
	struct reply r;
	bool failed = false;
	int rc;
	while (!(rc = pieces_pass_over(im)) && pieces_next(im, &lines, &failed)) {
		struct slice_id id = pieces_name(im, lines);
		if (!lines_convert(&im->lines, lines, &events))
			return cli_fail("no memory for a piece of %zu bytes", lines.n);
		if ((rc = post_slice(im, &id, events)))
			return rc;
		pieces_consumed(im, lines.n, id.lines);
	}
	if (!rc && failed)
		rc = cli_fail("%s", err_text());
	if (rc)
		return rc;
	if (im->dry)
		return EXIT_FINE;
	if (!client_post(im->cli, "/v1/settle", STR(""), &r))
		return EXIT_WRONG;
	long status = r.status;
	buf_done(&r.body);
	if (status == 200)
		return EXIT_FINE;
	return cli_fail("everything is journalled, but the server has not folded it all yet");
}
