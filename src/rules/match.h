/* Inside the rules layer. */
#ifndef CRUMB_RULES_MATCH_INSIDE_H
#define CRUMB_RULES_MATCH_INSIDE_H

struct rules_matcher;
void rules_matcher_free(struct rules_matcher *m);

#endif
