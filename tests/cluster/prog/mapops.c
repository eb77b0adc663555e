// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls around a mapping, each with what it promises across nodes: mremap,
 * msync, MADV_DONTNEED, MADV_POPULATE_*, mprotect, fork, and execution of a
 * program from the filesystem on all nodes.
 *
 * One node acts, the next one looks; then the roles move on.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "prog.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

#define PAGES 8
#define LEN (PAGES * PAGE)
#define RW (PROT_READ | PROT_WRITE)

static int fd;
static char *map;
static uint64_t version;

static int actor(void)
{
	return version % prog.nodes;
}

static bool acts(void)
{
	return prog.node == actor();
}

static void store_version(char *p)
{
	fill(p, LEN, version, 0);
}

static void expect(const char *what, const char *p, uint64_t seed)
{
	ssize_t bad = differs(p, LEN, seed, 0);

	CHECK(bad < 0, "%s differs at byte %zd", what, bad);
}

static void expect_everywhere(void)
{
	char buf[LEN];

	barrier();
	pread_all(fd, buf, LEN, 0);
	expect("read()", buf, version);
	expect("mapping", map, version);
	barrier();
}

static void step(const char *name)
{
	prog.step = name;
	version++;
	barrier();
}

static void test_mremap(void)
{
	step("mremap to another place");
	if (acts()) {
		char *hole = map_file(-1, 2 * LEN, PROT_NONE,
				      MAP_PRIVATE | MAP_ANONYMOUS);

		map[0] = 1;	/* a page that is mapped when it moves */
		map = SYS(mremap(map, LEN, LEN, MREMAP_MAYMOVE | MREMAP_FIXED, hole));
		store_version(map);
	}
	expect_everywhere();

	step("mremap shrunk and grown");
	if (acts()) {
		map = SYS(mremap(map, LEN, PAGE, 0));
		map = SYS(mremap(map, PAGE, LEN, MREMAP_MAYMOVE));
		store_version(map);
	}
	expect_everywhere();
}

static void test_msync(void)
{
	static const int flags[] = { MS_SYNC, MS_ASYNC, MS_SYNC | MS_INVALIDATE };

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		step("msync");
		if (acts()) {
			store_version(map);
			SYS(msync(map, LEN, flags[i]));
		}
		expect_everywhere();
	}
}

static void test_madvise(void)
{
	step("MADV_DONTNEED keeps what was stored");
	if (acts()) {
		store_version(map);
		SYS(madvise(map, LEN, MADV_DONTNEED));
	}
	expect_everywhere();

	step("MADV_POPULATE_READ");
	if (acts())
		store_version(map);
	barrier();
	if (!acts())
		SYS(madvise(map, LEN, MADV_POPULATE_READ));
	expect_everywhere();

	step("MADV_POPULATE_WRITE");
	SYS(madvise(map, LEN, MADV_POPULATE_WRITE));
	barrier();
	if (acts())
		store_version(map);
	expect_everywhere();

	step("MADV_POPULATE_WRITE of a hole");
	if (acts()) {
		SYS(ftruncate(fd, 0));
		SYS(ftruncate(fd, LEN));
		SYS(madvise(map, LEN, MADV_POPULATE_WRITE));
		for (size_t i = 0; i < LEN; i++)
			CHECK(!map[i], "byte %zu of a hole is %#x", i, map[i]);
		store_version(map);
	}
	expect_everywhere();
}

/* Protection is the process's own: it neither hides nor invents bytes. */
static void test_mprotect(void)
{
	step("mprotect while others write");
	for (long i = 0; i < prog.count; i++) {
		version++;
		SYS(mprotect(map, LEN, PROT_READ));
		CHECK(faults(map, true) == SIGSEGV, "store to a read-only mapping");
		barrier();
		SYS(mprotect(map, LEN, RW));
		if (acts())
			store_version(map);
		SYS(mprotect(map, LEN, PROT_READ));
		barrier();
		expect("read-only mapping", map, version);
		/* A dirty page may become writable again without a fault. */
		SYS(mprotect(map, LEN, RW));
		barrier();
		version++;
		if (acts())
			store_version(map);
		expect_everywhere();
	}
}

static void test_fork(void)
{
	pid_t pid;
	int status;

	step("fork");
	(void)*(SHARED char *)map;
	if (acts()) {
		pid = SYS(fork());
		if (!pid) {
			store_version(map);
			_exit(0);
		}
		SYS(waitpid(pid, &status, 0));
		CHECK(WIFEXITED(status) && !WEXITSTATUS(status), "child: %#x", status);
	}
	expect_everywhere();
}

/* Bytes stored and never synchronised are there after the mapping is gone. */
static void test_unmap(void)
{
	step("munmap and close without msync");
	if (acts()) {
		store_version(map);
		munmap(map, LEN);
		close(fd);
		fd = open_file(at("mapops"), O_RDWR);
		map = map_file(fd, LEN, RW, MAP_SHARED);
	}
	expect_everywhere();
}

/* Execution ---------------------------------------------------------------- */

/* The answer stands behind the program, where loading leaves it alone. */
static void copy_with_answer(const char *to, int answer)
{
	int out = copy_self(at("copy"));

	pwrite_all(out, &answer, sizeof(answer), file_size(out));
	close(out);
	SYS(rename(at("copy"), to));
}

static int run_copy(const char *path)
{
	int status;
	pid_t pid = SYS(fork());

	if (!pid) {
		execl(path, path, "--answer", NULL);
		_exit(126);
	}
	SYS(waitpid(pid, &status, 0));
	CHECK(WIFEXITED(status), "the copy ended with status %#x", status);
	return WEXITSTATUS(status);
}

static int answer_of_self(void)
{
	int in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), answer;
	struct stat st;

	if (in < 0 || fstat(in, &st) ||
	    pread(in, &answer, sizeof(answer), st.st_size - sizeof(answer)) !=
	    sizeof(answer))
		return 125;
	return answer;
}

static void test_exec(void)
{
	for (int answer = 42; answer <= 43; answer++) {
		int got;

		step("execution on all nodes");
		if (acts())
			copy_with_answer(at("program"), answer);
		barrier();
		got = run_copy(at("program"));
		CHECK(got == answer, "the copy answered %d instead of %d", got, answer);
		barrier();
	}
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--answer"))
		return answer_of_self();
	prog.count = 5;
	prog_init(argc, argv, "mapops");
	if (prog.node == 0)
		make_file(at("mapops"), LEN, false);
	barrier();
	fd = open_file(at("mapops"), O_RDWR);
	map = map_file(fd, LEN, RW, MAP_SHARED);
	/* Each test once with each node as the one that acts. */
	for (int i = 0; i < prog.nodes; i++) {
		test_mremap();
		test_msync();
		test_madvise();
		test_fork();
		test_unmap();
		while (version % prog.nodes != (uint64_t)i)
			step("next");
	}
	test_mprotect();
	test_exec();
	return prog_end("%lu versions", version);
}
