// SPDX-License-Identifier: GPL-2.0-only
/*
 * A size that is cut while what the file has grown to is about to be journaled.
 *
 * -m cut: each of -c files grows by half; then one thread synchronises a byte of it, which
 * writes what it has grown by and journals the size after that, and another one truncates
 * to less than is journaled, somewhere in between.  Some then grow again, by a write or by
 * a truncate.
 * -m verify: after the next mount, the sizes are the last ones, and so are the contents.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include "prog.h"

#define BEGUN (128 * PAGE)		/* journaled */
#define GROWN (2 * BEGUN)
#define STEP (3 * PAGE / 4)		/* of the sizes that files are cut to */

static char buf[GROWN];

static void *synchronise(void *arg)
{
	struct iovec byte = { .iov_base = buf, .iov_len = 1 };

	SYS(pwritev2(*(int *)arg, &byte, 1, 0, RWF_DSYNC));
	return NULL;
}

/* What becomes of the @nth file: cut to where, and what it is in the end */
static off_t cut_of(long nth)
{
	return (1 + hash64(nth) % (BEGUN / STEP - 2)) * STEP;
}

static off_t end_of(long nth)
{
	return cut_of(nth) + (nth % 3 ? STEP : 0);
}

static void cut_one(long nth)
{
	int fd = open_file(at("file.%ld", nth), O_RDWR | O_CREAT | O_EXCL);
	off_t cut = cut_of(nth), end = end_of(nth);
	pthread_t other;

	fill(buf, GROWN, nth, 0);
	pwrite_all(fd, buf, BEGUN, 0);
	SYS(fsync(fd));
	pwrite_all(fd, buf + BEGUN, GROWN - BEGUN, BEGUN);
	CHECK(!pthread_create(&other, NULL, synchronise, &fd), "no thread");
	usleep(rnd() % 20000);
	SYS(ftruncate(fd, cut));
	if (nth % 3 == 1)
		SYS(ftruncate(fd, end));
	else if (nth % 3 == 2)
		pwrite_all(fd, buf + cut, end - cut, cut);
	pthread_join(other, NULL);
	CHECK(file_size(fd) == end, "file %ld: size %jd instead of %jd", nth,
	      (intmax_t)file_size(fd), (intmax_t)end);
	close(fd);
}

static void verify_one(long nth)
{
	int fd = open_file(at("file.%ld", nth), O_RDONLY);
	off_t cut = cut_of(nth), end = end_of(nth), found = file_size(fd);
	off_t whole = nth % 3 == 2 ? end : cut;
	ssize_t bad;

	CHECK(found == end, "file %ld: size %jd instead of %jd", nth, (intmax_t)found,
	      (intmax_t)end);
	pread_all(fd, buf, end, 0);
	bad = differs(buf, whole, nth, 0);
	CHECK(bad < 0, "file %ld: byte %zd is wrong", nth, bad);
	for (off_t i = whole; i < end; i++)
		CHECK(!buf[i], "file %ld: byte %jd is not zero", nth, (intmax_t)i);
	close(fd);
}

int main(int argc, char **argv)
{
	prog.count = 20;
	prog_init(argc, argv, "settle");
	for (long nth = 0; nth < prog.count; nth++) {
		if (!strcmp(prog.mode, "cut"))
			cut_one(nth);
		else
			verify_one(nth);
	}
	return prog_end("%ld files", prog.count);
}
