/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Just enough of the kernel for fs/range.c and its neighbours, and for the lock layer
 * below them, to compile in userspace unchanged.  What sleeps, runs later or could be
 * interrupted is in range_sched.c, pages are in range_pages.c.
 *
 * There is one processor: what holds a spinlock is not interrupted, everything else
 * may be wherever it takes or drops a lock or could sleep.
 */
#ifndef _COHFS_TEST_RANGE_KERNEL_H
#define _COHFS_TEST_RANGE_KERNEL_H

#include <sys/types.h>
#include <cohfs/core_env.h>

#define MAX_ERRNO	4095
#define ERR_PTR(err)	((void *)(intptr_t)(err))
#define PTR_ERR(ptr)	((long)(intptr_t)(ptr))
#define IS_ERR(ptr)	((uintptr_t)(ptr) >= (uintptr_t)-MAX_ERRNO)
#define ERESTARTSYS	512

#define __releases(x)
#define __init
#define lockdep_assert_held(x)	do { } while (0)
#define memalloc_nofs_save()	0u
#define memalloc_nofs_restore(x) ((void)(x))
#define pr_err(...)		printf("# " __VA_ARGS__)
#define pr_warn(...)		printf("# " __VA_ARGS__)
#define _RET_IP_		0ul

typedef unsigned int gfp_t;
typedef unsigned long pgoff_t;
typedef s64 ktime_t;

#define GFP_KERNEL	0
#define GFP_NOFS	0

void model_pause(void);		/* something else may happen here */
void model_wait(bool (*cond)(void *arg), void *arg);
void violated(const char *what);

#define might_sleep()	model_pause()
#define cond_resched()	model_pause()
#define msleep(ms)	model_pause()

/* Memory ----------------------------------------------------------------------- */

bool model_no_memory(void);

static inline void *kzalloc(size_t size, gfp_t gfp)
{
	return model_no_memory() ? NULL : calloc(1, size);
}

#define kmalloc_array(n, size, gfp)	kzalloc((n) * (size), gfp)
#define kvmalloc_array(n, size, gfp)	kzalloc((n) * (size), gfp)
#define kfree(p)	free((void *)(p))
#define kvfree(p)	free((void *)(p))
#define struct_size(p, member, n) \
	(sizeof(*(p)) + sizeof((p)->member[0]) * (n))

/* Locks ----------------------------------------------------------------------------- */

extern unsigned int model_atomic;

typedef struct { int unused; } spinlock_t;

struct mutex { int unused; };

#define spin_lock_init(l)	((void)(l))
#define mutex_lock(l)		((void)(l))
#define mutex_unlock(l)		((void)(l))

static inline void model_lock(void)
{
	model_pause();
	model_atomic++;
}

static inline void model_unlock(void)
{
	model_atomic--;
	model_pause();
}

#define spin_lock(l)		((void)(l), model_lock())
#define spin_unlock(l)		((void)(l), model_unlock())
#define spin_lock_irqsave(l, f)	((void)(l), (f) = 0, model_lock())
#define spin_unlock_irqrestore(l, f) ((void)(l), (void)(f), model_unlock())

struct rw_semaphore {
	int readers;
	bool writer;
};

#define init_rwsem(s)	memset(s, 0, sizeof(*(s)))
void down_read(struct rw_semaphore *sem);
void up_read(struct rw_semaphore *sem);
void down_write(struct rw_semaphore *sem);
bool down_write_trylock(struct rw_semaphore *sem);
void up_write(struct rw_semaphore *sem);

typedef struct { int v; } atomic_t;
typedef struct { s64 v; } atomic64_t;
typedef struct { long v; } atomic_long_t;

#define atomic_read(a)		((a)->v)
#define atomic_inc(a)		((void)(a)->v++)
#define atomic_dec(a)		((void)(a)->v--)
#define atomic_dec_and_test(a)	(!--(a)->v)
#define atomic64_inc(a)		((void)(a)->v++)
#define atomic_long_add(n, a)	((void)((a)->v += (n)))

static inline long atomic_long_xchg(atomic_long_t *a, long v)
{
	long old = a->v;

	a->v = v;
	return old;
}

#define test_bit(nr, p)	(*(p) >> (nr) & 1)
#define set_bit(nr, p)	((void)(*(p) |= 1ul << (nr)))
#define clear_bit(nr, p) ((void)(*(p) &= ~(1ul << (nr))))

static inline bool test_and_set_bit(unsigned int nr, unsigned long *p)
{
	bool was = test_bit(nr, p);

	set_bit(nr, p);
	return was;
}

/* maps of one word are enough */
#define DECLARE_BITMAP(name, bits)	unsigned long name[1]
#define bitmap_mask(from, nr)		(((1ul << (nr)) - 1) << (from))
#define bitmap_zero(p, nr)		((void)(*(p) = 0))
#define bitmap_clear(p, from, nr)	((void)(*(p) &= ~bitmap_mask(from, nr)))
#define __set_bit(nr, p)		set_bit(nr, p)
#define __clear_bit(nr, p)		clear_bit(nr, p)

static inline unsigned long find_next_zero_bit(const unsigned long *p, unsigned long end,
					       unsigned long at)
{
	while (at < end && test_bit(at, p))
		at++;
	return at;
}

struct kref { int v; };

#define kref_init(k)	((void)((k)->v = 1))
#define kref_read(k)	((k)->v)
#define kref_get(k)	((void)(k)->v++)

static inline void kref_put(struct kref *k, void (*release)(struct kref *k))
{
	if (!--k->v)
		release(k);
}

/* Lists ------------------------------------------------------------------------------ */

struct list_head { struct list_head *next, *prev; };

#define LIST_HEAD_INIT(l)	{ &(l), &(l) }
#define LIST_HEAD(l)		struct list_head l = LIST_HEAD_INIT(l)
#define INIT_LIST_HEAD(l)	((void)((l)->next = (l)->prev = (l)))
#define list_empty(l)		((l)->next == (l))
#define list_empty_careful(l)	list_empty(l)

static inline void list_insert(struct list_head *n, struct list_head *prev,
			       struct list_head *next)
{
	n->prev = prev;
	n->next = next;
	prev->next = n;
	next->prev = n;
}

#define list_add(n, l)		list_insert(n, l, (l)->next)
#define list_add_tail(n, l)	list_insert(n, (l)->prev, l)

static inline void list_del(struct list_head *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	n->next = NULL;
	n->prev = NULL;
}

static inline void list_del_init(struct list_head *n)
{
	list_del(n);
	INIT_LIST_HEAD(n);
}

static inline void list_move_tail(struct list_head *n, struct list_head *l)
{
	list_del(n);
	list_add_tail(n, l);
}

static inline void list_splice_init(struct list_head *from, struct list_head *to)
{
	while (!list_empty(from))
		list_move_tail(from->next, to);
}

#define list_entry(p, type, m)		container_of(p, type, m)
#define list_first_entry(l, type, m)	list_entry((l)->next, type, m)
#define list_first_entry_or_null(l, type, m) \
	(list_empty(l) ? NULL : list_first_entry(l, type, m))
#define list_for_each_entry(p, l, m) \
	for (p = list_entry((l)->next, __typeof__(*p), m); &p->m != (l); \
	     p = list_entry(p->m.next, __typeof__(*p), m))

struct llist_node { struct llist_node *next; };
struct llist_head { struct llist_node *first; };

static inline bool llist_add(struct llist_node *n, struct llist_head *l)
{
	n->next = l->first;
	l->first = n;
	return !n->next;
}

static inline struct llist_node *llist_del_all(struct llist_head *l)
{
	struct llist_node *first = l->first;

	l->first = NULL;
	return first;
}

#define llist_entry_or_null(n, type, m) ({ \
	struct llist_node *__n = (n); \
	__n ? container_of(__n, type, m) : NULL; })
#define llist_for_each_entry_safe(p, n, first, m) \
	for (p = llist_entry_or_null(first, __typeof__(*p), m); \
	     p && (n = llist_entry_or_null(p->m.next, __typeof__(*p), m), true); p = n)

/* Time ---------------------------------------------------------------------------------- */

#define HZ			1000
#define NSEC_PER_USEC		1000
#define NSEC_PER_MSEC		1000000
#define CLOCK_MONOTONIC		1
#define HRTIMER_MODE_ABS_SOFT	0

enum hrtimer_restart { HRTIMER_NORESTART };

struct hrtimer {
	enum hrtimer_restart (*function)(struct hrtimer *timer);
	ktime_t expires;
	bool queued;
	struct list_head link;
};

extern ktime_t model_now;
#define jiffies			((unsigned long)(model_now / NSEC_PER_MSEC))
#define get_jiffies_64()	((u64)jiffies)
#define time_after(a, b)	((long)((b) - (a)) < 0)
#define msecs_to_jiffies(ms)	((unsigned long)(ms))
#define ktime_get()		model_now
#define ktime_sub(a, b)		((a) - (b))
#define ktime_add_ns(a, ns)	((a) + (s64)(ns))
#define ktime_to_ns(a)		(a)
#define ktime_after(a, b)	((a) > (b))

#define hrtimer_init(t, clock, mode)	memset(t, 0, sizeof(*(t)))
#define hrtimer_is_queued(t)		((t)->queued)
#define hrtimer_get_expires(t)		((t)->expires)
void hrtimer_start(struct hrtimer *timer, ktime_t when, int mode);
void hrtimer_cancel(struct hrtimer *timer);

/* Tasks and workers ----------------------------------------------------------------------- */

#define PF_EXITING	4

/* nobody dies here but by being killed */
struct task_struct {
	bool killed;
	unsigned int flags;
};

extern struct task_struct *current;

#define TASK_KILLABLE	1
#define TASK_IDLE	0

struct completion { unsigned int done; };

#define init_completion(c)	((void)((c)->done = 0))
#define complete(c)		((void)(c)->done++)
int wait_for_completion_state(struct completion *done, unsigned int state);
#define wait_for_completion_timeout(c, t)	(!wait_for_completion_state(c, TASK_IDLE))

/* who looks too early and is not woken sleeps for ever */
typedef struct { unsigned int sleepers, wakes; } wait_queue_head_t;

#define init_waitqueue_head(w)	memset(w, 0, sizeof(*(w)))
#define waitqueue_active(w)	((w)->sleepers)
#define wake_up_all(w)		((void)(w)->wakes++)
#define wait_event_idle(w, cond) do {			\
	(w).sleepers++;					\
	for (;;) {					\
		unsigned int wakes_ = (w).wakes;	\
							\
		if (cond)				\
			break;				\
		model_sleep(&(w), wakes_);		\
	}						\
	(w).sleepers--;					\
} while (0)
void model_sleep(wait_queue_head_t *wait, unsigned int wakes);

struct work_struct {
	void (*fn)(struct work_struct *work);
	bool pending;
	struct list_head link;
};

struct delayed_work {
	struct work_struct work;
	bool armed;
	bool disabled;
	ktime_t expires;
	struct list_head link;
};

struct workqueue_struct { int unused; };
extern struct workqueue_struct *system_unbound_wq;

#define WQ_MEM_RECLAIM	0
#define WQ_HIGHPRI	0
#define WQ_UNBOUND	0
#define alloc_workqueue(...)	system_unbound_wq
#define destroy_workqueue(wq)	((void)(wq))
#define INIT_WORK(w, f) do { \
	memset(w, 0, sizeof(*(w))); \
	(w)->fn = (f); \
} while (0)
#define INIT_DELAYED_WORK(w, f) do { \
	memset(w, 0, sizeof(*(w))); \
	(w)->work.fn = (f); \
} while (0)
#define to_delayed_work(w)	container_of(w, struct delayed_work, work)
bool queue_work(struct workqueue_struct *wq, struct work_struct *work);
bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *work,
			unsigned long delay);
bool mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *work,
		      unsigned long delay);
void disable_delayed_work_sync(struct delayed_work *work);

struct shrink_control { unsigned long nr_to_scan; };

struct shrinker {
	void *private_data;
	unsigned long (*count_objects)(struct shrinker *s, struct shrink_control *sc);
	unsigned long (*scan_objects)(struct shrinker *s, struct shrink_control *sc);
};

#define SHRINK_STOP		(~0ul)
#define shrinker_alloc(...)	((struct shrinker *)calloc(1, sizeof(struct shrinker)))
#define shrinker_register(s)	((void)(s))
#define shrinker_free(s)	free(s)

/* Arrays with holes --------------------------------------------------------------------------- */

#define MAX_ENTRIES	64

struct xarray {
	struct {
		unsigned long index;
		void *entry;
	} e[MAX_ENTRIES];		/* in order */
	unsigned int nr;
};

#define XA_PRESENT	0
#define xa_init(xa)	((void)((xa)->nr = 0))
#define xa_destroy(xa)	((void)((xa)->nr = 0))
#define xa_lock(xa)	((void)(xa), model_lock())
#define xa_unlock(xa)	((void)(xa), model_unlock())
#define xa_is_err(p)	IS_ERR(p)
#define xa_err(p)	((int)PTR_ERR(p))

void *xa_find(struct xarray *xa, unsigned long *index, unsigned long max, int filter);
void *xa_load(struct xarray *xa, unsigned long index);
void *__xa_cmpxchg(struct xarray *xa, unsigned long index, void *old, void *entry,
		   gfp_t gfp);
void __xa_erase(struct xarray *xa, unsigned long index);

#define xa_erase(xa, index)	__xa_erase(xa, index)
#define xa_for_each(xa, index, p) \
	for (index = 0, p = xa_find(xa, &index, ~0ul, XA_PRESENT); p; \
	     index++, p = xa_find(xa, &index, ~0ul, XA_PRESENT))

#endif /* _COHFS_TEST_RANGE_KERNEL_H */
