// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each node writes a share of one file, and nobody else writes there.
 *
 * The file is a row of records around the border of two regions.  Records are
 * dealt out to the nodes one by one (strided) or in one piece each (segmented),
 * and go up in version.  Before each write a node finds what it wrote last in
 * its record (nothing was lost); after each it looks at a record of another node,
 * which may only have gone up, word by word, and whose part of a page is all of
 * one version if it came by write() and by read().  When all have stopped,
 * everybody finds the last version of every record, both ways.
 *
 * -m strided-stores, strided-calls, segmented, mixed, populate.  Ends when each
 * node has written -c versions and has seen others' records move -k times.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "stamp.h"

enum way {
	BY_MAPPING,
	BY_CALL,
	BY_BOTH,	/* even versions by call, odd ones by store */
};

/**
 * struct layout - who writes which part of the file, and how
 * @record: bytes
 * @each: records per node
 * @before: bytes of records below the border; the rest is above
 * @segmented: a node's records lie together
 * @fresh: the file starts without blocks
 * @prefetch: nodes also fetch the whole neighbourhood in all ways there are
 */
struct layout {
	const char *mode;
	const char *name;
	enum way write;
	size_t record;
	int each;
	size_t before;
	bool segmented;
	bool fresh;
	bool prefetch;
};

static const struct layout layouts[] = {
	{ "strided-stores", "stores to every n-th page", BY_MAPPING, PAGE, 8,
	  12 * PAGE, .fresh = false },
	{ "strided-stores", "stores to every n-th page of a hole", BY_MAPPING, PAGE, 8,
	  12 * PAGE, .fresh = true },
	{ "strided-calls", "4 KiB records", BY_CALL, PAGE, 6, 9 * PAGE, .fresh = false },
	{ "strided-calls", "4 KiB records in a hole", BY_CALL, PAGE, 6, 9 * PAGE,
	  .fresh = true },
	{ "strided-calls", "5000 byte records", BY_CALL, 5000, 6, 42504, .fresh = true },
	{ "strided-calls", "64 KiB records", BY_CALL, 16 * PAGE, 2, 48 * PAGE,
	  .fresh = true },
	{ "strided-calls", "64 KiB and 8 bytes", BY_CALL, 16 * PAGE + 8, 2,
	  40 * PAGE, .fresh = false },
	{ "segmented", "write() of 64 KiB and 24 bytes", BY_CALL, 16 * PAGE + 24, 4,
	  88 * PAGE + 64, .segmented = true, .fresh = true },
	{ "segmented", "stores", BY_MAPPING, PAGE, 10, 14 * PAGE, .segmented = true },
	{ "mixed", "stores and write() in turn, neighbouring pages", BY_BOTH, PAGE, 6,
	  8 * PAGE, .fresh = false },
	{ "mixed", "stores and write() in turn, segments", BY_BOTH, 2 * PAGE, 4,
	  9 * PAGE, .segmented = true, .fresh = true },
	{ "populate", "fetching across the border", BY_BOTH, PAGE, 4, 6 * PAGE,
	  .prefetch = true },
};

/* The file, and what this node knows about it. */
static struct {
	const struct layout *l;
	int fd;
	char *map;
	size_t len;
	uint32_t *seen;		/* newest version seen of each word, from first_word() */
	uint64_t *buf;		/* of one record */
	bool atomic;
} file;

static long records(void)
{
	return (long)file.l->each * prog.nodes;
}

static int owner_of(long record)
{
	return file.l->segmented ? record / file.l->each : record % prog.nodes;
}

static long nth_of(int node, int n)
{
	return file.l->segmented ? node * file.l->each + n : n * prog.nodes + node;
}

static uint64_t first_word(void)
{
	return (REGION - file.l->before) / 8;
}

static size_t words(void)
{
	return file.l->record / 8;
}

static uint64_t word_of(long record)
{
	return first_word() + record * words();
}

/* Stores go to a few words of a page only. */
static bool stored(uint64_t index)
{
	return is_sample(index);
}

/* What a word must be when its record is in @version. */
static uint32_t version_in(uint64_t index, uint32_t version)
{
	switch (file.l->write) {
	case BY_CALL:
		return version;
	case BY_MAPPING:
		return stored(index) ? version : 0;
	default:
		return stored(index) || version % 2 == 0 ? version : version - 1;
	}
}

static void write_record(long record, uint32_t version)
{
	SHARED uint64_t *map = (SHARED uint64_t *)file.map;
	const uint64_t first = word_of(record);

	if (file.l->write == BY_MAPPING || (file.l->write == BY_BOTH && version % 2)) {
		for (size_t i = 0; i < words(); i++)
			if (stored(first + i))
				map[first + i] = stamp(first + i, version);
		return;
	}
	for (size_t i = 0; i < words(); i++)
		file.buf[i] = stamp(first + i, version);
	pwrite_all(file.fd, file.buf, file.l->record, first * 8);
}

static enum way any_way(void)
{
	return rnd() % 2 ? BY_CALL : BY_MAPPING;
}

static void read_record(long record, enum way how)
{
	SHARED uint64_t *map = (SHARED uint64_t *)file.map;
	const uint64_t first = word_of(record);

	if (how == BY_CALL) {
		pread_all(file.fd, file.buf, file.l->record, first * 8);
		return;
	}
	for (size_t i = 0; i < words(); i++)
		file.buf[i] = map[first + i];
}

static void expect_record(long record, uint32_t version, enum way how)
{
	const uint64_t first = word_of(record);

	read_record(record, how);
	for (size_t i = 0; i < words(); i++) {
		uint32_t v = stamp_version(first + i, file.buf[i]);
		uint32_t wanted = version_in(first + i, version);

		CHECK(v == wanted,
		      "%s, record %ld of node %d by %s: word %lu (page %lu, offset %lu) has version %u, last written %u",
		      file.l->name, record, owner_of(record),
		      how == BY_CALL ? "read()" : "load", first + i,
		      (first + i) * 8 / PAGE, (first + i) * 8 % PAGE, v, wanted);
	}
}

/* A look at another node's record while it may be writing.  Has it moved? */
static bool watch_record(long record, enum way how)
{
	const uint64_t first = word_of(record);
	bool whole = file.atomic && how == BY_CALL && file.l->write == BY_CALL;
	uint32_t *seen = file.seen + (first - first_word()), in_page = 0;
	bool moved = false;

	read_record(record, how);
	for (size_t i = 0; i < words(); i++) {
		uint32_t v = stamp_version(first + i, file.buf[i]);

		CHECK(v >= seen[i], "%s: word %lu of node %d went back from version %u to %u",
		      file.l->name, first + i, owner_of(record), seen[i], v);
		if (i && (first + i) % WORDS_PER_PAGE)
			CHECK(!whole || v == in_page,
			      "%s: word %lu of node %d has version %u, the word before it %u: half a write()",
			      file.l->name, first + i, owner_of(record), v, in_page);
		in_page = v;
		moved |= v != seen[i];
		seen[i] = v;
	}
	return moved;
}

/* Prefetching -------------------------------------------------------------- */

static void read_through(void)
{
	static char buf[3 * PAGE];
	size_t from = REGION - file.l->before;

	SYS(lseek(file.fd, from, SEEK_SET));
	for (ssize_t got = 1; got > 0;)
		got = SYS(read(file.fd, buf, sizeof(buf)));
}

/* Everything that brings in or maps pages without anybody having looked at them. */
static void prefetch(void)
{
	char *from = file.map + REGION - file.l->before;
	size_t len = file.len - (REGION - file.l->before);
	size_t skip = rnd() % (len / PAGE / 2) * PAGE;

	from += skip;
	len -= skip;
	switch (rnd() % 7) {
	case 0:
		SYS(madvise(from, len, MADV_POPULATE_READ));
		break;
	case 1:
		SYS(madvise(from, len, MADV_POPULATE_WRITE));
		break;
	case 2:
		SYS(madvise(from, len, MADV_WILLNEED));
		break;
	case 3:
		SYS(madvise(from, len, MADV_DONTNEED));
		break;
	case 4:
		SYS(readahead(file.fd, from - file.map, len));
		break;
	case 5:
		SYS(madvise(file.map, file.len, rnd() % 2 ? MADV_SEQUENTIAL : MADV_RANDOM));
		break;
	case 6:
		read_through();
		break;
	}
}

/* A layout, from the file to the verdict ----------------------------------- */

static void open_layout(const struct layout *l, long number)
{
	file.l = l;
	file.len = (word_of(records()) * 8 + PAGE - 1) & ~(PAGE - 1);
	if (prog.node == 0)
		close(make_file(at("share.%d.%ld", prog.nodes, number), file.len,
				l->fresh));
	barrier();
	file.fd = open_file(at("share.%d.%ld", prog.nodes, number), O_RDWR);
	file.map = map_file(file.fd, file.len, PROT_READ | PROT_WRITE, MAP_SHARED);
	file.seen = calloc(records() * words(), sizeof(*file.seen));
	file.buf = malloc(l->record);
	memset(file.buf, 0, l->record);
	file.atomic = pages_are_atomic();
	barrier();
}

static void close_layout(void)
{
	barrier();
	munmap(file.map, file.len);
	close(file.fd);
	free(file.seen);
	free(file.buf);
}

static long record_of_another(void)
{
	int node = (prog.node + 1 + rnd() % (prog.nodes - 1)) % prog.nodes;

	return nth_of(node, rnd() % file.l->each);
}

/* One version of all of this node's records.  How many of others' moved? */
static long write_share(uint32_t version)
{
	long moved = 0;

	for (int n = 0; n < file.l->each; n++) {
		long own = nth_of(prog.node, n);

		if (file.l->prefetch)
			prefetch();
		expect_record(own, version - 1, any_way());
		write_record(own, version);
		if (prog.nodes > 1)
			moved += watch_record(record_of_another(), any_way());
	}
	return moved;
}

static uint32_t write_until_enough(void)
{
	uint32_t version = 0;
	long moved = 0;
	bool done = false;

	while (!done) {
		moved += write_share(++version);
		done = version >= prog.count &&
		       (moved >= prog.handovers || others_waiting());
	}
	return version;
}

static void run_layout(const struct layout *l, long number)
{
	uint64_t last[MAX_NODES];
	uint32_t version;

	prog.step = l->name;
	open_layout(l, number);
	version = write_until_enough();
	exchange(version, last);
	for (enum way how = BY_MAPPING; how <= BY_CALL; how++)
		for (long record = 0; record < records(); record++)
			expect_record(record, last[owner_of(record)], how);
	close_layout();
}

int main(int argc, char **argv)
{
	double begun;
	int ran = 0;

	prog.count = 4;
	prog.handovers = 12;
	prog.mode = "strided-stores";
	prog_init(argc, argv, "shares");
	begun = now();
	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
		if (strcmp(layouts[i].mode, prog.mode))
			continue;
		run_layout(&layouts[i], i);
		ran++;
	}
	CHECK(ran, "no such mode");
	return prog_end("%d layouts, %.1f s", ran, now() - begun);
}
