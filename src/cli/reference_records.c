/* reference records: the records of the journal (model/record.h), with the shape in which each lies
 * in a block, and the parts that tell one record from another. */
#include "references.h"

#include "crumb/model/record.h"

/* The shape, such as "[3, time, hash, text]", and the names of the parts of the identity. */
static void parts_of(
    const struct record_row *row, unsigned kind, struct buf *shape, json_t *identity)
{
	buf_addf(shape, "[%u", kind);
	if (row->shape)
		buf_addf(shape, ", %s", row->shape);
	for (unsigned i = 0; i < RECORD_PARTS_MAX && row->parts[i].kind != PART_END; i++) {
		buf_addf(shape, ", %s", row->parts[i].name);
		if (row->parts[i].tells)
			reference_add(identity, json_string(row->parts[i].name));
	}
	buf_c(shape, "]");
}

static json_t *record(const struct record_row *row, unsigned kind)
{
	static const char *const whose[] = {[RECORD_OF_VISITOR] = "visitor",
	    [RECORD_OF_SHARDS] = "shards",
	    [RECORD_OF_STORE] = "store"};
	struct buf shape = {0};
	json_t *identity = json_array();
	parts_of(row, kind, &shape, identity);
	json_t *told = json_pack("{s:i,s:s,s:s,s:s,s:b,s:s%,s:o,s:s,s:s}", "kind", (int)kind,
	    "name", row->name, "word", row->word, "whose", whose[row->whose], "forgotten",
	    row->stay == RECORD_FORGOTTEN, "shape", shape.p, shape.n, "identity", identity,
	    "sentence", row->sentence, "once", row->once);
	buf_done(&shape);
	return told;
}

json_t *reference_records(const struct cli *c)
{
	json_t *rows = json_array();
	(void)c;
	for (unsigned kind = 0; kind < RECORD_KINDS; kind++)
		if (record_row(kind))
			reference_add(rows, record(record_row(kind), kind));
	return rows;
}
