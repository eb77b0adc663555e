// SPDX-License-Identifier: GPL-2.0-only
/*
 * Patterns of stores, and of loads, through mappings.
 *
 * neighbours	each node stores to one page, next to those of the others
 * regions	each node stores to two regions of 2 MiB, page after page
 * mixed	each node has every n-th of some pages; it stores and reads them back,
 *		and writes and loads them
 * one-writer	node 0 stores to 16 pages, the others load from them
 *
 * On a file of its own a node does the same at the same offsets: that file is sparse.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "bench.h"

#define REGION_PAGES 512
#define MOST_PAGES (2 * REGION_PAGES)

/* The file of this window, and this node's pages in it. */
static struct {
	int fd;
	char *map;
	size_t len;
	int own[MOST_PAGES];
	int pages;
	uint64_t count;
	uint64_t last[MOST_PAGES];	/* stored or seen in own[] */
} f;

static SHARED uint64_t *word(int nth)
{
	return (SHARED uint64_t *)(f.map + f.own[nth] * PAGE);
}

/* How many pages each node has, and which is its nth one. */
static int pages_each(const struct pattern *p)
{
	switch (*p->mode) {
	case 'n':
		return 1;
	case 'r':
		return MOST_PAGES;
	default:
		return 16;
	}
}

static uint64_t one_round(const struct pattern *p)
{
	return 2 * pages_each(p);	/* mixed: two operations for a page */
}

static int page_of(const struct pattern *p, int nth)
{
	if (*p->mode == 'o')
		return nth;
	if (*p->mode == 'r')
		return (nth / REGION_PAGES * prog.nodes + prog.node) * REGION_PAGES +
		       nth % REGION_PAGES;
	return nth * prog.nodes + prog.node;
}

static size_t file_len(const struct pattern *p)
{
	return pages_each(p) * PAGE * (*p->mode != 'o' ? prog.nodes : 1);
}

static const char *path_of(bool shared)
{
	return shared ? at("shared") : at("own.%d", prog.node);
}

static void make(const struct pattern *p)
{
	close(make_file(path_of(false), file_len(p), true));
	if (prog.node == 0)
		close(make_file(path_of(true), file_len(p), false));
}

static bool only_reads(const struct pattern *p)
{
	return *p->mode == 'o' && prog.node > 0;
}

static void open_window(const struct pattern *p, bool shared)
{
	f.len = file_len(p);
	f.pages = pages_each(p);
	f.count = 0;
	f.fd = open_file(path_of(shared), O_RDWR);
	f.map = map_file(f.fd, f.len, PROT_READ | PROT_WRITE, MAP_SHARED);
	for (int i = 0; i < f.pages; i++) {
		f.own[i] = page_of(p, i);
		f.last[i] = 0;
		if (!only_reads(p))
			*word(i) = 0;
	}
}

static void close_window(const struct pattern *p, bool shared)
{
	for (int i = 0; i < f.pages; i++)
		CHECK(only_reads(p) || *word(i) == f.last[i],
		      "%s, page %d: stored %lu, found %lu", shared ? "one file" : "own file",
		      f.own[i], f.last[i], *word(i));
	munmap(f.map, f.len);
	close(f.fd);
	barrier();
}

static void store(int nth)
{
	f.last[nth] = f.count;
	*word(nth) = f.count;
}

static void store_one(const struct pattern *p)
{
	(void)p;
	f.count++;
	store(0);
}

static void store_next(const struct pattern *p)
{
	(void)p;
	store(++f.count % f.pages);
}

static void mixed(const struct pattern *p)
{
	int nth = ++f.count / 2 % f.pages;
	uint64_t value;

	(void)p;
	if (f.count % 2) {
		store(nth);
		pread_all(f.fd, &value, 8, f.own[nth] * PAGE);
	} else {
		f.last[nth] = f.count;
		pwrite_all(f.fd, &f.count, 8, f.own[nth] * PAGE);
		value = *word(nth);
	}
	CHECK(value == f.count, "page %d: wrote %lu, found %lu", f.own[nth], f.count, value);
}

static void one_writer(const struct pattern *p)
{
	int nth = ++f.count % f.pages;
	uint64_t value;

	if (!only_reads(p)) {
		store(nth);
		return;
	}
	value = *word(nth);
	CHECK(value >= f.last[nth], "page %d went back from %lu to %lu", f.own[nth],
	      f.last[nth], value);
	pairs_seen += value != f.last[nth];
	f.last[nth] = value;
}

#define STORES(name, fn)							\
	{ .mode = name, .round = one_round, .make = make, .open = open_window,	\
	  .op = fn, .close = close_window }

const struct pattern store_patterns[] = {
	STORES("neighbours", store_one),
	STORES("regions", store_next),
	STORES("mixed", mixed),
	STORES("one-writer", one_writer),
	{ },
};
