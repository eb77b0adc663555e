// SPDX-License-Identifier: GPL-2.0-only
/*
 * One node goes through a file in one direction and writes as it goes, the others
 * go through it in the other direction and read: sequentially, with read-ahead,
 * and through mappings.
 *
 * Since memory is ordered, a reader that has found version v somewhere finds at
 * least v in everything that the writer wrote before that, which is all that the
 * reader has still to come by.  A page that was read ahead of the right to it, or
 * that outlived that right, breaks this.
 *
 * The file is a region and a bit; the written pages lie thinly all over it and
 * densely around the border.  Each plan goes on until every reader has seen -c
 * changes.  -m all-scan: every node also reads while it writes, each in pages of
 * its own.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "stamp.h"

#define FILE_PAGES (512 + 48)
#define FILE_LEN (FILE_PAGES * PAGE)
#define CHUNK 16		/* pages per read() */

enum way { BY_MAPPING, BY_CALL };

struct plan {
	const char *name;
	enum way write;
	enum way read;
	bool up;		/* the readers' direction; the writer's is the other */
	int advice;
};

static const struct plan plans[] = {
	{ "stores, and read() ahead of them", BY_MAPPING, BY_CALL, true, 0 },
	{ "write(), and sequential loads", BY_CALL, BY_MAPPING, true, MADV_SEQUENTIAL },
	{ "stores, and loads from the end", BY_MAPPING, BY_MAPPING, false, MADV_NORMAL },
	{ "write(), and read() from the end", BY_CALL, BY_CALL, false, 0 },
};

static int fd;
static SHARED uint64_t *map;

static bool is_written(int page)
{
	return page % 16 == 0 || (page >= 512 - 8 && page < 512 + 8);
}

static void put_word(enum way how, uint64_t index, uint32_t version)
{
	uint64_t value = stamp(index, version);

	if (how == BY_MAPPING)
		map[index] = value;
	else
		pwrite_all(fd, &value, 8, index * 8);
}

static void write_page(enum way how, int page, uint32_t version, bool up)
{
	for (int i = 0; i < SAMPLES; i++)
		put_word(how, page * WORDS_PER_PAGE + sample(up ? i : SAMPLES - 1 - i),
			 version);
}

static void write_through(const struct plan *plan, uint32_t version)
{
	for (int i = 0; i < FILE_PAGES; i++) {
		int page = plan->up ? FILE_PAGES - 1 - i : i;

		if (is_written(page))
			write_page(plan->write, page, version, !plan->up);
	}
}

/* A reader's memory: per page, the newest version of each word. */
static uint32_t seen[FILE_PAGES][SAMPLES];

/* The least and the greatest version in a page that a reader has just fetched. */
struct span {
	uint32_t least, most;
	bool moved;
};

static struct span look_at_page(int page, const uint64_t *words)
{
	struct span s = { .least = UINT32_MAX };

	for (int i = 0; i < SAMPLES; i++) {
		uint64_t index = page * WORDS_PER_PAGE + sample(i);
		uint32_t v = stamp_version(index, words[sample(i)]);
		uint32_t *old = &seen[page][i];

		CHECK(v >= *old, "word %lu (page %d) went back from version %u to %u",
		      index, page, *old, v);
		CHECK(!v || is_written(page), "nobody wrote to page %d, but there is version %u",
		      page, v);
		s.moved |= v != *old;
		*old = v;
		if (v < s.least)
			s.least = v;
		if (v > s.most)
			s.most = v;
	}
	return s;
}

static void load_page(int page, uint64_t *words)
{
	for (int i = 0; i < SAMPLES; i++)
		words[sample(i)] = map[page * WORDS_PER_PAGE + sample(i)];
}

/* Pages @from to @from + CHUNK, fetched in the plan's way and direction. */
static void fetch_chunk(const struct plan *plan, int from, uint64_t (*words)[WORDS_PER_PAGE])
{
	/* Upwards one call may take all: it copies the lower pages first. */
	if (plan->read == BY_CALL && plan->up) {
		pread_all(fd, words, CHUNK * PAGE, from * PAGE);
		return;
	}
	for (int i = 0; i < CHUNK; i++) {
		int page = plan->up ? i : CHUNK - 1 - i;

		if (!is_written(from + page))
			memset(words[page], 0, PAGE);
		else if (plan->read == BY_CALL)
			pread_all(fd, words[page], PAGE, (from + page) * PAGE);
		else
			load_page(from + page, words[page]);
	}
}

/* Once through the file in order.  Has anything moved? */
static bool read_through(const struct plan *plan)
{
	static uint64_t words[CHUNK][WORDS_PER_PAGE];
	uint32_t least = 0;
	bool moved = false;

	for (int c = 0; c < FILE_PAGES / CHUNK; c++) {
		int from = (plan->up ? c : FILE_PAGES / CHUNK - 1 - c) * CHUNK;

		fetch_chunk(plan, from, words);
		for (int i = 0; i < CHUNK; i++) {
			int at_page = plan->up ? i : CHUNK - 1 - i;
			struct span s = look_at_page(from + at_page, words[at_page]);

			moved |= s.moved;
			if (!is_written(from + at_page))
				continue;
			CHECK(s.least >= least,
			      "page %d has version %u, but a page that was written after it had %u before",
			      from + at_page, s.least, least);
			least = s.most;
		}
	}
	return moved;
}

static void open_one(const char *name, int advice)
{
	if (prog.node == 0)
		close(make_file(at("%s", name), FILE_LEN, false));
	barrier();
	fd = open_file(at("%s", name), O_RDWR);
	map = map_file(fd, FILE_LEN, PROT_READ | PROT_WRITE, MAP_SHARED);
	SYS(madvise((void *)map, FILE_LEN, advice));
	memset(seen, 0, sizeof(seen));
	barrier();
}

static void close_one(void)
{
	barrier();
	munmap((void *)map, FILE_LEN);
	close(fd);
}

/* When nobody writes: exactly @version in the pages of @node (-1: all), both ways. */
static void verify(int node, uint32_t version)
{
	static uint64_t words[WORDS_PER_PAGE];
	int nth = 0;

	for (int page = 0; page < FILE_PAGES; page++) {
		if (!is_written(page) || (node >= 0 && nth++ % prog.nodes != node))
			continue;
		for (enum way how = BY_MAPPING; how <= BY_CALL; how++) {
			if (how == BY_CALL)
				pread_all(fd, words, PAGE, page * PAGE);
			else
				load_page(page, words);
			for (int i = 0; i < SAMPLES; i++) {
				uint64_t index = page * WORDS_PER_PAGE + sample(i);
				uint32_t v = stamp_version(index, words[sample(i)]);

				CHECK(v == version,
				      "page %d by %s: word %lu has version %u, last written %u",
				      page, how == BY_CALL ? "read()" : "load", index,
				      v, version);
			}
		}
	}
}

static void run_plan(const struct plan *plan, int writer)
{
	char name[48];
	uint64_t last = 0;

	prog.step = plan->name;
	snprintf(name, sizeof(name), "readers.%d.%ld.%d", prog.nodes,
		 (long)(plan - plans), writer);
	open_one(name, plan->advice);
	if (prog.node == writer) {
		do {
			write_through(plan, ++last);
		} while (!others_waiting());
	} else {
		for (long moves = 0; moves < prog.count;)
			moves += read_through(plan);
	}
	last = exchange(last, NULL);
	verify(-1, last);
	close_one();
}

/* All write and all read --------------------------------------------------- */

static void write_own(enum way how, uint32_t version)
{
	int nth = 0;

	for (int page = 0; page < FILE_PAGES; page++)
		if (is_written(page) && nth++ % prog.nodes == prog.node)
			write_page(how, page, version, true);
}

/* No order here: the pages of a reader's pass belong to many writers. */
static bool scan(bool by_call)
{
	static uint64_t words[CHUNK][WORDS_PER_PAGE];
	struct plan plan = { .read = by_call ? BY_CALL : BY_MAPPING, .up = true };
	bool moved = false;

	for (int from = 0; from < FILE_PAGES; from += CHUNK) {
		fetch_chunk(&plan, from, words);
		for (int i = 0; i < CHUNK; i++)
			moved |= look_at_page(from + i, words[i]).moved;
	}
	return moved;
}

static void all_scan(enum way how)
{
	uint64_t last[MAX_NODES];
	uint32_t version = 0;

	prog.step = how == BY_CALL ? "all write() and scan" : "all store and scan";
	open_one(how == BY_CALL ? "scan.calls" : "scan.stores", MADV_NORMAL);
	do {
		write_own(how, ++version);
		scan(version % 2);
	} while (version < prog.count);
	exchange(version, last);
	for (int i = 0; i < prog.nodes; i++)
		verify(i, last[i]);
	close_one();
}

int main(int argc, char **argv)
{
	double begun;

	prog.count = 2;
	prog_init(argc, argv, "readers");
	begun = now();
	if (!strcmp(prog.mode, "all-scan")) {
		all_scan(BY_MAPPING);
		all_scan(BY_CALL);
		return prog_end("%.1f s", now() - begun);
	}
	for (size_t i = 0; i < ARRAY_SIZE(plans); i++)
		run_plan(&plans[i], i % prog.nodes);
	return prog_end("%zu ways, %.1f s", ARRAY_SIZE(plans), now() - begun);
}
