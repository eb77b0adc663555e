// SPDX-License-Identifier: GPL-2.0-only
/* A disk in shared memory, and fsck on it. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "fsck_disk.h"

#define SECONDS_MAX	20	/* a run takes some milliseconds */

struct disk disk;

static void *shared(size_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			 -1, 0);

	if (mem != MAP_FAILED)
		return mem;
	perror("mmap");
	exit(1);
}

void disk_make(u64 blocks)
{
	if (disk.data) {
		munmap(disk.data, disk.blocks << COHFS_BLOCK_SHIFT);
		munmap(disk.pristine, disk.blocks << COHFS_BLOCK_SHIFT);
		munmap(disk.truth, disk.blocks << COHFS_BLOCK_SHIFT);
	}
	disk.blocks = blocks;
	disk.data = shared(blocks << COHFS_BLOCK_SHIFT);
	disk.pristine = shared(blocks << COHFS_BLOCK_SHIFT);
	disk.truth = shared(blocks << COHFS_BLOCK_SHIFT);
	disk.written = shared(blocks);
	disk.unreadable = shared(sizeof(*disk.unreadable));
	disk.output = shared(DISK_OUTPUT);
	disk.calls = shared(sizeof(*disk.calls));
	/* no business of the children, and copying their page tables takes time */
	madvise(disk.pristine, blocks << COHFS_BLOCK_SHIFT, MADV_DONTFORK);
	madvise(disk.truth, blocks << COHFS_BLOCK_SHIFT, MADV_DONTFORK);
}

void disk_touch(u64 blkno)
{
	disk.written[blkno] = 1;
}

static void copy_written(u8 *to, const u8 *from)
{
	u64 blk;

	for (blk = 0; blk < disk.blocks; blk++)
		if (disk.written[blk])
			memcpy(to + (blk << COHFS_BLOCK_SHIFT),
			       from + (blk << COHFS_BLOCK_SHIFT), COHFS_BLOCK_SIZE);
}

void disk_keep(bool truth)
{
	copy_written(disk.pristine, disk.data);
	if (truth)
		copy_written(disk.truth, disk.data);
	memset(disk.written, 0, disk.blocks);
}

void disk_restore(void)
{
	copy_written(disk.data, disk.pristine);
	memset(disk.written, 0, disk.blocks);
	*disk.unreadable = 0;
}

/* In place of tools/lib/io.c ------------------------------------------------------ */

void tool_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

int dev_open(struct dev *dev, const char *path, unsigned int flags)
{
	memset(dev, 0, sizeof(*dev));
	dev->path = path;
	dev->bytes = disk.blocks << COHFS_BLOCK_SHIFT;
	dev->rdev = flags & DEV_WRITE;
	return 0;
}

int dev_close(struct dev *dev)
{
	return 0;
}

static void count_call(u32 *calls, u32 trap)
{
	if (++*calls == trap)
		raise(disk.trap_signal);
}

int dev_read(struct dev *dev, u64 off, void *buf, size_t len)
{
	count_call(&disk.calls->reads, disk.trap.reads);
	if (off + len > dev->bytes || (*disk.unreadable &&
				       off >> COHFS_BLOCK_SHIFT == *disk.unreadable))
		return -1;
	memcpy(buf, disk.data + off, len);
	return 0;
}

int dev_write(struct dev *dev, u64 off, const void *buf, size_t len)
{
	u64 blkno = off >> COHFS_BLOCK_SHIFT;

	if (!dev->rdev || off + len > dev->bytes)
		abort();	/* opened for reading, or beyond the end */
	count_call(&disk.calls->writes, disk.trap.writes);
	disk_touch(blkno);
	if (*disk.unreadable == blkno)
		*disk.unreadable = 0;	/* disks replace bad sectors when written */
	memcpy(disk.data + off, buf, len);
	return 0;
}

int dev_sync(struct dev *dev)
{
	return 0;
}

/* What a sanitizer finds is not to be taken for an exit status of fsck */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "exitcode=99:detect_leaks=0";
}

const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
	return "exitcode=99";
}

/* Children -------------------------------------------------------------------------- */

static void run_child(const char *option, int out)
{
	bool look = !strcmp(option, "-n");
	char *argv[5];

	argv[0] = strdup("fsck.cohfs");
	argv[1] = strdup(option);
	argv[2] = strdup("disk");
	argv[3] = look ? NULL : strdup("-f");
	argv[4] = NULL;
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	alarm(SECONDS_MAX);
	exit(fsck_main(look ? 3 : 4, argv));
}

static void collect(int in)
{
	size_t used = 0;
	ssize_t n;

	while ((n = read(in, disk.output + used, DISK_OUTPUT - 1 - used)) > 0)
		used += (size_t)n;
	disk.output[used] = '\0';
	if (used == DISK_OUTPUT - 1)
		while (read(in, disk.output + used / 2, used / 2) > 0)
			;
}

int disk_fsck(const char *option)
{
	int pipes[2], status;
	pid_t pid;

	fflush(stdout);
	fflush(stderr);
	if (pipe(pipes))
		return -1;
	memset(disk.calls, 0, sizeof(*disk.calls));
	pid = fork();
	if (pid < 0)
		return -1;
	if (!pid)
		run_child(option, pipes[1]);
	close(pipes[1]);
	collect(pipes[0]);
	close(pipes[0]);
	waitpid(pid, &status, 0);
	if (WIFEXITED(status))
		return WEXITSTATUS(status) == 99 ? -1 : WEXITSTATUS(status);
	return WTERMSIG(status) == SIGALRM ? -2 : -1;
}

bool disk_said(const char *text)
{
	return strstr(disk.output, text);
}
