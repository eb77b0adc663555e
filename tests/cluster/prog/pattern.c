// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one node writes, the others read: stores against read(), write() against
 * loads, with holes, and with files that grow.
 *
 * Every word of the file says which version of which word it is, with a check
 * value.  A reader must never see a torn word, a word of another place, or an
 * older version of a word than it has seen before; and since the writer goes
 * through the words in ascending order, a reader that looks at a higher word
 * first must not find an older version in a lower word afterwards.  When the
 * writer has stopped, everybody sees exactly the last version, both ways.
 *
 * The writer goes on until every reader has seen -c changes of version.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "stamp.h"

#define PAGES 12
#define GROWN_MAX (256 * PAGE)

enum way { BY_MAPPING, BY_CALL };

struct phase {
	const char *name;
	enum way write;
	enum way read;
	bool holes;	/* the file starts without blocks; every third page stays so */
};

static const struct phase phases[] = {
	{ "store and read()", BY_MAPPING, BY_CALL, false },
	{ "write() and load", BY_CALL, BY_MAPPING, false },
	{ "store and load", BY_MAPPING, BY_MAPPING, false },
	{ "store and read() with holes", BY_MAPPING, BY_CALL, true },
	{ "write() and load with holes", BY_CALL, BY_MAPPING, true },
};

struct file {
	SHARED uint64_t *map;
	const struct phase *phase;
	int fd;
};

static bool left_alone(const struct phase *ph, int page)
{
	return ph->holes && page % 3 == 2;
}

/* First, last, and six words between of each page, in ascending order. */
static unsigned int word_in_page(unsigned int i)
{
	return i == 7 ? WORDS_PER_PAGE - 1 : i * 67;
}

static void write_version(struct file *f, uint32_t version)
{
	for (int page = 0; page < PAGES; page++) {
		if (left_alone(f->phase, page))
			continue;
		for (unsigned int i = 0; i < 8; i++) {
			uint64_t index = page * WORDS_PER_PAGE + word_in_page(i);
			uint64_t value = stamp(index, version);

			if (f->phase->write == BY_MAPPING)
				f->map[index] = value;
			else
				pwrite_all(f->fd, &value, 8, index * 8);
		}
	}
}

/* One look at a page: the words of interest, highest first when mapped. */
static void look(struct file *f, enum way how, int page, uint64_t *values)
{
	uint64_t buf[WORDS_PER_PAGE];

	if (how == BY_CALL)
		pread_all(f->fd, buf, PAGE, page * PAGE);
	for (int i = 7; i >= 0; i--) {
		unsigned int n = word_in_page(i);

		values[i] = how == BY_CALL ? buf[n] :
			    f->map[page * WORDS_PER_PAGE + n];
	}
}

/*
 * One pass from the end of the file to its start.
 * Return: number of words that had changed since the last pass.
 */
static int sweep(struct file *f, uint32_t *seen)
{
	uint32_t least = 0;
	int changed = 0;

	for (int page = PAGES - 1; page >= 0; page--) {
		uint64_t values[8];
		uint32_t page_least = UINT32_MAX, page_most = 0;

		look(f, f->phase->read, page, values);
		for (unsigned int i = 0; i < 8; i++) {
			uint64_t index = page * WORDS_PER_PAGE + word_in_page(i);
			uint32_t v = stamp_version(index, values[i]);
			uint32_t *old = &seen[page * 8 + i];

			CHECK(!left_alone(f->phase, page) || !v,
			      "word %lu in a hole became version %u", index, v);
			CHECK(v >= *old, "word %lu went back from version %u to %u",
			      index, *old, v);
			changed += v != *old;
			*old = v;
			if (v < page_least)
				page_least = v;
			if (v > page_most)
				page_most = v;
		}
		if (left_alone(f->phase, page))
			continue;
		CHECK(page_least >= least,
		      "page %d has version %u although a later page had %u before",
		      page, page_least, least);
		least = page_most;
	}
	return changed;
}

static void verify(struct file *f, uint32_t version)
{
	for (int page = 0; page < PAGES; page++) {
		uint32_t wanted = left_alone(f->phase, page) ? 0 : version;

		for (enum way how = BY_MAPPING; how <= BY_CALL; how++) {
			uint64_t values[8];

			look(f, how, page, values);
			for (unsigned int i = 0; i < 8; i++) {
				uint64_t index = page * WORDS_PER_PAGE +
						 word_in_page(i);
				uint32_t v = stamp_version(index, values[i]);

				CHECK(v == wanted,
				      "by %s, word %lu: version %u, last written %u",
				      how == BY_CALL ? "read()" : "mapping",
				      index, v, wanted);
			}
		}
	}
}

static uint32_t write_until_seen(struct file *f)
{
	uint32_t version = 0;

	do {
		write_version(f, ++version);
	} while (!others_waiting());
	return version;
}

static long read_until_seen(struct file *f)
{
	uint32_t seen[PAGES * 8] = { 0 };
	long changes = 0;

	while (changes < prog.count)
		changes += !!sweep(f, seen);
	return changes;
}

static void run_phase(const struct phase *ph, int writer)
{
	struct file f = { .phase = ph };
	uint64_t last = 0;
	char name[48];

	prog.step = ph->name;
	snprintf(name, sizeof(name), "pattern.%ld.%d", (long)(ph - phases), writer);
	if (prog.node == writer)
		make_file(at("%s", name), PAGES * PAGE, ph->holes);
	barrier();
	f.fd = open_file(at("%s", name), O_RDWR);
	f.map = map_file(f.fd, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
	verify(&f, 0);
	barrier();
	if (prog.node == writer)
		last = write_until_seen(&f);
	else
		read_until_seen(&f);
	last = exchange(last, NULL);
	verify(&f, last);
	barrier();
	munmap((void *)f.map, PAGES * PAGE);
	close(f.fd);
}

/* Growing ------------------------------------------------------------------ */

static size_t grow_once(int fd, SHARED uint64_t *map, size_t size, bool store)
{
	uint64_t buf[WORDS_PER_PAGE];
	size_t words = 1 + rnd() % WORDS_PER_PAGE, first = size / 8;

	for (size_t i = 0; i < words; i++)
		buf[i] = stamp(first + i, 1);
	if (!store) {
		pwrite_all(fd, buf, words * 8, size);
		return size + words * 8;
	}
	SYS(ftruncate(fd, size + words * 8));
	for (size_t i = 0; i < words; i++)
		map[first + i] = buf[i];
	return size + words * 8;
}

/* What lies below the size is right (or, if stored later, still zero). */
static void look_at_growth(int fd, SHARED uint64_t *map, size_t from, size_t to,
			   bool store, bool final)
{
	static uint64_t buf[GROWN_MAX / 8];

	pread_all(fd, buf, to - from, from);
	for (size_t i = from / 8; i < to / 8; i++) {
		uint32_t read_v = stamp_version(i, buf[i - from / 8]);
		uint32_t map_v = stamp_version(i, map[i]);

		CHECK(map_v >= read_v, "word %zu: read() gave it, a later load did not",
		      i);
		CHECK(read_v || (store && !final),
		      "word %zu is below the size (%zu) but still zero", i, to);
	}
}

static size_t watch_growth(int fd, SHARED uint64_t *map, bool store)
{
	size_t size = 0, checked = 0;
	long sizes = 0;

	while (sizes < prog.count && size < GROWN_MAX - PAGE) {
		size_t next = file_size(fd);

		CHECK(next >= size, "the size went back from %zu to %zu", size, next);
		sizes += next != size;
		size = next;
		if (size > checked)
			look_at_growth(fd, map, checked, size, store, false);
		/* Under stores the newest part may be zero: look again. */
		checked = store && size > 2 * PAGE ? size - 2 * PAGE : size;
		if (store && size <= 2 * PAGE)
			checked = 0;
	}
	return size;
}

static void grow(int writer, bool store)
{
	const char *name = store ? "grown by truncate and store" :
				   "grown by write()";
	SHARED uint64_t *map;
	uint64_t size = 0;
	char file[48];
	int fd;

	prog.step = name;
	snprintf(file, sizeof(file), "grown.%d.%d", store, writer);
	if (prog.node == writer)
		make_file(at("%s", file), 0, true);
	barrier();
	fd = open_file(at("%s", file), O_RDWR);
	map = map_file(fd, GROWN_MAX, PROT_READ | PROT_WRITE, MAP_SHARED);
	barrier();
	if (prog.node == writer) {
		while (!others_waiting() && size < GROWN_MAX - PAGE) {
			size = grow_once(fd, map, size, store);
			sleep_for(0.001);	/* or it is over at once */
		}
	} else {
		watch_growth(fd, map, store);
	}
	size = exchange(size, NULL);
	CHECK((size_t)file_size(fd) == size, "size is %jd, the writer left %lu",
	      (intmax_t)file_size(fd), size);
	look_at_growth(fd, map, 0, size, store, true);
	barrier();
	munmap((void *)map, GROWN_MAX);
	close(fd);
}

int main(int argc, char **argv)
{
	double begun;

	prog.count = 20;
	prog_init(argc, argv, "pattern");
	begun = now();
	for (int writer = 0; writer < prog.nodes; writer++) {
		for (size_t i = 0; i < ARRAY_SIZE(phases); i++)
			run_phase(&phases[i], writer);
		grow(writer, false);
		grow(writer, true);
	}
	return prog_end("%zu kinds of sharing, each node as the writer, %.1f s",
			ARRAY_SIZE(phases) + 2, now() - begun);
}
