// SPDX-License-Identifier: GPL-2.0-only
/*
 * MAP_PRIVATE: pages that were stored to keep their bytes whatever other nodes
 * write, pages that were not follow the file.  Node 0 writes, the others map.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "prog.h"

#define PAGES 4
/* even pages: copied by a store; odd pages: only ever read */
#define OWN_SEED (1000 + prog.node)

static void expect(const char *what, const char *map, int page, uint64_t seed)
{
	ssize_t bad = differs(map + page * PAGE, PAGE, seed, page * PAGE);

	CHECK(bad < 0, "%s: page %d differs at byte %zd", what, page, bad);
}

static void expect_all(const char *map, uint64_t file_seed)
{
	for (int page = 0; page < PAGES; page++) {
		if (page % 2 == 0)
			expect("private copy", map, page, OWN_SEED);
		else
			expect("page not yet copied", map, page, file_seed);
	}
}

static void write_version(int fd, char *shared, uint64_t seed, bool store)
{
	char buf[PAGES * PAGE];

	fill(buf, sizeof(buf), seed, 0);
	if (store)
		memcpy(shared, buf, sizeof(buf));
	else
		pwrite_all(fd, buf, sizeof(buf), 0);
}

/* A child has the parent's private pages, and its stores stay its own. */
static void fork_and_expect(char *map, uint64_t file_seed)
{
	int status;
	pid_t pid = SYS(fork());

	if (!pid) {
		prog.nodes = 1;		/* the child takes no part in meetings */
		expect_all(map, file_seed);
		memset(map, 0x55, PAGE);
		_exit(0);
	}
	SYS(waitpid(pid, &status, 0));
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status), "child: status %#x", status);
	expect_all(map, file_seed);
}

int main(int argc, char **argv)
{
	char *shared, *map, *file;
	long version = 1;
	int fd;

	prog.count = 20;
	prog_init(argc, argv, "private");
	if (prog.node == 0) {
		fd = make_file(at("private"), PAGES * PAGE, false);
		write_version(fd, NULL, version, false);
	}
	barrier();
	fd = open_file(at("private"), O_RDWR);
	shared = map_file(fd, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
	map = map_file(fd, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	file = map_file(fd, PAGES * PAGE, PROT_READ, MAP_PRIVATE);
	for (int page = 0; page < PAGES; page++)
		expect("first look", map, page, version);
	for (int page = 0; page < PAGES; page += 2)
		fill(map + page * PAGE, PAGE, OWN_SEED, page * PAGE);
	barrier();

	prog.step = "versions";
	while (version++ < prog.count) {
		if (prog.node == 0)
			write_version(fd, shared, version, version % 2);
		barrier();
		expect_all(map, version);
		for (int page = 0; page < PAGES; page++) {
			expect("read-only private mapping", file, page, version);
			expect("shared mapping", shared, page, version);
		}
		if (version % 8 == 0)
			fork_and_expect(map, version);
		barrier();
	}
	/* Dropping the copies brings the file back. */
	SYS(madvise(map, PAGES * PAGE, MADV_DONTNEED));
	for (int page = 0; page < PAGES; page++)
		expect("after MADV_DONTNEED", map, page, version - 1);
	return prog_end("%ld versions", version - 1);
}
