/* How deep a text is nested. libyaml itself is asked, but event by event and only until it is too
 * deep, which costs no more than the length of what was read; a text that cannot be deep is not
 * given to libyaml at all. */
#include "crumb/yaml/deep.h"

#include "crumb/base/err.h"

#include <yaml.h>

/* Most files cannot be deep: this many brackets, or this many blanks and marks at the beginning of
 * one line, are never open at once. */
static bool may_be_deep(struct str text)
{
	size_t open = 0, indent = 0;
	bool start = true;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if (c == '\n') {
			start = true;
			indent = 0;
		} else if (start && (c == ' ' || c == '-' || c == '?' || c == ':')) {
			if (++indent > YAML_DEPTH_MOST)
				return true;
		} else {
			start = false;
		}
		/* brackets that are closed on the way count no more, but in a text they may close
		 * nothing: only those that open count */
		open += c == '[' || c == '{';
	}
	return open > YAML_DEPTH_MOST;
}

/* Depth rises at the beginning of a map or a list and falls at its end. */
bool yaml_deep(struct str text, size_t *at)
{
	yaml_parser_t parser;
	yaml_event_t event;
	int depth = 0;
	bool end = false, deep = false;
	if (!may_be_deep(text))
		return false;
	CHECK(yaml_parser_initialize(&parser));
	yaml_parser_set_input_string(
	    &parser, (const unsigned char *)(text.n ? text.p : ""), text.n);
	while (!end && !deep && yaml_parser_parse(&parser, &event)) {
		depth += event.type == YAML_MAPPING_START_EVENT ||
			 event.type == YAML_SEQUENCE_START_EVENT;
		depth -=
		    event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT;
		end = event.type == YAML_STREAM_END_EVENT;
		deep = depth > YAML_DEPTH_MOST;
		if (deep)
			*at = event.start_mark.index;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return deep;
}
