// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who runs next.  Tasks and workers are coroutines; each runs until it has to wait, or
 * for a while, and then chance picks among all that could go on, messages and timers
 * included.  One seed, one schedule.
 */
#include <stdarg.h>
#include <ucontext.h>
#include "range_model.h"

#define MAX_CO		48
#define STACK		(128 << 10)

#ifdef __SANITIZE_ADDRESS__
#include <dlfcn.h>
#include <sanitizer/common_interface_defs.h>

/* The sanitizer's own warns that it may not do what is done below. */
static int switch_context(ucontext_t *from, ucontext_t *to)
{
	static int (*libc_one)(ucontext_t *from, const ucontext_t *to);

	if (!libc_one)
		libc_one = dlsym(dlopen("libc.so.6", RTLD_LAZY), "swapcontext");
	return libc_one(from, to);
}

#define leave_stack(save, co) \
	__sanitizer_start_switch_fiber(save, (co) ? (co)->stack : sched_stack, \
				       (co) ? STACK : sched_stack_size)
#define enter_stack(save, from, size) \
	__sanitizer_finish_switch_fiber(save, from, size)
#else
#define switch_context			swapcontext
#define leave_stack(save, co)		((void)(save), (void)(co))
#define enter_stack(save, from, size)	((void)(save), (void)(from), (void)(size))
#endif

static const void *sched_stack;
static size_t sched_stack_size;

/** struct co - a task or a running work */
struct co {
	ucontext_t uc;
	char *stack;
	void *fake;			/* for the address sanitizer */
	void (*fn)(void *arg);
	void *arg;
	bool (*cond)(void *arg);	/* what it waits for */
	void *cond_arg;
	struct work_struct *work;
	struct task_struct task;
	unsigned long asleep;		/* until this step, if there is anything else */
	bool live;
};

struct world W;
const char *model_error;
bool model_tracing;
unsigned long model_steps;
unsigned int model_atomic;
ktime_t model_now;
struct task_struct *current;

static struct workqueue_struct any_queue;
struct workqueue_struct *system_unbound_wq = &any_queue;

static struct co cos[MAX_CO];
static struct co *running;
static ucontext_t sched_uc;
static void *sched_fake;
static LIST_HEAD(works);
static LIST_HEAD(delayed);
static LIST_HEAD(timers);
static u64 seed;

/* Chance -------------------------------------------------------------------------- */

void model_seed(u64 to)
{
	seed = to ?: 1;
}

u32 model_rand(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (seed * 0x2545f4914f6cdd1dull) >> 32;
}

bool model_spend(unsigned int *budget, unsigned int one_in)
{
	if (!*budget || model_rand() % one_in)
		return false;
	(*budget)--;
	return true;
}

bool model_no_memory(void)
{
	return model_spend(&W.may.enomem, 16);
}

void violated(const char *what)
{
	if (!model_error)
		model_error = what;
}

void model_trace(const char *fmt, ...)
{
	va_list args;

	if (!model_tracing)
		return;
	printf("# %5lu %2d ", model_steps, running ? (int)(running - cos) : -1);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
}

/* Coroutines ------------------------------------------------------------------------- */

static void to_sched(bool last)
{
	struct co *co = running;

	leave_stack(last ? NULL : &co->fake, (struct co *)NULL);
	switch_context(&co->uc, &sched_uc);
	enter_stack(co->fake, &sched_stack, &sched_stack_size);
}

#ifdef __SANITIZE_ADDRESS__
__attribute__((no_sanitize("address")))
#endif
static void co_main(void)
{
	enter_stack(NULL, &sched_stack, &sched_stack_size);
	running->fn(running->arg);
	running->live = false;
	running->work = NULL;
	to_sched(true);
}

static struct co *co_new(void (*fn)(void *arg), void *arg)
{
	struct co *co = cos;

	while (co < cos + MAX_CO && co->live)
		co++;
	if (co == cos + MAX_CO) {
		violated("model: too many tasks");
		return NULL;
	}
	if (!co->stack)
		co->stack = malloc(STACK);
	co->fn = fn;
	co->arg = arg;
	co->cond = NULL;
	co->work = NULL;
	co->task.killed = false;
	co->asleep = 0;
	co->live = true;
	getcontext(&co->uc);
	co->uc.uc_stack.ss_sp = co->stack;
	co->uc.uc_stack.ss_size = STACK;
	co->uc.uc_link = NULL;
	makecontext(&co->uc, co_main, 0);
	return co;
}

static void co_run(struct co *co)
{
	running = co;
	current = &co->task;
	co->cond = NULL;
	leave_stack(&sched_fake, co);
	switch_context(&sched_uc, &co->uc);
	enter_stack(sched_fake, NULL, NULL);
	running = NULL;
	current = NULL;
	if (model_atomic)
		violated("model: sleeps with a spinlock held");
}

void sched_start(void (*fn)(void *arg), void *arg)
{
	co_new(fn, arg);
}

unsigned int sched_tasks(void)
{
	unsigned int i, nr = 0;

	for (i = 0; i < MAX_CO; i++)
		nr += cos[i].live;
	return nr;
}

/* Now and then somebody is very slow: much has to happen between two of his steps. */
void model_pause(void)
{
	if (!running || model_atomic || model_rand() % W.pause)
		return;
	if (!(model_rand() % 256))
		running->asleep = model_steps + model_rand() % 512;
	to_sched(false);
}

void model_wait(bool (*cond)(void *arg), void *arg)
{
	if (!running || model_atomic) {
		violated("model: waits where it must not");
		return;
	}
	while (!cond(arg)) {
		running->cond = cond;
		running->cond_arg = arg;
		to_sched(false);
	}
}

/* Semaphores and completions ------------------------------------------------------------ */

static bool may_read(void *arg)
{
	return !((struct rw_semaphore *)arg)->writer;
}

static bool may_write(void *arg)
{
	struct rw_semaphore *sem = arg;

	return !sem->writer && !sem->readers;
}

void down_read(struct rw_semaphore *sem)
{
	model_pause();
	model_wait(may_read, sem);
	sem->readers++;
}

void up_read(struct rw_semaphore *sem)
{
	sem->readers--;
	model_pause();
}

void down_write(struct rw_semaphore *sem)
{
	model_pause();
	model_wait(may_write, sem);
	sem->writer = true;
}

bool down_write_trylock(struct rw_semaphore *sem)
{
	model_pause();
	if (!may_write(sem))
		return false;
	sem->writer = true;
	return true;
}

void up_write(struct rw_semaphore *sem)
{
	sem->writer = false;
	model_pause();
}

struct completion_wait {
	struct completion *done;
	bool killable;
};

static bool completed(void *arg)
{
	struct completion_wait *w = arg;

	return w->done->done || (w->killable && current && current->killed);
}

int wait_for_completion_state(struct completion *done, unsigned int state)
{
	struct completion_wait w = { .done = done, .killable = state == TASK_KILLABLE };

	model_pause();
	if (w.killable && !done->done && model_spend(&W.may.kills, 8))
		current->killed = true;
	model_wait(completed, &w);
	if (!done->done)
		return -ERESTARTSYS;
	done->done--;
	return 0;
}

struct sleep {
	wait_queue_head_t *wait;
	unsigned int wakes;
};

static bool woken(void *arg)
{
	struct sleep *sleep = arg;

	return sleep->wait->wakes != sleep->wakes;
}

void model_sleep(wait_queue_head_t *wait, unsigned int wakes)
{
	struct sleep sleep = { .wait = wait, .wakes = wakes };

	model_wait(woken, &sleep);
}

/* Works and timers ------------------------------------------------------------------------ */

bool queue_work(struct workqueue_struct *wq, struct work_struct *work)
{
	if (work->pending)
		return false;
	work->pending = true;
	list_add_tail(&work->link, &works);
	return true;
}

bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *work,
			unsigned long delay)
{
	if (work->work.pending || work->armed || work->disabled ||
	    (W.no_cache && wq == system_unbound_wq))
		return false;
	work->armed = true;
	work->expires = model_now + (ktime_t)delay * NSEC_PER_MSEC;
	list_add_tail(&work->link, &delayed);
	return true;
}

bool mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *work,
		      unsigned long delay)
{
	if (work->armed)
		work->expires = model_now + (ktime_t)delay * NSEC_PER_MSEC;
	return work->armed || queue_delayed_work(wq, work, delay);
}

static bool not_running(void *arg)
{
	unsigned int i;

	for (i = 0; i < MAX_CO; i++)
		if (cos[i].live && cos[i].work == arg)
			return false;
	return true;
}

void disable_delayed_work_sync(struct delayed_work *work)
{
	work->disabled = true;
	if (work->armed)
		list_del(&work->link);
	work->armed = false;
	if (work->work.pending)
		list_del(&work->work.link);
	work->work.pending = false;
	model_wait(not_running, &work->work);
}

void hrtimer_start(struct hrtimer *timer, ktime_t when, int mode)
{
	hrtimer_cancel(timer);
	timer->queued = true;
	timer->expires = when;
	list_add_tail(&timer->link, &timers);
}

void hrtimer_cancel(struct hrtimer *timer)
{
	if (timer->queued)
		list_del(&timer->link);
	timer->queued = false;
}

static void time_passes(ktime_t to)
{
	model_now = max(model_now, to) + 1;
}

static void fire_timer(unsigned int nr)
{
	struct hrtimer *t;

	list_for_each_entry(t, &timers, link) {
		if (nr--)
			continue;
		time_passes(t->expires);
		list_del(&t->link);
		t->queued = false;
		t->function(t);
		return;
	}
}

static void fire_delayed(unsigned int nr)
{
	struct delayed_work *d;

	list_for_each_entry(d, &delayed, link) {
		if (nr--)
			continue;
		time_passes(d->expires);
		list_del(&d->link);
		d->armed = false;
		queue_work(NULL, &d->work);
		return;
	}
}

static unsigned int count(const struct list_head *list)
{
	const struct list_head *l;
	unsigned int n = 0;

	for (l = list->next; l != list; l = l->next)
		n++;
	return n;
}

static void run_work(void *arg)
{
	struct work_struct *work = arg;

	work->fn(work);		/* may be gone afterwards */
}

static bool start_work(unsigned int nr)
{
	struct work_struct *w;
	struct co *co;

	list_for_each_entry(w, &works, link) {
		if (nr--)
			continue;
		if (!not_running(w))
			return false;
		co = co_new(run_work, w);
		if (!co)
			return false;
		list_del(&w->link);
		w->pending = false;
		co->work = w;
		co_run(co);
		return true;
	}
	return false;
}

/* The choice --------------------------------------------------------------------------------- */

static bool runnable(struct co *co)
{
	bool yes;

	if (!co->live || co->asleep > model_steps)
		return false;
	current = &co->task;
	yes = !co->cond || co->cond(co->cond_arg);
	current = NULL;
	return yes;
}

static unsigned int list_runnable(struct co **list)
{
	unsigned int i, n = 0;

	for (i = 0; i < MAX_CO; i++)
		if (runnable(&cos[i]))
			list[n++] = &cos[i];
	return n;
}

/* Return: true if somebody slept */
static bool wake_all(void)
{
	bool slept = false;
	unsigned int i;

	for (i = 0; i < MAX_CO; i++) {
		slept |= cos[i].live && cos[i].asleep > model_steps;
		cos[i].asleep = 0;
	}
	return slept;
}

static unsigned int startable_works(void)
{
	struct work_struct *w;
	unsigned int n = 0;

	list_for_each_entry(w, &works, link)
		n += not_running(w);
	return n;
}

static void fire_slow(void)
{
	unsigned int nt = count(&timers), nd = count(&delayed);
	unsigned int k = model_rand() % (nt + nd);

	if (k < nt)
		fire_timer(k);
	else
		fire_delayed(k - nt);
}

bool sched_step(void)
{
	unsigned int nw = count(&works), nl = lm_events(), nr, k;
	bool slow = !list_empty(&timers) || !list_empty(&delayed);
	struct co *co[MAX_CO];

	nr = list_runnable(co);
	if (!nr && !nl && !startable_works()) {
		if (wake_all())
			return true;
		if (slow)
			fire_slow();
		return slow;
	}
	/* timers are slow, or nothing would ever be used in time; workers are slower */
	if (!list_empty(&timers) && !(model_rand() % 64)) {
		fire_timer(model_rand() % count(&timers));
		return true;
	}
	if (!list_empty(&delayed) && !(model_rand() % W.worker)) {
		fire_delayed(model_rand() % count(&delayed));
		return true;
	}
	k = model_rand() % (nr + nl + nw);
	if (k < nr)
		co_run(co[k]);
	else if (k < nr + nl)
		lm_fire(k - nr);
	else
		start_work(k - nr - nl);
	model_now += NSEC_PER_USEC;
	return true;
}

void sched_reset(void)
{
	unsigned int i;

	for (i = 0; i < MAX_CO; i++)
		cos[i].live = false;
	INIT_LIST_HEAD(&works);
	INIT_LIST_HEAD(&delayed);
	INIT_LIST_HEAD(&timers);
	model_atomic = 0;
	model_now = NSEC_PER_MSEC;
	model_steps = 0;
	model_error = NULL;
}

void sched_print(void)
{
	unsigned int i;

	for (i = 0; i < MAX_CO; i++)
		if (cos[i].live)
			printf("#  task %u%s%s\n", i, cos[i].work ? " work" : "",
			       runnable(&cos[i]) ? "" : " waits");
	printf("#  %u works, %u delayed, %u timers\n", count(&works), count(&delayed),
	       count(&timers));
}

/* Arrays with holes ------------------------------------------------------------------------------ */

void *xa_find(struct xarray *xa, unsigned long *index, unsigned long max, int filter)
{
	unsigned int i;

	for (i = 0; i < xa->nr; i++) {
		if (xa->e[i].index < *index)
			continue;
		if (xa->e[i].index > max)
			return NULL;
		*index = xa->e[i].index;
		return xa->e[i].entry;
	}
	return NULL;
}

void *xa_load(struct xarray *xa, unsigned long index)
{
	return xa_find(xa, &index, index, XA_PRESENT);
}

void *__xa_cmpxchg(struct xarray *xa, unsigned long index, void *old, void *entry,
		   gfp_t gfp)
{
	void *found = xa_load(xa, index);
	unsigned int i = xa->nr;

	if (found != old)
		return found;
	if (xa->nr == MAX_ENTRIES)
		violated("model: too many entries");
	if (xa->nr == MAX_ENTRIES || model_no_memory())
		return ERR_PTR(-ENOMEM);
	for (; i && xa->e[i - 1].index > index; i--)
		xa->e[i] = xa->e[i - 1];
	xa->e[i].index = index;
	xa->e[i].entry = entry;
	xa->nr++;
	return old;
}

void __xa_erase(struct xarray *xa, unsigned long index)
{
	unsigned int i = 0;

	while (i < xa->nr && xa->e[i].index != index)
		i++;
	if (i == xa->nr)
		return;
	for (xa->nr--; i < xa->nr; i++)
		xa->e[i] = xa->e[i + 1];
}
