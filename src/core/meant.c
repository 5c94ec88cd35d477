/* What a value that was refused may have meant.
 *
 * Each function tries readings that the option does not take, and says one only when it is the
 * option's own way of writing: "64k" is 65536, "ja" is yes, 10.0.0.0/255.0.0.0 is 10.0.0.0/8. The
 * value is still refused. crumb never guesses: whoever wrote it decides. */
#include "crumb/core/meant.h"

#include "crumb/base/host.h"
#include "crumb/base/near.h"
#include "crumb/base/number.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>

static const char *did_you_mean(char out[MEANT_MOST], struct str meant)
{
	snprintf(out, MEANT_MOST, "; did you mean '" STR_FMT "'?", STR_ARG(meant));
	return out;
}

/* --- numbers */

static bool among(struct str s, const char *const words[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_ieq(s, str_c(words[i])))
			return true;
	return false;
}

#define AMONG(s, words) among(s, words, sizeof(words) / sizeof *(words))

/* What the word behind a number multiplies it by. Units in which options count make 1 of it: "30d"
 * for days, "2gb" for GB. 0: the word is not known. */
static double unit(struct str s)
{
	static const char *const ones[] = {"", "%", "d", "day", "days", "s", "sec", "seconds", "ms",
	    "b", "bytes", "gb", "gib", "g", "h", "hours"};
	static const char *const k[] = {"k", "kb", "kib"};
	static const char *const m[] = {"m", "mb", "mib"};
	if (AMONG(s, ones))
		return 1;
	if (AMONG(s, k))
		return 1024;
	return AMONG(s, m) ? 1 << 20 : 0;
}

/* Reads digits, points and exponents, leaves out what separates thousands, and multiplies by the
 * unit behind. Only a whole number that is written otherwise than the value is a hint. */
const char *meant_number(struct str value, char out[MEANT_MOST])
{
	char digits[40], text[40];
	size_t n = 0, at = 0;
	double v;
	*out = 0;
	for (; at < value.n && n < sizeof digits &&
	       (chr_digit(value.p[at]) || chr_one_of(value.p[at], "+.eE_, "));
	     at++)
		if (!chr_one_of(value.p[at], "_, "))
			digits[n++] = value.p[at];
	while (n && chr_one_of(digits[n - 1], "eE")) /* no exponent, but the begin of a word */
		n--, at--;
	double times = unit(str_trim(str_skip(value, at)));
	if (!number_read(str_make(digits, n), &v) || times == 0 || v * times > 1e15)
		return out;
	v *= times;
	if (v != (double)(int64_t)v || v < 0)
		return out;
	int len = snprintf(text, sizeof text, "%lld", (long long)v);
	if (str_eq(str_make(text, (size_t)len), value))
		return out;
	return did_you_mean(out, str_make(text, (size_t)len));
}

/* --- words */

const char *meant_word(struct str value, const char *words, char out[MEANT_MOST])
{
	static const char *const yes[] = {"y", "t", "enabled", "enable", "ja", "oui"};
	static const char *const no[] = {"n", "f", "disabled", "disable", "nein", "non"};
	struct str rest = str_c(words), word;
	struct near near = near_begin(value);
	*out = 0;
	while (rest.n && str_cut(&rest, '|', &word)) {
		bool same = str_eq(word, STR("yes")) && AMONG(value, yes);
		same |= str_eq(word, STR("no")) && AMONG(value, no);
		if (same ||
		    (word.n > 2 && value.n > word.n && str_ieq(str_make(value.p, word.n), word)))
			return did_you_mean(out, word);
		near_try(&near, word);
	}
	return near.best.n ? did_you_mean(out, near.best) : out;
}

/* --- networks */

static bool is_address(struct str s, uint8_t b[16])
{
	char text[64];
	if (s.n == 0 || s.n >= sizeof text)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = 0;
	return inet_pton(AF_INET, text, b) == 1 || inet_pton(AF_INET6, text, b) == 1;
}

/* 255.255.0.0 is 16. -1: it is no mask, because its ones do not come first. */
static int mask_bits(struct str s)
{
	uint8_t b[16];
	uint32_t m, bits = 0;
	if (str_find(s, ':') < s.n || !is_address(s, b))
		return -1;
	memcpy(&m, b, sizeof m);
	m = ntohl(m);
	while (bits < 32 && m & UINT32_C(0x80000000) >> bits)
		bits++;
	return bits < 32 && m << bits ? -1 : (int)bits;
}

/* "10." and "10.*" and "192.168.": the parts that are there are the network. */
static const char *of_parts(struct str s, char out[MEANT_MOST])
{
	static const char *const more[] = {"", ".0.0.0/8", ".0.0/16", ".0/24"};
	char text[64];
	uint8_t b[16];
	size_t n = s.n, parts = 1;
	while (n && chr_one_of(s.p[n - 1], "*."))
		n--;
	for (size_t i = 0; i < n; i++)
		parts += s.p[i] == '.';
	if (n == s.n || !n || n > 40 || parts > 3)
		return out;
	int len = snprintf(text, sizeof text, "%.*s%s", (int)n, s.p, more[parts]);
	if (!is_address(str_make(text, str_find(str_make(text, (size_t)len), '/')), b))
		return out;
	return did_you_mean(out, str_make(text, (size_t)len));
}

/* In this order: names; address/mask; an address with scheme or port, or with a zone
 * (fe80::1%eth0); parts of an address. */
const char *meant_network(struct str value, char out[MEANT_MOST])
{
	static const char *const here[] = {"localhost", "loopback", "local"};
	static const char *const inside[] = {"private", "lan", "rfc1918", "docker", "uniquelocal"};
	struct host_around a = host_around(value);
	struct str mask = str_skip(value, str_find(value, '/') + 1),
		   before = str_make(value.p, str_find(value, '/'));
	char text[64];
	uint8_t b[16];
	*out = 0;
	if (AMONG(value, here))
		return did_you_mean(out, STR("127.0.0.0/8,::1"));
	if (AMONG(value, inside))
		return did_you_mean(out, STR("10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7"));
	if (mask.n && is_address(before, b) && mask_bits(mask) >= 0 && before.n < 40) {
		int len =
		    snprintf(text, sizeof text, STR_FMT "/%d", STR_ARG(before), mask_bits(mask));
		return did_you_mean(out, str_make(text, (size_t)len));
	}
	if ((a.scheme.n || a.port.n) && is_address(a.host, b))
		return did_you_mean(out, a.host);
	if (str_find(value, '%') < value.n &&
	    is_address(str_make(value.p, str_find(value, '%')), b))
		return did_you_mean(out, str_make(value.p, str_find(value, '%')));
	return of_parts(value, out);
}
