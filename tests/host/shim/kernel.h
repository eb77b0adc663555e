/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Just enough of the kernel for fs/map.c and the headers it includes to compile in
 * userspace unchanged.  What its calls do is in the test (core_map.c).
 */
#ifndef _COHFS_TEST_KERNEL_H
#define _COHFS_TEST_KERNEL_H

#include <cohfs/core_env.h>

#define MAX_ERRNO	4095
#define ERR_PTR(err)	((void *)(intptr_t)(err))
#define PTR_ERR(ptr)	((long)(intptr_t)(ptr))
#define IS_ERR(ptr)	((uintptr_t)(ptr) >= (uintptr_t)-MAX_ERRNO)
#define IS_ERR_OR_NULL(ptr) (!(ptr) || IS_ERR(ptr))

typedef unsigned int gfp_t;
typedef unsigned int tid_t;
typedef struct { int unused; } spinlock_t;

struct list_head { struct list_head *next, *prev; };
struct mutex { int unused; };
struct xarray { int unused; };
struct work_struct { int unused; };
struct delayed_work { int unused; };

struct super_block {
	void *s_fs_info;
	char s_id[32];
};

/**
 * struct buffer_head - one block
 * @refs: references of code under test, without the set's own
 * @access_tid, @dirty_tid: last transaction that declared / journaled a change
 * @checked_tid: last transaction that verified it
 */
struct buffer_head {
	u64 b_blocknr;
	char *b_data;
	int refs;
	int access_tid;
	int dirty_tid;
	int checked_tid;
};

static inline void brelse(struct buffer_head *bh)
{
	if (bh)
		bh->refs--;
}

/** struct handle - a transaction that counts what it journals */
struct test_handle {
	int tid;
	int dirtied;
	int revoked;
};
typedef struct test_handle handle_t;

#endif /* _COHFS_TEST_KERNEL_H */
