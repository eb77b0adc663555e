// SPDX-License-Identifier: GPL-2.0-only
/*
 * Small pieces of a sparse file, on blocks that have been in use.
 *
 * A page of a hole gets a block when the first byte is written to it, and that block holds ones:
 * the file was full of them before.  Whoever writes looks at the page at once: what he has
 * written is there, the rest is zero.  Meanwhile another task synchronises, writes back, and
 * throws pages out, so that the next look may be at the disk.  In the end every node looks at
 * everything.  Pieces come in random order, every second one by a store to a mapping.
 * -c pages; a quarter of the pieces of every second page is written.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "stamp.h"

#define PIECE_WORDS	8
#define PIECE		(PIECE_WORDS * 8)
#define PIECES		(PAGE / PIECE)	/* of a page */

static struct {
	SHARED uint64_t *map;
	SHARED bool end;
	int fd;
	long pieces;	/* of this node, */
	long *order;	/* in which they are written */
	bool *done;	/* by number */
} file;

static bool is_written(long piece)
{
	return piece / PIECES % 2 && hash64(piece * 7 + prog.run) % 4 == 0;
}

/* Runs of pages, so that nodes meet in regions and in what is allocated at once */
static int owner(long piece)
{
	return piece / PIECES / 20 % prog.nodes;
}

static void use_blocks(void)
{
	const size_t piece = 64 * PAGE;
	char *ones = malloc(piece);

	memset(ones, 0xff, piece);
	file.fd = open_file(at("holes"), O_RDWR | O_CREAT | O_TRUNC);
	for (size_t off = 0; off < 2 * prog.count * PAGE; off += piece)
		pwrite_all(file.fd, ones, piece, off);
	SYS(fsync(file.fd));
	SYS(ftruncate(file.fd, 0));
	SYS(fsync(file.fd));
	SYS(ftruncate(file.fd, prog.count * PAGE));
	close(file.fd);
	free(ones);
}

static void choose_order(void)
{
	file.order = malloc(prog.count * PIECES * sizeof(*file.order));
	file.done = calloc(prog.count * PIECES, sizeof(*file.done));
	for (long piece = 0; piece < prog.count * (long)PIECES; piece++)
		if (is_written(piece) && owner(piece) == prog.node)
			file.order[file.pieces++] = piece;
	for (long i = file.pieces - 1; i > 0; i--) {
		long other = rnd() % (i + 1), piece = file.order[i];

		file.order[i] = file.order[other];
		file.order[other] = piece;
	}
}

static void write_piece(long piece, bool store)
{
	uint64_t words[PIECE_WORDS], first = piece * PIECE_WORDS;

	for (int i = 0; i < PIECE_WORDS; i++)
		words[i] = stamp(first + i, 1);
	if (!store)
		pwrite_all(file.fd, words, PIECE, piece * PIECE);
	for (int i = 0; store && i < PIECE_WORDS; i++)
		file.map[first + i] = words[i];
}

static void check_page(long page, const bool *done)
{
	uint64_t words[WORDS_PER_PAGE];

	pread_all(file.fd, words, PAGE, page * PAGE);
	for (uint64_t i = 0; i < WORDS_PER_PAGE; i++) {
		uint64_t index = page * WORDS_PER_PAGE + i;
		long piece = index / PIECE_WORDS;
		bool there = done ? done[piece] : is_written(piece);

		CHECK(words[i] == (there ? stamp(index, 1) : 0),
		      "word %zu, %s, is %#lx", index, there ? "written" : "not written",
		      words[i]);
	}
}

/* What makes blocks of the disk count: a commit, write-back, and pages that are read again */
static void *disturb(void *unused)
{
	int other = open_file(at("holes.%d", prog.node), O_RDWR | O_CREAT);
	uint64_t x = prog.seed + prog.node;

	(void)unused;
	while (!file.end) {
		off_t off = (x = hash64(x + 1)) % prog.count * PAGE;

		switch (x >> 32 & 3) {
		case 0:
			SYS(ftruncate(other, x & 1));
			SYS(fsync(other));
			break;
		case 1:
			SYS(sync_file_range(file.fd, off, 64 * PAGE, SYNC_FILE_RANGE_WRITE));
			break;
		default:
			SYS(posix_fadvise(file.fd, off, 256 * PAGE, POSIX_FADV_DONTNEED));
		}
		sleep_for(0.002);
	}
	close(other);
	return NULL;
}

static void write_pieces(void)
{
	pthread_t task;

	CHECK(!pthread_create(&task, NULL, disturb, NULL), "pthread_create: %m");
	for (long i = 0; i < file.pieces; i++) {
		long piece = file.order[i];

		write_piece(piece, i % 2);
		file.done[piece] = true;
		check_page(piece / PIECES, file.done);
	}
	file.end = true;
	pthread_join(task, NULL);
}

int main(int argc, char **argv)
{
	prog.count = 400;
	prog_init(argc, argv, "holes");
	catch_faults();
	if (prog.node == 0)
		use_blocks();
	barrier();
	file.fd = open_file(at("holes"), O_RDWR);
	file.map = map_file(file.fd, prog.count * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
	choose_order();
	prog.step = "writing";
	write_pieces();
	barrier();
	prog.step = "looking at all of it";
	for (long page = 0; page < prog.count; page++)
		check_page(page, NULL);
	barrier();
	return prog_end("%ld pieces", file.pieces);
}
