// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random operations on one file from all nodes, against a model in memory.
 *
 * All nodes draw the same operations: who does it, what, where.  One node does
 * it to the file, all do it to their model, and then a random node compares: by
 * read(), through its mapping, or the size.  Everything is one after the other,
 * so every difference is a bug, and the last operations are printed with it.
 *
 * Most operations are about a few pages, some about many: what a filesystem may keep in
 * one piece, and must take to pieces again.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "prog.h"

#define MAX (128 * PAGE)
#define FEW (3 * PAGE)
#define MANY (40 * PAGE)
#define HISTORY 12

static char model[MAX];
static size_t size;
static int fd;
static char *map;
static char history[HISTORY][160];
static uint64_t state;

/* Not rnd(): the same on all nodes. */
static uint64_t draw(uint64_t below)
{
	state = hash64(state + 0x9e3779b97f4a7c15ULL);
	return state % below;
}

static void differ(const char *what, size_t at, int got, int wanted)
{
	for (int i = 0; i < HISTORY; i++)
		if (history[i][0])
			printf("# %s\n", history[i]);
	fail("%s: byte %zu (page %zu) is %#x, wanted %#x, size %zu", what, at,
	     at / PAGE, got & 0xff, wanted & 0xff, size);
}

static void compare(const char *what, const char *got, size_t from, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (got[i] != model[from + i])
			differ(what, from + i, got[i], model[from + i]);
}

static void set_size(size_t to, bool act)
{
	if (to > size)
		memset(model + size, 0, to - size);
	size = to;
	if (act)
		SYS(ftruncate(fd, to));
}

static void change(long n, bool act, int who)
{
	static const char * const names[] = { "write", "store", "truncate", "copy", "punch" };
	static const unsigned char ops[] = { 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 4 };
	size_t most = draw(4) ? FEW : MANY;
	size_t at = draw(MAX - most), len = 1 + draw(most);
	size_t from = draw(MAX - most);
	unsigned int op = ops[draw(sizeof(ops))];
	uint64_t seed = draw(1 << 30);

	if (op == 1 || op == 3) {	/* these stay inside the file */
		if (at + len > size || from + len > size)
			op = 0;
	}
	snprintf(history[n % HISTORY], sizeof(history[0]),
		 "%ld: node %d: %s at %#zx, length %#zx, from %#zx; size was %#zx", n,
		 who, names[op], at, len, from, size);
	switch (op) {
	case 0:
		if (at > size)
			memset(model + size, 0, at - size);
		fill(model + at, len, seed, at);
		if (at + len > size)
			size = at + len;
		if (act)
			pwrite_all(fd, model + at, len, at);
		break;
	case 1:
		fill(model + at, len, seed, at);
		if (act)
			memcpy(map + at, model + at, len);
		break;
	case 2:
		set_size(at, act);
		break;
	case 3:		/* write() whose buffer is the mapping */
		if (from < at + len && at < from + len)
			break;
		memcpy(model + at, model + from, len);
		if (act)
			pwrite_all(fd, map + from, len, at);
		break;
	case 4:
		if (at < size)
			memset(model + at, 0, at + len < size ? len : size - at);
		if (act)
			SYS(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, len));
		break;
	}
}

static void look(void)
{
	static char buf[MAX];
	size_t from, len;
	struct stat st;

	SYS(fstat(fd, &st));
	if ((size_t)st.st_size != size)
		differ("size", st.st_size, 0, 0);
	if (!size)
		return;
	from = draw(size);
	len = 1 + draw(size - from);
	if (draw(2)) {
		compare("mapping", map + from, from, len);
	} else {
		pread_all(fd, buf, len, from);
		compare("read()", buf, from, len);
	}
}

int main(int argc, char **argv)
{
	static char buf[MAX];

	prog.count = 150;
	prog_init(argc, argv, "model");
	state = prog.seed;
	if (prog.node == 0)
		make_file(at("model"), 0, true);
	barrier();
	fd = open_file(at("model"), O_RDWR);
	map = map_file(fd, MAX, PROT_READ | PROT_WRITE, MAP_SHARED);
	barrier();
	prog.step = "random operations";
	for (long n = 0; n < prog.count; n++) {
		int who = draw(prog.nodes), looks = draw(prog.nodes + 1);
		uint64_t before;

		change(n, prog.node == who, who);
		barrier();
		before = state;
		if (looks == prog.node || looks == prog.nodes)
			look();
		/* look() draws a varying number of times: restart from here. */
		state = before + 1;
		barrier();
	}
	prog.step = "last look";
	pread_all(fd, buf, size, 0);
	compare("read()", buf, 0, size);
	compare("mapping", map, 0, size);
	return prog_end("%ld operations, size %zu at the end", prog.count, size);
}
