// SPDX-License-Identifier: GPL-2.0-only
/* fsck.cohfs: options, who else may be using the device, rounds, the verdict. */
#include <argp.h>
#include <signal.h>
#include <unistd.h>
#include "../lib/mem.h"
#include "fsck.h"
#include "recover.h"
#include "super.h"
#include "users.h"

#ifndef COHFS_VERSION
#define COHFS_VERSION "0.1"
#endif

/* Exit status, as fsck(8) has it; bits */
#define EXIT_CORRECTED		1
#define EXIT_UNCORRECTED	4
#define EXIT_FAILED		8
#define EXIT_USAGE		16
#define EXIT_CANCELLED		32

#define ROUNDS_MAX		10
#define PROGRESS_BAR		0	/* -C0: a bar, else lines for a program */

const char *argp_program_version = "fsck.cohfs " COHFS_VERSION;

/**
 * enum mode - what to do about problems
 * @MODE_ASK: look, then ask whether to repair; without a terminal as MODE_LOOK
 * @MODE_LOOK: look only
 * @MODE_PREEN: repair if nothing is lost by it
 * @MODE_REPAIR: repair
 */
enum mode { MODE_ASK, MODE_LOOK, MODE_PREEN, MODE_REPAIR };

/** struct options - the command line */
struct options {
	const char *path;
	enum mode mode;
	bool force;
	bool verbose;
	bool show_progress;
	int progress_fd;
};

static const struct argp_option argp_options[] = {
	{ "no", 'n', NULL, 0, "check only: nothing is written, journals are replayed in memory", 0 },
	{ "yes", 'y', NULL, 0, "repair everything", 0 },
	{ "preen", 'p', NULL, 0, "repair, unless something would be lost by it", 0 },
	{ "auto", 'a', NULL, 0, "the same as -p", 0 },
	{ "force", 'f', NULL, 0,
	  "although a journal is not empty: you know that no node has it mounted", 0 },
	{ "progress", 'C', "FD", OPTION_ARG_OPTIONAL,
	  "show progress: a bar (0, the default), or lines on a file descriptor", 0 },
	{ "verbose", 'v', NULL, 0, "say also what is no damage, and figures", 0 },
	{ 0 }
};

static void set_mode(struct argp_state *state, struct options *opts, enum mode mode)
{
	if (opts->mode != MODE_ASK && opts->mode != mode)
		argp_error(state, "only one of -n, -p and -y");
	opts->mode = mode;
}

static int parse_fd(struct argp_state *state, const char *arg)
{
	char *end;
	long fd;

	if (!arg)
		return PROGRESS_BAR;
	fd = strtol(arg, &end, 10);
	if (end == arg || *end || fd < 0 || fd > 65535)
		argp_error(state, "-C needs a file descriptor, not \"%s\"", arg);
	return (int)fd;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *opts = state->input;

	switch (key) {
	case 'n':
		set_mode(state, opts, MODE_LOOK);
		break;
	case 'y':
		set_mode(state, opts, MODE_REPAIR);
		break;
	case 'p':
	case 'a':
		set_mode(state, opts, MODE_PREEN);
		break;
	case 'f':
		opts->force = true;
		break;
	case 'C':
		opts->show_progress = true;
		opts->progress_fd = parse_fd(state, arg);
		break;
	case 'v':
		opts->verbose = true;
		break;
	case ARGP_KEY_ARG:
		if (opts->path)
			argp_error(state, "more than one device");
		opts->path = arg;
		break;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no device given");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = argp_options,
	.parser = parse_option,
	.args_doc = "DEV",
	.doc = "Check the cohfs filesystem on DEV, a device or an image file, and repair it.\vNo node may have DEV mounted.  Without -n, -p or -y: check, then ask.\nExit status, added up: 1 errors corrected, 4 errors left, 8 could not be checked, 16 wrong usage, 32 cancelled.",
};

/* Cancelling: nothing has been written yet ----------------------------------------------- */

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

static void cancel(int sig)
{
	static const char text[] = "fsck.cohfs: cancelled, nothing was written\n";

	/* who cannot be told sees the exit status */
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(EXIT_CANCELLED);
}

static void catch_signals(void)
{
	const struct sigaction act = { .sa_handler = cancel };
	struct sigaction old;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(signals); i++)
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &act, NULL);
}

/*
 * Half a repair is worse than none, and takes no time.  Once it is made nothing is left to
 * cancel, and the exit status is to say what was repaired.
 */
static void hold_signals(void)
{
	sigset_t set;
	u32 i;

	sigemptyset(&set);
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* Progress ------------------------------------------------------------------------------- */

static void open_progress(struct progress *pr, const struct options *opts)
{
	memset(pr, 0, sizeof(*pr));
	pr->device = opts->path;
	if (!opts->show_progress) {
		pr->bar = true;
		pr->out = isatty(STDOUT_FILENO) && isatty(STDERR_FILENO) ? stderr : NULL;
	} else if (opts->progress_fd == PROGRESS_BAR) {
		pr->bar = true;
		pr->out = stdout;
	} else {
		pr->out = fdopen(opts->progress_fd, "w");
	}
}

/* Checking --------------------------------------------------------------------------------- */

/**
 * struct run - one invocation
 * @rec: the journals; @replayed: how many were not empty
 * @found, @losses: problems of the first round, and of those that later ones made out
 * @corrected: less was wrong in the last round than in the first
 */
struct run {
	const struct options *opts;
	struct image img;
	struct volume vol;
	struct recovery rec;
	struct progress progress;
	u32 replayed;
	u64 found;
	u64 losses;
	bool corrected;
	bool clean;
};

static void figures(const struct run *run, const struct fsck *f)
{
	if (!run->opts->verbose)
		return;
	printf("%zu inodes, %llu blocks in use, %llu blocks changed\n", f->nodes.count,
	       f->claims.claimed, image_changes(&run->img));
}

/* One round over the image as it is now.  Return: problems */
static u64 one_round(struct run *run, struct problems *before, u32 round)
{
	struct fsck *f = mem_zalloc(sizeof(*f));
	u64 found;

	f->img = &run->img;
	f->vol = run->vol;
	f->progress = &run->progress;
	f->problems = *before;
	f->problems.progress = &run->progress;
	f->problems.verbose = run->opts->verbose;
	if (round)
		f->problems.silent = !run->opts->verbose;
	check_round(f);
	found = f->problems.found;
	run->found += found;
	run->losses += f->problems.losses;
	figures(run, f);
	check_free(f);
	free(f);
	memset(before, 0, sizeof(*before));
	return found;
}

static bool wants_repair(const struct run *run)
{
	char answer[16];

	if (!run->found && !run->replayed)
		return true;	/* hints at most */
	switch (run->opts->mode) {
	case MODE_REPAIR:
		return true;
	case MODE_PREEN:
		if (run->losses)
			tool_error("%s: something would be lost by the repair: run fsck.cohfs -y",
				   run->opts->path);
		return !run->losses;
	case MODE_ASK:
		if (!isatty(STDIN_FILENO))
			return false;
		printf("%s: repair (%llu blocks)? ", run->opts->path,
		       image_changes(&run->img));
		fflush(stdout);
		return fgets(answer, sizeof(answer), stdin) &&
		       (answer[0] == 'y' || answer[0] == 'Y');
	default:
		return false;
	}
}

/* The journals are marked empty last: until then a replay would do it all again */
static int write_repairs(struct run *run)
{
	int err;

	if (recovery_disturbed(&run->rec)) {
		tool_error("%s is in use: a journal has changed meanwhile; nothing was written",
			   run->opts->path);
		return -1;
	}
	hold_signals();
	err = image_commit(&run->img);
	if (!err) {
		recovery_finish(&run->rec);
		err = image_commit(&run->img);
	}
	return err;
}

/* In memory, until a round finds nothing more */
static void check_all(struct run *run, struct problems *first)
{
	u32 rounds = run->opts->mode == MODE_LOOK ? 1 : ROUNDS_MAX;
	u64 found, at_first = 0;
	u32 round;

	for (round = 0; round < rounds && !run->clean; round++) {
		found = one_round(run, first, round);
		if (!round)
			at_first = found;
		run->corrected = found < at_first;
		run->clean = !found;
	}
}

static const char *verdict(const struct run *run, bool written)
{
	if (run->found)
		return run->clean ? "repaired" : "NOT ALL REPAIRED";
	if (!run->replayed)
		return "clean";
	return written ? "clean, journals replayed" : "clean once the journals are replayed";
}

static int conclude(struct run *run)
{
	const char *path = run->opts->path;

	if (!run->found && run->opts->mode == MODE_LOOK) {
		printf("%s: %s\n", path, verdict(run, false));
		return 0;
	}
	if (!wants_repair(run)) {
		printf("%s: %llu problems, nothing was written\n", path, run->found);
		return run->found ? EXIT_UNCORRECTED : 0;
	}
	if (write_repairs(run))
		return EXIT_FAILED;
	if (!run->found) {
		printf("%s: %s\n", path, verdict(run, true));
		return 0;
	}
	printf("%s: %llu problems, %s\n", path, run->found, verdict(run, true));
	return (run->corrected ? EXIT_CORRECTED : 0) | (run->clean ? 0 : EXIT_UNCORRECTED);
}

/* -f overrides what may be; with -n, which harms nobody, what is known, too */
static bool in_use(struct run *run)
{
	bool look = run->opts->mode == MODE_LOOK, force = run->opts->force;
	enum users users = look && force ? USERS_NONE : users_ask(&run->vol);

	if (users == USERS_KNOWN)
		return true;
	if (look || force)
		return false;
	if (users == USERS_UNKNOWN) {
		users_unknown(&run->vol);
		return true;
	}
	return run->replayed && users_possible(&run->rec);
}

static int check(struct run *run)
{
	struct problems problems = { .verbose = run->opts->verbose };

	if (super_load(&run->vol, &run->img, &problems))
		return EXIT_FAILED;
	run->replayed = recovery_open(&run->rec, &run->vol);
	if (in_use(run))
		return EXIT_FAILED;
	recovery_replay(&run->rec, &problems, false);
	check_all(run, &problems);
	return conclude(run);
}

int main(int argc, char **argv)
{
	struct options opts = { .mode = MODE_ASK };
	struct run *run;
	int status = EXIT_FAILED;
	unsigned int flags;

	mem_exit_status = EXIT_FAILED;
	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &opts);
	if (opts.mode == MODE_ASK && !isatty(STDIN_FILENO))
		opts.mode = MODE_LOOK;
	catch_signals();
	run = mem_zalloc(sizeof(*run));
	run->opts = &opts;
	open_progress(&run->progress, &opts);
	flags = opts.mode == MODE_LOOK ? (opts.force ? DEV_SHARED : 0) : DEV_WRITE;
	if (!image_open(&run->img, opts.path, flags)) {
		status = check(run);
		if (image_close(&run->img))
			status |= EXIT_FAILED;
	}
	free(run);
	return status;
}
