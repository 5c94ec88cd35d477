/* What the model of a lookalike says, as JSON: the same for `lookalike curve`, `lookalike explain`
 * and the API. A model is a file among the rules (rules/like.h), whose numbers went through the
 * gate when it was trained. Any thread; the rules are the caller's for as long as the call. */
#ifndef CRUMB_ANSWERS_MODEL_ANSWER_H
#define CRUMB_ANSWERS_MODEL_ANSWER_H

#include "crumb/rules/rules.h"

struct json_t;

/* The file of a lookalike's model, for json_decref(), and the number of its segment.
 * ERR_NOT_FOUND: there is no lookalike of that id, or it was not trained yet. */
enum err model_file(
    const struct rules *r, struct str id, uint16_t *segment, struct json_t **out) MUST_CHECK;
/* Of a file: {"id","trained","auc","activity_auc","lift_at_10","curve":[…]} */
struct json_t *model_curve(struct str id, const struct json_t *file);
/* Of a file: {"id","trained","warnings","features":[{"f","w","seed","others","words"}]} */
struct json_t *model_features(const struct rules *r, struct str id, const struct json_t *file);
#define MODEL_WORDS 400 /* bytes of the words for a feature, with the zero */
/* The words for a feature's name. A category that is gone has only its name. */
const char *model_words(const struct rules *r, const char *name, char out[MODEL_WORDS]);

#endif
