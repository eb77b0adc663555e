// SPDX-License-Identifier: GPL-2.0-only
/* Options, verdict and time limit of a test program. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "prog.h"

struct prog prog = {
	.step = "start",
	.nodes = 1,
	.dir = ".",
	.mode = "",
	.seconds = 5,
	.seed = 1,
};

static double limit = 300;

static void verdict(const char *word, const char *fmt, va_list args)
{
	char text[1024];

	vsnprintf(text, sizeof(text), fmt, args);
	printf("%s %s: node %d: %s\n", word, prog.name, prog.node, text);
	fflush(stdout);
}

void fail(const char *fmt, ...)
{
	char full[512];
	va_list args;

	snprintf(full, sizeof(full), "%s: %s", prog.step, fmt);
	va_start(args, fmt);
	verdict("not ok", full, args);
	va_end(args);
	sync_fail();
	_exit(1);
}

int prog_end(const char *fmt, ...)
{
	va_list args;

	prog.step = "end";
	sync_end();
	va_start(args, fmt);
	verdict("ok", fmt, args);
	va_end(args);
	return 0;
}

void report(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	printf("data ");
	vprintf(fmt, args);
	printf("\n");
	fflush(stdout);
	va_end(args);
}

/*
 * Waits inside the filesystem may be killable but deaf to other signals, so
 * the limit is kept by a thread that reports first and then kills.
 */
static void *watch(void *unused)
{
	(void)unused;
	sleep_for(limit);
	printf("not ok %s: node %d: %s: not finished after %.0f s%s%s\n", prog.name,
	       prog.node, prog.step, limit,
	       prog.waiting ? ", waiting for the other nodes at " : "",
	       prog.waiting ? prog.waiting : "");
	fflush(stdout);
	sync_fail();
	kill(getpid(), SIGKILL);
	return NULL;
}

static void explain(const char *self)
{
	fprintf(stderr,
		"usage: %s -i NODE -n NODES -d DIR [-r RUN] [-m MODE] [-c COUNT] [-k HANDOVERS] [-t SECONDS] [-s SEED] [-l LIMIT]\n",
		self);
	exit(2);
}

static void parse(int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "i:n:d:r:m:c:k:t:s:l:")) != -1) {
		switch (opt) {
		case 'i':
			prog.node = atoi(optarg);
			break;
		case 'n':
			prog.nodes = atoi(optarg);
			break;
		case 'd':
			prog.dir = optarg;
			break;
		case 'r':
			prog.run = strtoul(optarg, NULL, 0);
			break;
		case 'm':
			prog.mode = optarg;
			break;
		case 'c':
			prog.count = atol(optarg);
			break;
		case 'k':
			prog.handovers = atol(optarg);
			break;
		case 't':
			prog.seconds = atof(optarg);
			break;
		case 's':
			prog.seed = strtoull(optarg, NULL, 0);
			break;
		case 'l':
			limit = atof(optarg);
			break;
		default:
			explain(argv[0]);
		}
	}
	if (prog.node < 0 || prog.nodes < 1 || prog.nodes > MAX_NODES ||
	    prog.node >= prog.nodes)
		explain(argv[0]);
}

void prog_init(int argc, char **argv, const char *name)
{
	pthread_t watcher;

	setvbuf(stdout, NULL, _IOLBF, 0);
	parse(argc, argv);
	snprintf(prog.name, sizeof(prog.name), "%s%s%s", name,
		 *prog.mode ? " " : "", prog.mode);
	if (pthread_create(&watcher, NULL, watch, NULL))
		fail("cannot start a thread");
	catch_faults();
	sync_start();
	if (mkdir(prog.dir, 0755) && errno != EEXIST)
		fail("mkdir %s: %m", prog.dir);
	barrier();
}
