// SPDX-License-Identifier: GPL-2.0-only
/*
 * A file that is open on one node and unlinked on another lives until the last
 * close anywhere, and then its space comes back on every node.
 *
 * Node 0 unlinks, or renames something over the name; the others have the file
 * open or only mapped.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "prog.h"

#define SIZE (4096 * PAGE)	/* big enough to stand out in statfs */

static uint64_t free_bytes(void)
{
	struct statvfs st;

	SYS(statvfs(prog.dir, &st));
	return st.f_bfree * st.f_frsize;
}

static void use(int fd, char *map, uint64_t seed)
{
	char buf[2 * PAGE];
	ssize_t bad;

	pread_all(fd, buf, sizeof(buf), 0);
	bad = differs(buf, sizeof(buf), seed, 0);
	CHECK(bad < 0, "byte %zd is wrong after the unlink", bad);
	fill(map + SIZE - PAGE, PAGE, prog.node, 0);
	pread_all(fd, buf, PAGE, SIZE - PAGE);
	bad = differs(buf, PAGE, prog.node, 0);
	/* Several nodes store there: equal bytes are certain only with two. */
	CHECK(bad < 0 || prog.nodes > 2, "byte %zd stored after the unlink is lost",
	      bad);
}

static void unlink_somehow(const char *name, bool by_rename)
{
	if (by_rename) {
		close(make_file(at("other"), 0, false));
		SYS(rename(at("other"), name));
	}
	SYS(unlink(name));
}

static void case_of(const char *step, bool by_rename, bool only_mapped, long number)
{
	const char *name = at("victim.%ld", number);
	char buf[2 * PAGE], *map = NULL;
	struct stat st;
	int fd = -1;

	prog.step = step;
	if (prog.node == 0) {
		fd = make_file(name, SIZE, false);
		fill(buf, sizeof(buf), 77, 0);
		pwrite_all(fd, buf, sizeof(buf), 0);
		close(fd);
	}
	barrier();
	if (prog.node || prog.nodes == 1) {
		fd = open_file(name, O_RDWR);
		map = map_file(fd, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED);
		if (only_mapped)
			close(fd);
	}
	barrier();
	if (prog.node == 0)
		unlink_somehow(name, by_rename);
	barrier();
	SYS_FAILS(access(name, F_OK), ENOENT);
	if (map) {
		if (only_mapped) {
			ssize_t bad = differs(map, 2 * PAGE, 77, 0);

			CHECK(bad < 0, "byte %zd is wrong after the unlink", bad);
			memset(map + 3 * PAGE, 1, PAGE);
		} else {
			use(fd, map, 77);
			SYS(fstat(fd, &st));
			CHECK(!st.st_nlink, "%lu links after the unlink",
			      (long)st.st_nlink);
			CHECK(st.st_size == (off_t)SIZE, "size %jd after the unlink",
			      (intmax_t)st.st_size);
			close(fd);
		}
		munmap(map, SIZE);
	}
	barrier();
}

/* Freeing is the filesystem's work in the background: wait for it. */
static void wait_for_space(uint64_t before)
{
	double until = now() + 60;
	uint64_t is;

	prog.step = "waiting for the space to come back";
	while (before - (is = free_bytes()) > SIZE / 2 && before > is) {
		CHECK(now() < until, "%lu KiB of %lu KiB are still in use",
		      (before - is) / 1024, SIZE / 1024);
		sleep_for(0.1);
	}
}

int main(int argc, char **argv)
{
	uint64_t before;

	prog.count = 1;
	prog_init(argc, argv, "openunlink");
	sync();
	barrier();
	before = free_bytes();
	barrier();
	for (long i = 0; i < prog.count; i++) {
		case_of("unlinked while open", false, false, 4 * i);
		case_of("unlinked while mapped", false, true, 4 * i + 1);
		case_of("replaced while open", true, false, 4 * i + 2);
		case_of("replaced while mapped", true, true, 4 * i + 3);
	}
	wait_for_space(before);
	return prog_end("4 cases, the space came back");
}
