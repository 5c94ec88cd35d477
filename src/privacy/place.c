/* Places of networks, from a MaxMind DB file by libmaxminddb.
 *
 * The library trusts its file: a record of the tree that points outside of it would read foreign
 * memory. So the file is copied to memory that nobody else can write to (place_copy()), and the
 * tree is walked once when it is opened (tree_is_whole()).
 *
 * A hit's address was cut to its network before. A file may have smaller blocks than that, so the
 * parts of the network are asked for one after the other until one has a country
 * (place_db_find()). */
#include "crumb/privacy/place.h"

#include "crumb/base/code.h"
#include "crumb/privacy/country.h"

#include <errno.h>
#include <fcntl.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCKS_MAX 256 /* parts of one network that are asked for: a /24 has so many addresses */

struct place_db {
	_Atomic int refs;
	MMDB_s mmdb;
};

/* A copy that nobody else can write to or cut. With a map of the file itself, cutting the file
 * would end the process by a signal. *out is a descriptor for the caller to close. */
static enum err place_copy(const char *file, int *out)
{
	struct stat st;
	int from = open(file, O_RDONLY | O_CLOEXEC), to = -1;
	enum err e = OK;
	if (from < 0 || fstat(from, &st) != 0)
		e = err_sys("%s", file);
	else if (!S_ISREG(st.st_mode))
		e = err_set(ERR_USAGE, "%s is no file", file);
	else if ((to = memfd_create("places", MFD_CLOEXEC)) < 0)
		e = err_sys("no memory for %s", file);
	for (off_t left = e ? 0 : st.st_size; left > 0;) {
		ssize_t n = sendfile(to, from, NULL, (size_t)left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			e = n < 0 ? err_sys("%s", file)
				  : err_set(ERR_IO, "%s: the file was cut while it was read", file);
			break;
		}
		left -= n;
	}
	if (from >= 0)
		close(from);
	if (e && to >= 0)
		close(to);
	if (!e)
		*out = to;
	return e;
}

/* A node of the tree is two records of 24, 28 or 32 bits, big endian. With 28 bits the byte in the
 * middle has the four highest bits of both: the left's first. */
static uint32_t left_of(const uint8_t *p, unsigned bits)
{
	uint32_t high = bits == 28 ? p[3] >> 4 : 0;
	return bits == 32 ? get_u32(p)
			  : high << 24 | (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static uint32_t right_of(const uint8_t *p, unsigned bits)
{
	uint32_t high = bits == 28 ? p[3] & 15 : 0;
	p += bits == 24 ? 3 : 4;
	return bits == 32 ? get_u32(p)
			  : high << 24 | (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

/* Does every record of the tree lead on within the tree, to nothing, or to data that are there? The
 * tree is read as the format lays it out (MaxMind DB File Format 2.0, "Binary Search Tree
 * Section"): asking the library for each of a million nodes takes ten times as long, at every
 * start. */
static bool tree_is_whole(const MMDB_s *m)
{
	unsigned bits = m->metadata.record_size, step = bits / 4;
	uint32_t nodes = m->metadata.node_count;
	uint64_t end = (uint64_t)nodes + m->data_section_size;
	const uint8_t *p = m->file_content;
	if (nodes == 0 || (bits != 24 && bits != 28 && bits != 32) ||
	    (uint64_t)nodes * step > (uint64_t)m->file_size)
		return false;
	uint32_t most = 0;
	for (uint32_t i = 0; i < nodes; i++, p += step) {
		uint32_t l = left_of(p, bits), r = right_of(p, bits);
		most = l > most ? l : most;
		most = r > most ? r : most;
	}
	return most < end || most == nodes;
}

enum err place_db_open(const char *file, struct place_db **out)
{
	char path[64];
	int fd = -1;
	struct place_db *db = calloc(1, sizeof *db);
	if (!db)
		return err_set(ERR_NOMEM, "no memory");
	enum err e = place_copy(file, &fd);
	/* A limit on the size of files holds for copies in memory, too; then the file itself is
	 * mapped. */
	bool own = e != ERR_FULL;
	if (e && own) {
		free(db);
		return e;
	}
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	int rc = MMDB_open(own ? path : file, MMDB_MODE_MMAP, &db->mmdb);
	if (own)
		close(fd);
	if (rc != MMDB_SUCCESS) {
		free(db);
		return err_set(ERR_CORRUPT, "%s: %s", file, MMDB_strerror(rc));
	}
	if (!tree_is_whole(&db->mmdb)) {
		MMDB_close(&db->mmdb);
		free(db);
		return err_set(ERR_CORRUPT, "%s: the file is damaged; fetch it anew", file);
	}
	db->refs = 1;
	*out = db;
	return OK;
}

bool place_db_file(const struct config *c, char *out, size_t cap)
{
	static const char *const places[] = {"/country.mmdb", "/../share/crumb/country.mmdb"};
	if (*c->geo_database) {
		snprintf(out, cap, "%s", c->geo_database);
		return true;
	}
	ssize_t n = readlink("/proc/self/exe", out, cap - 32);
	char *slash = n > 0 ? memrchr(out, '/', (size_t)n) : NULL;
	for (size_t i = 0; slash && i < sizeof places / sizeof *places; i++) {
		memcpy(slash, places[i], strlen(places[i]) + 1);
		if (access(out, R_OK) == 0)
			return true;
	}
	return false;
}

bool place_db_regions(const struct place_db *db)
{
	struct str type = str_c(db->mmdb.metadata.database_type);
	return str_ihas(type, STR("city")) || str_ihas(type, STR("enterprise")) ||
	       str_ihas(type, STR("region")) || str_ihas(type, STR("precision"));
}

struct place_db *place_db_ref(struct place_db *db)
{
	if (db)
		atomic_fetch_add(&db->refs, 1);
	return db;
}

void place_db_unref(struct place_db *db)
{
	if (!db || atomic_fetch_sub(&db->refs, 1) != 1)
		return;
	MMDB_close(&db->mmdb);
	free(db);
}

static struct str text_at(MMDB_entry_s *entry, const char *const *path)
{
	MMDB_entry_data_s d;
	if (MMDB_aget_value(entry, &d, path) != MMDB_SUCCESS || !d.has_data ||
	    d.type != MMDB_DATA_TYPE_UTF8_STRING)
		return str_make("", 0);
	return str_make(d.utf8_string, d.data_size);
}

/* The place of a record, in one of two shapes. "EU" and "AP", which some files have for a country,
 * could be anywhere: unknown. */
static struct place place_at(MMDB_entry_s *entry)
{
	static const char *const nested_country[] = {"country", "iso_code", NULL},
				 *const flat_country[] = {"country_code", NULL};
	static const char *const nested_region[] = {"subdivisions", "0", "iso_code", NULL},
				 *const flat_region[] = {"state1", NULL};
	struct place p = {{0}, {0}};
	struct str country = text_at(entry, nested_country);
	if (!country.n)
		country = text_at(entry, flat_country);
	if (country.n != 2 || !country_known(country))
		return p;
	memcpy(p.country, country.p, 2);
	struct str region = text_at(entry, nested_region);
	if (!region.n)
		region = text_at(entry, flat_region);
	if (region.n && region.n <= sizeof p.region)
		memcpy(p.region, region.p, region.n);
	return p;
}

/* Advances an address to the next block of `block` bits within its prefix, as one counts up in
 * binary from bit `block` to the left. False behind the last block. */
static bool next_block(uint8_t *a, unsigned block, unsigned prefix)
{
	for (unsigned bit = block; bit-- > prefix;) {
		uint8_t mask = (uint8_t)(0x80 >> bit % 8);
		a[bit / 8] ^= mask;
		if (a[bit / 8] & mask)
			return true;
	}
	return false;
}

struct place place_db_find(const struct place_db *db, const struct network *n)
{
	struct place p = {{0}, {0}};
	if (!db || n->family == 0)
		return p;
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} addr = {0};
	static const uint8_t nowhere[6] = {0};
	bool v4 = n->family == 4;
	/* ::1 and the like are nowhere; a file has IPv4 below ::/96 */
	if (!v4 && memcmp(n->b, nowhere, sizeof nowhere) == 0)
		return p;
	unsigned prefix = v4 ? NETWORK_BITS_4 : NETWORK_BITS_6;
	uint8_t *bytes = v4 ? (uint8_t *)&addr.v4.sin_addr : (uint8_t *)&addr.v6.sin6_addr;
	addr.any.sa_family = v4 ? AF_INET : AF_INET6;
	memcpy(bytes, n->b, v4 ? 4 : 16);
	for (int steps = 0; steps < BLOCKS_MAX && !p.country[0]; steps++) {
		int error = 0;
		MMDB_lookup_result_s found = MMDB_lookup_sockaddr(&db->mmdb, &addr.any, &error);
		if (error != MMDB_SUCCESS)
			break;
		if (found.found_entry)
			p = place_at(&found.entry);
		/* of an IPv4 address in an IPv6 tree, 96 bits are the way to ::/96 */
		unsigned block = found.netmask;
		if (v4 && db->mmdb.metadata.ip_version == 6)
			block = block > 96 ? block - 96 : 0;
		if (block <= prefix || !next_block(bytes, block, prefix))
			break;
	}
	return p;
}
