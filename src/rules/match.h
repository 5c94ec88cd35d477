/* Inside the rules layer. */
#ifndef CRUMB_SRC_RULES_MATCH_H
#define CRUMB_SRC_RULES_MATCH_H

struct rules_matcher;
void rules_matcher_free(struct rules_matcher *m);

#endif
