// SPDX-License-Identifier: GPL-2.0-only
/*
 * Strict alternation: the word counts turns, and turn t belongs to node t % n.
 *
 * A turn can be taken only by the node it belongs to and only once, so every
 * turn is a hand-over, and the order in which a node sees the word move is
 * checked as it goes.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include "prog.h"
#include "turns.h"

struct board {
	uint64_t turn;
	uint64_t pad[7];
	uint64_t stop;
	uint64_t waiting[MAX_NODES];
};

void (*turns_window)(int ends);

static bool take(SHARED struct board *b, uint64_t turn, enum turns_how how)
{
	uint64_t seen, last = 0, looks = 0;

	for (;;) {
		/*
		 * A plain store, because an emulated CPU may do an atomic
		 * instruction as a load and a store, in this order.
		 */
		if (how == TURNS_STORE)
			b->waiting[prog.node] = ++looks;
		seen = b->turn;
		if (seen == turn) {
			b->turn = turn + 1;
			return true;
		}
		if (b->stop)
			return false;
		CHECK(seen >= last && seen < turn,
		      "waiting for turn %lu: saw %lu after %lu", turn, seen, last);
		last = seen;
	}
}

uint64_t turns_take(enum turns_how how, double *took)
{
	SHARED struct board *b;
	uint64_t turn = prog.node, turns = 0;
	double begun;
	int fd;

	if (prog.node == 0)
		make_file(at("turns"), PAGE, false);
	barrier();
	fd = open_file(at("turns"), O_RDWR);
	b = map_file(fd, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
	/* One round unmeasured: mappings, locks and lock masters are set up. */
	CHECK(take(b, turn, how), "stopped before the first turn");
	turn += prog.nodes;

	prog.step = "taking turns";
	barrier();
	if (turns_window)
		turns_window(0);
	barrier();
	begun = now();
	while (take(b, turn, how)) {
		turn += prog.nodes;
		turns++;
		if (prog.node == 0 && now() - begun >= prog.seconds)
			b->stop = 1;
	}
	*took = now() - begun;
	if (turns_window)
		turns_window(1);

	prog.step = "comparing turns";
	turns = exchange(turns, NULL);
	CHECK(b->turn == turns + prog.nodes,
	      "%lu turns were taken, the word says %lu", turns + prog.nodes,
	      b->turn);
	barrier();
	return turns;
}
