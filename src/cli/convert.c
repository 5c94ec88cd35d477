/* CSV (RFC 4180) to NDJSON, a line at a time; a quoted field has no line end in it.
 *
 * The header says what stands between the columns: comma, semicolon (spreadsheets of half of
 * Europe), tab or bar. A comma or semicolon outside of quotes wins over the others, because a tab
 * or a bar may stand in a name. Excel's first line "sep=;" is passed over. */
#include "convert.h"

#include "crumb/partners/format.h"

#define COLUMNS_MOST 64

/* Appends the next field to `scratch`; *out is a view of it. A quote within quotes is doubled. A
 * rest without a pointer is the end of the line: behind the last separator one more, empty, field
 * stands. */
static bool next_field(char separator, struct str *rest, struct buf *scratch, struct str *out)
{
	if (!rest->p)
		return false;
	size_t from = scratch->n;
	if (rest->n && rest->p[0] == '"') {
		size_t i = 1;
		for (; i < rest->n; i++) {
			if (rest->p[i] == '"' && i + 1 < rest->n && rest->p[i + 1] == '"')
				i++;
			else if (rest->p[i] == '"')
				break;
			buf_add(scratch, &rest->p[i], 1);
		}
		*rest = str_skip(*rest, i + 1);
		size_t comma = str_find(*rest, separator);
		*rest = comma < rest->n ? str_skip(*rest, comma + 1) : str_make(NULL, 0);
	} else {
		struct str plain;
		str_cut(rest, separator, &plain);
		buf_str(scratch, str_trim(plain));
	}
	*out = str_make(scratch->n > from ? scratch->p + from : "", scratch->n - from);
	return true;
}

static const char *name_of(const struct convert *c, unsigned column)
{
	const char *p = c->names.p;
	while (column-- > 0)
		p += strlen(p) + 1;
	return p;
}

static char separator_of(struct str header)
{
	unsigned comma = 0, semicolon = 0, tab = 0, bar = 0;
	bool inside = false;
	for (size_t i = 0; i < header.n; i++) {
		inside ^= header.p[i] == '"';
		comma += !inside && header.p[i] == ',';
		semicolon += !inside && header.p[i] == ';';
		tab += !inside && header.p[i] == '\t';
		bar += !inside && header.p[i] == '|';
	}
	if (comma || semicolon)
		return comma ? ',' : ';';
	if (tab)
		return '\t';
	return bar ? '|' : ',';
}

/* False: there is no column `id`, or none that says what. */
static bool read_header(struct convert *c, struct str line)
{
	struct buf scratch = {0};
	struct str f;
	c->id = c->segment = c->expires = c->action = -1;
	/* room for the whole line: the fields are views, so scratch must not move */
	CHECK(buf_reserve(&scratch, line.n + 1));
	c->separator = separator_of(line);
	while (c->columns < COLUMNS_MOST && next_field(c->separator, &line, &scratch, &f)) {
		int at = (int)c->columns++;
		buf_str(&c->names, f);
		buf_add(&c->names, "", 1);
		if (str_ieq(f, STR("id")))
			c->id = at;
		else if (str_ieq(f, STR("segment")))
			c->segment = at;
		else if (str_ieq(f, STR("expires")))
			c->expires = at;
		else if (str_ieq(f, STR("action")))
			c->action = at;
	}
	buf_done(&scratch);
	return c->id >= 0 && (c->attributes || c->segment >= 0);
}

static void put_pair(struct buf *out, const char *name, struct str value)
{
	buf_c(out, ",");
	format_json(out, str_c(name));
	buf_c(out, ":");
	format_json(out, value);
}

/* A row has as many fields as the header. An empty value of `expires` or `action` is left out; an
 * empty attribute is a value. */
static bool csv_line(struct convert *c, struct str line, struct buf *out)
{
	struct buf scratch = {0};
	struct str f[COLUMNS_MOST];
	unsigned n = 0;
	if (!c->header && line.n == 5 && str_ieq(str_make(line.p, 4), STR("sep=")))
		return true;
	if (!c->header) {
		c->header = true;
		return read_header(c, line);
	}
	if (c->id < 0)
		return false;
	CHECK(buf_reserve(&scratch, line.n + 1));
	while (n < c->columns && next_field(c->separator, &line, &scratch, &f[n]))
		n++;
	bool fine = n == c->columns && !line.p;
	if (fine) {
		buf_c(out, "{\"id\":");
		format_json(out, f[c->id]);
		if (c->segment >= 0 && !c->attributes)
			put_pair(out, "segment", f[c->segment]);
		if (c->expires >= 0 && f[c->expires].n)
			put_pair(out, "expires", f[c->expires]);
		if (c->action >= 0 && f[c->action].n)
			put_pair(out, "action", f[c->action]);
		if (c->attributes)
			buf_c(out, ",\"attributes\":{");
		for (unsigned i = 0, any = 0; c->attributes && i < n; i++) {
			if ((int)i == c->id || (int)i == c->expires || (int)i == c->action)
				continue;
			if (any++)
				buf_c(out, ",");
			format_json(out, str_c(name_of(c, i)));
			buf_c(out, ":");
			format_json(out, f[i]);
		}
		buf_c(out, c->attributes ? "}}\n" : "}\n");
	}
	buf_done(&scratch);
	return fine;
}

void convert_csv(struct convert *c, bool attributes)
{
	*c = (struct convert){.line = csv_line, .attributes = attributes, .id = -1};
}

void convert_done(struct convert *c)
{
	buf_done(&c->names);
}
