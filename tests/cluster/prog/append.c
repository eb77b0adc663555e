// SPDX-License-Identifier: GPL-2.0-only
/*
 * All nodes append to one file: every record is there once, whole, and in the
 * order in which its node wrote it.
 *
 * Records have random lengths, some over several pages, and the file begins just
 * below the border of a region.  While the file grows, every node follows it: what
 * lies below a size is whole and does not change.  A record that goes on beyond
 * the size may be looked at again later.  Each node appends -c records.
 *
 * Then pages, by turns, to a file that ends where a page does: as soon as one is there
 * all nodes find it, though they have the pages before it and need not ask for the size.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "stamp.h"

#define START ((off_t)(REGION - 24 * PAGE))
#define LONGEST 3000		/* words */
#define FILE_MAX (16 * REGION)

/* A record: this, and @words words that follow from it. */
struct header {
	uint64_t check;		/* of the other two */
	uint32_t node, words;
	uint64_t number;
};

#define HEADER_WORDS (sizeof(struct header) / 8)

/* How far this node has followed the file. */
struct follower {
	SHARED uint64_t *map;
	int fd;
	off_t parsed;
	uint64_t next[MAX_NODES];
};

static uint64_t check_of(const struct header *h)
{
	return hash64(hash64(h->number) ^ ((uint64_t)h->node << 32 | h->words));
}

static size_t random_words(void)
{
	return rnd() % 8 ? rnd() % 300 : 500 + rnd() % (LONGEST - 500);
}

static void append_record(int fd, uint64_t number)
{
	static uint64_t buf[HEADER_WORDS + LONGEST];
	struct header h = {
		.node = prog.node,
		.number = number,
		.words = random_words(),
	};
	size_t len = sizeof(h) + h.words * 8;
	ssize_t ret;

	h.check = check_of(&h);
	memcpy(buf, &h, sizeof(h));
	for (uint32_t i = 0; i < h.words; i++)
		buf[HEADER_WORDS + i] = hash64(h.check + i);
	ret = SYS(write(fd, buf, len));
	CHECK(ret == (ssize_t)len, "write() took %zd of %zu bytes", ret, len);
}

static void check_header(const struct follower *f, const struct header *h)
{
	CHECK(h->check == check_of(h) && h->words <= LONGEST &&
	      h->node < (uint32_t)prog.nodes,
	      "at %jd there is no record: %#lx %u %u %#lx", (intmax_t)f->parsed,
	      h->check, h->node, h->words, h->number);
	CHECK(h->number == f->next[h->node],
	      "at %jd: record %lu of node %u, the last one was %ld",
	      (intmax_t)f->parsed, h->number, h->node, (long)f->next[h->node] - 1);
}

static void fetch(const struct follower *f, bool by_call, void *to, size_t len, off_t off)
{
	if (by_call) {
		pread_all(f->fd, to, len, off);
		return;
	}
	for (size_t i = 0; i < len / 8; i++)
		((uint64_t *)to)[i] = f->map[off / 8 + i];
}

/* Goes on to the last record that is whole at this size. */
static void follow(struct follower *f, bool by_call)
{
	static uint64_t body[LONGEST];
	const off_t size = file_size(f->fd);
	struct header h;

	CHECK(size >= f->parsed, "the size went back to %jd, there was a record up to %jd",
	      (intmax_t)size, (intmax_t)f->parsed);
	while (f->parsed + (off_t)sizeof(h) <= size) {
		fetch(f, by_call, &h, sizeof(h), f->parsed);
		check_header(f, &h);
		if (f->parsed + (off_t)(sizeof(h) + h.words * 8) > size)
			break;
		fetch(f, by_call, body, h.words * 8, f->parsed + sizeof(h));
		for (uint32_t i = 0; i < h.words; i++)
			CHECK(body[i] == hash64(h.check + i),
			      "at %jd: word %u of %u of record %lu of node %u is %#lx",
			      (intmax_t)f->parsed, i, h.words, h.number, h.node, body[i]);
		f->parsed += sizeof(h) + h.words * 8;
		f->next[h.node]++;
	}
}

static void open_follower(struct follower *f)
{
	*f = (struct follower) {
		.fd = open_file(at("append"), O_RDWR),
		.parsed = START,
	};
	f->map = map_file(f->fd, FILE_MAX, PROT_READ, MAP_SHARED);
}

static void expect_all(struct follower *f, const uint64_t *last)
{
	follow(f, rnd() % 2);
	CHECK(file_size(f->fd) == f->parsed, "%jd bytes after the last whole record",
	      (intmax_t)(file_size(f->fd) - f->parsed));
	for (int i = 0; i < prog.nodes; i++)
		CHECK(f->next[i] == last[i], "node %d appended %lu records, %lu are there", i,
		      last[i], f->next[i]);
}

#define ALIGNED	12		/* pages */

static void append_pages(void)
{
	char page[PAGE], both[2 * PAGE];
	int fd;

	prog.step = "appending pages";
	if (prog.node == 0)
		close(make_file(at("pages"), 2 * PAGE, false));
	barrier();
	fd = open_file(at("pages"), O_RDWR);
	/* a page each, so that nobody has all of the file */
	for (int i = 0; i < 2 * prog.nodes; i++) {
		if (i % prog.nodes == prog.node)
			pwrite_all(fd, page, 1, i % 2 * PAGE);
		barrier();
	}
	for (off_t last = PAGE; last < ALIGNED * (off_t)PAGE; last += PAGE) {
		ssize_t got;

		/* the last page is here, and nothing behind it */
		SYS(pread(fd, page, PAGE, last));
		barrier();
		if ((int)(last / PAGE % prog.nodes) == prog.node)
			pwrite_all(fd, page, PAGE, last + PAGE);
		barrier();
		got = SYS(pread(fd, both, sizeof(both), last));
		CHECK(got == sizeof(both), "%zd bytes at %jd, the size is %jd", got,
		      (intmax_t)last, (intmax_t)(last + 2 * PAGE));
		barrier();
	}
	close(fd);
}

int main(int argc, char **argv)
{
	uint64_t number = 0, last[MAX_NODES];
	struct follower f, again;
	int fd;

	prog.count = 100;
	prog_init(argc, argv, "append");
	if (prog.node == 0)
		close(make_file(at("append"), START, true));
	barrier();
	fd = open_file(at("append"), O_WRONLY | O_APPEND);
	open_follower(&f);
	barrier();

	prog.step = "appending";
	while (number < (uint64_t)prog.count) {
		append_record(fd, number++);
		if (rnd() % 4 == 0)
			follow(&f, rnd() % 2);
	}
	prog.step = "counting";
	exchange(number, last);
	CHECK(f.parsed > START, "nothing to follow");
	expect_all(&f, last);
	open_follower(&again);
	expect_all(&again, last);
	append_pages();
	return prog_end("%lu records, %jd bytes", number * prog.nodes,
			(intmax_t)(f.parsed - START));
}
