// SPDX-License-Identifier: GPL-2.0-only
/*
 * All nodes add to one word of one mapped page with LOCK XADD.
 *
 * Ends when -c adds were done and the word was seen to change hands -k times,
 * both counted in the page itself.  No add may be lost: the word must equal the
 * adds that the nodes made, which they tell each other over the network.
 *
 * -m alternate: the nodes take turns for -t seconds (turns.c).
 */
#include <fcntl.h>
#include <sys/mman.h>
#include "prog.h"
#include "turns.h"

struct board {
	uint64_t word;
	uint64_t pad[7];
	uint64_t taken[MAX_NODES];	/* times node i found the word moved on */
};

static bool enough(SHARED struct board *b)
{
	uint64_t taken = 0;

	for (int i = 0; i < prog.nodes; i++)
		taken += b->taken[i];
	return b->word >= (uint64_t)prog.count &&
	       taken >= (uint64_t)prog.handovers;
}

static uint64_t add(SHARED struct board *b)
{
	uint64_t own = 0, expected = 0, mine = 0;
	bool done = false;

	while (!done) {
		uint64_t old = __atomic_fetch_add(&b->word, 1, __ATOMIC_SEQ_CST);

		own++;
		CHECK(old >= expected, "the word went back from %lu to %lu",
		      expected, old);
		if (old != expected) {
			mine++;
			/* Nobody else writes this one: a plain store must do. */
			CHECK(b->taken[prog.node] == mine - 1,
			      "own count is %lu after storing %lu",
			      b->taken[prog.node], mine - 1);
			b->taken[prog.node] = mine;
		}
		if (old != expected || old % 64 == 0)
			done = enough(b);
		expected = old + 1;
	}
	return own;
}

static int count(void)
{
	uint64_t total, taken = 0, own;
	struct board *b, copy;
	double begun, took;
	int fd;

	if (prog.node == 0)
		make_file(at("counter"), PAGE, false);
	barrier();
	fd = open_file(at("counter"), O_RDWR);
	b = map_file(fd, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
	barrier();

	prog.step = "adding";
	begun = now();
	own = add(b);
	took = now() - begun;

	prog.step = "comparing";
	total = exchange(own, NULL);
	pread_all(fd, &copy, sizeof(copy), 0);
	CHECK(b->word == total, "%lu adds were made, the mapping holds %lu",
	      total, b->word);
	CHECK(copy.word == total, "%lu adds were made, read() gives %lu", total,
	      copy.word);
	for (int i = 0; i < prog.nodes; i++)
		taken += copy.taken[i];
	report("adds=%lu own=%lu handovers=%lu seconds=%.3f", total, own, taken,
	     took);
	return prog_end("%lu adds, %lu hand-overs in %.1f s", total, taken, took);
}

static int alternate(void)
{
	double took;
	uint64_t n = turns_take(TURNS_STORE, &took);

	report("handovers=%lu seconds=%.3f rate=%.1f", n, took, n / took);
	return prog_end("%lu hand-overs in %.1f s", n, took);
}

int main(int argc, char **argv)
{
	prog.count = 200000;
	prog_init(argc, argv, "counter");
	return prog.mode[0] == 'a' ? alternate() : count();
}
