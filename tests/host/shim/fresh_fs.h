/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Just enough of the kernel, of jbd2 and of fs/ for fs/fresh.c to compile in userspace
 * unchanged.  Who runs next is chosen at every lock and at every wait, by fresh_sched.c; the
 * disk, the journal and the pages are in fresh_model.c.
 */
#ifndef _COHFS_TEST_FRESH_FS_H
#define _COHFS_TEST_FRESH_FS_H

#include <sys/types.h>
#include <cohfs/core_env.h>
#include <cohfs/types.h>
#include <linux/cohfs_ondisk.h>

/* stand in for these headers */
#define _COHFS_EXTMAP_H
#define _COHFS_INODE_H
#define _COHFS_LOG_H

#define NR_BLOCKS	4	/* of the file */
#define NR_DISK		10

typedef unsigned int gfp_t;
typedef u64 sector_t;

#define GFP_NOFS		0
#define MAX_ERRNO		4095
#define PTR_ERR(ptr)		((long)(intptr_t)(ptr))
#define IS_ERR(ptr)		((uintptr_t)(ptr) >= (uintptr_t)-MAX_ERRNO)
#define IS_ERR_OR_NULL(ptr)	(!(ptr) || IS_ERR(ptr))
#define lockdep_assert_held(x)	((void)(x))
#define smp_load_acquire(p)	(*(p))
#define smp_store_release(p, v)	((void)(*(p) = (v)))

/* Who runs ------------------------------------------------------------------------ */

u32 sched_rand(void);
/** sched_pause() - something else may happen here */
void sched_pause(void);
/** sched_wait() - until @cond, which others make true */
void sched_wait(bool (*cond)(void *arg), void *arg);
/** sched_start() - a task that runs @fn, from sched_run() on */
void sched_start(void (*fn)(void *arg), void *arg);
/**
 * sched_run() - until all tasks have ended
 * @other: does something that is nobody's task, and may be called whenever somebody pauses;
 *	false: there is nothing to do
 * Return: false: all wait.
 */
bool sched_run(u64 seed, bool (*other)(void));

struct mutex { bool locked; };

void mutex_lock(struct mutex *m);

static inline void mutex_init(struct mutex *m)
{
	m->locked = false;
}

static inline void mutex_unlock(struct mutex *m)
{
	m->locked = false;
	sched_pause();
}

typedef struct { unsigned int wakes; } wait_queue_head_t;
struct sched_sleeper { wait_queue_head_t *queue; unsigned int seen; };

static inline bool sched_woken(void *arg)
{
	struct sched_sleeper *sleeper = arg;

	return sleeper->queue->wakes != sleeper->seen;
}

#define init_waitqueue_head(w)	memset(w, 0, sizeof(*(w)))
#define wake_up_all(w)		((void)(w)->wakes++)
#define wait_event(w, cond) do {					\
	struct sched_sleeper sleeper_ = { &(w), 0 };			\
									\
	while (sleeper_.seen = (w).wakes, !(cond))			\
		sched_wait(sched_woken, &sleeper_);			\
} while (0)

typedef struct { s64 v; } atomic64_t;

#define atomic64_set(a, i)		((void)((a)->v = (i)))
#define atomic64_read(a)		((a)->v)
#define atomic64_read_acquire(a)	((a)->v)
#define atomic64_inc(a)			((void)(a)->v++)

bool model_no_memory(void);

static inline void *kzalloc(size_t size, gfp_t gfp)
{
	return model_no_memory() ? NULL : calloc(1, size);
}

#define kfree(p)	free(p)

/* The disk --------------------------------------------------------------------------- */

struct block_device { bool unused; };
struct bio { unsigned int pending; bool refused; };

#define BLKDEV_ZERO_NOUNMAP	1

int __blkdev_issue_zeroout(struct block_device *bdev, sector_t sector, sector_t count,
			   gfp_t gfp, struct bio **bio, unsigned int flags);
int blkdev_issue_zeroout(struct block_device *bdev, sector_t sector, sector_t count,
			 gfp_t gfp, unsigned int flags);
int submit_bio_wait(struct bio *bio);
#define bio_put(bio)	free(bio)

/* Inodes, iomap ------------------------------------------------------------------------ */

struct cohfs_sb { bool unused; };
struct super_block { struct block_device *s_bdev; struct cohfs_sb *s_fs_info; };
struct inode { struct super_block *i_sb; unsigned long i_ino; };
struct iomap { u64 validity_cookie; };
struct iomap_iter { bool unused; };
struct folio { bool unused; };

struct iomap_folio_ops {
	struct folio *(*get_folio)(struct iomap_iter *iter, loff_t pos, unsigned int len);
	bool (*iomap_valid)(struct inode *inode, const struct iomap *iomap);
};

/* what a folio holds between its birth and the copy is not modelled */
#define iomap_get_folio(iter, pos, len)	((struct folio *)NULL)
#define folio_test_uptodate(folio)	((void)(folio), true)
#define folio_size(folio)		((void)(folio), (size_t)COHFS_BLOCK_SIZE)
#define offset_in_folio(folio, pos)	((void)(folio), (size_t)(pos) % COHFS_BLOCK_SIZE)
#define folio_zero_range(folio, offset, len) ((void)(folio), (void)(offset))
#define iomap_is_partially_uptodate(folio, offset, len) ((void)(folio), (void)(offset), true)

struct cohfs_fresh;

struct cohfs_inode {
	struct inode ci_vfs;
	struct mutex ci_map_mutex;
	struct cohfs_fresh *ci_fresh;
};

#define COHFS_I(inode)	container_of(inode, struct cohfs_inode, ci_vfs)
#define COHFS_SB(sb)	((sb)->s_fs_info)
#define cohfs_withdraw(cs, ...)	((void)(cs), model_violated("withdrawn"))

void model_violated(const char *what);

/* struct cohfs_extmap: by block, @blk of 0 is not there; the tree is not what is tested. */
struct cohfs_extmap {
	unsigned long count;
	u64 blk[NR_BLOCKS];
};

struct cohfs_mapping {
	u64 first;
	u64 len;
	u64 blk;
};

#define cohfs_mapping_last(m)	((m)->first + (m)->len - 1)

void cohfs_extmap_init(struct cohfs_extmap *em);
void cohfs_extmap_forget(struct cohfs_extmap *em, u64 first, u64 last);
int cohfs_extmap_put(struct cohfs_extmap *em, const struct cohfs_mapping *m);
bool cohfs_extmap_next(struct cohfs_extmap *em, u64 lblk, struct cohfs_mapping *m);
void cohfs_extmap_move(struct cohfs_extmap *from, struct cohfs_extmap *to);

/* The journal ---------------------------------------------------------------------------- */

typedef struct { unsigned int tid; } handle_t;

/* @running: the running transaction asks for it before it commits, @committing: the other */
struct jbd2_inode {
	struct inode *i_vfs_inode;
	bool running;
	bool committing;
	bool called;
};

static inline void jbd2_journal_init_jbd_inode(struct jbd2_inode *jinode, struct inode *inode)
{
	*jinode = (struct jbd2_inode) { .i_vfs_inode = inode };
}

int jbd2_journal_finish_inode_data_buffers(struct jbd2_inode *jinode);
#define cohfs_log_fail(cs)	((void)(cs))
handle_t *cohfs_trans_begin(struct cohfs_sb *cs, int credits);
int cohfs_trans_end(handle_t *handle);
int cohfs_log_commit(struct cohfs_sb *cs, bool wait);
bool cohfs_log_commits(struct cohfs_sb *cs, struct jbd2_inode *jinode);
int cohfs_log_order(handle_t *handle, struct jbd2_inode *jinode, loff_t pos, loff_t len);
void cohfs_log_order_end(struct cohfs_sb *cs, struct jbd2_inode *jinode);

#endif /* _COHFS_TEST_FRESH_FS_H */
