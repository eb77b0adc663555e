// SPDX-License-Identifier: GPL-2.0
/*
 * A module that does what no module may, to see the log gate notice.
 *
 * insmod misbehave.ko how=NAME does one thing from the table at the end.  Each
 * is the smallest instance of a class of bugs a filesystem can have.
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

static char *how = "behave";
module_param(how, charp, 0);
MODULE_PARM_DESC(how, "which misbehaviour; see the table in misbehave.c");

/* Longer than any of the limits the test sets for the watchdogs. */
#define STUCK_SECONDS	12

static DEFINE_MUTEX(lock_a);
static DEFINE_MUTEX(lock_b);
static DEFINE_SPINLOCK(spin);

static void behave(void)
{
}

static void warn(void)
{
	WARN(1, "misbehaving as asked\n");
}

static void crash(void)
{
	BUG();
}

static void follow_null(void)
{
	/* Not a constant, or the compiler would not let it through. */
	READ_ONCE(*(int *)(unsigned long)(how[0] == 'f' ? 8 : 0));
}

static void lock_in_both_orders(void)
{
	mutex_lock(&lock_a);
	mutex_lock(&lock_b);
	mutex_unlock(&lock_b);
	mutex_unlock(&lock_a);
	mutex_lock(&lock_b);
	mutex_lock(&lock_a);
	mutex_unlock(&lock_a);
	mutex_unlock(&lock_b);
}

static void unlock_unheld(void)
{
	spin_unlock(&spin);
}

static void leave_with_lock(void)
{
	mutex_lock(&lock_a);
}

static void free_held_lock(void)
{
	struct mutex *lock = kmalloc(sizeof(*lock), GFP_KERNEL);

	if (!lock)
		return;
	mutex_init(lock);
	mutex_lock(lock);
	kfree(lock);
}

static void use_after_free(void)
{
	int *gone = kmalloc(64, GFP_KERNEL);

	kfree(gone);
	OPTIMIZER_HIDE_VAR(gone);
	WRITE_ONCE(gone[1], 1);
}

static void leak_objects(void)
{
	struct kmem_cache *cache = kmem_cache_create("misbehave", 64, 0, SLAB_NO_MERGE, NULL);

	if (cache && kmem_cache_alloc(cache, GFP_KERNEL))
		kmem_cache_destroy(cache);
}

static void sleep_atomic(void)
{
	spin_lock(&spin);
	might_sleep();
	spin_unlock(&spin);
}

static void dereference_unprotected(void)
{
	static int __rcu *pointer;

	(void)rcu_dereference(pointer);
}

static void drop_reference_twice(void)
{
	refcount_t count = REFCOUNT_INIT(1);

	refcount_dec(&count);
	refcount_dec(&count);
}

static void corrupt_list(void)
{
	LIST_HEAD(list);
	struct list_head entry;

	list_add(&entry, &list);
	list.next = &list;
	list_del(&entry);
}

/* Uninterruptible for longer than the hung-task limit. */
static void hang(void)
{
	set_current_state(TASK_UNINTERRUPTIBLE);
	schedule_timeout(STUCK_SECONDS * HZ);
}

static void spin_without_yielding(void)
{
	preempt_disable();
	mdelay(STUCK_SECONDS * 1000);
	preempt_enable();
}

static void callback(struct rcu_head *head)
{
}

/* A reader nobody can wait for; the callback is what wants to. */
static void stall_rcu(void)
{
	static struct rcu_head head;

	rcu_read_lock();
	call_rcu(&head, callback);
	mdelay(STUCK_SECONDS * 1000);
	rcu_read_unlock();
}

static const struct {
	const char *name;
	void (*act)(void);
} ways[] = {
	{ "behave", behave },
	{ "warn", warn },
	{ "crash", crash },
	{ "follow_null", follow_null },
	{ "lock_in_both_orders", lock_in_both_orders },
	{ "unlock_unheld", unlock_unheld },
	{ "leave_with_lock", leave_with_lock },
	{ "free_held_lock", free_held_lock },
	{ "use_after_free", use_after_free },
	{ "leak_objects", leak_objects },
	{ "sleep_atomic", sleep_atomic },
	{ "dereference_unprotected", dereference_unprotected },
	{ "drop_reference_twice", drop_reference_twice },
	{ "corrupt_list", corrupt_list },
	{ "hang", hang },
	{ "spin_without_yielding", spin_without_yielding },
	{ "stall_rcu", stall_rcu },
};

static int __init misbehave_init(void)
{
	for (int i = 0; i < ARRAY_SIZE(ways); i++) {
		if (!strcmp(ways[i].name, how)) {
			ways[i].act();
			pr_info("misbehave: %s done\n", how);
			return 0;
		}
	}
	pr_err("misbehave: do not know how to %s\n", how);
	return -EINVAL;
}

static void __exit misbehave_exit(void)
{
}

module_init(misbehave_init);
module_exit(misbehave_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Does on purpose what the log gate has to notice");
