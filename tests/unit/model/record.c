/* Records of the journal, going along their rows. */
#include "records.h"

#include <stdlib.h>

/* One record of each kind with all that it has parts for, as every version since it was first
 * written has written it: [kind] = bytes. */
#define BYTES(...)                                                                                 \
	{                                                                                          \
		"" __VA_ARGS__, sizeof("" __VA_ARGS__) - 1                                         \
	}
static const struct str written[RECORD_KINDS] = {
    [RECORD_EVENT] = BYTES("\x97\x01\xc4\x10\x61\x20\x76\x69\x73\x69\x74\x6f\x72\x20\x6f\x66\x20"
			   "\x31\x36\x00\xce\x65\x53\xf1\x00\x03\x9a\xa2"
			   "\x47\x42\xa3\x45\x4e\x47\xce\x00\x02\x04\x01\xac\x73\x68\x6f\x70\x2e"
			   "\x65\x78\x61\x6d\x70\x6c\x65\xa6\x2f\x63\x6f"
			   "\x61\x74\x73\xa4\x76\x69\x65\x77\xa6\x73\x70\x72\x69\x6e\x67\x01\x82"
			   "\xa4\x73\x69\x7a\x65\xa2\x78\x6c\xa4\x74\x69"
			   "\x65\x72\xa4\x67\x6f\x6c\x64\x92\x07\xcf\x80\x00\x00\x00\x00\x00\x00"
			   "\x00\xcb\x40\x29\x00\x00\x00\x00\x00\x00\x0d"),
    [RECORD_ERASE] = BYTES("\x93\x02\xc4\x10\x61\x20\x76\x69\x73\x69\x74\x6f\x72\x20\x6f\x66\x20"
			   "\x31\x36\x00\xce\x65\x53\xf1\x00"),
    [RECORD_RULES] = BYTES("\x94\x03\xce\x65\x53\xf1\x00\xc4\x10\x61\x20\x68\x61\x73\x68\x20\x6f"
			   "\x66\x20\x72\x75\x6c\x65\x73\x2e\xc4\x0b\x76"
			   "\x65\x72\x73\x69\x6f\x6e\x3a\x20\x31\x0a"),
    [RECORD_ASIDE] = BYTES("\x99\x04\xc4\x10\x61\x20\x76\x69\x73\x69\x74\x6f\x72\x20\x6f\x66\x20"
			   "\x31\x36\x00\xce\x65\x53\xf1\x00\x03\x9a\xa2"
			   "\x47\x42\xa3\x45\x4e\x47\xce\x00\x02\x04\x01\xac\x73\x68\x6f\x70\x2e"
			   "\x65\x78\x61\x6d\x70\x6c\x65\xa6\x2f\x63\x6f"
			   "\x61\x74\x73\xa4\x76\x69\x65\x77\xa6\x73\x70\x72\x69\x6e\x67\x01\x82"
			   "\xa4\x73\x69\x7a\x65\xa2\x78\x6c\xa4\x74\x69"
			   "\x65\x72\xa4\x67\x6f\x6c\x64\x92\x07\xcf\x80\x00\x00\x00\x00\x00\x00"
			   "\x00\xcb\x40\x29\x00\x00\x00\x00\x00\x00\x0d"
			   "\x03\xaa\x31\x30\x2e\x30\x2e\x30\x2e\x30\x2f\x38"),
    [RECORD_RELEASED] =
	BYTES("\x94\x05\xce\x65\x53\xf1\x00\x02\xaa\x31\x30\x2e\x30\x2e\x30\x2e\x30\x2f\x38"),
    [RECORD_MATCH] = BYTES("\x95\x06\xc4\x10\x61\x20\x76\x69\x73\x69\x74\x6f\x72\x20\x6f\x66\x20"
			   "\x31\x36\x00\xce\x65\x53\xf1\x00\xa3\x74\x74"
			   "\x64\xa4\x69\x64\x2d\x31"),
    [RECORD_DECLARED] = BYTES("\x96\x07\xc4\x10\x61\x20\x76\x69\x73\x69\x74\x6f\x72\x20\x6f\x66\x20"
			      "\x31\x36\x00\xce\x65\x53\xf1\x00\xcd\x4c\xf4"
			      "\xa8\x6c\x69\x76\x65\x72\x61\x6d\x70\x82\xa4\x73\x69\x7a\x65\xa2\x78"
			      "\x6c\xa4\x74\x69\x65\x72\xa4\x67\x6f\x6c\x64"),
    [RECORD_TAKEN] = BYTES(
	"\x96\x08\xce\x65\x53\xf1\x00\x01\xa3\x62\x6f\x74\x03\xcf\x00\x00\x01\x00\x00\x00\x00\x00"),
    [RECORD_SLICE] = BYTES(
	"\x96\x09\xce\x65\x53\xf1\x00\xc4\x10\x74\x68\x65\x20\x68\x61\x73\x68\x20\x62\x65\x66\x6f"
	"\x72\x65\x00\xc4\x10\x61"
	"\x6e\x64\x20\x74\x68\x65\x20\x6f\x6e\x65\x20\x68\x65\x72\x65\xce\x00\x01\x11\x70\x0c"),
};

TEST(every_kind_has_a_row_that_says_all_of_it)
{
	unsigned n = 0;
	EACH_KIND(kind)
	{
		const struct record_row *row = record_row(kind);
		assert_non_null(row->name);
		assert_non_null(row->word);
		assert_non_null(row->sentence);
		assert_non_null(row->once);
		assert_true(!row->encode == !row->decode && !row->encode == !row->shape);
		assert_true(row->shape || row->parts[0].kind != PART_END);
		assert_true(row->stay == RECORD_STAYS || row->whose == RECORD_OF_VISITOR);
		if (!row->shape && row->whose == RECORD_OF_VISITOR)
			assert_int_equal(row->parts[0].kind, PART_VISITOR);
		n++;
	}
#define X(kind, number, name) +1
	assert_int_equal(n, 0 RECORDS(X));
#undef X
	assert_null(record_row(0));
	assert_null(record_row(RECORD_KINDS));
	assert_null(record_row(UINT64_MAX));
}

TEST(every_kind_is_written_as_it_always_was)
{
	EACH_KIND(kind)
	{
		struct record r = sample(kind);
		struct buf b = {0};
		record_encode(&r, &b);
		assert_int_equal(b.n, written[kind].n);
		assert_memory_equal(b.p, written[kind].p, b.n);
		buf_done(&b);
	}
}

TEST(what_is_read_is_written_again_as_the_same_bytes)
{
	static struct record r;
	EACH_KIND(kind)
	{
		struct buf b = {0};
		struct mp in = mp_over(written[kind]);
		memset(&r, 0xa5, sizeof r);
		assert_true(record_decode(&in, &r));
		assert_ptr_equal(in.p, in.end);
		assert_int_equal(r.kind, kind);
		record_encode(&r, &b);
		assert_true(str_eq(buf_view(&b), written[kind]));
		buf_done(&b);
	}
}

TEST(skipping_passes_over_one_record_and_says_whose_it_is)
{
	EACH_KIND(kind)
	{
		const struct record_row *row = record_row(kind);
		struct buf two = {0};
		struct vkey k;
		buf_str(&two, written[kind]);
		buf_str(&two, written[RECORD_MATCH]);
		const uint8_t *second = (const uint8_t *)two.p + written[kind].n;
		struct mp all = mp_over(buf_view(&two)), in = all;
		assert_int_equal(record_skip(&in, &k), row->whose == RECORD_OF_VISITOR);
		if (row->whose == RECORD_OF_VISITOR) {
			assert_ptr_equal(in.p, second);
			assert_memory_equal(&k, "a visitor of 16", sizeof k);
		}
		in = all;
		assert_int_equal(record_skip_forgotten(&in, &k),
		    row->whose == RECORD_OF_VISITOR && row->stay == RECORD_FORGOTTEN);
		in = all;
		assert_int_equal(record_skip_counted(&in), kind == RECORD_EVENT);
		assert_ptr_equal(in.p, second);
		buf_done(&two);
	}
}

TEST(a_record_that_is_cut_off_is_refused)
{
	static struct record r;
	EACH_KIND(kind)
	{
		for (size_t n = 0; n < written[kind].n; n++) {
			char *part =
			    malloc(n + 1); /* of its own, so that a sanitizer sees who reads on */
			struct vkey k;
			assert_non_null(part);
			memcpy(part, written[kind].p, n);
			struct mp all = mp_over(str_make(part, n)), in = all;
			assert_false(record_decode(&in, &r));
			in = all;
			assert_false(record_skip(&in, &k));
			in = all;
			assert_false(record_skip_counted(&in));
			free(part);
		}
	}
}

TEST(a_record_with_a_part_too_many_or_of_no_kind_is_refused)
{
	static struct record r;
	EACH_KIND(kind)
	{
		char more[256] = "";
		struct str was = written[kind];
		memcpy(more, was.p, was.n);
		more[0]++; /* an element more, nil */
		more[was.n] = (char)0xc0;
		struct mp in = mp_over(str_make(more, was.n + 1));
		assert_false(record_decode(&in, &r) && in.p == in.end);
	}
	/* rules whose hash is none */
	struct mp rules = mp_over(STR("\x94\x03\xce\x65\x53\xf1\x00\xc4\x09too short\xc4\x00"));
	assert_false(record_decode(&rules, &r));
	struct mp none = mp_over(STR("\x92\x0a\x01")),
		  huge = mp_over(STR("\x92\xcf\x00\x00\x00\x01\x00\x00\x00\x01\x01"));
	assert_false(record_decode(&none, &r));
	assert_false(record_decode(&huge, &r));
}

TEST(an_identity_is_the_same_for_the_same_record_and_for_no_other)
{
	EACH_KIND(kind)
	{
		struct record r = sample(kind), other;
		struct hash16 id, again;
		bool any = record_identity(&r, &id);
		assert_int_equal(any, !record_row(kind)->shape);
		if (!any)
			continue;
		assert_true(record_identity(&r, &again));
		assert_memory_equal(&id, &again, sizeof id);
		EACH_KIND(k)
		{
			other = sample(k);
			if (k != kind && record_identity(&other, &again))
				assert_memory_not_equal(&id, &again, sizeof id);
		}
		for (const struct record_part *part = record_row(kind)->parts;
		     part->kind != PART_END; part++) {
			if (part->kind == PART_TEXT || part->kind == PART_BYTES ||
			    part->kind == PART_ATTRS)
				continue;
			other = r;
			((uint8_t *)&other)[part->at] ^= 4;
			assert_true(record_identity(&other, &again));
			assert_int_equal(memcmp(&id, &again, sizeof id) != 0, part->tells);
		}
	}
}

UNIT_TESTS(cmocka_unit_test(every_kind_has_a_row_that_says_all_of_it),
    cmocka_unit_test(every_kind_is_written_as_it_always_was),
    cmocka_unit_test(what_is_read_is_written_again_as_the_same_bytes),
    cmocka_unit_test(skipping_passes_over_one_record_and_says_whose_it_is),
    cmocka_unit_test(a_record_that_is_cut_off_is_refused),
    cmocka_unit_test(a_record_with_a_part_too_many_or_of_no_kind_is_refused),
    cmocka_unit_test(an_identity_is_the_same_for_the_same_record_and_for_no_other))
