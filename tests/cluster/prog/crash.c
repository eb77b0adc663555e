// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random work of one node whose disk is recorded, for replay up to any write.
 *
 * Before each operation, and after it, a line about it is written past the page cache to
 * the last block of the disk, which the filesystem does not reach: so the record of the
 * disk says what had begun and what had been acknowledged when.  Data is in slots of 512
 * bytes, each of which says of which file it is, where, and from which operation.
 * tests/cluster/crash/oracle.py knows the lines and the slots.
 *
 * -c operations; -m the disk.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "prog.h"

#define SLOT 512
#define MOST_SLOTS 640
#define FILES 24
#define DIRS 5
#define HELD 4			/* unlinked and still open */

struct slot {
	uint64_t magic, label, index, op;
	uint64_t pattern[SLOT / 8 - 4];
};

static struct file {
	char path[64];
	long label;		/* 0: there is none */
	int names;		/* hard links, this one included */
	long slots;
} files[FILES];

static bool dirs[DIRS];
static int held[HELD] = { -1, -1, -1, -1 };
static long op, next_label = 1, next_name;
static int disk, root;
static off_t last_block;
static char *block;

/* Lines on the disk ----------------------------------------------------------- */

static void line(char kind, const char *text)
{
	static uint64_t number;

	memset(block, 0, PAGE);
	snprintf(block, PAGE, "cohfs-crash %lu %c %ld %s\n", ++number, kind, op, text);
	pwrite_all(disk, block, PAGE, last_block);
}

#define BEGIN(fmt, ...)							\
	do {								\
		char text_[256];					\
		snprintf(text_, sizeof(text_), fmt, ##__VA_ARGS__);	\
		op++;							\
		line('B', text_);					\
	} while (0)

static void done(void)
{
	line('A', "");
}

/* Data ------------------------------------------------------------------------ */

static void make_slots(struct slot *slots, const struct file *f, long first, long n)
{
	for (long i = 0; i < n; i++) {
		struct slot *s = &slots[i];

		s->magic = 0x746f6c736873666fULL;
		s->label = f->label;
		s->index = first + i;
		s->op = op;
		for (size_t w = 0; w < ARRAY_SIZE(s->pattern); w++)
			s->pattern[w] = hash64(s->label << 40 ^ s->index << 20 ^ s->op) + w;
	}
}

static int open_it(const struct file *f, int flags)
{
	return open_file(at("%s", f->path), flags);
}

static void extent_in(const struct file *f, long *first, long *n)
{
	*first = rnd() % f->slots;
	*n = 1 + rnd() % (rnd() % 4 ? 12 : 100);
	if (*first + *n > f->slots)
		*n = f->slots - *first;
}

static void op_write(struct file *f)
{
	long first = rnd() % 3 ? f->slots : (long)(rnd() % (f->slots + 20));
	long n = 1 + rnd() % (rnd() % 4 ? 12 : 100);
	struct slot slots[100];
	bool sync = rnd() % 8 == 0;
	int fd;

	if (rnd() % 3 == 0 && f->slots)
		first = rnd() % f->slots;
	if (first + n > MOST_SLOTS)
		return;
	fd = open_it(f, O_RDWR | (sync ? O_SYNC : 0));
	BEGIN("%s %ld %ld %ld", sync ? "swrite" : "write", f->label, first, n);
	make_slots(slots, f, first, n);
	pwrite_all(fd, slots, n * SLOT, first * SLOT);
	done();
	close(fd);
	if (first + n > f->slots)
		f->slots = first + n;
}

static void op_store(struct file *f)
{
	long first, n;
	char *map;
	int fd;

	if (!f->slots)
		return;
	extent_in(f, &first, &n);
	fd = open_it(f, O_RDWR);
	map = map_file(fd, f->slots * SLOT, PROT_READ | PROT_WRITE, MAP_SHARED);
	BEGIN("write %ld %ld %ld", f->label, first, n);
	make_slots((struct slot *)(map + first * SLOT), f, first, n);
	done();
	if (rnd() % 3 == 0) {
		BEGIN("sync %ld", f->label);
		SYS(msync(map, f->slots * SLOT, MS_SYNC));
		done();
	}
	munmap(map, f->slots * SLOT);
	close(fd);
}

static void op_truncate(struct file *f)
{
	long slots = rnd() % (f->slots + 30);

	if (slots > MOST_SLOTS)
		return;
	BEGIN("truncate %ld %ld", f->label, slots);
	SYS(truncate(at("%s", f->path), slots * SLOT));
	done();
	f->slots = slots;
}

static void op_punch(struct file *f)
{
	static const int modes[] = { FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				     FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE };
	long first, n;
	int fd;

	if (!f->slots)
		return;
	extent_in(f, &first, &n);
	fd = open_it(f, O_RDWR);
	BEGIN("punch %ld %ld %ld", f->label, first, n);
	SYS(fallocate(fd, modes[rnd() % 2], first * SLOT, n * SLOT));
	done();
	close(fd);
}

/* Changes no byte: blocks in holes and beyond the end. */
static void op_allocate(struct file *f)
{
	int fd = open_it(f, O_RDWR);

	BEGIN("allocate %ld", f->label);
	SYS(fallocate(fd, FALLOC_FL_KEEP_SIZE, rnd() % MOST_SLOTS * SLOT, 100 * SLOT));
	done();
	close(fd);
}

static void op_sync(struct file *f)
{
	int fd;

	if (rnd() % 4 == 0) {
		BEGIN("syncfs");
		SYS(syncfs(root));
		done();
		return;
	}
	fd = open_it(f, O_RDWR);
	if (rnd() % 2) {
		BEGIN("fsync %ld", f->label);
		SYS(fsync(fd));
	} else {
		BEGIN("sync %ld", f->label);
		SYS(fdatasync(fd));
	}
	done();
	close(fd);
}

/* Names ----------------------------------------------------------------------- */

static void new_path(char *path, size_t size)
{
	int dir = rnd() % DIRS;

	if (dirs[dir])
		snprintf(path, size, "d%d/n%ld", dir, next_name++);
	else
		snprintf(path, size, "n%ld", next_name++);
}

static struct file *free_entry(void)
{
	for (int i = 0; i < FILES; i++)
		if (!files[i].label)
			return &files[i];
	return NULL;
}

static void op_create(void)
{
	struct file *f = free_entry();

	if (!f)
		return;
	*f = (struct file){ .label = next_label++, .names = 1 };
	new_path(f->path, sizeof(f->path));
	BEGIN("create %ld %s", f->label, f->path);
	close(open_it(f, O_RDWR | O_CREAT | O_EXCL));
	done();
}

static void set_names(long label, int names, long slots)
{
	for (int i = 0; i < FILES; i++) {
		if (files[i].label == label) {
			files[i].names = names;
			files[i].slots = slots;
		}
	}
}

static void op_link(struct file *f)
{
	struct file *new = free_entry();

	if (!new)
		return;
	*new = *f;
	new_path(new->path, sizeof(new->path));
	BEGIN("link %s %s", f->path, new->path);
	SYS(link(at("%s", f->path), at("%s", new->path)));
	done();
	set_names(f->label, f->names + 1, f->slots);
}

static void forget(struct file *f)
{
	long label = f->label;

	f->label = 0;
	set_names(label, f->names - 1, f->slots);
}

static void op_unlink(struct file *f)
{
	int slot = rnd() % HELD;

	if (rnd() % 2) {
		if (held[slot] >= 0)
			close(held[slot]);
		held[slot] = open_it(f, O_RDWR);
	}
	BEGIN("unlink %s", f->path);
	SYS(unlink(at("%s", f->path)));
	done();
	forget(f);
}

static void op_rename(struct file *f)
{
	struct file *over = &files[rnd() % FILES];
	char path[64];

	/* two names of one file: rename() does nothing */
	if (over->label && over->label != f->label && rnd() % 2)
		memcpy(path, over->path, sizeof(path));
	else
		over = NULL, new_path(path, sizeof(path));
	BEGIN("rename %s %s", f->path, path);
	SYS(rename(at("%s", f->path), at("%s", path)));
	done();
	memcpy(f->path, path, sizeof(path));
	if (over)
		forget(over);
}

static bool dir_is_used(int dir)
{
	char start[8];
	int len = snprintf(start, sizeof(start), "d%d/", dir);

	for (int i = 0; i < FILES; i++)
		if (files[i].label && !strncmp(files[i].path, start, len))
			return true;
	return false;
}

static void op_dir(void)
{
	int dir = rnd() % DIRS;

	if (dirs[dir] && dir_is_used(dir))
		return;
	BEGIN("%s d%d", dirs[dir] ? "rmdir" : "mkdir", dir);
	if (dirs[dir])
		SYS(rmdir(at("d%d", dir)));
	else
		SYS(mkdir(at("d%d", dir), 0755));
	done();
	dirs[dir] = !dirs[dir];
}

static void one_operation(void)
{
	struct file *f = &files[rnd() % FILES];
	unsigned int what = rnd() % 100;
	long slots;

	if (!f->label || what < 6) {
		op_create();
		return;
	}
	slots = f->slots;
	if (what < 34)
		op_write(f);
	else if (what < 50)
		op_store(f);
	else if (what < 56)
		op_truncate(f);
	else if (what < 61)
		op_punch(f);
	else if (what < 64)
		op_allocate(f);
	else if (what < 74)
		op_sync(f);
	else if (what < 79)
		op_link(f);
	else if (what < 86)
		op_unlink(f);
	else if (what < 95)
		op_rename(f);
	else
		op_dir();
	/* other names of the same file */
	if (f->label && f->slots != slots)
		set_names(f->label, f->names, f->slots);
}

int main(int argc, char **argv)
{
	uint64_t size;

	prog.count = 300;
	prog_init(argc, argv, "crash");
	root = SYS(open(prog.dir, O_RDONLY | O_DIRECTORY));
	disk = SYS(open(prog.mode, O_RDWR | O_DIRECT));
	SYS(ioctl(disk, BLKGETSIZE64, &size));
	last_block = size - PAGE;
	block = map_file(-1, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
	line('S', "start");
	for (long i = 0; i < prog.count; i++)
		one_operation();
	BEGIN("syncfs");
	SYS(syncfs(root));
	done();
	return prog_end("%ld operations", op);
}
