// SPDX-License-Identifier: GPL-2.0-only
/*
 * fsck.cohfs and cohfs-dump, the real programs: options, exit status, what they refuse.
 * TOOLS in the environment names the folder that they are in.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../../fs/core/check.h"
#include "core_test.h"
#include "program.h"

#define MIB		(1ULL << 20)
#define JOURNAL_0	256	/* first block of the first journal */
#define PIPE_BYTES	4096

static char mkfs[128], fsck[128], dump[128];

static void make_image(const char *options)
{
	int fd = open(image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd >= 0 && !ftruncate(fd, 64 * MIB));
	close(fd);
	CHECK_EQ(run("%s -q %s %s", mkfs, options, image), 0);
}

static void says(const char *text)
{
	if (strstr(output, text))
		return;
	CHECK(!"message");
	fprintf(stderr, "wanted \"%s\", got \"%s\"\n", text, output);
}

/* Change bytes of the image */
static void poke(u64 blkno, u32 off, const void *bytes, size_t len)
{
	int fd = open(image, O_WRONLY | O_CLOEXEC);

	CHECK(pwrite(fd, bytes, len, (off_t)(blkno * COHFS_BLOCK_SIZE + off)) == (ssize_t)len);
	close(fd);
}

/* The journal of slot 0 has something in it */
static void dirty_journal(void)
{
	u8 sb[1024];
	int fd = open(image, O_RDWR | O_CLOEXEC);

	CHECK(pread(fd, sb, sizeof(sb), JOURNAL_0 * COHFS_BLOCK_SIZE) == sizeof(sb));
	close(fd);
	put_unaligned_be32(1, sb + 0x1c);
	put_unaligned_be32(0, sb + 0xfc);
	put_unaligned_be32(crc32c(~0u, sb, sizeof(sb)), sb + 0xfc);
	poke(JOURNAL_0, 0, sb, sizeof(sb));
}

/* Cases ------------------------------------------------------------------------------- */

static void usage(void)
{
	make_image("");
	CHECK_EQ(run("%s", fsck), 16);
	says("no device given");
	CHECK_EQ(run("%s -Z %s", fsck, image), 16);
	CHECK_EQ(run("%s -n -y %s", fsck, image), 16);
	says("only one of");
	CHECK_EQ(run("%s -Cx %s", fsck, image), 16);
	CHECK_EQ(run("%s %s %s", fsck, image, image), 16);
	CHECK_EQ(run("%s --help", fsck), 0);
	says("--preen");
	CHECK_EQ(run("%s --version", fsck), 0);
	says("fsck.cohfs ");
	CHECK_EQ(run("%s --help", dump), 0);
	says("orphans");
}

static void statuses(void)
{
	make_image("-t a:b");
	CHECK_EQ(run("cp %s %s.was; %s -n -v %s", image, image, fsck, image), 0);
	says("clean");
	CHECK_EQ(run("%s -p %s && %s -y %s && %s %s </dev/null", fsck, image, fsck, image, fsck,
		     image), 0);
	CHECK_EQ(run("cmp %s %s.was", image, image), 0);
	CHECK_EQ(run("%s -y %s/none", fsck, dir), 8);
	says("No such file");
	CHECK_EQ(run("truncate -s 40M %s; %s -y %s", image, fsck, image), 8);
	says("is this all of the device?");
	CHECK_EQ(run("dd if=/dev/zero of=%s bs=1M count=40 status=none; %s -y %s", image, fsck,
		     image), 8);
	says("holds no cohfs filesystem");
	CHECK_EQ(run("rm %s.was", image), 0);
}

static void repairs(void)
{
	make_image("-t a:b");
	poke(2, 0x40, "\1", 1);	/* slot 0 */
	CHECK_EQ(run("%s -n %s", fsck, image), 4);
	says("slot 0: block 2: checksum");
	CHECK_EQ(run("%s %s </dev/null", fsck, image), 4);
	CHECK_EQ(run("%s -y %s", fsck, image), 1);
	CHECK_EQ(run("%s -n %s", fsck, image), 0);
	poke(1, 0, "\0\0\0\0", 4);
	CHECK_EQ(run("%s -p %s", fsck, image), 1);
	says("the copy in block");
	CHECK_EQ(run("%s -n %s", fsck, image), 0);
}

/* On a terminal it asks, once */
static void questions(void)
{
	make_image("");
	poke(2, 0x40, "\1", 1);
	if (run("command -v script")) {
		printf("# fsck_program_questions not tried: no script(1)\n");
		return;
	}
	CHECK_EQ(run("echo n | script -qec '%s %s' /dev/null", fsck, image), 4);
	says("repair (1 blocks)? ");
	says("nothing was written");
	CHECK_EQ(run("echo y | script -qec '%s %s' /dev/null", fsck, image), 1);
	CHECK_EQ(run("echo y | script -qec '%s %s' /dev/null", fsck, image), 0);
	CHECK(!strstr(output, "repair ("));
}

static void dirty_slots(void)
{
	make_image("-t a:b");
	dirty_journal();
	CHECK_EQ(run("%s -n %s", fsck, image), 0);
	says("once the journals are replayed");
	CHECK_EQ(run("%s -y %s", fsck, image), 8);
	says("the journal of slot 0 is not empty: a node died, or has it mounted");
	says("use -f");
	CHECK_EQ(run("%s -f -y %s", fsck, image), 0);
	says("journals replayed");
	CHECK_EQ(run("%s -y %s", fsck, image), 0);
	/* nobody else can have it */
	make_image("");
	dirty_journal();
	CHECK_EQ(run("%s -p %s", fsck, image), 0);
}

static void progress_lines(void)
{
	make_image("");
	CHECK_EQ(run("%s -n -C3 %s 3>%s/lines; cat %s/lines", fsck, image, dir, dir), 0);
	says("6 0 1 /tmp/cohfs-test-");
	CHECK_EQ(run("rm %s/lines", dir), 0);
	CHECK_EQ(run("%s -n -C %s", fsck, image), 0);
}

/* A pipe, its end to write to @fd, with room for @room bytes; Return: the other end */
static int full_pipe(int fd, size_t room)
{
	char fill[PIPE_BYTES] = { 0 };
	int ends[2];

	CHECK(!pipe2(ends, O_CLOEXEC));
	CHECK_EQ(fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES), PIPE_BYTES);
	CHECK_EQ(write(ends[1], fill, sizeof(fill) - room), sizeof(fill) - room);
	dup2(ends[1], fd);
	close(ends[1]);
	return ends[0];
}

/*
 * Progress goes to a pipe that takes the first line only, so that the program stays where
 * it writes the second one until the signal.
 */
static int interrupt(int sig)
{
	char line[80];
	int in, bytes = 0, status = 0, len;
	pid_t pid, ended = 0;

	len = snprintf(line, sizeof(line), "1 0 1 %s\n", image);
	in = full_pipe(9, (size_t)len + 1);
	pid = fork();
	if (!pid) {
		if (!freopen("/dev/null", "w", stderr))
			_exit(99);
		signal(sig, SIG_DFL);	/* whatever started the tests */
		alarm(20);
		execl(fsck, fsck, "-y", "-C9", image, NULL);
		_exit(99);
	}
	close(9);
	while (bytes < PIPE_BYTES - 1 && !ended) {
		ended = waitpid(pid, &status, WNOHANG);
		CHECK(!ioctl(in, FIONREAD, &bytes));
		usleep(1000);
	}
	CHECK_EQ(bytes, PIPE_BYTES - 1);
	if (!ended) {
		kill(pid, sig);
		waitpid(pid, &status, 0);
	}
	close(in);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void interrupted(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	u32 i;

	make_image("-t a:b");
	poke(2, 0x40, "\1", 1);
	CHECK_EQ(run("cp %s %s.was", image, image), 0);
	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		CHECK_EQ(interrupt(signals[i]), 32);
		CHECK_EQ(run("cmp %s %s.was", image, image), 0);
	}
	CHECK_EQ(run("rm %s.was; %s -y %s", image, fsck, image), 1);
	CHECK_EQ(run("%s -n %s", fsck, image), 0);
}

/* Needs root and loop devices: without them nothing is claimed */
static void claimed_device(void)
{
	char loop[64];
	int fd;

	make_image("");
	if (geteuid() || run("losetup -f --show %s", image)) {
		printf("# fsck_claimed_device not tried: no loop device\n");
		return;
	}
	output[strcspn(output, "\n")] = '\0';
	snprintf(loop, sizeof(loop), "%.60s", output);
	CHECK_EQ(run("%s -n %s", fsck, image), 8);
	says("is attached to");
	fd = open(loop, O_RDONLY | O_EXCL | O_CLOEXEC);
	CHECK_EQ(run("%s -n %s", fsck, loop), 8);
	says("is in use");
	CHECK_EQ(run("%s -y %s", fsck, loop), 8);
	CHECK_EQ(run("%s -n -f %s", fsck, loop), 0);
	close(fd);
	CHECK_EQ(run("%s -y %s", fsck, loop), 0);
	CHECK_EQ(run("losetup -d %s", loop), 0);
}

static void dumps(void)
{
	static const char * const commands[][2] = {
		{ "super", "lock table       \"a:b\"" }, { "slots", "orphan directory" },
		{ "slot 1", "slot, block 3" }, { "journal 0", "empty: nothing to replay" },
		{ "groups", "group 0 at " }, { "group 0", "    free " },
		{ "path /", "drwxr-xr-x" }, { "orphans", "slot 0: directory" },
		{ "block 1", "superblock, block 1" }, { "block 300", "all zero" },
		{ "block 256", "of a journal, type 4" }, { "", "superblock, block 1" },
	};
	u32 i;

	make_image("-t a:b -J 4 -j 2");
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		CHECK_EQ(run("%s %s %s", dump, image, commands[i][0]), 0);
		says(commands[i][1]);
	}
	CHECK_EQ(run("%s %s path /none", dump, image), 1);
	says("there is no \"none\"");
	CHECK_EQ(run("%s %s slot 2", dump, image), 1);
	CHECK_EQ(run("%s %s nonsense", dump, image), 1);
	CHECK_EQ(run("%s %s inode 5", dump, image), 1);
	says("is damaged: magic number");
	dirty_journal();
	CHECK_EQ(run("%s %s journal 0", dump, image), 0);
	says("to be replayed   0 transactions");
	CHECK_EQ(run("%s -r %s super", dump, image), 0);
	poke(1, 0, "\0\0\0\0", 4);
	CHECK_EQ(run("%s %s slots", dump, image), 0);
	says("using the copy in block");
}

int main(void)
{
	test_begin();
	if (!find_tool(mkfs, "mkfs/mkfs.cohfs") || !find_tool(fsck, "fsck/fsck.cohfs") ||
	    !find_tool(dump, "dump/cohfs-dump") || !make_place()) {
		printf("not ok fsck_program\n");
		return 1;
	}
	test_case("fsck_program_usage", usage);
	test_case("fsck_program_statuses", statuses);
	test_case("fsck_program_repairs", repairs);
	test_case("fsck_program_questions", questions);
	test_case("fsck_program_dirty_slots", dirty_slots);
	test_case("fsck_program_progress", progress_lines);
	test_case("fsck_program_interrupted", interrupted);
	test_case("fsck_program_claimed_device", claimed_device);
	test_case("dump_program", dumps);
	remove_place();
	return test_end();
}
