// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each node stores to its own word, all words in one page (-m one), or each in a
 * page of its own next to the others' (-m next): no store is lost.
 *
 * Before each store a node must find what it stored last; the others' words only
 * grow.  Ends when the node has seen the others' words move -k times and has
 * stored -c times; then everybody's last value is there, also by read().
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include "prog.h"

static size_t spacing = 8;	/* bytes between the words of two nodes */

static SHARED uint64_t *word_of(char *map, int node)
{
	return (SHARED uint64_t *)(map + node * spacing);
}

static long look_at_others(char *map, uint64_t *seen)
{
	long moved = 0;

	for (int i = 0; i < prog.nodes; i++) {
		uint64_t v = *word_of(map, i);

		if (i == prog.node)
			continue;
		CHECK(v >= seen[i], "word of node %d went back from %lu to %lu", i,
		      seen[i], v);
		moved += v != seen[i];
		seen[i] = v;
	}
	return moved;
}

static uint64_t store_until_enough(char *map, long *moved)
{
	SHARED uint64_t *own = word_of(map, prog.node);
	uint64_t seen[MAX_NODES] = { 0 }, value = 0;
	bool done = false;

	while (!done) {
		CHECK(*own == value, "stored %lu, found %lu", value, *own);
		*own = ++value;
		*moved += look_at_others(map, seen);
		done = value >= (uint64_t)prog.count &&
		       (*moved >= prog.handovers || others_waiting());
	}
	return value;
}

int main(int argc, char **argv)
{
	uint64_t last[MAX_NODES], value;
	long moved = 0;
	size_t len;
	char *map;
	int fd;

	prog.count = 2000;
	prog.handovers = 50;
	prog.mode = "one";
	prog_init(argc, argv, "words");
	if (!strcmp(prog.mode, "next"))
		spacing = PAGE;
	len = spacing == PAGE ? prog.nodes * PAGE : PAGE;
	if (prog.node == 0)
		make_file(at("words.%s", prog.mode), len, false);
	barrier();
	fd = open_file(at("words.%s", prog.mode), O_RDWR);
	map = map_file(fd, len, PROT_READ | PROT_WRITE, MAP_SHARED);
	barrier();

	prog.step = "storing";
	value = store_until_enough(map, &moved);
	prog.step = "comparing";
	exchange(value, last);
	for (int i = 0; i < prog.nodes; i++) {
		uint64_t by_read;

		pread_all(fd, &by_read, 8, i * spacing);
		CHECK(*word_of(map, i) == last[i] && by_read == last[i],
		      "node %d stored %lu last, mapping has %lu, read() %lu", i,
		      last[i], *word_of(map, i), by_read);
	}
	return prog_end("%lu stores, saw the others' words move %ld times", value,
			moved);
}
