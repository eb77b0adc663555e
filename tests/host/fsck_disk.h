/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A disk in shared memory under the tools: takes the place of tools/lib/io.c, so that
 * fsck runs in a child process on it and the parent sees what it has done.
 */
#ifndef _COHFS_TEST_FSCK_DISK_H
#define _COHFS_TEST_FSCK_DISK_H

#include "../../tools/lib/volume.h"

#define DISK_OUTPUT	(256u << 10)

/** struct disk_calls - a number of reads and of writes */
struct disk_calls {
	u32 reads;
	u32 writes;
};

/**
 * struct disk - what parent and children share
 * @blocks: size
 * @data: contents
 * @pristine: contents to go back to
 * @truth: what they are once the journals are replayed
 * @written: by block: is not as in @pristine, or may not be
 * @unreadable: a block that cannot be read, 0: none
 * @output: what the last child printed
 * @calls: of the last child
 * @trap: the child gets @trap_signal before it does this read or write, 0: none
 */
struct disk {
	u64 blocks;
	u8 *data;
	u8 *pristine;
	u8 *truth;
	u8 *written;
	u64 *unreadable;
	char *output;
	struct disk_calls *calls;
	struct disk_calls trap;
	int trap_signal;
};

extern struct disk disk;

void disk_make(u64 blocks);
static inline void *disk_block(u64 blkno)
{
	return disk.data + (blkno << COHFS_BLOCK_SHIFT);
}

/** disk_touch() - the caller changes this block */
void disk_touch(u64 blkno);
/** disk_keep() - the contents are the pristine ones now, and the truth if @truth */
void disk_keep(bool truth);
/** disk_restore() - back to the pristine contents */
void disk_restore(void);

/**
 * disk_fsck() - run fsck.cohfs with @option in a child
 * Return: its exit status; -1: it crashed; -2: it took too long or too much memory.
 */
int disk_fsck(const char *option);

/** fsck_main() - main() of tools/fsck */
int fsck_main(int argc, char **argv);

/** disk_said() - did the last one print this? */
bool disk_said(const char *text);

#endif /* _COHFS_TEST_FSCK_DISK_H */
