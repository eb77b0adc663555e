// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contents of files, on one node: truncate, holes, large offsets, append, odd
 * buffers, synchronisation, space.
 *
 * -m big: offsets beyond 16 TiB.  -m full: until the filesystem is full.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>
#include "prog.h"

#define RW (PROT_READ | PROT_WRITE)

static void expect(int fd, off_t off, size_t len, uint64_t seed)
{
	char *buf = malloc(len);
	ssize_t bad;

	pread_all(fd, buf, len, off);
	if (seed) {
		bad = differs(buf, len, seed, off);
		CHECK(bad < 0, "byte %jd is wrong", (intmax_t)off + bad);
	} else {
		for (size_t i = 0; i < len; i++)
			CHECK(!buf[i], "byte %jd of a hole is %#x",
			      (intmax_t)(off + i), buf[i]);
	}
	free(buf);
}

static void put(int fd, off_t off, size_t len, uint64_t seed)
{
	char *buf = malloc(len);

	fill(buf, len, seed, off);
	pwrite_all(fd, buf, len, off);
	free(buf);
}

static int new_file(void)
{
	return open_file(at("f"), O_RDWR | O_CREAT | O_TRUNC);
}

static void test_truncate(void)
{
	int fd = new_file(), ro;
	struct stat st;

	put(fd, 0, 100000, 1);
	SYS(ftruncate(fd, 5000));
	expect(fd, 0, 5000, 1);
	SYS(ftruncate(fd, 100000));
	expect(fd, 0, 5000, 1);
	expect(fd, 5000, 95000, 0);
	SYS(truncate(at("f"), 1));
	CHECK(file_size(fd) == 1, "size %jd", (intmax_t)file_size(fd));
	SYS(fsync(fd));
	SYS(fstat(fd, &st));
	CHECK(st.st_blocks * 512 <= 16 * (long)PAGE, "%ld sectors for one byte",
	      (long)st.st_blocks);
	ro = open_file(at("f"), O_RDONLY);
	SYS_FAILS(ftruncate(ro, 0), EINVAL);
	SYS_FAILS(write(ro, "x", 1), EBADF);
	SYS_FAILS(ftruncate(fd, -1), EINVAL);
	close(ro);
	close(open_file(at("f"), O_WRONLY | O_TRUNC));
	CHECK(!file_size(fd), "O_TRUNC left %jd bytes", (intmax_t)file_size(fd));
	close(fd);
}

/* Pieces of all sizes at all offsets, written in random order. */
static void test_pieces(void)
{
	enum { LEN = 300000 };
	int fd = new_file(), other;

	for (int i = 0; i < 400; i++) {
		size_t len = 1 + rnd() % (i % 4 ? 3000 : 20000);

		put(fd, rnd() % (LEN - len), len, 2);
	}
	put(fd, 0, LEN, 2);
	expect(fd, 0, LEN, 2);
	other = open_file(at("f"), O_RDONLY);
	expect(other, 0, LEN, 2);
	close(other);
	close(fd);
}

/* Many small extents: every other block first, then those between. */
static void test_fragments(void)
{
	enum { BLOCKS = 1200 };
	int fd = new_file();

	for (int i = 0; i < BLOCKS; i += 2)
		put(fd, i * PAGE, PAGE, 3);
	for (int i = 0; i < BLOCKS; i++)
		expect(fd, i * PAGE, i == BLOCKS - 1 ? 0 : PAGE, i % 2 ? 0 : 3);
	SYS(fsync(fd));
	for (int i = 1; i < BLOCKS; i += 2)
		put(fd, i * PAGE, PAGE, 3);
	expect(fd, 0, BLOCKS * PAGE, 3);
	SYS(ftruncate(fd, BLOCKS / 2 * PAGE + 1));
	expect(fd, 0, BLOCKS / 2 * PAGE + 1, 3);
	close(fd);
}

static void test_sparse(void)
{
	int fd = new_file();
	off_t where = 3LL << 30, data, hole;
	struct stat st;

	put(fd, where, 10, 4);
	CHECK(file_size(fd) == where + 10, "size %jd", (intmax_t)file_size(fd));
	expect(fd, where - 9000, 9000, 0);
	expect(fd, 0, 10000, 0);
	expect(fd, where, 10, 4);
	SYS(fstat(fd, &st));
	CHECK(st.st_blocks < 100000, "%ld sectors for a hole", (long)st.st_blocks);
	data = SYS(lseek(fd, 0, SEEK_DATA));
	CHECK(data == 0 || (data <= where && data > where - (1 << 30)),
	      "SEEK_DATA finds %jd", (intmax_t)data);
	hole = SYS(lseek(fd, where, SEEK_HOLE));
	CHECK(hole == where + 10, "SEEK_HOLE finds %jd", (intmax_t)hole);
	SYS_FAILS(lseek(fd, where + 10, SEEK_DATA), ENXIO);
	close(fd);
}

static long sectors(int fd)
{
	struct stat st;

	SYS(fstat(fd, &st));
	return st.st_blocks;
}

static void test_holes(void)
{
	const off_t len = 64 * PAGE, hole = 10 * PAGE - 100, end = 20 * PAGE + 100;
	int fd = new_file();
	long full;
	char *map;

	put(fd, 0, len, 5);
	map = map_file(fd, len, RW, MAP_SHARED);
	full = sectors(fd);
	SYS(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, hole, end - hole));
	expect(fd, 0, hole, 5);
	expect(fd, hole, end - hole, 0);
	expect(fd, end, len - end, 5);
	CHECK(sectors(fd) == full - 10 * 8, "%ld sectors, %ld before 10 pages were punched",
	      sectors(fd), full);
	CHECK(SYS(lseek(fd, 0, SEEK_HOLE)) == 10 * (off_t)PAGE, "the hole is not seen");
	CHECK(!map[15 * PAGE], "the mapping still has the old page");
	memcpy(map + 15 * PAGE, "new", 3);
	put(fd, end - 50, 50, 5);
	SYS(fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 15 * PAGE, 5));
	expect(fd, 15 * PAGE, 5, 0);
	SYS(fallocate(fd, FALLOC_FL_ZERO_RANGE, len - 7, 14));
	CHECK(file_size(fd) == len + 7, "size %jd", (intmax_t)file_size(fd));
	expect(fd, len - 7, 14, 0);
	munmap(map, len);
	close(fd);
}

#define PUNCHED		40	/* pages, each a piece of its own in the map */
#define PUNCHES		60

struct storer {
	SHARED char *map;
	SHARED bool stop;
};

static void *store_on(void *arg)
{
	struct storer *s = arg;

	for (unsigned int page = 0; !s->stop; page = (page + 7) % PUNCHED)
		s->map[page * PAGE] = 1;
	return NULL;
}

static void punch_under_stores(int fd, struct storer *s)
{
	pthread_t thread;

	s->stop = false;
	CHECK(!pthread_create(&thread, NULL, store_on, s), "pthread_create: %m");
	SYS(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PUNCHED * PAGE));
	s->stop = true;
	pthread_join(thread, NULL);
}

/*
 * A page that is stored to while it is punched gets a block of its own again: one that is
 * known in core but not in the map any more is not counted.
 */
static void test_punch_under_stores(void)
{
	int fd = new_file();
	struct storer s;
	long full;

	/* backwards, so that no two pages lie behind each other */
	for (int page = PUNCHED - 1; page >= 0; page--)
		put(fd, page * PAGE, PAGE, 6);
	SYS(fsync(fd));
	full = sectors(fd);
	s.map = map_file(fd, PUNCHED * PAGE, RW, MAP_SHARED);
	for (int i = 0; i < PUNCHES; i++) {
		punch_under_stores(fd, &s);
		for (int page = 0; page < PUNCHED; page++)
			s.map[page * PAGE] = 2;
		CHECK(sectors(fd) >= full, "%ld sectors, %ld before punch %d", sectors(fd),
		      full, i);
	}
	munmap((void *)s.map, PUNCHED * PAGE);
	close(fd);
}

/* Blocks ahead of a size: not seen until the file grows, and zero then. */
static void test_allocate(void)
{
	const int keep = FALLOC_FL_KEEP_SIZE;
	int fd = new_file();
	long with;

	put(fd, 0, 5000, 6);
	SYS(fallocate(fd, keep, 0, 32 * PAGE));
	CHECK(file_size(fd) == 5000, "size %jd", (intmax_t)file_size(fd));
	with = sectors(fd);
	CHECK(with >= 32 * 8, "only %ld sectors", with);
	put(fd, 20 * PAGE, 10, 6);
	expect(fd, 0, 5000, 6);
	expect(fd, 5000, 15 * PAGE, 0);
	SYS(fallocate(fd, 0, 30 * PAGE, 10 * PAGE));
	CHECK(file_size(fd) == 40 * (off_t)PAGE, "size %jd", (intmax_t)file_size(fd));
	expect(fd, 20 * PAGE, 10, 6);
	expect(fd, 20 * PAGE + 10, 20 * PAGE - 10, 0);
	SYS_FAILS(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, PAGE), EOPNOTSUPP);
	SYS_FAILS(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, PAGE), EOPNOTSUPP);
	SYS_FAILS(fallocate(fd, 0, 0, 0), EINVAL);
	SYS_FAILS(fallocate(fd, keep, 0, 1LL << 50), ENOSPC);
	expect(fd, 0, 5000, 6);
	close(fd);
}

/*
 * Growth over blocks that have held something else: what it leaves out is zero, also where
 * blocks that were zeroed before have been punched and come back as others.
 */
static void test_recycled(void)
{
	const off_t end = 1024 * PAGE;
	int fd = new_file();

	put(fd, 0, 4 * end, 9);
	SYS(fsync(fd));
	SYS(ftruncate(fd, 0));
	sync();
	put(fd, 0, end, 7);
	put(fd, end, PAGE, 7);
	put(fd, end + 3 * PAGE, PAGE, 7);
	SYS(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, end + 4 * PAGE,
		      253 * PAGE));
	sync();
	close(make_file(at("g"), 300 * PAGE, false));	/* takes what was punched */
	put(fd, end + 4 * PAGE, PAGE, 7);
	put(fd, end + 100 * PAGE, PAGE, 7);
	SYS(ftruncate(fd, end + 200 * PAGE));
	expect(fd, 0, end + PAGE, 7);
	expect(fd, end + PAGE, 2 * PAGE, 0);
	expect(fd, end + 3 * PAGE, 2 * PAGE, 7);
	expect(fd, end + 5 * PAGE, 95 * PAGE, 0);
	expect(fd, end + 100 * PAGE, PAGE, 7);
	expect(fd, end + 101 * PAGE, 99 * PAGE, 0);
	close(fd);
	SYS(unlink(at("g")));
}

static void test_append(void)
{
	int a = new_file(), b;

	close(a);
	a = open_file(at("f"), O_WRONLY | O_APPEND);
	b = open_file(at("f"), O_WRONLY | O_APPEND);
	for (int i = 0; i < 100; i++)
		CHECK(write(i % 3 ? a : b, "0123456789", 10) == 10, "append: %m");
	CHECK(file_size(a) == 1000, "size %jd", (intmax_t)file_size(a));
	close(a);
	close(b);
}

static void test_buffers(void)
{
	char a[5000], b[3000], c[8000], *map, *nowhere = (char *)(rnd() % 8 + 8);
	struct iovec out[2] = { { a, 5000 }, { b, 3000 } }, in = { c, 8000 };
	int fd = new_file(), copy;
	off_t off = 0;

	fill(a, 5000, 5, 0);
	fill(b, 3000, 5, 5000);
	CHECK(pwritev(fd, out, 2, 0) == 8000, "pwritev: %m");
	CHECK(preadv(fd, &in, 1, 0) == 8000, "preadv: %m");
	CHECK(differs(c, 8000, 5, 0) < 0, "pwritev and preadv disagree");
	CHECK(pread(fd, c, 100, 8000) == 0 && pread(fd, c, 100, 1 << 20) == 0,
	      "read beyond the end");
	CHECK(pread(fd, c, 8000, 7000) == 1000, "short read at the end");
	SYS_FAILS(pwrite(fd, nowhere, 100, 0), EFAULT);
	SYS_FAILS(pread(fd, nowhere, 100, 0), EFAULT);
	/* A buffer that ends in the middle: what came before it counts. */
	map = map_file(-1, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS);
	munmap(map + PAGE, PAGE);
	fill(map, PAGE, 5, 0);
	CHECK(pwrite(fd, map, 2 * PAGE, 0) <= (ssize_t)PAGE, "wrote unmapped bytes");
	expect(fd, 0, 8000, 5);
	copy = open_file(at("copy"), O_RDWR | O_CREAT | O_TRUNC);
	CHECK(sendfile(copy, fd, &off, 8000) == 8000, "sendfile: %m");
	expect(copy, 0, 8000, 5);
	SYS(unlink(at("copy")));
	close(copy);
	close(fd);
}

/*
 * A write of much of which little can be read: what later growth leaves out behind it is
 * zero, and not what the memory held before.
 */
/* To a file that ends at @size; only @there of the @len bytes at @src are in memory. */
static void cut_short(off_t size, off_t start, const char *src, ssize_t there, size_t len)
{
	const off_t far = 300000;
	int fd = new_file();
	ssize_t n;

	put(fd, 0, 1024 * PAGE, 9);
	SYS(ftruncate(fd, 0));
	SYS(ftruncate(fd, size));
	n = SYS(pwrite(fd, src, len, start));
	CHECK(n > 0 && n <= there, "%zd bytes were written", n);
	CHECK(pwrite(fd, "x", 1, far) == 1, "pwrite: %m");
	expect(fd, start + n, far - start - n, 0);
	SYS(fsync(fd));
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	expect(fd, start + n, far - start - n, 0);
	close(fd);
}

static void test_cut_short(void)
{
	char *map = map_file(-1, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS);

	munmap(map + PAGE, PAGE);
	fill(map, PAGE, 5, 0);
	for (off_t start = 0; start < 300; start += 100) {
		for (off_t size = 0; size <= (2 << 20); size += 2 << 20) {
			cut_short(size, start, map, PAGE, 1 << 20);
			cut_short(size, start, map + PAGE - 1000, 1000, 2000);
		}
	}
	munmap(map, PAGE);
}

static void test_sync(void)
{
	int fd = new_file();
	int dir = SYS(open(prog.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	put(fd, 0, 100000, 6);
	SYS(fdatasync(fd));
	put(fd, 50000, 100000, 6);
	SYS(fsync(fd));
	SYS(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE));
	SYS(fsync(dir));
	SYS(syncfs(dir));
	SYS(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	expect(fd, 0, 150000, 6);
	close(dir);
	close(fd);
}

static void test_mapped(void)
{
	int fd = make_file(at("f"), 3 * PAGE, true);
	char *map = map_file(fd, 3 * PAGE, RW, MAP_SHARED);

	fill(map, 3 * PAGE, 7, 0);
	expect(fd, 0, 3 * PAGE, 7);
	put(fd, 100, 5000, 8);
	CHECK(differs(map + 100, 5000, 8, 100) < 0, "write() not seen in the mapping");
	munmap(map, 3 * PAGE);
	SYS(fsync(fd));
	SYS(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	expect(fd, 100, 5000, 8);
	close(fd);
}

/* A mapped store counts as a modification: by msync() at the latest. */
static void test_mapped_mtime(void)
{
	int fd = make_file(at("f"), PAGE, false);
	struct stat before, after;
	char *map;

	SYS(fstat(fd, &before));
	sleep_for(0.02);
	map = map_file(fd, PAGE, RW, MAP_SHARED);
	map[0] = 1;
	SYS(msync(map, PAGE, MS_SYNC));
	SYS(fstat(fd, &after));
	CHECK(after.st_mtim.tv_sec > before.st_mtim.tv_sec ||
	      after.st_mtim.tv_nsec > before.st_mtim.tv_nsec,
	      "a mapped store left mtime alone");
	munmap(map, PAGE);
	close(fd);
}

static uint64_t free_blocks(void)
{
	struct statvfs st;

	SYS(statvfs(prog.dir, &st));
	CHECK(st.f_bfree <= st.f_blocks && st.f_namemax == 255, "statvfs");
	return st.f_bfree * st.f_frsize / PAGE;
}

/* Space of what was removed before may still be coming back. */
static uint64_t settled_free_blocks(void)
{
	uint64_t before, is = free_blocks();
	double until = now() + 10;	/* unless others use the filesystem, too */

	do {
		before = is;
		sync();
		sleep_for(0.5);
		is = free_blocks();
	} while (is != before && now() < until);
	return is;
}

static void test_space(void)
{
	enum { BLOCKS = 2048 };
	uint64_t before, with, after;
	double until = now() + 60;
	int fd;

	unlink(at("f"));
	before = settled_free_blocks();
	fd = make_file(at("f"), BLOCKS * PAGE, false);
	SYS(fsync(fd));
	with = free_blocks();
	CHECK(with <= before - BLOCKS, "%lu blocks free before, %lu with %d more used",
	      before, with, BLOCKS);
	close(fd);
	SYS(unlink(at("f")));
	while ((after = free_blocks()) < with + BLOCKS) {
		CHECK(now() < until, "%lu blocks free with the file, %lu after unlink",
		      with, after);
		sleep_for(0.05);
	}
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "truncate", test_truncate },
	{ "pieces", test_pieces },
	{ "fragments", test_fragments },
	{ "sparse file", test_sparse },
	{ "holes", test_holes },
	{ "holes below stores", test_punch_under_stores },
	{ "blocks ahead", test_allocate },
	{ "recycled blocks", test_recycled },
	{ "append", test_append },
	{ "buffers", test_buffers },
	{ "writes cut short", test_cut_short },
	{ "sync", test_sync },
	{ "mapping", test_mapped },
	{ "mtime of a mapped store", test_mapped_mtime },
	{ "space", test_space },
};

static int big(void)
{
	static const off_t places[] = {
		(1LL << 32) - 3, 1LL << 40, (16LL << 40) - 5, (17LL << 40) + 4095,
		1LL << 50, (1LL << 60) + 12345,
	};
	int fd = new_file();
	char *map;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		put(fd, places[i], 10000, 9 + i);
		CHECK(file_size(fd) == places[i] + 10000, "size %jd",
		      (intmax_t)file_size(fd));
	}
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		off_t page = places[i] & ~(off_t)(PAGE - 1);

		expect(fd, places[i], 10000, 9 + i);
		expect(fd, places[i] - 5000, 5000, 0);
		map = SYS(mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, page));
		CHECK(differs(map + places[i] - page, 10000, 9 + i, places[i]) < 0,
		      "mapping at %jd is wrong", (intmax_t)places[i]);
		munmap(map, 4 * PAGE);
	}
	SYS(ftruncate(fd, places[2] + 3));
	expect(fd, places[2], 3, 9 + 2);
	SYS(ftruncate(fd, 1LL << 60));
	expect(fd, places[2] + 3, 5000, 0);
	expect(fd, places[3], 10000, 0);
	close(fd);
	SYS(unlink(at("f")));
	return prog_end("%zu offsets up to 2^60", ARRAY_SIZE(places));
}

/*
 * Where there is little room a block is soon used again: several times within one
 * transaction of the journal.
 */
static void come_and_go(int fd, off_t len)
{
	prog.step = "directories that come and go in little room";
	SYS(ftruncate(fd, len - 128 * PAGE));
	SYS(fsync(fd));
	for (long i = 0; i < 400; i++) {
		SYS(mkdir(at("dir"), 0755));
		SYS(rmdir(at("dir")));
	}
}

static void wait_free(uint64_t blocks)
{
	for (double until = now() + 60; free_blocks() < blocks;) {
		CHECK(now() < until, "only %lu of %lu blocks are free after the files went",
		      free_blocks(), blocks);
		sleep_for(0.1);
	}
}

/*
 * Records with gaps between them fill the filesystem as well as anything else does: places
 * that were meant for the next ones are used, and nothing goes wrong when they run out.
 */
static void fill_with_records(size_t size)
{
	enum { SLACK = 512 };		/* blocks for the map, and what is kept for it */
	uint64_t before = settled_free_blocks();
	int fd = make_file(at("records"), 0, false);
	char *record = malloc(size);
	off_t off, len = 0;
	ssize_t ret;

	prog.step = "records with gaps";
	for (off = 0;; off += 4 * size) {
		fill(record, size, 22, off);
		ret = pwrite(fd, record, size, off);
		if (ret != (ssize_t)size)
			break;
		len += size;
	}
	CHECK(ret >= 0 || errno == ENOSPC, "write: %m");
	CHECK((len + SLACK * PAGE) / PAGE >= before,
	      "full after %jd KiB, %lu were free", (intmax_t)len / 1024, before * 4);
	SYS(fsync(fd));
	for (off_t at = 0; at < off; at += 4 * size) {
		expect(fd, at, size, 22);
		if (at + 4 * (off_t)size < off)
			expect(fd, at + size, 3 * size, 0);
	}
	SYS(ftruncate(fd, 0));
	wait_free(before - SLACK);
	close(fd);
	SYS(unlink(at("records")));
	free(record);
}

/* Full: clean errors, no lost bytes, and everything works again afterwards. */
static int until_full(void)
{
	static char block[256 * 1024];
	int fd, hole, error = 0;
	off_t len = 0;
	char *map;
	long names = 0;

	fill_with_records(16 * PAGE);
	fill_with_records(PAGE);
	fd = new_file();
	hole = make_file(at("hole"), 8 << 20, true);
	map = map_file(hole, 8 << 20, RW, MAP_SHARED);
	prog.step = "filling";
	for (size_t size = sizeof(block); size >= 1; size = size > PAGE ? size / 8 : 0) {
		ssize_t ret;

		while (fill(block, size, 20, len),
		       (ret = pwrite(fd, block, size, len)) > 0)
			len += ret;
		error = errno;
		CHECK(ret < 0 && error == ENOSPC, "write returned %zd: %m", ret);
	}
	prog.step = "store to a hole";
	for (size_t i = 0; i < (8 << 20) / PAGE; i++) {
		int sig = faults(map + i * PAGE, true);

		CHECK(!sig || sig == SIGBUS, "signal %d", sig);
		if (sig)
			error = 0;
	}
	CHECK(!error, "stores to 2048 holes succeeded on a full filesystem");
	prog.step = "creating";
	for (; names < 5000; names++) {
		int new = open(at("name.%ld", names), O_CREAT | O_WRONLY, 0644);

		if (new < 0)
			break;
		close(new);
	}
	CHECK(names == 5000 || errno == ENOSPC, "create: %m");
	prog.step = "reading back";
	SYS(fsync(fd));
	for (off_t off = 0; off < len; off += sizeof(block)) {
		size_t part = len - off < (off_t)sizeof(block) ?
			      (size_t)(len - off) : sizeof(block);

		pread_all(fd, block, part, off);
		CHECK(differs(block, part, 20, off) < 0, "bytes near %jd are wrong",
		      (intmax_t)off);
	}
	come_and_go(fd, len);
	prog.step = "after making room";
	close(fd);
	SYS(unlink(at("f")));
	while (names-- > 0)
		SYS(unlink(at("name.%ld", names)));
	wait_free(len / PAGE / 2);
	test_pieces();
	CHECK(!faults(map, true), "store to a hole still fails");
	munmap(map, 8 << 20);
	close(hole);
	return prog_end("%jd KiB were written", (intmax_t)len / 1024);
}

int main(int argc, char **argv)
{
	prog_init(argc, argv, "fileio");
	if (!strcmp(prog.mode, "big"))
		return big();
	if (!strcmp(prog.mode, "full"))
		return until_full();
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
		prog.step = tests[i].name;
		tests[i].run();
	}
	return prog_end("%zu groups", ARRAY_SIZE(tests));
}
