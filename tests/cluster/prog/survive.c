// SPDX-License-Identifier: GPL-2.0-only
/*
 * Work that is cut short: what a node had acknowledged before it died is there.
 *
 * Every node runs this by itself; -s SEED says which writer it is, 1 and up.
 *
 * -m work: until the file STOP (of the guest, not of the filesystem) appears: records,
 * mapped pages and names of its own, and words of a page that all writers share.  Says
 * "ack N" when everything up to round N is synchronised, and "waited S" at the end of
 * each operation that took long.  It checks on the way that its own stores to the shared
 * page stay, that the sum of all never goes back, and that what it has seen of another
 * one's mapped pages never does, whoever dies.
 * -m verify -c N: the files of writer SEED after its node has died, N being its last
 * acknowledgement.
 * -m hold: files that are open and have no name, until it is killed.
 * -m down -c HOW: the shutdown ioctl, and that nothing works after it; a program that
 * runs from there ends with SIGBUS.
 * -m downed -c HOW: what must be there then.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../../../include/uapi/linux/cohfs_ioctl.h"
#include "prog.h"
#include "stamp.h"

#define STOP		"/tmp/stop"
#define RECORD		1000	/* bytes; lies across pages now and then */
#define KEPT		10	/* names of a writer at any time */
#define MAPPED		8	/* pages of a writer; one is stored to in each round */
#define HELD		24
#define HELD_SIZE	(256 * PAGE)
#define LONG_WAIT	0.3	/* seconds; worth telling */

/* the shared page: the sum of all additions, then a word for each writer */
struct shared {
	SHARED _Atomic uint64_t sum;
	SHARED uint64_t own[MAX_NODES];
};

/* one sector that is overwritten in each round */
struct version {
	uint64_t number;
	char bytes[504];
};

/* a writer's mapped file: words of stamp(), and what this one has seen of it */
struct mapped {
	SHARED uint64_t *words;
	uint32_t seen[MAPPED * WORDS_PER_PAGE];
};

struct work {
	int records, versions, dir;
	struct shared *shared;
	struct mapped mapped[MAX_NODES + 1];	/* by seed */
	uint64_t adds, seen;
};

static const char *own(const char *name)
{
	return at("%s.%lu", name, prog.seed);
}

/* No two words of all writers have the same number. */
static uint64_t number_of(uint64_t seed, unsigned int word)
{
	return seed * MAPPED * WORDS_PER_PAGE + word;
}

static const char *name_of(long round)
{
	return at("names.%lu/%ld", prog.seed, round);
}

static void open_work(struct work *w)
{
	int fd = open(at("shared"), O_RDWR | O_CREAT, 0644);

	CHECK(fd >= 0, "shared: %m");
	SYS(ftruncate(fd, PAGE));
	w->shared = map_file(fd, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
	w->records = open_file(own("records"), O_RDWR | O_CREAT);
	w->versions = open_file(own("versions"), O_RDWR | O_CREAT);
	fd = open_file(own("mapped"), O_RDWR | O_CREAT);
	SYS(ftruncate(fd, MAPPED * PAGE));
	w->mapped[prog.seed].words = map_file(fd, MAPPED * PAGE, PROT_READ | PROT_WRITE,
					      MAP_SHARED);
	close(fd);
	SYS(mkdir(own("names"), 0755));
	w->dir = SYS(open(own("names"), O_RDONLY | O_DIRECTORY));
}

static double longest;

static void tell_wait(const char *what, double begun)
{
	double took = now() - begun;

	if (took > LONG_WAIT)
		printf("waited %.3f s to %s\n", took, what);
	if (took > longest)
		longest = took;
}

#define TIMED(what, call)			\
	do {					\
		double begun_ = now();		\
		call;				\
		tell_wait(what, begun_);		\
	} while (0)

static void add(struct work *w)
{
	uint64_t sum;

	w->adds++;
	sum = atomic_fetch_add(&w->shared->sum, 1) + 1;
	CHECK(sum > w->seen, "the sum went back from %lu to %lu", w->seen, sum);
	w->seen = sum;
	CHECK(w->shared->own[prog.seed] == w->adds - 1,
	      "own word is %lu after %lu additions", w->shared->own[prog.seed],
	      w->adds - 1);
	w->shared->own[prog.seed] = w->adds;
}

static void store_page(struct mapped *m, long round)
{
	unsigned int first = round % MAPPED * WORDS_PER_PAGE;

	for (unsigned int i = first; i < first + WORDS_PER_PAGE; i++)
		m->words[i] = stamp(number_of(prog.seed, i), round);
	TIMED("msync", SYS(msync((void *)(m->words + first), PAGE, MS_SYNC)));
}

/* Has another writer come so far that its file is there?  It stays mapped. */
static bool map_other(struct mapped *m, uint64_t seed)
{
	int fd;

	if (m->words)
		return true;
	fd = open(at("mapped.%lu", seed), O_RDONLY);
	if (fd < 0)
		return false;
	if (file_size(fd) == MAPPED * PAGE)
		m->words = map_file(fd, MAPPED * PAGE, PROT_READ, MAP_SHARED);
	close(fd);
	return m->words;
}

/* A page of another one: words of its own, none older than it was before. */
static void load_page(struct mapped *m, uint64_t seed, long round)
{
	unsigned int first = round % MAPPED * WORDS_PER_PAGE;

	for (unsigned int i = first; i < first + WORDS_PER_PAGE; i++) {
		uint32_t version = stamp_version(number_of(seed, i), m->words[i]);

		CHECK(version >= m->seen[i], "writer %lu, mapped word %u: from %u back to %u",
		      seed, i, m->seen[i], version);
		m->seen[i] = version;
	}
}

static void map_round(struct work *w, long round)
{
	uint64_t other = 1 + round % (MAX_NODES - 1);

	TIMED("store", store_page(&w->mapped[prog.seed], round));
	/* most of them do not exist: then the next one that does */
	for (int i = 0; i < MAX_NODES; i++, other = other % MAX_NODES + 1) {
		if (other == prog.seed || !map_other(&w->mapped[other], other))
			continue;
		TIMED("load", load_page(&w->mapped[other], other, round / 2));
		break;
	}
}

static void write_round(struct work *w, long round)
{
	struct version v = { .number = round };
	char buf[RECORD];
	int fd;

	fill(buf, RECORD, prog.seed, round * RECORD);
	TIMED("write", pwrite_all(w->records, buf, RECORD, round * RECORD));
	fill(v.bytes, sizeof(v.bytes), prog.seed, round);
	TIMED("write", pwrite_all(w->versions, &v, sizeof(v), 0));
	TIMED("fsync", SYS(fsync(w->records)));
	TIMED("fsync", SYS(fsync(w->versions)));

	TIMED("create", fd = open_file(name_of(0), O_WRONLY | O_CREAT));
	TIMED("write", pwrite_all(fd, buf, RECORD, 0));
	TIMED("fsync", SYS(fsync(fd)));
	TIMED("close", close(fd));
	TIMED("rename", SYS(rename(name_of(0), name_of(round))));
	if (round > KEPT)
		TIMED("unlink", SYS(unlink(name_of(round - KEPT))));
	TIMED("fsync", SYS(fsync(w->dir)));
}

static void work(void)
{
	static struct work w;
	long round;

	prog.step = "working";
	open_work(&w);
	for (round = 1; access(STOP, F_OK); round++) {
		write_round(&w, round);
		map_round(&w, round);
		for (int i = 0; i < 5; i++)
			TIMED("store", add(&w));
		printf("ack %ld\n", round);
	}
	CHECK(w.shared->own[prog.seed] == w.adds, "own word is %lu after %lu additions",
	      w.shared->own[prog.seed], w.adds);
	report("rounds=%ld adds=%lu sum=%lu longest=%.2f", round - 1, w.adds,
	       (uint64_t)w.shared->sum, longest);
}

/* What was acknowledged is there; what follows is right as far as it goes. */
static void verify_records(long acked)
{
	int fd = open_file(own("records"), O_RDONLY);
	off_t size = file_size(fd);
	char is[RECORD], wanted[RECORD];

	CHECK(size >= (acked + 1) * RECORD, "records: size %jd, round %ld was acknowledged",
	      (intmax_t)size, acked);
	for (long round = 1; (round + 1) * RECORD <= size; round++) {
		pread_all(fd, is, RECORD, round * RECORD);
		fill(wanted, RECORD, prog.seed, round * RECORD);
		for (int i = 0; i < RECORD; i++)
			CHECK(is[i] == wanted[i] || (round > acked && !is[i]),
			      "record %ld (acknowledged: %ld): byte %d is wrong", round,
			      acked, i);
	}
	close(fd);
}

static void verify_version(long acked)
{
	int fd = open_file(own("versions"), O_RDONLY);
	struct version v;
	ssize_t bad;

	pread_all(fd, &v, sizeof(v), 0);
	CHECK((long)v.number >= acked, "version %lu, %ld was acknowledged", v.number, acked);
	bad = differs(v.bytes, sizeof(v.bytes), prog.seed, v.number);
	CHECK(bad < 0, "version %lu: byte %zd is wrong", v.number, bad);
	close(fd);
}

/* Later stores may be there word by word, but no word of anything else. */
static void verify_mapped(long acked)
{
	int fd = open_file(own("mapped"), O_RDONLY);
	uint64_t words[WORDS_PER_PAGE];

	for (unsigned int page = 0; page < MAPPED; page++) {
		/* the last acknowledged round that stored to it */
		long least = acked - (acked - page + MAPPED) % MAPPED;

		pread_all(fd, words, PAGE, page * PAGE);
		for (unsigned int i = 0; i < WORDS_PER_PAGE; i++) {
			uint64_t number = number_of(prog.seed, page * WORDS_PER_PAGE + i);
			long version = stamp_version(number, words[i]);

			CHECK(version >= least && (!version || version % MAPPED == page),
			      "mapped page %u, word %u: version %ld, %ld was acknowledged",
			      page, i, version, least);
		}
	}
	close(fd);
}

static void verify_names(long acked)
{
	char buf[RECORD];

	for (long round = acked; round > 0 && round > acked - KEPT + 1; round--) {
		int fd = open_file(name_of(round), O_RDONLY);
		ssize_t bad;

		pread_all(fd, buf, RECORD, 0);
		bad = differs(buf, RECORD, prog.seed, round * RECORD);
		CHECK(bad < 0, "name %ld: byte %zd is wrong", round, bad);
		close(fd);
	}
	for (long round = 1; round <= acked - KEPT; round++)
		SYS_FAILS(access(name_of(round), F_OK), ENOENT);
}

static void verify(void)
{
	prog.step = "verifying";
	verify_records(prog.count);
	verify_version(prog.count);
	verify_mapped(prog.count);
	verify_names(prog.count);
}

static void hold(void)
{
	prog.step = "holding files";
	for (int i = 0; i < HELD; i++) {
		const char *name = at("held.%d", i);

		make_file(name, HELD_SIZE, false);
		SYS(unlink(name));
	}
	sync();
	report("held=%d", HELD);
	for (;;)
		pause();
}

/* Shutdown ------------------------------------------------------------------ */

#define PAGES	4

/* The mapping is taken away by a worker; until then what is mapped can be used. */
static void expect_sigbus(SHARED char *p, bool store)
{
	double until = now() + 30;

	while (faults(p, store) != SIGBUS)
		CHECK(now() < until, "no SIGBUS 30 s after the shutdown");
}

/* Runs from the filesystem until that is no longer possible. */
static _Noreturn void linger(void)
{
	if (write(STDOUT_FILENO, "", 1) != 1)
		_exit(1);
	for (;;)
		sleep_for(0.01);
}

/* Starts a copy of this program that lies here, and sees it running. */
static pid_t run_here(void)
{
	const char *path = own("program");
	int running[2];
	char byte;
	pid_t pid;

	SYS(pipe(running));
	close(copy_self(path));
	pid = SYS(fork());
	if (!pid) {
		dup2(running[1], STDOUT_FILENO);
		execl(path, path, "--linger", NULL);
		_exit(126);
	}
	close(running[1]);
	CHECK(read(running[0], &byte, 1) == 1, "the copy does not run");
	close(running[0]);
	return pid;
}

static void expect_killed(pid_t pid)
{
	double until = now() + 30;
	int status;

	while (!SYS(waitpid(pid, &status, WNOHANG))) {
		if (now() > until)
			kill(pid, SIGKILL);
		CHECK(now() < until, "a program runs on 30 s after the shutdown");
		sleep_for(0.02);
	}
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS,
	      "a program that ran ended with status %#x", status);
}

static void shut_down(void)
{
	uint32_t how = prog.count;
	char buf[PAGE] = "x";
	pid_t program;
	char *map;
	int fd, dir;

	prog.step = "shutting down";
	dir = SYS(open(prog.dir, O_RDONLY | O_DIRECTORY));
	fd = make_file(own("mapped"), PAGES * PAGE, false);
	map = map_file(fd, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
	fill(map, PAGE, prog.seed, 0);
	SYS(fsync(fd));
	SYS(fsync(dir));
	fill(map + PAGE, PAGE, prog.seed, PAGE);	/* not synchronised */
	SYS(mkdir(own("directory"), 0755));
	program = run_here();
	barrier();
	SYS(ioctl(dir, COHFS_IOC_GOINGDOWN, &how));

	prog.step = "after the shutdown";
	expect_sigbus(map, false);
	expect_sigbus(map + PAGE, true);
	expect_sigbus(map + (PAGES - 1) * PAGE, true);
	expect_killed(program);
	SYS_FAILS(pwrite(fd, buf, PAGE, 0), EIO);
	SYS_FAILS(pread(fd, buf, PAGE, 2 * PAGE), EIO);
	SYS_FAILS(fsync(fd), EIO);
	SYS_FAILS(mkdir(own("other"), 0755), EIO);
	SYS_FAILS(syncfs(fd), EIO);
}

static void after_shutdown(void)
{
	char buf[2 * PAGE];
	struct stat st;
	ssize_t bad;
	int fd;

	prog.step = "after the node has withdrawn";
	fd = open_file(own("mapped"), O_RDONLY);
	pread_all(fd, buf, sizeof(buf), 0);
	bad = differs(buf, prog.count == COHFS_GOING_DEFAULT ? 2 * PAGE : PAGE, prog.seed, 0);
	CHECK(bad < 0, "byte %zd is wrong", bad);
	if (prog.count != COHFS_GOING_NOLOGFLUSH)
		SYS(stat(own("directory"), &st));
	SYS_FAILS(stat(own("other"), &st), ENOENT);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--linger"))
		linger();
	prog.seed = 1;
	prog.mode = "work";
	prog_init(argc, argv, "survive");
	prog.seed += prog.node;
	if (!strcmp(prog.mode, "work"))
		work();
	else if (!strcmp(prog.mode, "verify"))
		verify();
	else if (!strcmp(prog.mode, "hold"))
		hold();
	else if (!strcmp(prog.mode, "down"))
		shut_down();
	else if (!strcmp(prog.mode, "downed"))
		after_shutdown();
	else
		fail("there is no mode %s", prog.mode);
	return prog_end("done");
}
