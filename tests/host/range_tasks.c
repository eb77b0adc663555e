// SPDX-License-Identifier: GPL-2.0-only
/*
 * What programs on the nodes do: read(), write(), loads and stores through page tables,
 * truncate, and what goes on by itself: write-back, read-ahead, eviction.  The order of
 * the steps is that of fs/file.c, fs/mmap.c and fs/truncate.c.
 *
 * After each step tasks_check() looks whether any node has what another excludes.
 */
#include "range_model.h"

#define MAX_TRIES	2000	/* of a fault before it is a live-lock */
#define INO		7

/** struct access - a range that a task holds, or waits for */
struct access {
	struct list_head link;
	struct node *node;
	pgoff_t first, last;
	enum cohfs_mode mode;
	bool held;
	unsigned int overtaken;
};

struct node {
	unsigned int nr;
	struct cohfs_sb cs;
	struct cohfs_lockspace ls;
	struct inode *inode;
	struct rw_semaphore resize;	/* tasks of one node are not excluded by locks */
	unsigned int tasks;
	unsigned int phases;
};

static struct node nodes[MAX_NODES];
static LIST_HEAD(accesses);
static unsigned int most_overtaken;
static struct workqueue_struct glue_queue;

/* Inodes ------------------------------------------------------------------------------ */

struct inode *igrab(struct inode *inode)
{
	if (inode->freeing)
		return NULL;
	inode->count++;
	return inode;
}

void iput(struct inode *inode)
{
	inode->count--;
}

static struct attr *attr_of(struct cohfs_lock *lk)
{
	return container_of(lk, struct attr, lk);
}

static int attr_give_up(struct cohfs_lock *lk, enum cohfs_mode from, enum cohfs_mode to)
{
	if (to < COHFS_PR)
		attr_of(lk)->valid = false;
	return 0;
}

static void attr_free(struct cohfs_lock *lk)
{
	free(attr_of(lk));
}

static const struct cohfs_lock_ops attr_ops = {
	.give_up = attr_give_up,
	.free = attr_free,
};

int cohfs_attr_lock(struct inode *inode, enum cohfs_mode mode)
{
	struct attr *attr = COHFS_I(inode)->attr;
	int err = cohfs_lock_acquire(&attr->lk, mode, 0);

	if (!err && !attr->valid) {
		attr->size = W.size;
		attr->valid = true;
	}
	return err;
}

bool cohfs_attr_trylock(struct inode *inode)
{
	struct attr *attr = COHFS_I(inode)->attr;

	if (cohfs_lock_acquire(&attr->lk, COHFS_PR, COHFS_LK_TRY))
		return false;
	if (attr->valid)
		return true;
	cohfs_lock_release(&attr->lk, COHFS_PR);
	return false;
}

void cohfs_attr_unlock(struct inode *inode, enum cohfs_mode mode)
{
	cohfs_lock_release(&COHFS_I(inode)->attr->lk, mode);
}

void cohfs_attr_unlock_done(struct inode *inode, enum cohfs_mode mode)
{
	cohfs_lock_release_done(&COHFS_I(inode)->attr->lk, mode);
}

static struct inode *new_inode(struct node *node)
{
	struct cohfs_inode *ci = calloc(1, sizeof(*ci));
	struct inode *inode = &ci->ci_vfs;

	inode->i_ino = INO;
	inode->i_sb = node->cs.sb;
	inode->i_mapping = &inode->i_data;
	inode->i_data.host = inode;
	INIT_LIST_HEAD(&ci->ci_holds);
	cohfs_rtree_init_once(&ci->ci_ranges);
	while (cohfs_rtree_begin(inode))
		;
	ci->attr = calloc(1, sizeof(*ci->attr));
	while (cohfs_lock_init(&ci->attr->lk, &node->ls, &attr_ops, COHFS_LT_INODE, INO, 0))
		;
	return inode;
}

static bool not_grabbed(void *arg)
{
	return !((struct inode *)arg)->count;
}

static void evict(struct node *node)
{
	struct inode *inode = node->inode;
	struct attr *attr = COHFS_I(inode)->attr;

	model_wait(not_grabbed, inode);
	model_trace("node %u evicts", node->nr);
	inode->freeing = true;
	filemap_write_and_wait_range(inode->i_mapping, 0, S64_MAX);
	cohfs_extmap_forget(&COHFS_I(inode)->ci_extmap, 0, U64_MAX);
	truncate_inode_pages_range(inode->i_mapping, 0, S64_MAX);
	cohfs_rtree_end(inode);
	cohfs_lock_drop(&attr->lk);
	node->inode = NULL;
	free(COHFS_I(inode));
}

/* What may be seen ------------------------------------------------------------------------ */

static bool in_file(struct node *node, pgoff_t page)
{
	bool in = page < COHFS_I(node->inode)->attr->size;

	if (in != (page < W.size))
		violated("a range is held, and the size is not true");
	return in;
}

static void look(struct folio *folio, pgoff_t index)
{
	if (*folio_version(folio, index) != W.newest[index])
		violated("an old page is read");
}

static void change(struct folio *folio, pgoff_t index)
{
	look(folio, index);
	*folio_version(folio, index) = ++W.newest[index];
}

/* Ranges ------------------------------------------------------------------------------------ */

static bool excludes(const struct access *a, const struct access *b)
{
	return a->node != b->node && a->first <= b->last && b->first <= a->last &&
	       (a->mode == COHFS_EX || b->mode == COHFS_EX);
}

static void begin_access(struct access *a, struct node *node, pgoff_t first, pgoff_t last,
			 enum cohfs_mode mode)
{
	*a = (struct access) { .node = node, .first = first, .last = last, .mode = mode };
	list_add_tail(&a->link, &accesses);
}

static void note_held(struct access *a)
{
	struct access *b;

	a->held = true;
	list_for_each_entry(b, &accesses, link) {
		if (!excludes(a, b))
			continue;
		if (b->held)
			violated("two tasks hold what excludes each other");
		most_overtaken = max(most_overtaken, ++b->overtaken);
	}
}

static int hold(struct access *a, struct cohfs_range_hold *hold, struct node *node,
		pgoff_t first, pgoff_t last, enum cohfs_mode mode, unsigned int flags)
{
	pgoff_t page;
	int err;

	begin_access(a, node, first, last, mode);
	model_trace("node %u wants %s %lu-%ld flags %x", node->nr, cohfs_mode_name(mode),
		    first, (long)last, flags);
	err = cohfs_range_lock(hold, node->inode, first, last, mode, flags);
	model_trace("node %u %s %lu-%ld: %d, %u locks", node->nr, cohfs_mode_name(mode),
		    first, (long)last, err, hold->nr);
	if (err) {
		if (err == -EIO)
			violated("-EIO for no reason");
		list_del(&a->link);
		return err;
	}
	note_held(a);
	if (!(flags & COHFS_RANGE_ATTR))
		down_read(&node->resize);
	for (page = first; page <= last && page < NR_PAGES; page++)
		in_file(node, page);
	if (hold->span_first > first || hold->span_last < last)
		violated("less is held than was asked for");
	return 0;
}

static void let_go(struct access *a, struct cohfs_range_hold *hold, bool unused)
{
	up_read(&a->node->resize);
	list_del(&a->link);
	if (unused)
		cohfs_range_unlock_unused(hold);
	else
		cohfs_range_unlock(hold);
}

/* While a range is held, parts of it can be had once more without waiting. */
static void hold_again(struct node *node, const struct access *outer)
{
	struct cohfs_range_hold inner;
	int err;

	if (model_rand() % 4)
		return;
	err = cohfs_range_lock(&inner, node->inode, outer->first, outer->first,
			       outer->mode, COHFS_RANGE_KEEP);
	if (!err)
		cohfs_range_unlock(&inner);
	else if (err != -ENOMEM)
		violated("a task does not get what it has");
}

/* read(), write(), truncate ---------------------------------------------------------------- */

static struct folio *page_under_hold(struct node *node, const struct cohfs_range_hold *hold,
				     pgoff_t page, bool large)
{
	struct folio *folio;

	pages_map(node->inode, model_rand() % 2 ? page : hold->span_first,
		  model_rand() % 2 ? page : hold->span_last);
	pages_map(node->inode, page, page);
	folio = pages_read(node->inode, page, large);
	if (!folio)
		violated("the place of a page was forgotten under a hold");
	return folio;
}

static void read_page(struct node *node, const struct cohfs_range_hold *hold, pgoff_t page)
{
	struct folio *folio;

	if (!in_file(node, page))
		return;
	folio = page_under_hold(node, hold, page, false);
	if (!folio)
		return;
	model_pause();
	look(folio, page);
	pages_put(folio);
}

static void write_page(struct node *node, const struct cohfs_range_hold *hold, pgoff_t page)
{
	struct folio *folio;

	if (!in_file(node, page))
		return;
	folio = page_under_hold(node, hold, page, cohfs_range_is_file(hold));
	if (!folio)
		return;
	pages_lock(folio);
	if (folio->mapping != node->inode->i_mapping) {
		violated("a page went away under a hold");
	} else {
		folio->dirty = true;
		model_pause();
		change(folio, page);
	}
	pages_unlock(folio);
	pages_put(folio);
}

static void read_write(struct node *node, pgoff_t first, pgoff_t last, enum cohfs_mode mode,
		       unsigned int flags)
{
	struct cohfs_range_hold range;
	struct access a;
	pgoff_t page;

	if (hold(&a, &range, node, first, last, mode, flags))
		return;
	if (!(flags & COHFS_RANGE_BRIEF))
		hold_again(node, &a);
	for (page = first; page <= last && page < NR_PAGES && !model_error; page++) {
		if (mode == COHFS_PR)
			read_page(node, &range, page);
		else
			write_page(node, &range, page);
	}
	if (mode == COHFS_EX)
		cohfs_range_note_store(&range);
	if (!(flags & COHFS_RANGE_BRIEF))
		hold_again(node, &a);
	let_go(&a, &range, false);
}

static void set_size(struct node *node, unsigned int size)
{
	pgoff_t page, first = min(size, W.size), end = max(size, W.size);

	cohfs_extmap_forget(&COHFS_I(node->inode)->ci_extmap, first, NR_PAGES);
	pages_truncate(node->inode, first, NR_PAGES);
	W.size = size;
	COHFS_I(node->inode)->attr->size = size;
	for (page = first; page < end; page++)
		W.disk[page] = ++W.newest[page];
}

static void truncate(struct node *node, unsigned int size)
{
	struct cohfs_range_hold range;
	struct access a;
	pgoff_t first;

	if (cohfs_attr_lock(node->inode, COHFS_EX))
		return;
	first = min(size, W.size);
	if (!hold(&a, &range, node, first, COHFS_RANGE_END, COHFS_EX, COHFS_RANGE_ATTR)) {
		model_trace("node %u size %u", node->nr, size);
		down_write(&node->resize);
		set_size(node, size);
		up_write(&node->resize);
		list_del(&a.link);
		cohfs_range_unlock(&range);
	}
	cohfs_attr_unlock(node->inode, COHFS_EX);
}

/* Loads and stores ---------------------------------------------------------------------------- */

/* The processor does it by itself. */
static bool access_pte(struct node *node, pgoff_t page, bool store)
{
	struct folio *folio = node->inode->i_mapping->slot[page];

	if (!folio || *folio_pte(folio, page) < (store ? PTE_WRITE : PTE_READ))
		return false;
	if (store)
		change(folio, page);
	else
		look(folio, page);
	return true;
}

static void unmap_page(struct node *node, pgoff_t page)
{
	unmap_mapping_range(node->inode->i_mapping, (loff_t)page << PAGE_SHIFT, PAGE_SIZE, 0);
}

/* A store makes all of the folio dirty, so all of it must have a place. */
static void check_places(struct node *node, struct folio *folio)
{
	pgoff_t i;

	for (i = 0; folio->mapping && i < folio->nr; i++)
		if (!COHFS_I(node->inode)->ci_extmap.known[folio->index + i])
			violated("the place of a page beside the one that is stored to is unknown");
}

/* page_mkwrite(); @folio is mapped for reading, or about to be mapped */
static void make_writable(struct node *node, struct folio *folio, pgoff_t page, bool mapped)
{
	struct cohfs_range_hold range;
	struct access a;

	if (hold(&a, &range, node, page, page, COHFS_EX, COHFS_RANGE_ASYNC)) {
		cohfs_range_note_upgrade(node->inode, page);
		unmap_page(node, page);
		return;
	}
	if (!COHFS_I(node->inode)->ci_extmap.known[page] || !in_file(node, page)) {
		let_go(&a, &range, true);
		unmap_page(node, page);
		return;
	}
	cohfs_range_note_store(&range);
	pages_lock(folio);
	if (!folio->mapping) {
		pages_unlock(folio);
		let_go(&a, &range, true);
		return;
	}
	check_places(node, folio);
	folio->dirty = true;
	let_go(&a, &range, false);
	/* the page table entry is put in when the range has been let go */
	if (!mapped || *folio_pte(folio, page) == PTE_READ)
		*folio_pte(folio, page) = PTE_WRITE;
	pages_unlock(folio);
}

/* What is missing is fetched, then the access is repeated.  Return: false: no more */
static bool fault_wait(struct node *node, pgoff_t page, enum cohfs_mode mode)
{
	struct cohfs_range_hold range;
	struct folio *folio;
	struct access a;
	bool in;
	int err = hold(&a, &range, node, page, page, mode, 0);

	if (err)
		return err != -EINTR;
	in = in_file(node, page);
	if (in) {
		folio = page_under_hold(node, &range, page, false);
		if (folio)
			pages_put(folio);
	}
	let_go(&a, &range, true);
	return in;
}

/* The right and the place of the page are here.  Return: false: no such page */
static bool fault_finish(struct node *node, struct access *a, struct cohfs_range_hold *range,
			 pgoff_t page, bool store)
{
	struct folio *folio;

	if (!in_file(node, page)) {
		let_go(a, range, true);
		return false;
	}
	folio = pages_read(node->inode, page, false);
	if (!folio) {
		let_go(a, range, true);
		violated("the place of a page was forgotten under a hold");
		return false;
	}
	if (store) {
		let_go(a, range, true);
		make_writable(node, folio, page, false);
	} else {
		pages_lock(folio);
		let_go(a, range, false);
		if (folio->mapping)
			*folio_pte(folio, page) = max_t(u8, *folio_pte(folio, page), PTE_READ);
		pages_unlock(folio);
	}
	pages_put(folio);
	return true;
}

/* Return: false if there is no such page, or the task was killed */
static bool fault(struct node *node, pgoff_t page, bool store)
{
	struct folio *folio = store ? pages_find(node->inode, page) : NULL;
	struct cohfs_range_hold range;
	enum cohfs_mode mode;
	struct access a;
	int err;

	if (folio && *folio_pte(folio, page) == PTE_READ) {
		make_writable(node, folio, page, true);
		pages_put(folio);
		return true;
	}
	if (folio)
		pages_put(folio);
	mode = store || cohfs_range_migrates(node->inode, page) ? COHFS_EX : COHFS_PR;
	err = hold(&a, &range, node, page, page, mode, COHFS_RANGE_TRY);
	if (!err && COHFS_I(node->inode)->ci_extmap.known[page])
		return fault_finish(node, &a, &range, page, store);
	if (!err)
		let_go(&a, &range, true);
	return fault_wait(node, page, mode);
}

static void load_or_store(struct node *node, pgoff_t page, bool store)
{
	unsigned int tries = 0;

	do {
		model_pause();
		if (access_pte(node, page, store)) {
			if (!store)
				cohfs_range_used(node->inode, page);
			return;
		}
		if (tries++ == MAX_TRIES)
			violated("a load or store is repeated for ever");
	} while (!current->killed && !model_error && fault(node, page, store));
}

/* What goes on by itself ------------------------------------------------------------------------- */

static void fault_around(struct node *node)
{
	pgoff_t page;

	for (page = 0; page < NR_PAGES; page++) {
		struct folio *folio = node->inode->i_mapping->slot[page];

		if (folio && folio->uptodate && !folio->locked && page < W.size)
			*folio_pte(folio, page) = max_t(u8, *folio_pte(folio, page), PTE_READ);
	}
}

static void read_ahead(struct node *node)
{
	struct rw_semaphore *sem = &node->inode->i_mapping->invalidate_lock;
	pgoff_t page = model_rand() % NR_PAGES;
	struct folio *folio;

	down_read(sem);
	if (COHFS_I(node->inode)->ci_extmap.known[page]) {
		folio = pages_read(node->inode, page, false);
		if (folio)
			pages_put(folio);
	}
	up_read(sem);
}

static void write_back(struct node *node)
{
	filemap_write_and_wait_range(node->inode->i_mapping, 0, S64_MAX);
}

/* Tasks -------------------------------------------------------------------------------------------- */

static pgoff_t some_page(void)
{
	if (W.hot)
		return model_rand() % 6;
	/* some are wanted more often than others */
	return model_rand() % 3 ? model_rand() % 5 : model_rand() % NR_PAGES;
}

static pgoff_t some_end(pgoff_t first)
{
	switch (model_rand() % 8) {
	case 0:
		return COHFS_RANGE_END;
	case 1:
		return first + model_rand() % NR_PAGES;
	case 2:
		return cohfs_rt_last(COHFS_RT_REGION, cohfs_rt_index(COHFS_RT_REGION, first));
	default:
		return first + model_rand() % 3;
	}
}

static void call(struct node *node)
{
	static const unsigned int no_wait[] = { COHFS_RANGE_TRY, COHFS_RANGE_ASYNC,
						COHFS_RANGE_KEEP };
	enum cohfs_mode mode = model_rand() % 2 ? COHFS_PR : COHFS_EX;
	pgoff_t first = model_rand() % 6 ? some_page() : 0;
	unsigned int flags = model_rand() % 3 ? 0 : no_wait[model_rand() % 3], i;

	if (flags && model_rand() % 2) {
		/* ask for all of it, and see later whether it is there */
		read_write(node, 0, model_rand() % 2 ? COHFS_RANGE_END : first, mode,
			   COHFS_RANGE_ASYNC);
		for (i = model_rand() % 256; i; i--)
			model_pause();
		first = 0;
		flags = COHFS_RANGE_TRY;
	}
	if (model_rand() % 2)
		flags |= COHFS_RANGE_BRIEF;
	if (!(model_rand() % 8))
		first = cohfs_rt_first(COHFS_RT_REGION, cohfs_rt_index(COHFS_RT_REGION, first));
	read_write(node, first, some_end(first), mode, flags);
}

static void one_thing(struct node *node)
{
	pgoff_t page = some_page();

	if (!(model_rand() % 4))
		read_ahead(node);
	if (W.hot && model_rand() % 16) {
		if (model_rand() % 2)
			load_or_store(node, page, model_rand() % 4);
		else
			read_write(node, page, page + model_rand() % 2,
				   model_rand() % 2 ? COHFS_PR : COHFS_EX,
				   model_rand() % 2 ? COHFS_RANGE_BRIEF : 0);
		return;
	}
	switch (model_rand() % 16) {
	case 0:
		truncate(node, model_rand() % (NR_PAGES + 1));
		break;
	case 1:
		fault_around(node);
		break;
	case 2:
		read_ahead(node);
		break;
	case 3:
		write_back(node);
		break;
	case 4 ... 9:
		load_or_store(node, some_page(), model_rand() % 2);
		break;
	default:
		call(node);
		break;
	}
}

static void task(void *arg)
{
	struct node *node = arg;
	unsigned int n = 1 + model_rand() % (W.hot ? 16 : 5);

	while (n-- && !current->killed && !model_error)
		one_thing(node);
	node->tasks--;
}

static bool no_tasks(void *arg)
{
	return !((struct node *)arg)->tasks;
}

static void life(void *arg)
{
	struct node *node = arg;

	while (node->phases-- && !model_error) {
		node->inode = new_inode(node);
		node->tasks = 1 + model_rand() % 3;
		for (unsigned int n = node->tasks; n; n--)
			sched_start(task, node);
		model_wait(no_tasks, node);
		evict(node);
	}
	cohfs_rcache_stop(&node->cs);
}

static void start_node(struct node *node, unsigned int nr, unsigned int phases)
{
	unsigned int t;

	memset(node, 0, sizeof(*node));
	node->nr = nr;
	node->phases = phases;
	node->cs.sb = &node->cs.sb_space;
	node->cs.ls = &node->ls;
	node->ls.ls_be = &lm_backend;
	node->ls.ls_nodeid = nr;
	INIT_LIST_HEAD(&node->ls.ls_locks);
	INIT_WORK(&node->ls.ls_free_work, ls_free_work);
	for (t = 0; t < COHFS_NR_LOCK_TYPES; t++)
		node->ls.ls_revoke_wq[t] = &glue_queue;
	node->ls.ls_grant_wq = &glue_queue;
	node->ls.ls_free_wq = &glue_queue;
	if (cohfs_rcache_init(&node->cs))
		violated("model: no memory at the beginning");
	sched_start(life, node);
}

void tasks_begin(unsigned int phases)
{
	struct budget may = W.may;
	unsigned int i;

	INIT_LIST_HEAD(&accesses);
	most_overtaken = 0;
	memset(&W.may, 0, sizeof(W.may));
	for (i = 0; i < W.nr; i++)
		start_node(&nodes[i], i, phases);
	W.may = may;
}

void tasks_end(void)
{
	unsigned int i;

	for (i = 0; i < W.nr; i++)
		cohfs_rcache_free(&nodes[i].cs);
}

unsigned int tasks_overtaken(void)
{
	return most_overtaken;
}

/* The oracle ------------------------------------------------------------------------------------------ */

static struct cohfs_rnode *node_at(struct inode *inode, enum cohfs_rt_level level, pgoff_t page)
{
	struct cohfs_rtree *tree = &COHFS_I(inode)->ci_ranges;

	if (level == COHFS_RT_FILE)
		return tree->root;
	return xa_load(&tree->nodes[level - 1], cohfs_rt_index(level, page));
}

/* Is there a lock in @mode that is used, with its intents above? */
static bool covered(struct inode *inode, pgoff_t page, enum cohfs_mode mode)
{
	enum cohfs_rt_level level;

	for (level = COHFS_RT_FILE; level < COHFS_NR_RT_LEVELS; level++) {
		struct cohfs_rnode *node = node_at(inode, level, page);

		if (!node || !node->valid)
			return false;
		if (cohfs_mode_covers(node->lk.lk_fsm.granted, mode))
			return true;
		if (!cohfs_mode_covers(node->lk.lk_fsm.granted, cohfs_rt_intent(mode)))
			return false;
	}
	return false;
}

static void check_page(struct node *node, pgoff_t page)
{
	struct folio *folio = node->inode->i_mapping->slot[page];
	u8 pte = folio ? *folio_pte(folio, page) : PTE_NONE;
	bool dirty = folio && (folio->dirty || folio->writeback || pte == PTE_WRITE);

	if (dirty && !covered(node->inode, page, COHFS_EX))
		violated("a page is dirty or writable and not covered");
	if (folio && (folio->uptodate || pte) &&
	    !covered(node->inode, page, COHFS_PR))
		violated("a page is in core and not covered");
	if (folio && pte == PTE_WRITE && !folio->dirty)
		violated("a page is writable and clean");
	if (COHFS_I(node->inode)->ci_extmap.known[page] &&
	    !covered(node->inode, page, COHFS_PR))
		violated("the place of a page is known and not covered");
}

/* 0: nothing, 1: may be looked at, 2: may be changed */
static unsigned int cached(struct node *node, pgoff_t page)
{
	struct folio *folio = node->inode ? node->inode->i_mapping->slot[page] : NULL;

	if (!folio || !folio->uptodate)
		return 0;
	return folio->dirty || *folio_pte(folio, page) == PTE_WRITE ? 2 : 1;
}

void tasks_check(void)
{
	unsigned int i, sum, most;
	pgoff_t page;

	for (page = 0; page < NR_PAGES; page++) {
		sum = 0;
		most = 0;
		for (i = 0; i < W.nr; i++) {
			if (nodes[i].inode && !nodes[i].inode->freeing)
				check_page(&nodes[i], page);
			sum += cached(&nodes[i], page);
			most = max(most, cached(&nodes[i], page));
		}
		if (most == 2 && sum > 2)
			violated("a page is changed on one node and in core on another");
	}
}

static const char *const pte_names[] = {
	[PTE_NONE] = "", [PTE_READ] = "r", [PTE_WRITE] = "w"
};

void tasks_print(void)
{
	unsigned int i;
	pgoff_t page;

	printf("#  size %u newest", W.size);
	for (page = 0; page < NR_PAGES; page++)
		printf(" %u/%u", W.newest[page], W.disk[page]);
	printf("\n");
	for (i = 0; i < W.nr; i++) {
		printf("#  node %u tasks %u phases %d:", i, nodes[i].tasks,
		       (int)nodes[i].phases);
		for (page = 0; nodes[i].inode && page < NR_PAGES; page++) {
			struct folio *f = nodes[i].inode->i_mapping->slot[page];

			if (f)
				printf(" %lu:v%u%s%s%s%s", page, *folio_version(f, page),
				       f->uptodate ? "" : "!", f->dirty ? "d" : "",
				       f->writeback ? "b" : "",
				       pte_names[*folio_pte(f, page)]);
		}
		printf("\n");
	}
}
