/* What stays of a block's records when some visitors are to go. Records that belong to no visitor
 * stay, and so do records of erasures: they say that somebody is to be gone. */
#include "kind.h"

#include "crumb/model/record.h"

enum err journal_sift(struct str records, bool (*drop)(void *, const struct vkey *), void *arg,
    struct buf *kept, struct sifted *out)
{
	struct mp m = mp_over(records);
	*out = (struct sifted){0};
	while (m.p < m.end) {
		const char *from = (const char *)m.p;
		struct mp all = m;
		struct vkey visitor;
		bool theirs = record_skip_forgotten(&m, &visitor);
		if (m.bad || (!theirs && (m = all, mp_skip(&m), m.bad)))
			return err_set(ERR_CORRUPT, "journal: these bytes are no record");
		struct str one = str_make(from, (size_t)((const char *)m.p - from));
		if (theirs && drop(arg, &visitor)) {
			out->gone++;
			out->events += ledger_events(one);
			continue;
		}
		buf_str(kept, one);
		out->left++;
	}
	return kept->failed ? err_set(ERR_NOMEM, "no memory") : OK;
}
