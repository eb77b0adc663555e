// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mounts damaged images and does everything with them that could trip over the damage.
 * Errors are right; a hang, the death of the process that looks, and a mount that cannot
 * be undone are not.  What the kernel says about it is read by the log gate.
 *
 * The images come from a stream, "/share/fuzzed.NODE" (fuzzed.h): each node has its own.
 * One image file on a tmpfs under -d, on one loop device, serves all: a case changes some
 * blocks of it, a child process mounts, walks, changes and unmounts, and whatever is not
 * as in the base afterwards is put back.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "fuzzed.h"
#include "fuzzed_walk.h"
#include "prog.h"

#define STREAM		"/share/fuzzed.%d"
#define CASE_LIMIT	90	/* seconds; a case takes one or two */
#define PER_LINE	20	/* cases */
#define FIXED		2	/* blocks at the start that nobody writes after mkfs */

/* What the child tells its parent; shared. */
struct progress {
	const char *SHARED step;
	SHARED bool mounted;
	SHARED int error;
	SHARED uint32_t worked, refused;
};

static struct progress *progress;

/* The image ------------------------------------------------------------------ */

/**
 * struct image - the file under the loop device
 * @map: of all of it; holes are not touched, that would fill them
 * @there: by page: the file has it
 * @base: by block, what belongs there; NULL: zeroes
 * @room: where @base points to
 */
static struct image {
	int fd;
	uint64_t blocks;
	uint8_t *map;
	uint8_t *there;
	uint8_t **base;
	struct fuzz_block *room;
	size_t room_size;
	char device[32];
} image;

static void write_block(const struct fuzz_block *block)
{
	memcpy(image.map + block->number * FUZZ_BLOCK, block->bytes, FUZZ_BLOCK);
}

static void restore_block(uint64_t number)
{
	uint8_t *is = image.map + number * FUZZ_BLOCK;
	const uint8_t *base = image.base[number];

	if (!base)
		SYS(fallocate(image.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			      number * FUZZ_BLOCK, FUZZ_BLOCK));
	else if (memcmp(is, base, FUZZ_BLOCK))
		memcpy(is, base, FUZZ_BLOCK);
}

/* The device is as good as closed: what was written through it is in the file. */
static void restore(void)
{
	prog.step = "restoring the image";
	SYS(mincore(image.map, image.blocks * FUZZ_BLOCK, image.there));
	for (uint64_t number = 0; number < image.blocks; number++)
		if (image.there[number] & 1)
			restore_block(number);
}

static void forget_base(void)
{
	if (!image.base)
		return;
	SYS(munmap(image.map, image.blocks * FUZZ_BLOCK));
	SYS(munmap(image.room, image.room_size));
	free(image.there);
	free(image.base);
}

static void make_room(const struct fuzz_record *rec)
{
	size_t size = rec->size * FUZZ_BLOCK;

	image.blocks = rec->size;
	image.room_size = rec->blocks * sizeof(*image.room);
	image.room = SYS(mmap(NULL, image.room_size, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	image.base = calloc(rec->size, sizeof(*image.base));
	image.there = malloc(rec->size);
	CHECK(image.base && image.there, "no memory");
	SYS(ftruncate(image.fd, 0));
	SYS(ftruncate(image.fd, size));
	image.map = map_file(image.fd, size, PROT_READ | PROT_WRITE, MAP_SHARED);
	/* forking is dear in the guests, and the child needs none of it */
	SYS(madvise(image.map, size, MADV_DONTFORK));
	SYS(madvise(image.room, image.room_size, MADV_DONTFORK));
}

static void take_base(FILE *stream, const struct fuzz_record *rec)
{
	prog.step = "taking a base";
	forget_base();
	make_room(rec);
	CHECK(fread(image.room, sizeof(*image.room), rec->blocks, stream) == rec->blocks,
	      "the stream ends within a base");
	for (uint32_t i = 0; i < rec->blocks; i++) {
		struct fuzz_block *block = &image.room[i];

		image.base[block->number] = block->bytes;
		write_block(block);
	}
}

/* After each base, as it may have another size. */
static void attach(void)
{
	struct loop_config config = { .fd = image.fd };
	int control, loop;

	prog.step = "attaching the image";
	control = open_file("/dev/loop-control", O_RDWR);
	snprintf(image.device, sizeof(image.device), "/dev/loop%d",
		 SYS(ioctl(control, LOOP_CTL_GET_FREE)));
	close(control);
	loop = open_file(image.device, O_RDWR);
	SYS(ioctl(loop, LOOP_CONFIGURE, &config));
	/* open for writing elsewhere is a reason not to mount */
	close(loop);
}

static void detach(void)
{
	int loop;

	if (!*image.device)
		return;
	prog.step = "detaching the image";
	loop = open_file(image.device, O_RDWR);
	SYS(ioctl(loop, LOOP_CLR_FD));
	close(loop);
	*image.device = '\0';
}

/* One case ------------------------------------------------------------------- */

static struct fuzz_record now_at;

/* The failure names the case, and how to have it again. */
#define CASE_CHECK(cond, fmt, ...)						\
	CHECK(cond, "%s: case %u: " fmt " (COHFS_SEED=%lu COHFS_CASE=%u): %.300s", \
	      now_at.fuzzer, now_at.number, ##__VA_ARGS__, now_at.seed, now_at.number, \
	      now_at.text)

static void count(long ret)
{
	if (ret < 0)
		progress->refused++;
	else
		progress->worked++;
}

static void step(const char *what)
{
	progress->step = what;
}

static void child(void)
{
	const char *dir = at("mnt");

	step("mount");
	if (mount(image.device, dir, "cohfs", MS_NODEV | MS_NOSUID, "lock=local")) {
		progress->error = errno;
		_exit(0);
	}
	progress->mounted = true;
	walk(dir, now_at.number, step, count);
	step("umount");
	if (umount2(dir, 0))
		progress->error = errno;
	_exit(0);
}

/* Where it hangs, for the log of the test. */
static void show_stack(pid_t pid)
{
	char path[64], text[4096];
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	fd = open(path, O_RDONLY);
	n = read(fd, text, sizeof(text) - 1);
	if (n > 0)
		printf("stack of the process that hangs:\n%.*s", (int)n, text);
	fd = open("/proc/sysrq-trigger", O_WRONLY);
	if (write(fd, "w", 1) == 1)
		sleep_for(3);	/* the console is slow */
}

static int wait_for(pid_t pid)
{
	double until = now() + CASE_LIMIT;
	int status;

	/* mostly it takes a second */
	while (!SYS(waitpid(pid, &status, WNOHANG))) {
		if (now() > until) {
			show_stack(pid);
			kill(pid, SIGKILL);
			CASE_CHECK(false, "%s: not finished after %d s", progress->step,
				   CASE_LIMIT);
		}
		sleep_for(0.02);
	}
	return status;
}

static void try_case(void)
{
	pid_t pid;
	int status;

	memset(progress, 0, offsetof(struct progress, worked));
	fflush(stdout);
	pid = SYS(fork());
	if (!pid)
		child();
	prog.step = "looking at it";
	status = wait_for(pid);
	CASE_CHECK(WIFEXITED(status), "%s: killed by signal %d", progress->step,
		   WTERMSIG(status));
	CASE_CHECK(!progress->mounted || !progress->error, "umount: %s",
		   strerror(progress->error));
	CASE_CHECK(progress->error != EBUSY, "mount: the device is still in use");
}

/* The boot block and the superblock, whatever the rest of the image says. */
static void check_fixed(const struct fuzz_block *patch)
{
	uint8_t is[FIXED][FUZZ_BLOCK];
	const uint8_t *was[FIXED];
	static const uint8_t zeroes[FUZZ_BLOCK];

	for (int i = 0; i < FIXED; i++)
		was[i] = image.base[i] ?: zeroes;
	for (uint32_t i = 0; i < now_at.blocks; i++)
		if (patch[i].number < FIXED)
			was[patch[i].number] = patch[i].bytes;
	pread_all(image.fd, is, sizeof(is), 0);
	for (int i = 0; i < FIXED; i++)
		CASE_CHECK(!memcmp(is[i], was[i], FUZZ_BLOCK), "block %d was written", i);
}

static void one_case(FILE *stream)
{
	struct fuzz_block *patch = malloc(now_at.blocks * sizeof(*patch) + 1);

	prog.step = "damaging the image";
	CHECK(patch && fread(patch, sizeof(*patch), now_at.blocks, stream) == now_at.blocks,
	      "the stream ends within a case");
	for (uint32_t i = 0; i < now_at.blocks; i++)
		write_block(&patch[i]);
	try_case();
	check_fixed(patch);
	free(patch);
	restore();
}

/* All of them ------------------------------------------------------------------ */

static uint32_t cases, mounted;

static void tell(double begun)
{
	printf("%u images, %u mounted, %u calls worked, %u failed, %.1f s each; next is %s %u\n",
	       cases, mounted, progress->worked, progress->refused, (now() - begun) / cases,
	       now_at.fuzzer, now_at.number);
}

static void try_all(FILE *stream)
{
	double begun = now();

	while (fread(&now_at, sizeof(now_at), 1, stream) == 1) {
		if (now_at.magic == FUZZ_BASE) {
			detach();
			take_base(stream, &now_at);
			attach();
			continue;
		}
		CHECK(now_at.magic == FUZZ_CASE, "the stream is not one");
		if (cases && cases % PER_LINE == 0)
			tell(begun);
		one_case(stream);
		mounted += progress->mounted;
		cases++;
	}
	detach();
}

static FILE *prepare(void)
{
	char path[64];
	FILE *stream;

	prog.step = "preparing";
	snprintf(path, sizeof(path), STREAM, prog.node);
	stream = fopen(path, "re");
	CHECK(stream, "%s: %m", path);
	SYS(mount("tmpfs", prog.dir, "tmpfs", 0, NULL));
	SYS(mkdir(at("mnt"), 0755));
	image.fd = open_file(at("image"), O_RDWR | O_CREAT);
	progress = SYS(mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	return stream;
}

int main(int argc, char **argv)
{
	FILE *stream;

	prog_init(argc, argv, "fuzzed");
	stream = prepare();
	try_all(stream);
	close(image.fd);
	SYS(umount2(prog.dir, MNT_DETACH));
	report("images=%u mounted=%u refused=%u calls=%u errors=%u", cases, mounted,
	       cases - mounted, progress->worked, progress->refused);
	return prog_end("%u images, %u mounted", cases, mounted);
}
