/* The check of LMDB's pages. The layout is that of LMDB 0.9 (data version 1) on a 64-bit
 * little-endian machine; `│` parts fields, and a number alone is bytes:
 *
 *     page      number u64 │ 2 │ flags u16 │ lower u16 │ upper u16
 *               │ offsets of nodes u16 …, up to lower │ room │ nodes, from upper on
 *     overflow  number u64 │ 2 │ flags u16 │ pages u32 │ bytes, over so many pages
 *     node      size or child's number u32 │ flags u16 │ key size u16 │ key │ value
 *               in a branch the child's number goes on in the flags, and there is no value;
 *               a value with pages of its own (NODE_BIG) is the number of the first, u64
 *     tree      4 │ flags u16 │ depth u16 │ branch pages u64 │ leaf pages u64
 *               │ overflow pages u64 │ entries u64 │ root u64
 *     meta      page header 16 │ magic u32 │ version u32 │ address u64 │ map size u64
 *               │ free tree 48 │ main tree 48 │ last page u64 │ commit u64
 *
 * Pages 0 and 1 are meta pages, of which the one with the higher commit counts. Its main tree has a
 * node for each table, whose value is the table's tree. Its free tree has lists of free pages.
 *
 * The walk is that of a reader, from the root down, with these invariants on the way:
 *
 *   - see() marks each page in a bit map and refuses a page that is marked. So the walk ends,
 *     whatever the file says, and a page that is both free and reached is found.
 *   - walk_page() is handed the bounds of its keys, [from, to), by the page above. The keys of
 *     a page rise. So the keys of the whole tree do.
 *   - What was counted on the way is compared with the tree's record at the end.
 *
 * The order is: main tree, the tables that it names, free tree. Every number is checked before it
 * is used as a place to read at: nothing here reads beyond a page, or beyond the file. */
#include "crumb/disk/pages.h"

#include "crumb/disk/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	BRANCH = 1,
	LEAF = 2,
	OVERFLOW = 4,
	META = 8,
	NODE_BIG = 1,
	NODE_TREE = 2,
	TREE_SIZE = 48,
	HEADER = 16,	/* of a page */
	NODE = 8,	/* of a node, before its key */
	DEPTH_MAX = 32, /* LMDB's own bound */
	FREE_FLAGS = 8, /* integer keys */
	PAGE_LEAST = 512,
	PAGE_MOST = 65536,
	/* in a meta page */
	AT_MAGIC = 16,
	AT_VERSION = 20,
	AT_FREE = 40, /* the free tree; its first four bytes are the size of a page */
	AT_FREE_FLAGS = 44,
	AT_MAIN = 88, /* the main tree */
	AT_LAST = 136,
	AT_COMMIT = 144,
	META_BYTES = 152
};
#define MAGIC 0xbeefc0deu
#define NO_PAGE UINT64_MAX
#define BEHIND_MOST 65536 /* pages at the end that were taken and never written */
#define BUSY_TRIES 20	  /* of a commit whose writer is faster */

struct bytes {
	const uint8_t *p; /* NULL: no bound */
	size_t n;
};

struct tree {
	uint16_t flags, depth;
	uint64_t branches, leaves, overflows, entries, root;
};

struct walk {
	const char *file;
	int fd;
	size_t page_size;
	uint64_t pages;		   /* of the file */
	uint64_t last;		   /* page that the commit knows */
	uint64_t txn;		   /* the commit */
	uint8_t *seen;		   /* a bit for each page */
	uint8_t *level[DEPTH_MAX]; /* the page at each depth */
	struct tree count;	   /* what was found of the tree being walked */
	bool free_tree, main_tree; /* which tree that is; neither: a table's */
};

static uint16_t u16(const uint8_t *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof v);
	return v;
}

static uint32_t u32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof v);
	return v;
}

static uint64_t u64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	return v;
}

static enum err bad(const struct walk *w, uint64_t page, const char *what)
{
	return err_set(
	    ERR_CORRUPT, "%s is damaged: page %llu %s", w->file, (unsigned long long)page, what);
}

static enum err read_page(struct walk *w, uint64_t page, uint8_t *out, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t r = pread(w->fd, out + done, n - done, (off_t)(page * w->page_size + done));
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return errno == EIO ? bad(w, page, "cannot be read from the disk")
					    : err_sys("%s", w->file);
		if (r == 0)
			return bad(w, page, "is cut off");
		done += (size_t)r;
	}
	return OK;
}

/* Takes a page for the tree being walked, or for the list of free pages. */
static enum err see(struct walk *w, uint64_t page)
{
	if (page < 2 || page > w->last)
		return bad(w, page, "is named, but the file has no such page");
	if (page >= w->pages)
		return bad(w, page, "is cut off");
	if (w->seen[page / 8] >> page % 8 & 1)
		return bad(w, page, "is used twice");
	w->seen[page / 8] |= (uint8_t)(1u << page % 8);
	return OK;
}

/* --- keys */

static int order(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* LMDB's order: of numbers in the free tree, else of bytes, where a shorter key comes first. */
static int compare_keys(const struct walk *w, struct bytes a, struct bytes b)
{
	if (w->free_tree)
		return order(u64(a.p), u64(b.p));
	int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
	return c ? c : order(a.n, b.n);
}

static struct bytes node_key(const uint8_t *node)
{
	return (struct bytes){node + NODE, u16(node + 6)};
}

/* --- pages */

static enum err walk_tree(struct walk *w, const uint8_t *record, uint64_t page);

/* A value with pages of its own, `bytes` long. Where `value` is not NULL it gets a copy, which the
 * caller frees: only lists of free pages are read, so that a store's values cost no memory. */
static enum err walk_overflow(
    struct walk *w, uint64_t from, const uint8_t *node, size_t bytes, uint8_t **value)
{
	uint8_t head[HEADER];
	uint64_t page = u64(node + NODE + u16(node + 6));
	if (page < 2 || page >= w->pages)
		return bad(w, from, "names a value that is not there");
	enum err e = read_page(w, page, head, sizeof head);
	if (e)
		return e;
	uint64_t n = u32(head + 12);
	if (u64(head) != page || u16(head + 10) != OVERFLOW || n == 0 || n > w->pages - page ||
	    n * w->page_size - HEADER < bytes)
		return bad(w, page, "is not the value that it should be");
	for (uint64_t i = 0; i < n && !e; i++)
		e = see(w, page + i);
	w->count.overflows += n;
	if (e || !value)
		return e;
	*value = malloc(bytes + 1);
	if (!*value)
		return err_set(ERR_NOMEM, "no memory");
	uint8_t *whole = malloc(n * w->page_size);
	e = whole ? read_page(w, page, whole, n * w->page_size) : err_set(ERR_NOMEM, "no memory");
	if (!e)
		memcpy(*value, whole + HEADER, bytes);
	free(whole);
	return e;
}

/* Pages that are free: how many, then their numbers from the highest down. Pages beyond the end of
 * the file were taken and given back before they were written. */
static enum err walk_free(struct walk *w, uint64_t from, const uint8_t *p, size_t n)
{
	if (n < 8 || u64(p) > n / 8 - 1)
		return bad(w, from, "lists free pages wrongly");
	uint64_t before = NO_PAGE;
	for (uint64_t i = 1; i <= u64(p); i++) {
		uint64_t page = u64(p + 8 * i);
		if (page < 2 || page > w->last || page >= before)
			return bad(w, from, "lists free pages wrongly");
		before = page;
		enum err e = page < w->pages ? see(w, page) : OK;
		if (e)
			return e;
	}
	return OK;
}

/* A node of a leaf, with `room` bytes up to the end of its page. */
static enum err walk_node(struct walk *w, uint64_t page, const uint8_t *node, size_t room)
{
	size_t key = u16(node + 6), bytes = u32(node), flags = u16(node + 4);
	size_t here = flags & NODE_BIG ? 8 : bytes;
	uint8_t *value = NULL;
	if ((flags != 0 && flags != NODE_BIG && flags != NODE_TREE) || key > room - NODE ||
	    here > room - NODE - key)
		return bad(w, page, "has a node that is none");
	if (w->main_tree && !w->free_tree && (flags != NODE_TREE || bytes != TREE_SIZE))
		return bad(w, page, "has a node that names no table");
	if (!w->main_tree && flags == NODE_TREE)
		return bad(w, page, "has a table in a table");
	w->count.entries++;
	enum err e = OK;
	if (flags & NODE_BIG)
		e = walk_overflow(w, page, node, bytes, w->free_tree ? &value : NULL);
	if (!e && w->free_tree && (key != 8 || u64(node + NODE) > w->txn))
		e = bad(w, page, "lists free pages wrongly");
	else if (!e && w->free_tree)
		e = walk_free(w, page, value ? value : node + NODE + key, bytes);
	free(value);
	return e;
}

/* What a node takes up of its page: in steps of two. */
static size_t node_bytes(const uint8_t *node, bool leaf)
{
	size_t n = NODE + (size_t)u16(node + 6);
	if (leaf)
		n += u16(node + 4) & NODE_BIG ? 8 : (size_t)u32(node);
	return n + (n & 1);
}

/* Everything that hangs on a page. Keys are not below `from` and are below `to`. First the page
 * alone: its header, that its nodes lie in it and fill it, that its keys rise. Then its nodes:
 * those of a leaf, or the pages below a branch. */
static enum err walk_page(struct walk *w, uint64_t page, unsigned depth, unsigned depths,
    struct bytes from, struct bytes to)
{
	enum err e = see(w, page);
	if (e)
		return e;
	if (!w->level[depth] && !(w->level[depth] = malloc(w->page_size)))
		return err_set(ERR_NOMEM, "no memory");
	uint8_t *p = w->level[depth];
	if ((e = read_page(w, page, p, w->page_size)))
		return e;
	bool leaf = depth + 1 == depths;
	size_t lower = u16(p + 12), upper = u16(p + 14), n = (lower - HEADER) / 2;
	if (u64(p) != page || u16(p + 10) != (leaf ? LEAF : BRANCH))
		return bad(w, page, "is not the page that it should be");
	if (lower < HEADER || lower % 2 || lower > upper || upper > w->page_size ||
	    n < (leaf || w->free_tree ? 1u : 2u))
		return bad(w, page, "has bounds that make no sense");
	*(leaf ? &w->count.leaves : &w->count.branches) += 1;
	struct bytes last = {NULL, 0};
	size_t taken = 0;
	for (size_t i = 0; i < n; i++) {
		size_t at = u16(p + HEADER + 2 * i);
		if (at < upper || at % 2 || at + NODE > w->page_size ||
		    u16(p + at + 6) > w->page_size - at - NODE)
			return bad(w, page, "has a node that leaves it");
		struct bytes key = node_key(p + at);
		if (!leaf && i == 0) {
			key.p = NULL; /* has no meaning there */
		} else if ((w->free_tree && key.n != 8) || key.n == 0 ||
			   (last.p && compare_keys(w, last, key) >= 0) ||
			   (from.p && compare_keys(w, key, from) < 0) ||
			   (to.p && compare_keys(w, key, to) >= 0)) {
			return bad(w, page, "has keys out of order");
		}
		last = key;
		taken += node_bytes(p + at, leaf);
	}
	/* LMDB leaves no gaps, and writes over its own memory where it counts on that in vain */
	if (taken != w->page_size - upper)
		return bad(w, page, "has nodes that do not fill it");
	for (size_t i = 0; i < n && !e; i++) {
		const uint8_t *node = p + u16(p + HEADER + 2 * i);
		if (leaf) {
			e = walk_node(w, page, node, w->page_size - (size_t)(node - p));
			continue;
		}
		struct bytes low = i ? node_key(node) : from,
			     high = i + 1 < n ? node_key(p + u16(p + HEADER + 2 * (i + 1))) : to;
		e = walk_page(w, (uint64_t)u32(node) | (uint64_t)u16(node + 4) << 32, depth + 1,
		    depths, low, high);
	}
	return e;
}

static void read_tree(const uint8_t *p, struct tree *t)
{
	*t = (struct tree){
	    u16(p + 4), u16(p + 6), u64(p + 8), u64(p + 16), u64(p + 24), u64(p + 32), u64(p + 40)};
}

/* The tree whose record stands on `page`. */
static enum err walk_tree(struct walk *w, const uint8_t *record, uint64_t page)
{
	struct tree t;
	read_tree(record, &t);
	w->count = (struct tree){0};
	if (t.flags != (w->free_tree ? FREE_FLAGS : 0) || t.depth >= DEPTH_MAX ||
	    (t.root == NO_PAGE) != (t.depth == 0))
		return bad(w, page, "names a table that makes no sense");
	enum err e = t.depth ? walk_page(w, t.root, 0, t.depth, (struct bytes){NULL, 0},
				   (struct bytes){NULL, 0})
			     : OK;
	if (!e && (t.branches != w->count.branches || t.leaves != w->count.leaves ||
		      t.overflows != w->count.overflows || t.entries != w->count.entries))
		e = bad(w, page, "counts a table wrongly");
	return e;
}

/* The tables that the main tree names. The walk of the main tree is over and has found it whole;
 * its leaves are read once more, for the records of the tables. */
static enum err walk_tables(struct walk *w, uint64_t page, unsigned depth, unsigned depths)
{
	uint8_t *p = malloc(w->page_size);
	enum err e = p ? read_page(w, page, p, w->page_size) : err_set(ERR_NOMEM, "no memory");
	for (size_t i = 0; !e && i < (size_t)(u16(p + 12) - HEADER) / 2; i++) {
		const uint8_t *node = p + u16(p + HEADER + 2 * i);
		e = depth + 1 == depths
			? walk_tree(w, node + NODE + u16(node + 6), page)
			: walk_tables(w, (uint64_t)u32(node) | (uint64_t)u16(node + 4) << 32,
			      depth + 1, depths);
	}
	free(p);
	return e;
}

/* All trees of a commit, in the order that the head says. */
static enum err walk_all(struct walk *w, const uint8_t *meta)
{
	struct tree main;
	w->seen = calloc(w->pages / 8 + 1, 1);
	if (!w->seen)
		return err_set(ERR_NOMEM, "no memory");
	w->main_tree = true;
	enum err e = walk_tree(w, meta + AT_MAIN, 0);
	w->main_tree = false;
	read_tree(meta + AT_MAIN, &main);
	if (!e && main.depth)
		e = walk_tables(w, main.root, 0, main.depth);
	w->free_tree = true;
	return e ? e : walk_tree(w, meta + AT_FREE, 0);
}

/* --- the file */

/* Is this the meta page of that number, of a layout that is known? */
static bool is_meta(const uint8_t *m, uint64_t page)
{
	uint32_t size = u32(m + AT_FREE);
	return u64(m) == page && u16(m + 10) == META && u32(m + AT_MAGIC) == MAGIC &&
	       u32(m + AT_VERSION) == 1 && size >= PAGE_LEAST && size <= PAGE_MOST &&
	       (size & (size - 1)) == 0 && u16(m + AT_FREE_FLAGS) == FREE_FLAGS;
}

static enum err read_metas(struct walk *w, uint8_t metas[2][META_BYTES])
{
	w->page_size = META_BYTES; /* of the first only its beginning is known */
	enum err e = read_page(w, 0, metas[0], META_BYTES);
	if (e)
		return e;
	if (!is_meta(metas[0], 0))
		return bad(w, 0, "is not the page that it should be");
	w->page_size = u32(metas[0] + AT_FREE);
	if ((e = read_page(w, 1, metas[1], META_BYTES)))
		return e;
	if (!is_meta(metas[1], 1) || u32(metas[1] + AT_FREE) != w->page_size)
		return bad(w, 1, "is not the page that it should be");
	return OK;
}

/* Finds the commit to look at, and checks its meta page; then all of it, if asked to. */
static enum err check_file(struct walk *w, enum pages_depth depth, uint64_t txn)
{
	uint8_t metas[2][META_BYTES];
	struct stat st;
	if (fstat(w->fd, &st) != 0)
		return err_sys("%s", w->file);
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		return err_set(ERR_CORRUPT, "%s is %s", w->file, st.st_size ? "no file" : "empty");
	enum err e = read_metas(w, metas);
	if (e)
		return e;
	if (fstat(w->fd, &st) != 0) /* it may have grown before the commit was named */
		return err_sys("%s", w->file);
	unsigned newest = u64(metas[1] + AT_COMMIT) > u64(metas[0] + AT_COMMIT);
	if (txn && u64(metas[newest] + AT_COMMIT) != txn)
		newest = !newest;
	const uint8_t *m = metas[newest];
	if (txn && u64(m + AT_COMMIT) != txn)
		return err_set(ERR_BUSY, "%s: being written", w->file);
	w->pages = (uint64_t)st.st_size / w->page_size;
	w->last = u64(m + AT_LAST);
	w->txn = u64(m + AT_COMMIT);
	if (w->last < 1 || w->last >= w->pages + BEHIND_MOST)
		return bad(w, newest,
		    w->last < 1 ? "counts pages wrongly" : "names pages that are cut off");
	for (int i = 0; i < 2; i++) {
		struct tree t;
		read_tree(m + AT_FREE + i * TREE_SIZE, &t);
		if (t.root != NO_PAGE && (t.root < 2 || t.root > w->last))
			return bad(w, newest, "names a tree that is not there");
		if (t.root != NO_PAGE && t.root >= w->pages)
			return bad(w, t.root, "is cut off");
	}
	return depth == PAGES_ALL ? walk_all(w, m) : OK;
}

enum err pages_check(const char *file, enum pages_depth depth, uint64_t txn)
{
	struct walk w = {.file = file, .fd = open(file, O_RDONLY | O_CLOEXEC)};
	struct stat st;
	if (w.fd < 0 && errno == ENOENT && lstat(file, &st) == 0)
		return err_set(ERR_CORRUPT, "%s is a link to a file that is not there", file);
	if (w.fd < 0)
		return err_sys_path(file);
	enum err e = check_file(&w, depth, txn);
	close(w.fd);
	free(w.seen);
	for (unsigned i = 0; i < DEPTH_MAX; i++)
		free(w.level[i]);
	return e;
}

/* A commit is looked at while a reader holds it. When two others come meanwhile, its meta page is
 * gone (ERR_BUSY), and the newest is looked at. */
enum err pages_check_open(struct db *db, const char *file)
{
	struct db_txn t;
	enum err e = ERR_BUSY;
	for (int tries = 0; e == ERR_BUSY && tries < BUSY_TRIES; tries++) {
		if ((e = db_begin(db, DB_READ, &t)))
			return e;
		e = pages_check(file, PAGES_ALL, db_commit_seen(&t));
		db_abort(&t);
	}
	return e == ERR_BUSY ? OK : e;
}
