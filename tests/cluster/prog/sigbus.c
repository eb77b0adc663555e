// SPDX-License-Identifier: GPL-2.0-only
/*
 * Touching a mapping beyond the end of the file raises SIGBUS, wherever the file
 * was truncated; extending it makes the pages accessible again, as zeroes.
 *
 * Node 0 changes the size, all nodes look.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include "prog.h"

#define PAGES 6

static int fd;
static char *map, *priv;

static void set_size(size_t size)
{
	barrier();
	if (prog.node == 0)
		SYS(ftruncate(fd, size));
	barrier();
	CHECK((size_t)file_size(fd) == size, "size is %jd, node 0 set %zu",
	      (intmax_t)file_size(fd), size);
	barrier();
}

/* Exactly the pages below @size are accessible. */
static void expect_edge(size_t size)
{
	for (size_t page = 0; page < PAGES; page++) {
		int wanted = page * PAGE < size ? 0 : SIGBUS;

		for (int store = 0; store <= 1; store++) {
			int got = faults(map + page * PAGE + 8, store);

			CHECK(got == wanted, "size %zu, %s of page %zu: signal %d",
			      size, store ? "store" : "load", page, got);
		}
		if (faults(priv + page * PAGE + 8, false) != wanted)
			fail("size %zu, private mapping, page %zu", size, page);
	}
}

static void expect_bytes(size_t from, size_t to, uint64_t seed)
{
	for (size_t i = from; i < to; i++) {
		char wanted;

		fill(&wanted, 1, seed, i);
		if (!seed)
			wanted = 0;
		CHECK(map[i] == wanted, "byte %zu is %#x, wanted %#x", i,
		      (unsigned char)map[i], (unsigned char)wanted);
	}
}

static void steps(void)
{
	prog.step = "as created";
	expect_edge(3 * PAGE);
	expect_bytes(0, 3 * PAGE, 7);

	prog.step = "cut to one page";
	set_size(PAGE);
	expect_edge(PAGE);

	prog.step = "grown to two pages and a half";
	set_size(2 * PAGE + PAGE / 2);
	expect_edge(2 * PAGE + PAGE / 2);
	expect_bytes(0, PAGE, 7);
	expect_bytes(PAGE, 3 * PAGE, 0);

	prog.step = "cut inside a page and grown";
	set_size(100);
	expect_bytes(0, 100, 7);
	expect_bytes(100, PAGE, 0);
	set_size(PAGES * PAGE);
	expect_edge(PAGES * PAGE);
	expect_bytes(0, 100, 7);
	expect_bytes(100, PAGES * PAGE, 0);

	prog.step = "store after growing";
	barrier();
	if (prog.node == prog.nodes - 1)
		fill(map + PAGE, PAGE, 9, PAGE);
	barrier();
	expect_bytes(PAGE, 2 * PAGE, 9);

	prog.step = "cut to nothing";
	set_size(0);
	expect_edge(0);
}

/*
 * What was stored behind the end, into the rest of the last page, must not be
 * in the file when it grows.  Not every filesystem keeps this, hence -m tail.
 */
static void tail(void)
{
	prog.step = "stores behind the end";
	set_size(PAGE + 100);
	if (prog.node == prog.nodes - 1)
		memset(map + PAGE + 100, 0x77, 1000);
	set_size(3 * PAGE);
	expect_bytes(PAGE + 100, 3 * PAGE, 0);
}

/* Sizes change under running stores: each store succeeds or raises SIGBUS. */
static void race(void)
{
	long bus = 0, fine = 0;

	prog.step = "truncate under stores";
	set_size(PAGE);
	if (prog.node == 0) {
		do {
			SYS(ftruncate(fd, PAGE + rnd() % (PAGES - 1) * PAGE));
		} while (!others_waiting());
		SYS(ftruncate(fd, PAGES * PAGE));
	} else {
		while (fine + bus < 10 * prog.count) {
			size_t page = rnd() % PAGES;
			int got = faults(map + page * PAGE + rnd() % PAGE, rnd() % 2);

			CHECK(!got || got == SIGBUS, "signal %d", got);
			CHECK(!got || page, "SIGBUS in page 0, which was never cut");
			if (got)
				bus++;
			else
				fine++;
		}
	}
	barrier();
	expect_edge(PAGES * PAGE);
	report("sigbus=%ld accesses=%ld", bus, fine);
}

int main(int argc, char **argv)
{
	char buf[3 * PAGE];

	prog.count = 50;
	prog_init(argc, argv, "sigbus");
	if (prog.node == 0) {
		fd = make_file(at("sigbus"), 3 * PAGE, false);
		fill(buf, sizeof(buf), 7, 0);
		pwrite_all(fd, buf, sizeof(buf), 0);
	}
	barrier();
	fd = open_file(at("sigbus"), O_RDWR);
	map = map_file(fd, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
	priv = map_file(fd, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	steps();
	if (!strcmp(prog.mode, "tail"))
		tail();
	race();
	return prog_end("edges at 7 sizes, %ld accesses under truncation",
			10 * prog.count);
}
