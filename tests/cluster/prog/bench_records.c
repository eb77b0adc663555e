// SPDX-License-Identifier: GPL-2.0-only
/*
 * Patterns of calls.
 *
 * strided-SIZE	every n-th record of a file is one node's to write, over and over
 * strided-SIZE-new	the same in a file that is new and grows
 * segmented	each node writes to a contiguous part, 64 KiB at a time
 * append	all append records of 256 bytes to a file that starts empty
 * scan		all read from start to end, and store to a page of their own now and then
 *
 * On a file of its own a node does the same at the same offsets: that file is sparse.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "bench.h"

#define SHARE (8UL << 20)		/* bytes per node, where the file is not new */
#define MOST (2UL << 30)		/* the same where it is, before it starts again */
#define SCAN_EVERY 16			/* reads per store */

enum kind { STRIDED, SEGMENTED, APPEND, SCAN };

static struct {
	SHARED uint64_t *own;		/* scan: the word this node stores to */
	int fd;
	uint64_t count;
	uint64_t *buf;
} f;

static enum kind kind_of(const struct pattern *p)
{
	if (p->mode[0] == 'a')
		return APPEND;
	if (p->mode[1] == 'c')
		return SCAN;
	return p->mode[1] == 'e' ? SEGMENTED : STRIDED;
}

static const char *path_of(bool shared)
{
	return shared ? at("shared") : at("own.%d", prog.node);
}

static size_t file_len(const struct pattern *p)
{
	return kind_of(p) == SCAN ? SHARE : SHARE * prog.nodes;
}

static uint64_t one_round(const struct pattern *p)
{
	return p->fresh ? 1 : SHARE / p->record;
}

static off_t offset_of(const struct pattern *p, uint64_t nth)
{
	nth %= (p->fresh ? MOST : SHARE) / p->record;
	if (kind_of(p) == SEGMENTED)
		return prog.node * SHARE + nth * p->record;
	return (nth * prog.nodes + prog.node) * p->record;
}

static void make_own(const struct pattern *p)
{
	int fd = make_file(path_of(false), file_len(p), kind_of(p) != SCAN);

	for (uint64_t nth = 0; kind_of(p) != SCAN && nth < one_round(p); nth++)
		pwrite_all(fd, f.buf, p->record, offset_of(p, nth));
	close(fd);
}

static void make(const struct pattern *p)
{
	f.buf = malloc(p->record);
	memset(f.buf, 'x', p->record);
	if (p->fresh)
		return;
	make_own(p);
	if (prog.node == 0)
		close(make_file(path_of(true), file_len(p), false));
}

static void open_window(const struct pattern *p, bool shared)
{
	int flags = kind_of(p) == APPEND ? O_APPEND : 0;

	f.count = 0;
	if (p->fresh && (!shared || prog.node == 0))
		close(open_file(path_of(shared), O_RDWR | O_CREAT | O_TRUNC));
	barrier();
	f.fd = open_file(path_of(shared), O_RDWR | flags);
	if (kind_of(p) == SCAN)
		f.own = map_file(f.fd, SHARE, PROT_READ | PROT_WRITE, MAP_SHARED);
}

/* Records ------------------------------------------------------------------- */

static uint64_t first_word(uint64_t count)
{
	return hash64((uint64_t)prog.node << 48 | count);
}

static void write_record(const struct pattern *p)
{
	f.buf[0] = first_word(f.count);
	pwrite_all(f.fd, f.buf, p->record, offset_of(p, f.count));
	f.count++;
}

/* The last records must be there. */
static void close_records(const struct pattern *p, bool shared)
{
	for (uint64_t back = 1; back <= 8 && back <= f.count; back++) {
		uint64_t n = f.count - back, value;

		pread_all(f.fd, &value, 8, offset_of(p, n));
		CHECK(value == first_word(n), "%s: record %lu of %lu is lost",
		      shared ? "one file" : "own file", n, f.count);
	}
	close(f.fd);
	barrier();
	if (p->fresh && (!shared || prog.node == 0))
		SYS(unlink(path_of(shared)));
	barrier();
}

/* Appending ----------------------------------------------------------------- */

static void append_record(const struct pattern *p)
{
	ssize_t ret;

	f.buf[0] = prog.node;
	f.buf[1] = f.count++;
	for (size_t i = 2; i < p->record / 8; i++)
		f.buf[i] = first_word(f.buf[1]) + i;
	ret = SYS(write(f.fd, f.buf, p->record));
	CHECK(ret == (ssize_t)p->record, "write() took %zd of %zu bytes", ret, p->record);
}

static bool is_whole(const uint64_t *record, size_t words)
{
	uint64_t first = hash64(record[0] << 48 | record[1]);

	for (size_t i = 2; i < words; i++)
		if (record[i] != first + i)
			return false;
	return record[0] < (uint64_t)prog.nodes;
}

/* Which of the records that were appended are there, once, whole and in order? */
static void look_for_all(const struct pattern *p, const uint64_t *counts)
{
	uint64_t next[MAX_NODES] = { 0 }, good = 0, all = 0;
	const off_t size = file_size(f.fd);

	for (off_t off = 0; off + (off_t)p->record <= size; off += p->record) {
		pread_all(f.fd, f.buf, p->record, off);
		if (!is_whole(f.buf, p->record / 8) || f.buf[1] < next[f.buf[0]])
			continue;
		next[f.buf[0]] = f.buf[1] + 1;
		good++;
	}
	for (int i = 0; i < prog.nodes; i++)
		all += counts[i];
	report("lost=%ld of=%lu", (long)(all - good), all);
}

static void close_append(const struct pattern *p, bool shared)
{
	uint64_t counts[MAX_NODES];

	exchange(f.count, counts);
	if (shared && prog.node == 0)
		look_for_all(p, counts);
	f.count = 0;
	close_records(p, shared);
}

/* Scanning ------------------------------------------------------------------ */

static void read_next(const struct pattern *p)
{
	const uint64_t chunks = SHARE / p->record;

	pread_all(f.fd, f.buf, p->record, f.count % chunks * p->record);
	if (++f.count % SCAN_EVERY == 0)
		f.own[(prog.node * 256 + 128) * PAGE / 8] = f.count;
}

static void close_scan(const struct pattern *p, bool shared)
{
	(void)p;
	(void)shared;
	munmap((void *)f.own, SHARE);
	close(f.fd);
	barrier();
}

#define WRITES(name, size, is_fresh)						\
	{ .mode = name, .record = size, .fresh = is_fresh, .round = one_round,	\
	  .make = make, .open = open_window, .op = write_record,		\
	  .close = close_records }

const struct pattern record_patterns[] = {
	WRITES("strided-4k", 4096, false),
	WRITES("strided-64k", 65536, false),
	WRITES("strided-1m", 1 << 20, false),
	WRITES("strided-4k-new", 4096, true),
	WRITES("strided-64k-new", 65536, true),
	WRITES("strided-1m-new", 1 << 20, true),
	WRITES("segmented", 65536, false),
	{ .mode = "append", .record = 256, .fresh = true, .round = one_round,
	  .make = make, .open = open_window, .op = append_record, .close = close_append },
	{ .mode = "scan", .record = 65536, .round = one_round, .make = make,
	  .open = open_window, .op = read_next, .close = close_scan },
	{ },
};
