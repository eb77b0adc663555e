// SPDX-License-Identifier: GPL-2.0-only
/*
 * One node cuts a file short and lets it grow again while the others write to it
 * by write() and through mappings.  -m punch: it punches holes instead, or zeroes, which
 * leaves the size alone.
 *
 * Before a write a node has announced nothing; after it, it says on a board which
 * version is done.  The node that cuts reads the board first.  So what it finds
 * beyond the cut when the file has grown again is zero or newer than the board:
 * anything else came back from before the cut.  In the end the writers stop, and
 * after a last cut the pages beyond it are gone on every node, and zero after the
 * file has grown once more.
 *
 * Each node cuts -c times in its turn, each time when all others have written.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "stamp.h"

#define SLOT_WORDS 64		/* of one owner each; eight make a page */
#define FILE_LEN (REGION + 16 * PAGE)

/* Where the slots are: pages at the start, and around the border of two regions. */
static const int data_pages[] = {
	24, 25, 26, 27, 508, 509, 510, 511, 512, 513, 514, 515, 520, 527,
};

#define SLOTS (ARRAY_SIZE(data_pages) * (WORDS_PER_PAGE / SLOT_WORDS))

/* Per node a page, none of which is ever cut off. */
static SHARED uint64_t *board;
enum { DONE, STOP };

static int fd;
static SHARED uint64_t *map;

static SHARED uint64_t *board_of(int node, int what)
{
	return board + node * WORDS_PER_PAGE + what;
}

static uint64_t word_of(unsigned int slot)
{
	return data_pages[slot / 8] * WORDS_PER_PAGE + slot % 8 * SLOT_WORDS;
}

static int owner_of(uint64_t index)
{
	return index / SLOT_WORDS % prog.nodes;
}

static unsigned int own_slot(void)
{
	unsigned int slot;

	do {
		slot = rnd() % SLOTS;
	} while (owner_of(word_of(slot)) != prog.node);
	return slot;
}

/* Writing ------------------------------------------------------------------ */

static void write_slot(uint32_t version)
{
	uint64_t buf[SLOT_WORDS], first = word_of(own_slot());

	for (int i = 0; i < SLOT_WORDS; i++)
		buf[i] = stamp(first + i, version);
	pwrite_all(fd, buf, sizeof(buf), first * 8);
}

/* The page may be cut off at any moment; then there is nothing to store to. */
static void store_slot(uint32_t version)
{
	uint64_t first = word_of(own_slot());

	for (int i = 0; i < SLOT_WORDS; i += 9)
		if (store_faults(map + first + i, stamp(first + i, version)))
			return;
}

/* Whatever has been cut off or not, a word is a version of itself or zero. */
static void look_at_any_slot(void)
{
	uint64_t buf[SLOT_WORDS], first = word_of(rnd() % SLOTS);
	ssize_t got = SYS(pread(fd, buf, sizeof(buf), first * 8));

	for (ssize_t i = 0; i < got / 8; i++)
		stamp_version(first + i, buf[i]);
}

static uint32_t write_until_told(int cutter, uint32_t version)
{
	while (!*board_of(cutter, STOP)) {
		version++;
		if (rnd() % 2)
			write_slot(version);
		else
			store_slot(version);
		*board_of(prog.node, DONE) = version;
		if (version % 4 == 0)
			look_at_any_slot();
	}
	return version;
}

/* Cutting ------------------------------------------------------------------ */

/* Every word of the slots beyond @size is zero or newer than @done of its owner. */
static void look_beyond(off_t size, const uint32_t *done, bool by_call)
{
	for (unsigned int slot = 0; slot < SLOTS; slot++) {
		uint64_t first = word_of(slot), buf[SLOT_WORDS];
		int owner = owner_of(first);

		if (by_call)
			pread_all(fd, buf, sizeof(buf), first * 8);
		for (int i = 0; i < SLOT_WORDS; i++) {
			uint64_t value = by_call ? buf[i] : map[first + i];
			uint32_t v = stamp_version(first + i, value);

			CHECK((off_t)(first * 8) < size || !v || v > done[owner],
			      "by %s, word %lu (page %lu) of node %d has version %u, which was there before the file was cut to %jd after version %u",
			      by_call ? "read()" : "load", first + i,
			      (first + i) / WORDS_PER_PAGE, owner, v, (intmax_t)size,
			      done[owner]);
		}
	}
}

/* At the start of a page, or between two slots. */
static off_t random_size(void)
{
	static const off_t favourites[] = { 20, 25, 509, 512, 513, 516 };

	return favourites[rnd() % ARRAY_SIZE(favourites)] * PAGE +
	       (rnd() % 2 ? 0 : rnd() % 8 * SLOT_WORDS * 8);
}

static bool punches(void)
{
	return prog.mode && !strcmp(prog.mode, "punch");
}

static void punch(off_t size)
{
	static const int modes[] = { FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				     FALLOC_FL_ZERO_RANGE };

	SYS(fallocate(fd, modes[rnd() % 2], size, FILE_LEN - size));
}

static void cut(off_t size)
{
	if (punches())
		punch(size);
	else
		SYS(ftruncate(fd, size));
}

static void grow_again(void)
{
	if (!punches())
		SYS(ftruncate(fd, FILE_LEN));
}

/* When everybody else has written since the last time. */
static void cut_once(uint32_t *done)
{
	off_t size = random_size();

	for (int i = 0; i < prog.nodes; i++) {
		uint32_t last = done[i];

		do {
			done[i] = *board_of(i, DONE);
		} while (done[i] == last && i != prog.node);
	}
	cut(size);
	grow_again();
	look_beyond(size, done, true);
	look_beyond(size, done, false);
}

static void cut_many(void)
{
	uint32_t done[MAX_NODES] = { 0 };

	for (long i = 0; i < prog.count; i++)
		cut_once(done);
	*board_of(prog.node, STOP) = 1;
}

/* With nobody writing any more ---------------------------------------------- */

static uint64_t hash_of_all(void)
{
	static uint64_t buf[WORDS_PER_PAGE];
	uint64_t sum = 0;

	for (size_t i = 0; i < ARRAY_SIZE(data_pages); i++) {
		pread_all(fd, buf, PAGE, data_pages[i] * PAGE);
		for (size_t w = 0; w < WORDS_PER_PAGE; w++) {
			uint64_t value = map[data_pages[i] * WORDS_PER_PAGE + w];

			CHECK(value == buf[w],
			      "page %d, word %zu: the mapping has %#lx, read() gives %#lx",
			      data_pages[i], w, value, buf[w]);
			sum = hash64(sum + value);
		}
	}
	return sum;
}

static void expect_gone(off_t size)
{
	CHECK(file_size(fd) == size, "size is %jd, cut to %jd", (intmax_t)file_size(fd),
	      (intmax_t)size);
	for (size_t i = 0; i < ARRAY_SIZE(data_pages); i++) {
		int page = data_pages[i];
		int wanted = (off_t)(page * PAGE) < size ? 0 : SIGBUS;
		int got = faults((SHARED char *)map + page * PAGE, rnd() % 2);

		CHECK(got == wanted, "cut to %jd, page %d: signal %d", (intmax_t)size, page,
		      got);
	}
}

static void last_cut(int cutter)
{
	static const uint32_t nothing[MAX_NODES] = { [0 ... MAX_NODES - 1] = UINT32_MAX };
	uint64_t size, mine, all[MAX_NODES];

	size = exchange(prog.node == cutter ? random_size() : 0, NULL);
	mine = hash_of_all();
	exchange(mine, all);
	for (int i = 0; i < prog.nodes; i++)
		CHECK(all[i] == mine, "node %d sees other contents", i);
	if (prog.node == cutter)
		cut(size);
	barrier();
	if (!punches())
		expect_gone(size);
	barrier();
	if (prog.node == (cutter + 1) % prog.nodes)
		grow_again();
	barrier();
	look_beyond(size, nothing, true);
	look_beyond(size, nothing, false);
	barrier();
}

int main(int argc, char **argv)
{
	uint32_t version = 0;

	prog.count = 5;
	prog_init(argc, argv, "cuts");
	if (prog.node == 0)
		close(make_file(at("cuts"), FILE_LEN, false));
	barrier();
	fd = open_file(at("cuts"), O_RDWR);
	map = map_file(fd, FILE_LEN, PROT_READ | PROT_WRITE, MAP_SHARED);
	board = map;
	barrier();
	for (int cutter = 0; cutter < prog.nodes; cutter++) {
		prog.step = "cutting while others write";
		if (prog.node == cutter)
			cut_many();
		else
			version = write_until_told(cutter, version);
		barrier();
		prog.step = "the last cut";
		last_cut(cutter);
	}
	return prog_end("%ld cuts, this node wrote %u times", prog.count * prog.nodes,
			version);
}
