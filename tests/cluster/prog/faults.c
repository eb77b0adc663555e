// SPDX-License-Identifier: GPL-2.0-only
/*
 * Work on a node whose memory or disk fails at random: whatever a call says that it did
 * is done, whatever it says that it failed to do is old or new, and nothing else.
 *
 * Several of these run on every node, each by itself; -s SEED says which writer it is, 1
 * and up.  The test switches the kernel's fault injection on and off meanwhile.
 *
 * -m memory [-r RUN]: random operations until STOP (of the guest, not of the filesystem) appears.
 * ENOMEM is all that may happen, and it must leave things as they were.  Says "ack N"
 * every now and then.  Lets single allocations of its own calls fail besides (fail-nth).
 * In the end, when nothing fails any more, everything is checked and synchronised, and
 * the sum of it told.
 * -m disk: the same with EIO, after which anything that was ever written may be there.
 * -m sum: the sum of what writer SEED has left.
 * -m mount -c STEP: mount the disk on DIR, with lock=local; one allocation fails, each
 * time a later one, by up to STEP.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "prog.h"
#include "stamp.h"

#define STOP		"/tmp/stop"
#define FILES		3
#define PAGES		40	/* of a file of one's own */
#define BATCH		8	/* pages in one call */
#define NAMES		12
#define SHARED_PAGES	8
#define LINE_WORDS	8	/* what a writer has of each page of the shared file */
#define ROUND		25	/* operations */
#define LONG_WAIT	5.0	/* seconds; worth telling */

/* Versions that a place may show: 0 if @zero, and @low to @high. */
struct place {
	uint32_t low, high;
	bool zero;
};

struct file {
	const char *path;
	int fd;
	uint64_t base;			/* of the numbers of its words, for stamp() */
	uint64_t *map;
	unsigned int pages;
	struct place *places;
};

enum state { ABSENT, REGULAR, DIRECTORY, UNKNOWN };

static struct {
	struct file own[FILES];
	struct file shared;		/* places: own lines only, one per page */
	struct place own_places[FILES][PAGES], shared_places[SHARED_PAGES];
	enum state names[NAMES];
	uint32_t version;
	bool disk;			/* not only memory fails */
	bool lost;			/* something that was written may be gone */
	int make_it_fail, fail_nth, drop_caches;
	bool armed;
	unsigned long calls, failed, eio, signals, injected;
	double begun, longest;
} w;

/* Injection ---------------------------------------------------------------- */

static void open_switches(void)
{
	w.make_it_fail = open("/proc/thread-self/make-it-fail", O_WRONLY);
	w.fail_nth = open("/proc/thread-self/fail-nth", O_RDWR);
	w.drop_caches = open("/proc/sys/vm/drop_caches", O_WRONLY);
}

/* Are random failures for us?  (Where the kernel can do that.) */
static void expose(bool on)
{
	if (w.make_it_fail >= 0)
		SYS(pwrite(w.make_it_fail, on ? "1" : "0", 1, 0));
}

static void fail_at(unsigned long nth)
{
	char text[24];

	SYS(pwrite(w.fail_nth, text, snprintf(text, sizeof(text), "%lu", nth), 0));
}

/* Has it come to that?  No more, in any case. */
static bool has_failed(void)
{
	char text[24] = "";

	SYS(pread(w.fail_nth, text, sizeof(text) - 1, 0));
	fail_at(0);
	return text[0] == '0';
}

/* One allocation of the next call, seldom a late one: most calls have few. */
static void arm(void)
{
	w.begun = now();
	w.armed = w.fail_nth >= 0 && !w.disk && rnd() % 2;
	if (w.armed)
		fail_at(1 + rnd() % (1 << rnd() % 8));
}

static void disarm(void)
{
	double took = now() - w.begun;

	if (w.armed)
		w.injected += has_failed();
	w.armed = false;
	if (took > w.longest)
		w.longest = took;
	if (took < LONG_WAIT)
		return;
	expose(false);
	printf("waited %.1f s: %s\n", took, prog.step);
	expose(true);
}

static long judge(const char *what, long ret)
{
	int error = errno;

	disarm();
	w.calls++;
	errno = error;
	if (ret >= 0)
		return ret;
	w.failed++;
	if (error == ENOMEM)
		return ret;
	CHECK(w.disk && (error == EIO || error == EROFS || error == EFAULT), "%s: %s", what,
	      strerror(error));
	w.eio++;
	w.lost = true;
	return ret;
}

/* A call that may fail for lack of memory, or of a disk. */
#define TRY(call)						\
	({							\
		prog.step = #call;				\
		arm();						\
		judge(#call, call);				\
	})

/* Contents ----------------------------------------------------------------- */

static void check_word(const struct place *place, uint64_t index, uint64_t value)
{
	uint32_t version = stamp_version(index, value);

	if (w.disk)
		return;
	if (!version)
		CHECK(place->zero, "word %lu is empty, version %u to %u was written", index,
		      place->low, place->high);
	else
		CHECK(version >= place->low && version <= place->high,
		      "word %lu has version %u, written were %u to %u%s", index, version,
		      place->low, place->high, place->zero ? " or it was cut off" : "");
}

static void check_page(const struct file *f, unsigned int page, const uint64_t *words)
{
	for (unsigned int i = 0; i < WORDS_PER_PAGE; i++)
		check_word(&f->places[page], f->base + page * WORDS_PER_PAGE + i, words[i]);
}

static void stamp_words(const struct file *f, uint64_t *words, uint64_t first, unsigned int n,
			uint32_t version)
{
	for (unsigned int i = 0; i < n; i++)
		words[i] = stamp(f->base + first + i, version);
}

static void written(struct place *place, uint32_t version, bool complete)
{
	place->high = version;
	if (complete)
		*place = (struct place){ .low = version, .high = version };
}

/* No version that there was until now may come back. */
static void emptied(struct place *place, bool complete)
{
	if (complete)
		*place = (struct place){ .low = ++w.version };
	place->zero = true;
}

static uint64_t buffer[BATCH * WORDS_PER_PAGE];

static unsigned int some_pages(const struct file *f, unsigned int *first)
{
	unsigned int n;

	*first = rnd() % f->pages;
	n = 1 + rnd() % BATCH;
	return n < f->pages - *first ? n : f->pages - *first;
}

static void write_pages(struct file *f)
{
	unsigned int first, n = some_pages(f, &first);
	uint32_t version = ++w.version;
	long ret;

	stamp_words(f, buffer, first * WORDS_PER_PAGE, n * WORDS_PER_PAGE, version);
	ret = TRY(pwrite(f->fd, buffer, n * PAGE, first * PAGE));
	for (unsigned int i = 0; i < n; i++)
		written(&f->places[first + i], version, ret >= (long)((i + 1) * PAGE));
}

static void read_pages(struct file *f)
{
	unsigned int first, n = some_pages(f, &first);
	struct stat st;
	long ret;

	memset(buffer, 0, sizeof(buffer));
	ret = TRY(pread(f->fd, buffer, n * PAGE, first * PAGE));
	/* what lies beyond the end of the file is as good as empty; a short read is not */
	if (ret < (long)(n * PAGE) &&
	    (fstat(f->fd, &st) || st.st_size > (off_t)(first * PAGE) + ret))
		n = ret > 0 ? ret / PAGE : 0;
	for (unsigned int i = 0; ret >= 0 && i < n; i++)
		check_page(f, first + i, buffer + i * WORDS_PER_PAGE);
}

static bool copy(void *to, const void *from, size_t len)
{
	int sig;

	prog.step = "mapped access";
	arm();
	sig = copy_faults(to, from, len);
	disarm();
	w.calls++;
	w.signals += sig != 0;
	return !sig;
}

static void store_page(struct file *f)
{
	unsigned int page = rnd() % f->pages;
	uint64_t first = page * WORDS_PER_PAGE;
	uint32_t version = ++w.version;

	stamp_words(f, buffer, first, WORDS_PER_PAGE, version);
	written(&f->places[page], version, copy(f->map + first, buffer, PAGE));
}

static void load_page(struct file *f)
{
	unsigned int page = rnd() % f->pages;

	if (copy(buffer, f->map + page * WORDS_PER_PAGE, PAGE))
		check_page(f, page, buffer);
}

static void cut(struct file *f)
{
	unsigned int page = rnd() % (f->pages + 1);
	bool done = TRY(ftruncate(f->fd, page * PAGE)) == 0;

	for (unsigned int i = page; i < f->pages; i++)
		emptied(&f->places[i], done);
}

static void punch(struct file *f)
{
	unsigned int first, n = some_pages(f, &first);
	int how = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
	bool done;

	done = TRY(fallocate(f->fd, how, first * PAGE, n * PAGE)) == 0;
	for (unsigned int i = 0; i < n; i++)
		emptied(&f->places[first + i], done);
}

static void allocate(struct file *f)
{
	unsigned int first, n = some_pages(f, &first);

	TRY(fallocate(f->fd, FALLOC_FL_KEEP_SIZE, first * PAGE, n * PAGE));
}

static void sync_file(struct file *f)
{
	switch (rnd() % 4) {
	case 0:
		TRY(fdatasync(f->fd));
		break;
	case 1:
		TRY(msync(f->map, f->pages * PAGE, MS_SYNC));
		break;
	default:
		TRY(fsync(f->fd));
	}
}

/* From the disk again, next time */
static void drop_cached(struct file *f)
{
	TRY(sync_file_range(f->fd, 0, 0, SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER));
	TRY((errno = posix_fadvise(f->fd, 0, 0, POSIX_FADV_DONTNEED)) ? -1 : 0);
}

static void reopen(struct file *f)
{
	int fd = TRY(open(f->path, O_RDWR | O_CLOEXEC));

	if (fd < 0)
		return;
	SYS(dup2(fd, f->fd));
	close(fd);
}

/* The shared file: a line of each page is ours ------------------------------- */

static uint64_t line_of(unsigned int page)
{
	return page * WORDS_PER_PAGE + prog.seed * LINE_WORDS;
}

static void write_line(struct file *f)
{
	unsigned int page = rnd() % f->pages;
	uint64_t first = line_of(page), words[LINE_WORDS];
	uint32_t version = ++w.version;
	bool done;

	stamp_words(f, words, first, LINE_WORDS, version);
	if (rnd() % 2)
		done = copy(f->map + first, words, sizeof(words));
	else
		done = TRY(pwrite(f->fd, words, sizeof(words), first * 8)) == sizeof(words);
	written(&f->places[page], version, done);
}

static void check_line(struct file *f)
{
	unsigned int page = rnd() % f->pages;
	uint64_t first = line_of(page), words[LINE_WORDS];
	bool done;

	if (rnd() % 2)
		done = copy(words, f->map + first, sizeof(words));
	else
		done = TRY(pread(f->fd, words, sizeof(words), first * 8)) == sizeof(words);
	for (unsigned int i = 0; done && i < LINE_WORDS; i++)
		check_word(&f->places[page], f->base + first + i, words[i]);
}

/* Names ---------------------------------------------------------------------- */

static const char *name_of(unsigned int i)
{
	return at("own.%lu/names/%u", prog.seed, i);
}

/* What a call has left that failed; creating includes opening, which may fail later. */
static enum state after(long ret, enum state done, enum state old)
{
	if (ret >= 0)
		return done;
	return w.disk ? UNKNOWN : old;
}

static void make_name(unsigned int i)
{
	int fd;

	if (rnd() % 4 == 0) {
		w.names[i] = after(TRY(mkdir(name_of(i), 0755)), DIRECTORY, ABSENT);
		return;
	}
	fd = TRY(open(name_of(i), O_CREAT | O_EXCL | O_RDWR, 0644));
	w.names[i] = after(fd, REGULAR, UNKNOWN);
	if (fd < 0)
		return;
	TRY(write(fd, buffer, 1 + rnd() % (2 * PAGE)));
	close(fd);
}

static void remove_name(unsigned int i)
{
	long ret = w.names[i] == DIRECTORY ? TRY(rmdir(name_of(i))) : TRY(unlink(name_of(i)));

	w.names[i] = after(ret, ABSENT, w.names[i]);
}

static void move_name(unsigned int i)
{
	unsigned int to = rnd() % NAMES;
	enum state old = w.names[to];
	long ret;

	if (to == i || old == UNKNOWN || old == DIRECTORY ||
	    (w.names[i] == DIRECTORY && old != ABSENT))
		return;
	ret = TRY(rename(name_of(i), name_of(to)));
	w.names[to] = after(ret, w.names[i], old);
	w.names[i] = after(ret, ABSENT, w.names[i]);
}

static void look_up(unsigned int i)
{
	enum state found = ABSENT;
	struct stat st;
	long ret;

	prog.step = "stat";
	arm();
	ret = lstat(name_of(i), &st);
	if (ret && errno == ENOENT) {
		disarm();
	} else {
		if (judge("stat", ret) < 0)
			return;
		found = S_ISDIR(st.st_mode) ? DIRECTORY : REGULAR;
	}
	CHECK(w.names[i] == UNKNOWN || w.names[i] == found || w.disk,
	      "name %u is %d, should be %d", i, found, w.names[i]);
	w.names[i] = found;
}

static void list_names(void)
{
	bool there[NAMES] = { }, whole;
	struct dirent *entry;
	DIR *dir;

	prog.step = "list";
	arm();
	dir = opendir(at("own.%lu/names", prog.seed));
	if (dir)
		errno = 0;
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			there[atoi(entry->d_name) % NAMES] = true;
	whole = judge("list", dir && !errno ? 0 : -1) == 0;
	if (dir)
		closedir(dir);
	for (unsigned int i = 0; whole && !w.disk && i < NAMES; i++)
		CHECK(w.names[i] == UNKNOWN || there[i] == (w.names[i] != ABSENT),
		      "name %u is %s", i, there[i] ? "listed" : "not listed");
}

static void names(void)
{
	unsigned int i = rnd() % NAMES;

	switch (rnd() % 6) {
	case 0:
		list_names();
		break;
	case 1:
		look_up(i);
		break;
	case 2:
		if (w.names[i] == REGULAR || w.names[i] == DIRECTORY)
			move_name(i);
		break;
	default:
		if (w.names[i] == ABSENT)
			make_name(i);
		else if (w.names[i] == UNKNOWN)
			look_up(i);
		else
			remove_name(i);
	}
}

/* Inodes go, too; 4: without a word to the kernel log */
static void shrink(void)
{
	prog.step = "shrinking caches";
	if (w.drop_caches < 0)
		return;
	arm();
	pwrite(w.drop_caches, "7", 1, 0);
	disarm();
}

/* All of it ------------------------------------------------------------------ */

static void one_operation(void)
{
	static void (*const operations[])(struct file *f) = {
		write_pages, write_pages, write_pages, read_pages, read_pages, store_page,
		store_page, load_page, load_page, cut, punch, allocate, sync_file,
		drop_cached, reopen,
	};
	unsigned int choice = rnd() % (ARRAY_SIZE(operations) + 9);

	if (rnd() % 300 == 0)
		shrink();
	else if (choice < ARRAY_SIZE(operations))
		operations[choice](&w.own[rnd() % FILES]);
	else if (choice < ARRAY_SIZE(operations) + 5)
		names();
	else if (choice < ARRAY_SIZE(operations) + 7)
		write_line(&w.shared);
	else
		check_line(&w.shared);
}

static void open_one(struct file *f, const char *path, unsigned int number,
		     struct place *places, unsigned int pages)
{
	f->path = strdup(path);
	f->fd = open_file(path, O_RDWR | O_CREAT);
	f->base = (uint64_t)number << 15;
	f->places = places;
	f->pages = pages;
	f->map = map_file(f->fd, pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
	for (unsigned int i = 0; i < pages; i++)
		places[i].zero = true;
}

static void open_files(bool create)
{
	if (create) {
		SYS(mkdir(at("own.%lu", prog.seed), 0755));
		SYS(mkdir(at("own.%lu/names", prog.seed), 0755));
	}
	for (unsigned int i = 0; i < FILES; i++)
		open_one(&w.own[i], at("own.%lu/file.%u", prog.seed, i),
			 prog.seed * FILES + i + 1, w.own_places[i], PAGES);
	open_one(&w.shared, at("shared"), 0, w.shared_places, SHARED_PAGES);
	if (create)
		SYS(ftruncate(w.shared.fd, SHARED_PAGES * PAGE));
}

/* Everything is what it may be; the sum of what it is. */
static uint64_t take_stock(void)
{
	uint64_t sum = 0;
	struct stat st;

	prog.step = "taking stock";
	for (unsigned int i = 0; i < FILES; i++) {
		struct file *f = &w.own[i];

		sum = hash64(sum + file_size(f->fd));
		for (unsigned int page = 0; page < f->pages; page++) {
			memset(buffer, 0, sizeof(buffer));
			SYS(pread(f->fd, buffer, PAGE, page * PAGE));
			check_page(f, page, buffer);
			for (unsigned int j = 0; j < WORDS_PER_PAGE; j++)
				sum = hash64(sum + buffer[j]);
		}
	}
	for (unsigned int page = 0; page < SHARED_PAGES; page++) {
		pread_all(w.shared.fd, buffer, LINE_WORDS * 8, line_of(page) * 8);
		for (unsigned int j = 0; j < LINE_WORDS; j++) {
			check_word(&w.shared_places[page], line_of(page) + j, buffer[j]);
			sum = hash64(sum + buffer[j]);
		}
	}
	for (unsigned int i = 0; i < NAMES; i++) {
		look_up(i);
		sum = hash64(sum + w.names[i]);
		if (w.names[i] == REGULAR && !stat(name_of(i), &st))
			sum = hash64(sum + st.st_size);
	}
	return sum;
}

static void tell_round(unsigned long round)
{
	expose(false);
	printf("ack %lu\n", round);
	expose(true);
}

static void work(void)
{
	/* -r: another part of the random numbers each time */
	for (unsigned int i = 0; i < prog.run; i++)
		rnd();
	open_files(true);
	open_switches();
	expose(true);
	for (unsigned long i = 1; access(STOP, F_OK); i++) {
		one_operation();
		if (i % ROUND == 0)
			tell_round(i / ROUND);
	}
	expose(false);
	close(w.fail_nth);
	w.fail_nth = -1;
	report("calls=%lu failed=%lu eio=%lu signals=%lu injected=%lu longest=%.1f", w.calls,
	       w.failed, w.eio, w.signals, w.injected, w.longest);
	if (w.disk)
		return;
	for (unsigned int i = 0; i < FILES; i++)
		SYS(fsync(w.own[i].fd));
	SYS(fsync(w.shared.fd));
	SYS(syncfs(w.shared.fd));
	report("sum=%lu", take_stock());
}

static void take_sum(void)
{
	open_files(false);
	for (unsigned int i = 0; i < NAMES; i++)
		w.names[i] = UNKNOWN;
	report("sum=%lu", take_stock());
}

static void mount_and_fail(void)
{
	unsigned long nth = 1;
	bool hit;
	int ret;

	open_switches();
	CHECK(w.fail_nth >= 0, "no fault injection");
	do {
		fail_at(nth);
		ret = mount("/dev/disk", prog.dir, "cohfs", 0, "lock=local");
		CHECK(!ret || errno == ENOMEM, "mount, allocation %lu: %m", nth);
		hit = has_failed();
		w.failed += !!ret;
		if (!ret)
			SYS(umount(prog.dir));
		nth += 1 + rnd() % prog.count;
	} while (hit);
	report("failed=%lu allocations=%lu", w.failed, nth);
}

int main(int argc, char **argv)
{
	prog.count = 1;
	prog_init(argc, argv, "faults");
	w.disk = strcmp(prog.mode, "memory");
	if (!strcmp(prog.mode, "sum"))
		take_sum();
	else if (!strcmp(prog.mode, "mount"))
		mount_and_fail();
	else
		work();
	return prog_end("done");
}
