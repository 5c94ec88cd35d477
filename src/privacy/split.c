/* Who is held out of a segment: privacy/split.h has the formula. */
#include "crumb/privacy/split.h"

bool split_held_out(
    const struct identity_keys *k, struct str segment, unsigned target, const struct vkey *v)
{
	char text[200];
	if (target >= 100)
		return false;
	size_t n = segment.n < 150 ? segment.n : 150;
	memcpy(text, "split ", 6);
	memcpy(text + 6, segment.p, n);
	memcpy(text + 6 + n, v->b, sizeof v->b);
	return hash_keyed64(&k->exported, text, 6 + n + sizeof v->b) % 100 >= target;
}
