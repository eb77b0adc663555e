// SPDX-License-Identifier: GPL-2.0-only
/*
 * What nobody has written is zero, whatever was foreseen.
 *
 * Nodes write their records to one new file, at regular distances for a while; then they leave
 * some out, each its own.  A filesystem that allocates for the next records in time has
 * allocated in vain, and others make the file longer over that.  The blocks have been in use:
 * the file was full of ones before.  In the end it is made longer once more, over what is left
 * behind its end.  -c records of each size and node; -m all: none is left out.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "stamp.h"

#define TAIL (2UL << 20)

static const size_t sizes[] = { PAGE, 3 * PAGE, 16 * PAGE };

static struct {
	size_t record;
	int fd;
	uint64_t *buf;
} file;

/* Record n of a node is in a run of 60, each of which it writes from a record on or not at all. */
static bool is_written(long n, int node)
{
	uint64_t run = hash64((n / 60 * MAX_NODES + node) * 3 + file.record);

	if (*prog.mode)
		return node < prog.nodes;
	return node < prog.nodes && run % 4 && n % 60 >= (long)(run >> 8) % 40;
}

/* One place in each round is nobody's. */
static long place_of(long n, int node)
{
	return n * (prog.nodes + 1) + node;
}

static off_t end_of_file(void)
{
	for (long place = place_of(prog.count, 0) - 1; place >= 0; place--)
		if (is_written(place / (prog.nodes + 1), place % (prog.nodes + 1)))
			return (place + 1) * file.record;
	return 0;
}

/* So that what is allocated for it next holds ones. */
static void use_blocks(void)
{
	const size_t all = place_of(prog.count, 0) * file.record + TAIL, piece = 1UL << 20;
	char *ones = malloc(piece);

	memset(ones, 0xff, piece);
	file.fd = open_file(at("gaps.%zu", file.record), O_RDWR | O_CREAT | O_TRUNC);
	for (size_t off = 0; off < all; off += piece)
		pwrite_all(file.fd, ones, piece, off);
	SYS(fsync(file.fd));
	SYS(ftruncate(file.fd, 0));
	SYS(fsync(file.fd));
	close(file.fd);
	free(ones);
}

static void write_records(void)
{
	for (long n = 0; n < prog.count; n++) {
		const off_t off = place_of(n, prog.node) * file.record;

		if (!is_written(n, prog.node))
			continue;
		for (size_t i = 0; i < file.record / 8; i++)
			file.buf[i] = stamp(off / 8 + i, 1);
		pwrite_all(file.fd, file.buf, file.record, off);
	}
}

static void look_at(off_t off, size_t len, bool written)
{
	pread_all(file.fd, file.buf, len, off);
	for (size_t i = 0; i < len / 8; i++)
		CHECK(file.buf[i] == (written ? stamp(off / 8 + i, 1) : 0),
		      "word %zu at %jd, %s, is %#lx", i, (intmax_t)off,
		      written ? "written" : "not written", file.buf[i]);
}

static void look_at_all(off_t end)
{
	for (off_t off = 0; off < end; off += file.record) {
		long place = off / file.record;

		look_at(off, file.record,
			is_written(place / (prog.nodes + 1), place % (prog.nodes + 1)));
	}
	for (off_t off = end; off < end + (off_t)TAIL; off += PAGE)
		look_at(off, PAGE, false);
}

static void leave_gaps(size_t record)
{
	off_t end;

	file.record = record;
	file.buf = malloc(record);
	end = end_of_file();
	if (prog.node == 0)
		use_blocks();
	barrier();
	file.fd = open_file(at("gaps.%zu", record), O_RDWR);
	write_records();
	SYS(fsync(file.fd));
	barrier();
	CHECK(file_size(file.fd) == end, "the size is %jd, not %jd",
	      (intmax_t)file_size(file.fd), (intmax_t)end);
	barrier();
	if (prog.node == prog.nodes - 1)
		SYS(ftruncate(file.fd, end + TAIL));
	barrier();
	look_at_all(end);
	barrier();
	close(file.fd);
	free(file.buf);
}

int main(int argc, char **argv)
{
	double begun;

	prog.count = 300;
	prog_init(argc, argv, "gaps");
	begun = now();
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		prog.step = at("records of %zu bytes", sizes[i]);
		leave_gaps(sizes[i]);
	}
	return prog_end("%.1f s", now() - begun);
}
