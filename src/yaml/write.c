/* Which style a text can have, and the text in that style. What is in doubt gets quotes: quotes are
 * never wrong. */
#include "crumb/yaml/write.h"

#include "crumb/base/code.h"
#include "crumb/yaml/yaml.h"

#include <jansson.h>

/* Characters that only double quotes can hold: control characters, line ends of other worlds (NEL,
 * LS, PS), the byte order mark, and what YAML does not count as printable. */
static bool wants_escape(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0xfeff ||
	       c == 0xfffe || c == 0xffff;
}

/* The next character, which is cut off; the text is UTF-8. */
static uint32_t next(struct str *s)
{
	uint8_t lead = (uint8_t)s->p[0];
	size_t n = utf8_length(lead);
	if (n > s->n)
		n = s->n;
	uint32_t c = n == 1 ? lead : lead & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++)
		c = c << 6 | ((uint8_t)s->p[i] & 0x3f);
	*s = str_skip(*s, n);
	return c;
}

bool yaml_write_is_escaped(struct str s)
{
	while (s.n)
		if (wants_escape(next(&s)))
			return true;
	return false;
}

bool yaml_write_is_plain(struct str s, enum yaml_around around)
{
	if (!s.n || s.p[0] == ' ' || s.p[s.n - 1] == ' ' || s.p[s.n - 1] == ':')
		return false;
	if (chr_one_of(s.p[0], "-?:,[]{}#&*!|>'\"%@`=<~") || str_starts(s, STR("...")))
		return false;
	if (str_has(s, STR(": ")) || str_has(s, STR(" #")) || yaml_taken_for(s))
		return false;
	for (size_t i = 0; around == YAML_IN_FLOW && i < s.n; i++)
		if (chr_one_of(s.p[i], ",[]{}?"))
			return false;
	return !yaml_write_is_escaped(s);
}

static void put_single(struct str s, struct buf *out)
{
	buf_c(out, "'");
	for (size_t i = 0; i < s.n; i++) {
		buf_add(out, s.p + i, 1);
		if (s.p[i] == '\'')
			buf_c(out, "'");
	}
	buf_c(out, "'");
}

static void put_double(struct str s, struct buf *out)
{
	buf_c(out, "\"");
	while (s.n) {
		const char *from = s.p;
		uint32_t c = next(&s);
		if (c == '"' || c == '\\')
			buf_addf(out, "\\%c", (char)c);
		else if (c == '\n')
			buf_c(out, "\\n");
		else if (c == '\t')
			buf_c(out, "\\t");
		else if (wants_escape(c) && c < 0x100)
			buf_addf(out, "\\x%02x", c);
		else if (wants_escape(c))
			buf_addf(out, "\\u%04x", c);
		else
			buf_add(out, from, (size_t)(s.p - from));
	}
	buf_c(out, "\"");
}

void yaml_write_text(
    struct str s, enum yaml_around around, enum yaml_quotes quotes, struct buf *out)
{
	if (quotes == YAML_DOUBLE || yaml_write_is_escaped(s))
		put_double(s, out);
	else if (quotes == YAML_SINGLE || !yaml_write_is_plain(s, around))
		put_single(s, out);
	else
		buf_str(out, s);
}

static void put_list(const json_t *v, struct buf *out)
{
	size_t i;
	json_t *one;
	buf_c(out, "[");
	json_array_foreach(v, i, one)
	{
		buf_c(out, i ? ", " : "");
		yaml_write_value(one, YAML_IN_FLOW, YAML_UNQUOTED, out);
	}
	buf_c(out, "]");
}

static void put_map(const json_t *v, struct buf *out)
{
	const char *key, *between = "";
	json_t *one;
	buf_c(out, "{");
	json_object_foreach((json_t *)(uintptr_t)v, key, one)
	{
		buf_c(out, between);
		yaml_write_text(str_c(key), YAML_IN_FLOW, YAML_UNQUOTED, out);
		buf_c(out, ": ");
		yaml_write_value(one, YAML_IN_FLOW, YAML_UNQUOTED, out);
		between = ", ";
	}
	buf_c(out, "}");
}

void yaml_write_value(
    const struct json_t *v, enum yaml_around around, enum yaml_quotes quotes, struct buf *out)
{
	if (json_is_string(v))
		yaml_write_text(
		    str_make(json_string_value(v), json_string_length(v)), around, quotes, out);
	else if (json_is_integer(v))
		buf_addf(out, "%lld", (long long)json_integer_value(v));
	else if (json_is_real(v))
		buf_addf(out, "%.15g", json_real_value(v));
	else if (json_is_boolean(v))
		buf_c(out, json_is_true(v) ? "true" : "false");
	else if (json_is_array(v))
		put_list(v, out);
	else if (json_is_object(v))
		put_map(v, out);
}

bool yaml_write_is_block(struct str s)
{
	struct str line, rest = s;
	bool words = false;
	if (str_find(s, '\n') == s.n)
		return false;
	while (str_cut(&rest, '\n', &line)) {
		words |= str_trim(line).n > 0;
		if (yaml_write_is_escaped(line))
			return false;
	}
	return words;
}

/* What is behind '|' tells how the block ends, and how far it is indented where that cannot be seen
 * from its first line. */
void yaml_write_block(
    struct str s, size_t indent, const char *end, struct buf *header, struct buf *lines)
{
	struct str line;
	bool seen = s.p[0] != ' ' && s.p[0] != '\n';
	const char *chomp = "-";
	if (s.p[s.n - 1] == '\n') {
		s.n--;
		chomp = s.n && s.p[s.n - 1] == '\n' ? "+" : "";
	}
	buf_addf(header, "|%s%s", seen ? "" : "2", chomp);
	for (const char *between = ""; str_cut(&s, '\n', &line); between = end)
		buf_addf(
		    lines, "%s%*s" STR_FMT, between, line.n ? (int)indent : 0, "", STR_ARG(line));
}
