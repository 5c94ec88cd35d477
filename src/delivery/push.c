#include "crumb/delivery/push.h"

#include "crumb/base/memory.h"
#include "crumb/base/code.h"

#include <curl/curl.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#define ANSWER_MOST (8u << 20)
#define SECRET_MOST 1024

/* --- answers */

static void clean_put(struct buf *out, struct str s, size_t most)
{
	for (size_t i = 0; i < s.n && i < most; i++)
		buf_add(out, (uint8_t)s.p[i] < ' ' ? " " : &s.p[i], 1);
}

static void refuse(struct push_answer *out, struct str id, struct str segment, struct str code, struct str message)
{
	out->refused_n++;
	clean_put(&out->refused, id, 256);
	buf_c(&out->refused, "\t");
	clean_put(&out->refused, segment.n ? segment : STR("*"), 256);
	buf_c(&out->refused, "\t");
	clean_put(&out->refused, code, 64);
	buf_c(&out->refused, "\t");
	clean_put(&out->refused, message, 200);
	buf_c(&out->refused, "\n");
}

static struct str text_at(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);
	return json_is_string(v) ? str_make(json_string_value(v), json_string_length(v)) : STR("");
}

/* {} or {"FailedLines":[{"TDID","DataName","ErrorCode","Message",…}]}: a success does not mean that all of it was taken. */
void push_read_ttd(struct str answer, struct push_answer *out)
{
	static const char *const ids[] = {"TDID", "DAID", "UID2", "UID2Token", "RampID", "CoreID", "EUID", "EUIDToken", "ID5", "NetID", "FirstID",
	    "UtiqID", "MerkuryID", "IqviaPPID", "DataProviderUserId"};
	json_error_t error;
	json_t *root = json_loadb(answer.n ? answer.p : "", answer.n, 0, &error), *row;
	size_t i;
	out->verdict = json_is_object(root) ? PUSH_TAKEN : PUSH_LATER;
	if (!json_is_object(root))
		snprintf(out->why, sizeof out->why, "the answer is no JSON object");
	json_array_foreach(json_object_get(root, "FailedLines"), i, row)
	{
		struct str id = STR("");
		for (size_t k = 0; k < sizeof ids / sizeof *ids && !id.n; k++)
			id = text_at(row, ids[k]);
		if (id.n)
			refuse(out, id, text_at(row, "DataName"), text_at(row, "ErrorCode"), text_at(row, "Message"));
		else
			out->verdict = PUSH_UNCERTAIN;
	}
	json_decref(root);
}

/* --- protobuf: UpdateUsersDataResponse */

struct pb {
	const uint8_t *p, *end;
	bool bad;
};

static uint64_t pb_varint(struct pb *b)
{
	uint64_t v = 0;
	for (unsigned shift = 0; b->p < b->end && shift < 64; shift += 7) {
		uint8_t c = *b->p++;
		v |= (uint64_t)(c & 0x7f) << shift;
		if (!(c & 0x80))
			return v;
	}
	b->bad = true;
	return 0;
}

/* The next field: its number, and its value as a number or as bytes. */
static bool pb_field(struct pb *b, unsigned *field, uint64_t *number, struct str *bytes)
{
	if (b->bad || b->p >= b->end)
		return false;
	uint64_t tag = pb_varint(b);
	*field = (unsigned)(tag >> 3);
	*bytes = STR("");
	*number = 0;
	size_t left = (size_t)(b->end - b->p), skip = 0;
	switch (tag & 7) {
	case 0:
		*number = pb_varint(b);
		break;
	case 1:
		skip = 8;
		break;
	case 2:
		skip = (size_t)pb_varint(b);
		left = (size_t)(b->end - b->p);
		if (!b->bad && skip <= left)
			*bytes = str_make((const char *)b->p, skip);
		break;
	case 5:
		skip = 4;
		break;
	default:
		b->bad = true;
	}
	if (skip > left)
		b->bad = true;
	else
		b->p += skip;
	return !b->bad;
}

static void google_error(struct str message, struct push_answer *out)
{
	struct pb b = {(const uint8_t *)message.p, (const uint8_t *)message.p + message.n, false};
	unsigned field;
	uint64_t n, code = 0, list = 0;
	struct str bytes, id = STR("");
	char list_text[24], code_text[24];
	while (pb_field(&b, &field, &n, &bytes)) {
		if (field == 2)
			list = n;
		else if (field == 3)
			id = bytes;
		else if (field == 4)
			code = n;
	}
	snprintf(list_text, sizeof list_text, "%llu", (unsigned long long)list);
	snprintf(code_text, sizeof code_text, "%llu", (unsigned long long)code);
	if (b.bad || !id.n)
		out->verdict = PUSH_UNCERTAIN;
	else
		refuse(out, id, list ? str_c(list_text) : STR(""), str_c(code_text), STR(""));
}

#define GOOGLE_NO_ERROR 0
#define GOOGLE_PARTIAL 1
#define GOOGLE_INTERNAL 10

void push_read_google(struct str answer, struct push_answer *out)
{
	struct pb b = {(const uint8_t *)(answer.n ? answer.p : ""), (const uint8_t *)(answer.n ? answer.p : "") + answer.n, false};
	unsigned field;
	uint64_t n, status = GOOGLE_NO_ERROR;
	struct str bytes;
	out->verdict = PUSH_TAKEN;
	while (pb_field(&b, &field, &n, &bytes)) {
		if (field == 1)
			status = n;
		else if (field == 2)
			google_error(bytes, out);
	}
	if (b.bad || status == GOOGLE_INTERNAL)
		out->verdict = PUSH_LATER;
	else if (status != GOOGLE_NO_ERROR && status != GOOGLE_PARTIAL)
		out->verdict = PUSH_NEVER;
	else if (status == GOOGLE_PARTIAL && !out->refused_n)
		out->verdict = PUSH_UNCERTAIN;
	snprintf(out->why, sizeof out->why, b.bad ? "the answer is no UpdateUsersDataResponse" : "Google's status %llu", (unsigned long long)status);
}

/* --- requests */

static struct curl_slist *add_header(struct curl_slist *list, const char *name, const char *value)
{
	char line[SECRET_MOST + 300];
	snprintf(line, sizeof line, "%s: %s", name, value);
	struct curl_slist *more = curl_slist_append(list, line);
	if (!more)
		memory_none(); /* nothing is sent without it */
	return more ? more : list;
}

static struct str sign_of(const struct destination *d, const char *name)
{
	return setting_get(d->sign, d->sign_n, name);
}

/* base64(HMAC-SHA1(secret, body)), as The Trade Desk's older authentication wants it (TtdSignature; TtdSignature-dp for a data provider). */
static enum err ttd_signature(struct curl_slist **list, const char *header, struct str secret, struct str body)
{
	char key[SECRET_MOST], text[64];
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	enum err e = setting_resolve(secret, key, sizeof key);
	if (e)
		return e;
	bool made = HMAC(EVP_sha1(), key, (int)strlen(key), (const uint8_t *)body.p, body.n, mac, &n);
	sodium_memzero(key, sizeof key);
	if (!made)
		return err_set(ERR_NOMEM, "no memory for this now");
	EVP_EncodeBlock((unsigned char *)text, mac, (int)n);
	*list = add_header(*list, header, text);
	return OK;
}

/* Crumb-Signature: t=SECONDS,v1=HEX of HMAC-SHA256(secret, SECONDS "." body) */
static enum err own_signature(struct curl_slist **list, struct str secret, struct str body, uint32_t now)
{
	char key[SECRET_MOST], text[crypto_auth_hmacsha256_BYTES * 2 + 40];
	uint8_t mac[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state s;
	enum err e = setting_resolve(secret, key, sizeof key);
	if (e)
		return e;
	crypto_auth_hmacsha256_init(&s, (const uint8_t *)key, strlen(key));
	sodium_memzero(key, sizeof key);
	snprintf(text, sizeof text, "%u.", now);
	crypto_auth_hmacsha256_update(&s, (const uint8_t *)text, strlen(text));
	crypto_auth_hmacsha256_update(&s, (const uint8_t *)body.p, body.n);
	crypto_auth_hmacsha256_final(&s, mac);
	int n = snprintf(text, sizeof text, "t=%u,v1=", now);
	hex_encode(mac, sizeof mac, text + n);
	text[(size_t)n + 2 * sizeof mac] = 0;
	*list = add_header(*list, "Crumb-Signature", text);
	return OK;
}

static enum err headers_for(const struct destination *d, struct str body, const char *key, uint32_t now, struct curl_slist **list)
{
	enum err e = OK;
	*list = add_header(NULL, "Content-Type", format_infos[d->format].content_type);
	*list = add_header(*list, "Idempotency-Key", key);
	*list = add_header(*list, "Expect", "");
	if (d->compress == COMPRESS_GZ)
		*list = add_header(*list, "Content-Encoding", "gzip");
	for (unsigned i = 0; i < d->headers_n && !e; i++) {
		char name[200], value[SECRET_MOST];
		snprintf(name, sizeof name, STR_FMT, STR_ARG(d->headers[i].name));
		if (!(e = setting_resolve(d->headers[i].value, value, sizeof value)))
			*list = add_header(*list, name, value);
		sodium_memzero(value, sizeof value);
	}
	if (!e && str_eq(sign_of(d, "kind"), STR("ttd"))) {
		e = ttd_signature(list, "TtdSignature", sign_of(d, "secret"), body);
		if (!e && sign_of(d, "dp_secret").n)
			e = ttd_signature(list, "TtdSignature-dp", sign_of(d, "dp_secret"), body);
	} else if (!e && str_eq(sign_of(d, "kind"), STR("hmac-sha256"))) {
		e = own_signature(list, sign_of(d, "secret"), body, now);
	}
	return e;
}

static size_t keep_answer(char *p, size_t size, size_t n, void *arg)
{
	struct buf *b = arg;
	if (b->n + size * n > ANSWER_MOST)
		return 0;
	buf_add(b, p, size * n);
	return size * n;
}

static int look_up(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const _Atomic bool *stop = arg;
	(void)a, (void)b, (void)c, (void)d;
	return atomic_load(stop);
}

static void start_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void judge(const struct destination *d, long status, struct str answer, curl_off_t after, struct push_answer *out)
{
	if (status >= 200 && status < 300) {
		out->verdict = PUSH_TAKEN;
		if (d->format == FORMAT_TTD_ADVERTISER || d->format == FORMAT_TTD_THIRDPARTY)
			push_read_ttd(answer, out);
		else if (d->format == FORMAT_GOOGLE_BULK)
			push_read_google(answer, out);
		return;
	}
	out->verdict = status == 408 || status == 425 || status == 429 || status >= 500 ? PUSH_LATER : PUSH_NEVER;
	out->after_s = after > 0 && after < 86400 ? (uint32_t)after : 0;
	int n = snprintf(out->why, sizeof out->why, "status %ld", status);
	struct buf words = {0};
	clean_put(&words, answer, 150);
	if (words.n)
		snprintf(out->why + n, sizeof out->why - (size_t)n, ": " STR_FMT, STR_ARG(buf_view(&words)));
	buf_done(&words);
}

void push_file(
    const struct destination *d, struct str body, const char *idempotency_key, uint32_t now, const _Atomic bool *stop, struct push_answer *out)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	char url[4096];
	struct buf answer = {0};
	struct curl_slist *headers = NULL;
	long status = 0;
	curl_off_t after = 0;
	pthread_once(&once, start_curl);
	*out = (struct push_answer){.verdict = PUSH_LATER};
	snprintf(url, sizeof url, STR_FMT, STR_ARG(d->where));
	CURL *c = curl_easy_init();
	if (!c) {
		snprintf(out->why, sizeof out->why, "no memory for this now");
		return;
	}
	if (headers_for(d, body, idempotency_key, now, &headers) != OK || memory_check() != OK) {
		out->verdict = PUSH_LATER; /* somebody can set the secret */
		snprintf(out->why, sizeof out->why, "%s", err_text());
	} else {
		curl_easy_setopt(c, CURLOPT_URL, url);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, body.p);
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
		curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
		curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)d->timeout_s);
		curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
		curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
		curl_easy_setopt(c, CURLOPT_NOPROXY, "127.0.0.1,localhost,::1");
		curl_easy_setopt(c, CURLOPT_USERAGENT, "crumb");
		curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, keep_answer);
		curl_easy_setopt(c, CURLOPT_WRITEDATA, &answer);
		if (stop) {
			curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
			curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, look_up);
			curl_easy_setopt(c, CURLOPT_XFERINFODATA, (void *)(uintptr_t)stop);
		}
		CURLcode rc = curl_easy_perform(c);
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
		curl_easy_getinfo(c, CURLINFO_RETRY_AFTER, &after);
		if (rc != CURLE_OK)
			snprintf(out->why, sizeof out->why, "%s", curl_easy_strerror(rc));
		else
			judge(d, status, answer.n ? buf_view(&answer) : STR(""), after, out);
	}
	curl_slist_free_all(headers);
	curl_easy_cleanup(c);
	buf_done(&answer);
}

void push_answer_done(struct push_answer *a)
{
	buf_done(&a->refused);
}
