/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the model of range locks know of each other, see shim/range_fs.h. */
#ifndef _COHFS_TEST_RANGE_MODEL_H
#define _COHFS_TEST_RANGE_MODEL_H

/**
 * struct budget - how often the scheduler may make something go wrong
 * @enomem: an allocation, or a request that the lock manager does not take
 * @eagain: NOQUEUE is refused though nobody is in the way
 * @edeadlk: a conversion is refused
 * @kills: a task is killed while it waits
 * @spurious: a bast for nothing
 */
struct budget {
	unsigned int enomem, eagain, edeadlk, kills, spurious;
};

/**
 * struct world - one run
 * @size: of the file, in pages
 * @newest: how often each page has been changed
 * @disk: what the disk has of it
 * @pause: one in so many places where something else could run is used
 * @worker: one in so many steps a delayed work begins, though others could go on
 * @reorder: callbacks come in any order, if they can be told apart
 * @hot: tasks want the same few pages all the time
 * @no_cache: nothing is let go or asked for but by tasks
 */
struct world {
	unsigned int nr;
	unsigned int size;
	u32 newest[NR_PAGES];
	u32 disk[NR_PAGES];
	unsigned int pause;
	unsigned int worker;
	bool reorder;
	bool hot;
	bool no_cache;
	struct budget may;
};

extern struct world W;
extern const char *model_error;
extern bool model_tracing;
extern unsigned long model_steps;

u32 model_rand(void);
void model_seed(u64 seed);
bool model_spend(unsigned int *budget, unsigned int one_in);
__printf(1, 2) void model_trace(const char *fmt, ...);

/* range_sched.c */
void sched_reset(void);
/** sched_start() - a task; @fn runs until it returns */
void sched_start(void (*fn)(void *arg), void *arg);
/** sched_step() - one thing happens; false if nothing can */
bool sched_step(void);
unsigned int sched_tasks(void);
void sched_print(void);

/* range_lm.c */
extern const struct cohfs_backend_ops lm_backend;
void lm_reset(void);
unsigned int lm_events(void);
void lm_fire(unsigned int event);
bool lm_quiet(void);
void lm_print(void);

/* range_pages.c */
struct folio *pages_find(struct inode *inode, pgoff_t index);
void pages_put(struct folio *folio);
/**
 * pages_read() - the page, in core; NULL if its place on disk is not known
 * @large: with others, if the places of all are known
 */
struct folio *pages_read(struct inode *inode, pgoff_t index, bool large);
void pages_map(struct inode *inode, pgoff_t first, pgoff_t last);
void pages_lock(struct folio *folio);
void pages_unlock(struct folio *folio);
/** pages_truncate() - what truncate does to pages of its own file, dirty or not */
void pages_truncate(struct inode *inode, pgoff_t first, pgoff_t last);

/* range_tasks.c */
void tasks_begin(unsigned int phases);
void tasks_end(void);
/** tasks_check() - does anybody have what another node excludes? */
void tasks_check(void);
void tasks_print(void);
unsigned int tasks_overtaken(void);

#endif /* _COHFS_TEST_RANGE_MODEL_H */
