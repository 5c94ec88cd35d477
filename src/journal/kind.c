/* What journals of every kind begin and end with. */
#include "kind.h"
#include <stdlib.h>

enum err journal_begin(struct journal *j, const struct journal_kind *kind, unsigned shards)
{
	*j = (struct journal){.kind = kind, .lanes = shards + 1};
	j->last = calloc(j->lanes, sizeof *j->last);
	j->committed = calloc(j->lanes, sizeof *j->committed);
	return j->last && j->committed ? OK : err_set(ERR_NOMEM, "no memory");
}

void journal_end(struct journal *j)
{
	free(j->last);
	free(j->committed);
}
