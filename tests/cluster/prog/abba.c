// SPDX-License-Identifier: GPL-2.0-only
/*
 * read() and write() whose buffer is a mapping of another node's file.
 *
 * Node n reads file n into its mapping of file n+1, while the node after it does
 * the same one file further, and the last closes the circle: each needs for one
 * call what two of them hold.  Then write() instead of read(), both in turn, and
 * calls whose buffer is a mapping of the same file.  Every node does -c calls of
 * each kind, none may take over 10 s, and all bytes must be right.
 *
 * A file has a source area that nobody changes and one target area per node, side
 * by side, or with -m regions each across the border of two regions of its own.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "stamp.h"

#define AREA (8 * PAGE)
#define LONGEST (3 * PAGE)
#define TOO_LONG 10.0

struct file {
	int fd;
	int number;
	char *map;
};

static bool far_apart;
static double longest;
static long calls;

/* Where an area begins: 0 is the source, then come the nodes' targets. */
static size_t area(int n)
{
	return far_apart ? (1 + n) * REGION - AREA / 2 : n * AREA;
}

static size_t target_of(int node)
{
	return area(1 + node);
}

static size_t file_len(void)
{
	return area(1 + prog.nodes);
}

struct op {
	size_t from, to, len;
};

static struct op random_op(void)
{
	struct op op = { .len = 1 + rnd() % LONGEST };

	op.from = area(0) + rnd() % (AREA - op.len);
	op.to = target_of(prog.node) + rnd() % (AREA - op.len);
	return op;
}

static void timed(double begun, const char *call)
{
	double took = now() - begun;

	calls++;
	if (took > longest)
		longest = took;
	CHECK(took < TOO_LONG, "a %s took %.1f s", call, took);
}

static void compare(const char *what, const char *buf, struct op *op, int file)
{
	ssize_t bad = differs(buf, op->len, file, op->from);

	CHECK(bad < 0, "%s: byte %zd of %zu, from %zu to %zu, is %#x", what, bad,
	      op->len, op->from, op->to, (unsigned char)buf[bad]);
}

/* read() a piece of @src into the mapping of @dst */
static void read_into(struct file *src, struct file *dst)
{
	struct op op = random_op();
	double begun = now();
	ssize_t ret = SYS(pread(src->fd, dst->map + op.to, op.len, op.from));

	timed(begun, "read()");
	CHECK(ret == (ssize_t)op.len, "read() gave %zd of %zu bytes", ret, op.len);
	compare("read()", dst->map + op.to, &op, src->number);
}

/* write() a piece of the mapping of @src to @dst */
static void write_from(struct file *src, struct file *dst)
{
	struct op op = random_op();
	double begun = now();
	char buf[LONGEST];
	ssize_t ret;

	ret = SYS(pwrite(dst->fd, src->map + op.from, op.len, op.to));
	timed(begun, "write()");
	CHECK(ret == (ssize_t)op.len, "write() took %zd of %zu bytes", ret, op.len);
	compare("write(), seen through the mapping", dst->map + op.to, &op,
		src->number);
	pread_all(dst->fd, buf, op.len, op.to);
	compare("write(), read back", buf, &op, src->number);
}

/* Source and target in one file overlap: only the end of the call is defined. */
static void overlap(struct file *f)
{
	size_t at = target_of(prog.node) + rnd() % PAGE;
	size_t len = 1 + rnd() % LONGEST;
	double begun = now();
	ssize_t ret;

	ret = SYS(pwrite(f->fd, f->map + at, len, at + rnd() % len));
	CHECK(ret > 0, "write() from its own pages took %zd of %zu bytes", ret, len);
	ret = SYS(pread(f->fd, f->map + at + rnd() % len, len, at));
	CHECK(ret > 0, "read() into its own pages gave %zd of %zu bytes", ret, len);
	timed(begun, "read() or write() of its own pages");
}

static void open_one(struct file *f, int number)
{
	f->number = number;
	f->fd = open_file(at("abba.%d", number), O_RDWR);
	f->map = map_file(f->fd, file_len(), PROT_READ | PROT_WRITE, MAP_SHARED);
}

static void make_one(int number)
{
	char source[AREA];
	int fd = make_file(at("abba.%d", number), file_len(), far_apart);

	fill(source, AREA, number, area(0));
	pwrite_all(fd, source, AREA, area(0));
	close(fd);
}

static void verify_sources(struct file *f)
{
	ssize_t bad = differs(f->map + area(0), AREA, f->number, area(0));

	CHECK(bad < 0, "byte %zd of the source area of file %d changed", bad,
	      f->number);
}

int main(int argc, char **argv)
{
	struct file own, next;

	prog.count = 200;
	prog_init(argc, argv, "abba");
	far_apart = !strcmp(prog.mode, "regions");
	make_one(prog.node);
	if (prog.nodes == 1)
		make_one(1);
	barrier();
	open_one(&own, prog.node);
	open_one(&next, prog.nodes == 1 ? 1 : (prog.node + 1) % prog.nodes);
	barrier();

	prog.step = "read() into the next file's mapping";
	for (long i = 0; i < prog.count; i++)
		read_into(&own, &next);
	barrier();
	prog.step = "write() from the next file's mapping";
	for (long i = 0; i < prog.count; i++)
		write_from(&next, &own);
	barrier();
	prog.step = "both in turn";
	for (long i = 0; i < prog.count / 2; i++) {
		if (rnd() % 2)
			read_into(&own, &next);
		else
			write_from(&own, &next);
	}
	barrier();
	prog.step = "buffer in the same file";
	for (long i = 0; i < prog.count / 2; i++) {
		read_into(&own, &own);
		write_from(&own, &own);
		overlap(&own);
	}
	barrier();
	verify_sources(&own);
	verify_sources(&next);
	report("longest=%.3f calls=%ld", longest, calls);
	return prog_end("%ld calls, the longest took %.2f s", calls, longest);
}
