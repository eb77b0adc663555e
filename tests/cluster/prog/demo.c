// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program of scripts/demo: two nodes talk through one mapped page.
 *
 * First a few words go to and fro at reading speed, then both add to one counter
 * as fast as they can while a line per half second says what is going on, then
 * both compute the verdict.  Lines: "say NODE text", "stat key=value ...",
 * "verdict key=value ...".
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <glob.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "prog.h"

#define RW (PROT_READ | PROT_WRITE)

struct board {
	uint64_t counter;		/* both add */
	uint64_t turn;			/* both add, in the slow part by turns */
	uint64_t stamp[MAX_NODES];	/* each its own, only growing */
	uint64_t taken[MAX_NODES];	/* times the counter came back changed */
	char text[64];
	uint64_t stop;
};

#define WRITE(x, v) (*(SHARED __typeof__(x) *)&(x) = (v))

static SHARED struct board *b;
static long violations;

/* What this node's lock table says about the data of inode @ino, if it says. */
static const char *own_right(ino_t ino)
{
	static char mode[8];
	char line[256], type[32], lock[64], wanted[64];
	glob_t g;
	FILE *f;

	snprintf(mode, sizeof(mode), "?");
	snprintf(wanted, sizeof(wanted), "D%016lx", ino);
	if (glob("/sys/kernel/debug/cohfs/*/locks", 0, NULL, &g))
		return mode;
	f = fopen(g.gl_pathv[0], "r");
	while (f && fgets(line, sizeof(line), f)) {
		char is[8];

		if (sscanf(line, "%31s %63s %7s", type, lock, is) == 3 &&
		    !strcmp(lock, wanted))
			memcpy(mode, is, sizeof(mode));
	}
	if (f)
		fclose(f);
	globfree(&g);
	return mode;
}

static void tell(const char *what)
{
	printf("say %d %s\n", prog.node, what);
}

/* Node 0 writes a text into the page, node 1 reads it and answers. */
static void talk(void)
{
	static const char * const lines[] = {
		"is anybody reading this page?",
		"yes: and this is my store, not a message",
		"then we share memory through a disk",
		"as if we were one machine",
	};
	char text[128];

	for (uint64_t i = 0; i < ARRAY_SIZE(lines); i++) {
		if (i % prog.nodes == (uint64_t)prog.node) {
			memcpy((char *)b->text, lines[i], strlen(lines[i]) + 1);
			__atomic_store_n(&b->turn, i + 1, __ATOMIC_RELEASE);
			snprintf(text, sizeof(text), "stores \"%s\"", lines[i]);
		} else {
			while (__atomic_load_n(&b->turn, __ATOMIC_ACQUIRE) <= i)
				sleep_for(0.001);
			snprintf(text, sizeof(text), "loads  \"%s\"", (char *)b->text);
			violations += !!strcmp((char *)b->text, lines[i]);
		}
		tell(text);
		barrier();
		sleep_for(1.2);		/* for the person who reads along */
	}
}

/*
 * What this node knows, for the thread that shows it: that one must not touch the
 * page itself, or watching would take it from whoever works with it.
 */
static struct {
	uint64_t counter, adds, other, handovers;
	bool done;
	ino_t ino;
} local;

static void *show(void *unused)
{
	double begun = now();

	(void)unused;
	while (!*(SHARED bool *)&local.done) {
		sleep_for(0.4);
		printf("stat node=%d t=%.1f counter=%lu adds=%lu other=%lu handovers=%lu right=%s violations=%ld\n",
		       prog.node, now() - begun, local.counter, local.adds,
		       local.other, local.handovers, own_right(local.ino), violations);
	}
	return NULL;
}

/* Both at full speed; returns the adds of this node. */
static uint64_t race(void)
{
	const double end = now() + prog.seconds;
	uint64_t adds = 0, expected = 0, seen = 0;
	const int other = !prog.node;
	uint64_t until = tsc();

	while (!b->stop) {
		uint64_t old = __atomic_fetch_add(&b->counter, 1, __ATOMIC_SEQ_CST);
		uint64_t stamp = b->stamp[other];

		violations += old < expected || stamp < seen ||
			      b->stamp[prog.node] != adds;
		if (old != expected)
			b->taken[prog.node]++;
		expected = old + 1;
		seen = stamp;
		b->stamp[prog.node] = ++adds;
		WRITE(local.counter, old);
		WRITE(local.adds, adds);
		WRITE(local.other, seen);
		WRITE(local.handovers, b->taken[0] + b->taken[1]);
		if (tsc() < until)
			continue;
		until = tsc() + 10000000;
		if (prog.node == 0 && now() >= end)
			b->stop = 1;
	}
	return adds;
}

int main(int argc, char **argv)
{
	uint64_t all[MAX_NODES], sum, bad, adds;
	struct board final;
	pthread_t shower;
	struct stat st;
	int fd;

	prog.seconds = 15;
	prog_init(argc, argv, "demo");
	if (prog.node == 0)
		make_file(at("page"), PAGE, false);
	barrier();
	fd = open_file(at("page"), O_RDWR);
	SYS(fstat(fd, &st));
	b = map_file(fd, PAGE, RW, MAP_SHARED);
	barrier();
	talk();
	tell("adds to the counter, as fast as it can");
	barrier();
	local.ino = st.st_ino;
	if (pthread_create(&shower, NULL, show, NULL))
		fail("cannot start a thread");
	adds = race();
	WRITE(local.done, true);
	pthread_join(shower, NULL);

	sum = exchange(adds, all);
	bad = exchange(violations, NULL);
	pread_all(fd, &final, sizeof(final), 0);
	if (prog.node == 0)
		printf("verdict adds=%lu counter=%lu read=%lu handovers=%lu violations=%lu node0=%lu node1=%lu\n",
		       sum, b->counter, final.counter, final.taken[0] + final.taken[1],
		       bad, all[0], all[1]);
	CHECK(b->counter == sum && final.counter == sum, "%lu adds, counter %lu, read %lu",
	      sum, b->counter, final.counter);
	CHECK(!bad, "%lu order violations", bad);
	return prog_end("%lu adds, none lost", sum);
}
