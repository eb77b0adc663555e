// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nodes make one new file longer: record r belongs to node r mod N, and nobody waits
 * for anybody.
 *
 * Where a faster node is ahead the others' records are holes, which are filled by and
 * by.  The size never goes back, what a node has written stays, and what others have
 * not written yet is zero.  In the end everybody finds every record.  -c records of
 * each size and node.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "stamp.h"

static const size_t sizes[] = { PAGE, 16 * PAGE, 1000 };

static struct {
	size_t record;
	int fd;
	off_t size;
	uint64_t *buf;
} file;

static uint64_t first_word(long record)
{
	return record * file.record / 8;
}

static void write_record(long record)
{
	off_t end = (record + 1) * file.record, size;

	for (size_t i = 0; i < file.record / 8; i++)
		file.buf[i] = stamp(first_word(record) + i, 1);
	pwrite_all(file.fd, file.buf, file.record, record * file.record);
	size = file_size(file.fd);
	CHECK(size >= end, "size %jd after a write() up to %jd", (intmax_t)size,
	      (intmax_t)end);
	CHECK(size >= file.size, "the size went from %jd back to %jd",
	      (intmax_t)file.size, (intmax_t)size);
	file.size = size;
}

/* @there: it is known to be written; else it may be, word by word */
static void look_at(long record, bool there)
{
	pread_all(file.fd, file.buf, file.record, record * file.record);
	for (size_t i = 0; i < file.record / 8; i++) {
		uint64_t index = first_word(record) + i;
		uint32_t version = stamp_version(index, file.buf[i]);

		CHECK(version == 1 || (!there && !version),
		      "record %ld of node %ld: word %lu has version %u", record,
		      record % prog.nodes, index, version);
	}
}

static void grow_by(size_t record)
{
	long i, r;

	file.record = record;
	file.size = 0;
	file.buf = malloc(record);
	if (prog.node == 0)
		close(make_file(at("grow.%zu", record), 0, true));
	barrier();
	file.fd = open_file(at("grow.%zu", record), O_RDWR);
	for (i = 0; i < prog.count; i++) {
		write_record(i * prog.nodes + prog.node);
		if (rnd() % 8)
			continue;
		r = rnd() % (i * prog.nodes + prog.node + 1);
		look_at(r, r % prog.nodes == prog.node);
	}
	barrier();
	CHECK(file_size(file.fd) == (off_t)(prog.count * prog.nodes * record),
	      "in the end the size is %jd", (intmax_t)file_size(file.fd));
	for (r = 0; r < prog.count * prog.nodes; r++)
		look_at(r, true);
	barrier();
	close(file.fd);
	free(file.buf);
}

int main(int argc, char **argv)
{
	double begun;

	prog.count = 100;
	prog_init(argc, argv, "grow");
	begun = now();
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		prog.step = at("records of %zu bytes", sizes[i]);
		grow_by(sizes[i]);
	}
	return prog_end("%.1f s", now() - begun);
}
