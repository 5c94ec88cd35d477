#include "crumb/privacy/place.h"

#include <maxminddb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>

struct place_db {
	_Atomic int refs;
	MMDB_s mmdb;
};

enum err place_db_open(const char *file, struct place_db **out)
{
	struct place_db *db = calloc(1, sizeof *db);
	if (!db)
		return err_set(ERR_NOMEM, "no memory");
	int rc = MMDB_open(file, MMDB_MODE_MMAP, &db->mmdb);
	if (rc != MMDB_SUCCESS) {
		free(db);
		return err_set(ERR_IO, "%s: %s", file, MMDB_strerror(rc));
	}
	db->refs = 1;
	*out = db;
	return OK;
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
	if (MMDB_aget_value(entry, &d, path) != MMDB_SUCCESS || !d.has_data || d.type != MMDB_DATA_TYPE_UTF8_STRING)
		return str_make("", 0);
	return str_make(d.utf8_string, d.data_size);
}

struct place place_db_find(const struct place_db *db, const struct network *n)
{
	static const char *const nested_country[] = {"country", "iso_code", NULL}, *const flat_country[] = {"country_code", NULL};
	static const char *const nested_region[] = {"subdivisions", "0", "iso_code", NULL}, *const flat_region[] = {"state1", NULL};
	struct place p = {{0}, {0}};
	if (!db || n->family == 0)
		return p;
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} addr = {0};
	if (n->family == 4) {
		addr.v4.sin_family = AF_INET;
		memcpy(&addr.v4.sin_addr, n->b, 4);
	} else {
		addr.v6.sin6_family = AF_INET6;
		memcpy(&addr.v6.sin6_addr, n->b, 16);
	}
	int error = 0;
	MMDB_lookup_result_s found = MMDB_lookup_sockaddr(&db->mmdb, &addr.any, &error);
	if (error != MMDB_SUCCESS || !found.found_entry)
		return p;
	struct str country = text_at(&found.entry, nested_country);
	if (!country.n)
		country = text_at(&found.entry, flat_country);
	if (country.n != 2 || !chr_alpha(country.p[0]) || !chr_alpha(country.p[1]))
		return p;
	memcpy(p.country, country.p, 2);
	struct str region = text_at(&found.entry, nested_region);
	if (!region.n)
		region = text_at(&found.entry, flat_region);
	if (region.n && region.n <= sizeof p.region)
		memcpy(p.region, region.p, region.n);
	return p;
}
