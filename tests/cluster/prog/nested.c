// SPDX-License-Identifier: GPL-2.0-only
/*
 * Directories that all nodes move into and out of each other, make and remove.
 *
 * Whether one is above another changes all the time, and what a node has in its dcache is
 * old.  Everything has to end, with an error of those that a lost race may have, and in the
 * end there are no loops: all of it can be removed from below.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "prog.h"

#define NAMES 3

static unsigned int pick(unsigned int n)
{
	return (unsigned int)(rnd() % n);
}

/* One to three of the names, one below the other */
static const char *some_path(void)
{
	unsigned int depth = 1 + pick(3);
	char path[3 * 2 + 1] = "";

	for (unsigned int i = 0; i < depth; i++)
		sprintf(path + 2 * i, "/%c", 'a' + pick(NAMES));
	return at("%s", path + 1);
}

static void expect(const char *what, int ret)
{
	static const int lost[] = { ENOENT, EEXIST, ENOTEMPTY, EINVAL, ESTALE, EBUSY };

	if (!ret)
		return;
	for (unsigned int i = 0; i < ARRAY_SIZE(lost); i++)
		if (errno == lost[i])
			return;
	fail("%s: %m", what);
}

static void step(void)
{
	switch (pick(8)) {
	case 0 ... 2:
		expect("mkdir", mkdir(some_path(), 0755));
		break;
	case 3 ... 4:
		expect("rmdir", rmdir(some_path()));
		break;
	default:
		expect("rename", rename(some_path(), some_path()));
	}
}

/*
 * Node 0 makes a child the parent of its parent, while the others, who have last seen it
 * below, remove it from there.  The pauses are about as long as a lock is kept from others.
 */
static void turn_over(void)
{
	const char *a = at("a"), *x = at("x"), *a_x = at("a/x"), *x_a = at("x/a");

	if (prog.node) {
		for (double end = now() + 0.4; now() < end; sleep_for((double)pick(50) / 1000))
			expect("rmdir", rmdir(a_x));
		return;
	}
	expect("mkdir", mkdir(a, 0755));
	expect("mkdir", mkdir(a_x, 0755));
	expect("rename", rename(a_x, x));
	sleep_for((double)pick(300) / 1000);
	expect("rename", rename(a, x_a));
	expect("rename", rename(x_a, a));
	expect("rmdir", rmdir(x));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	return ftw->level ? SYS(rmdir(path)) : 0;
}

int main(int argc, char **argv)
{
	prog.count = 300;
	prog_init(argc, argv, "nested");
	prog.step = "racing";
	for (long i = 0; i < prog.count; i++)
		step();
	barrier();
	prog.step = "turning over";
	for (long i = 0; i < prog.count / 10; i++)
		turn_over();
	barrier();
	prog.step = "removing";
	if (prog.node == 0)
		SYS(nftw(prog.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS));
	return prog_end("%ld steps each", prog.count);
}
