// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random schedules for the real code of fresh blocks (fs/fresh.c) on a modelled file, journal
 * and disk.  Tasks write to the file, by calls and by stores, clean and reclaim its pages, punch
 * it and read it, while transactions commit; requests to the disk take effect at any time until
 * they end, in any order.  At last the inode leaves core.
 *
 * What is read is what was written, or zero.  A block that a committed map has holds something
 * of this file, or zero.  Nothing is zeroed or written that belongs to another file.
 *
 * COHFS_SEED and COHFS_RUNS repeat a run.
 */
#include "glue_check.h"
#include "fresh.h"

#define SECTORS		(1u << (COHFS_BLOCK_SHIFT - 9))
#define MAX_REQUESTS	32
#define STALE		0xffu
#define OTHERS		0xeeu

enum owner { FREE, OURS, FREED, THEIRS };

/* Two bytes of a block, of which calls write one and stores the other */
struct content { u8 part[2]; };

struct page {
	struct mutex lock;
	bool cached;
	bool dirty;
	bool writeback;
	struct content data;
};

struct request {
	struct bio *bio;	/* of zeroes, else: */
	struct page *page;	/* write-back of @data */
	u64 blk;
	struct content data;
};

static struct cohfs_sb sb_private;
static struct block_device bdev;
static struct super_block sb = { .s_bdev = &bdev, .s_fs_info = &sb_private };

static struct {
	struct cohfs_inode inode;
	struct page page[NR_BLOCKS];
	u64 map[NR_BLOCKS];		/* 0: a hole */
	struct content file[NR_BLOCKS];	/* as programs see it */
	struct mutex rwsem;		/* i_rwsem */
	unsigned int stores;		/* invalidate_lock, shared */
	bool punches;			/* or exclusive */

	struct content disk[NR_DISK];
	enum owner owner[NR_DISK];
	struct request request[MAX_REQUESTS];
	unsigned int nr_requests;

	handle_t running;
	unsigned int handles;
	bool locked;			/* no new handles for a while */
	bool freed_running[NR_DISK];
	bool freed_committing[NR_DISK];
	u64 committing[NR_BLOCKS];	/* the map, as the transaction leaves it */
	unsigned int wanted;		/* commits */

	unsigned int busy;		/* tasks that have not ended */
	bool evicted;
	u8 version;
	const char *wrong;
} M;

void model_violated(const char *what)
{
	if (!M.wrong)
		M.wrong = what;
}

bool model_no_memory(void)
{
	return sched_rand() % 64 == 0;
}

/* The disk ---------------------------------------------------------------------------- */

static void apply(const struct request *rq)
{
	if (M.owner[rq->blk] == THEIRS)
		model_violated(rq->bio ? "another file's block is zeroed" :
					 "another file's block is written");
	M.disk[rq->blk] = rq->data;
	if (rq->bio)
		rq->bio->pending--;
	else
		rq->page->writeback = false;
}

/* One of the requests takes effect and ends. */
static bool disk_works(void)
{
	unsigned int i;

	if (!M.nr_requests)
		return false;
	i = sched_rand() % M.nr_requests;
	apply(&M.request[i]);
	M.request[i] = M.request[--M.nr_requests];
	return true;
}

static void submit(const struct request *rq)
{
	if (M.nr_requests == MAX_REQUESTS)
		disk_works();
	M.request[M.nr_requests++] = *rq;
}

int __blkdev_issue_zeroout(struct block_device *dev, sector_t sector, sector_t count,
			   gfp_t gfp, struct bio **bio, unsigned int flags)
{
	u64 blk = sector / SECTORS, end = blk + count / SECTORS;

	if (!*bio) {
		*bio = calloc(1, sizeof(**bio));
		(*bio)->refused = sched_rand() % 8 == 0;
	}
	for (; blk < end && !(*bio)->refused; blk++) {
		struct request rq = { .bio = *bio, .blk = blk };

		(*bio)->pending++;
		submit(&rq);
	}
	return 0;
}

static bool bio_ended(void *bio)
{
	return !((struct bio *)bio)->pending;
}

int submit_bio_wait(struct bio *bio)
{
	sched_wait(bio_ended, bio);
	return bio->refused ? -EOPNOTSUPP : 0;
}

int blkdev_issue_zeroout(struct block_device *dev, sector_t sector, sector_t count,
			 gfp_t gfp, unsigned int flags)
{
	struct bio *bio = NULL;
	int err;

	do {
		if (bio)
			bio_put(bio);
		bio = NULL;
		__blkdev_issue_zeroout(dev, sector, count, gfp, &bio, flags);
		err = submit_bio_wait(bio);
	} while (err);
	bio_put(bio);
	return 0;
}

/* Runs of blocks ------------------------------------------------------------------------ */

void cohfs_extmap_init(struct cohfs_extmap *em)
{
	memset(em, 0, sizeof(*em));
}

static void count_runs(struct cohfs_extmap *em)
{
	u64 i;

	for (em->count = i = 0; i < NR_BLOCKS; i++)
		em->count += em->blk[i] != 0;
}

void cohfs_extmap_forget(struct cohfs_extmap *em, u64 first, u64 last)
{
	sched_pause();
	for (; first <= last && first < NR_BLOCKS; first++)
		em->blk[first] = 0;
	count_runs(em);
}

int cohfs_extmap_put(struct cohfs_extmap *em, const struct cohfs_mapping *m)
{
	u64 i;

	sched_pause();
	if (model_no_memory())
		return -ENOMEM;
	for (i = 0; i < m->len; i++)
		em->blk[m->first + i] = m->blk + i;
	count_runs(em);
	return 0;
}

bool cohfs_extmap_next(struct cohfs_extmap *em, u64 lblk, struct cohfs_mapping *m)
{
	sched_pause();
	for (; lblk < NR_BLOCKS; lblk++) {
		if (!em->blk[lblk])
			continue;
		*m = (struct cohfs_mapping) { .first = lblk, .len = 1, .blk = em->blk[lblk] };
		return true;
	}
	return false;
}

void cohfs_extmap_move(struct cohfs_extmap *from, struct cohfs_extmap *to)
{
	sched_pause();
	if (to->count)
		model_violated("what is being zeroed is overwritten");
	*to = *from;
	memset(from, 0, sizeof(*from));
}

/* The journal ------------------------------------------------------------------------------ */

static bool may_begin(void *unused)
{
	return !M.locked;
}

handle_t *cohfs_trans_begin(struct cohfs_sb *cs, int credits)
{
	sched_wait(may_begin, NULL);
	M.handles++;
	return &M.running;
}

int cohfs_trans_end(handle_t *handle)
{
	sched_pause();
	M.handles--;
	return 0;
}

int cohfs_log_commit(struct cohfs_sb *cs, bool wait)
{
	M.wanted++;
	return 0;
}

/* The only one there is, while it exists */
static struct jbd2_inode *known;

int cohfs_log_order(handle_t *handle, struct jbd2_inode *jinode, loff_t pos, loff_t len)
{
	known = jinode;
	jinode->running = true;
	return 0;
}

bool cohfs_log_commits(struct cohfs_sb *cs, struct jbd2_inode *jinode)
{
	return jinode->committing;
}

static bool not_called(void *jinode)
{
	return !((struct jbd2_inode *)jinode)->called;
}

void cohfs_log_order_end(struct cohfs_sb *cs, struct jbd2_inode *jinode)
{
	sched_wait(not_called, jinode);
	known = NULL;
}

static bool written_back(void *page)
{
	return !((struct page *)page)->writeback;
}

int jbd2_journal_finish_inode_data_buffers(struct jbd2_inode *jinode)
{
	int i;

	for (i = 0; i < NR_BLOCKS; i++)
		sched_wait(written_back, &M.page[i]);
	return 0;
}

static void call(int (*fn)(struct jbd2_inode *jinode))
{
	struct jbd2_inode *jinode = known;

	if (!jinode || !jinode->committing)
		return;
	jinode->called = true;
	if (fn(jinode))
		model_violated("the commit failed");
	jinode->called = false;
}

static bool no_handles(void *unused)
{
	return !M.handles;
}

/* The disk is full of what others have left; one of them may have it at once. */
static void hand_on(void)
{
	u64 blk;

	for (blk = 1; blk < NR_DISK; blk++) {
		if (!M.freed_committing[blk])
			continue;
		M.owner[blk] = sched_rand() % 2 ? THEIRS : FREE;
		memset(&M.disk[blk], M.owner[blk] == THEIRS ? OTHERS : STALE,
		       sizeof(M.disk[blk]));
	}
}

static void check_committed(void)
{
	int i;

	for (i = 0; i < NR_BLOCKS; i++)
		if (M.committing[i] && (M.disk[M.committing[i]].part[0] >= OTHERS ||
					M.disk[M.committing[i]].part[1] >= OTHERS))
			model_violated("a committed block holds what is not of this file");
}

static void commit(void)
{
	M.locked = true;
	sched_wait(no_handles, NULL);
	memcpy(M.committing, M.map, sizeof(M.map));
	memcpy(M.freed_committing, M.freed_running, sizeof(M.freed_running));
	memset(M.freed_running, 0, sizeof(M.freed_running));
	if (known) {
		known->committing = known->running;
		known->running = false;
	}
	M.locked = false;
	sched_pause();
	call(cohfs_fresh_submit);
	sched_pause();
	call(cohfs_fresh_finish);
	check_committed();
	hand_on();
	if (known)
		known->committing = false;
}

static bool commit_wanted(void *unused)
{
	return M.wanted || M.evicted || sched_rand() % 8 == 0;
}

static void committer(void *unused)
{
	while (!M.evicted) {
		sched_wait(commit_wanted, NULL);
		M.wanted = 0;
		commit();
	}
	commit();
	commit();
}

/* The file --------------------------------------------------------------------------------- */

static u64 free_block(void)
{
	u64 blk = 1 + sched_rand() % (NR_DISK - 1), i;

	for (i = 0; i < NR_DISK; i++, blk = blk % (NR_DISK - 1) + 1)
		if (M.owner[blk] == FREE)
			return blk;
	return 0;
}

/* As grow_once() in fs/extalloc.c */
static bool allocate(u64 lblk)
{
	struct inode *inode = &M.inode.ci_vfs;
	handle_t *handle;
	u64 blk;

	mutex_lock(&M.inode.ci_map_mutex);
	blk = M.map[lblk] ? 0 : free_block();
	if (!M.map[lblk] && blk) {
		handle = cohfs_trans_begin(COHFS_SB(inode->i_sb), 1);
		M.owner[blk] = OURS;
		if (cohfs_fresh_add(handle, inode, lblk, 1, blk))
			blkdev_issue_zeroout(&bdev, blk * SECTORS, SECTORS, GFP_NOFS, 0);
		M.map[lblk] = blk;
		cohfs_trans_end(handle);
	}
	mutex_unlock(&M.inode.ci_map_mutex);
	return M.map[lblk];
}

static struct content read_disk(u64 blk)
{
	sched_pause();
	return M.disk[blk];
}

/* Fill the page, which is locked: as iomap_read_folio(). */
static void fill(u64 lblk)
{
	struct page *page = &M.page[lblk];
	u64 len = 1, cookie;

	if (page->cached)
		return;
	if (!M.map[lblk] || cohfs_fresh_find(&M.inode.ci_vfs, lblk, &len, &cookie))
		page->data = (struct content) { };
	else
		page->data = read_disk(M.map[lblk]);
	page->cached = true;
}

/* As iomap_write_begin(): the mapping was looked up before the page was locked. */
static bool fill_for_write(u64 lblk)
{
	struct page *page = &M.page[lblk];
	struct iomap iomap;
	u64 len = 1;
	bool fresh = cohfs_fresh_find(&M.inode.ci_vfs, lblk, &len, &iomap.validity_cookie);

	sched_pause();
	mutex_lock(&page->lock);
	if (fresh && !cohfs_fresh_folio_ops.iomap_valid(&M.inode.ci_vfs, &iomap)) {
		mutex_unlock(&page->lock);
		return false;
	}
	if (!page->cached)
		page->data = fresh ? (struct content) { } : read_disk(M.map[lblk]);
	page->cached = true;
	return true;
}

static void change(u64 lblk, int part)
{
	struct page *page = &M.page[lblk];

	M.version = M.version % (OTHERS - 1) + 1;
	page->data.part[part] = M.version;
	M.file[lblk].part[part] = M.version;
	page->dirty = true;
}

static void write_call(u64 lblk)
{
	mutex_lock(&M.rwsem);
	if (allocate(lblk)) {
		while (!fill_for_write(lblk))
			;
		change(lblk, 0);
		mutex_unlock(&M.page[lblk].lock);
	}
	mutex_unlock(&M.rwsem);
}

static bool no_punch(void *unused)
{
	return !M.punches;
}

static bool no_store(void *unused)
{
	return !M.stores && !M.punches;
}

static void store(u64 lblk)
{
	sched_wait(no_punch, NULL);
	M.stores++;
	if (allocate(lblk)) {
		mutex_lock(&M.page[lblk].lock);
		fill(lblk);
		change(lblk, 1);
		mutex_unlock(&M.page[lblk].lock);
	}
	M.stores--;
}

static void look(u64 lblk)
{
	struct page *page = &M.page[lblk];

	mutex_lock(&page->lock);
	fill(lblk);
	/* while it is punched it may be either */
	if (!M.punches && memcmp(&page->data, &M.file[lblk], sizeof(page->data)))
		model_violated("what is read was not written");
	mutex_unlock(&page->lock);
}

/* As iomap_writepage_map() */
static void clean(u64 lblk)
{
	struct page *page = &M.page[lblk];
	struct request rq = { .page = page, .blk = M.map[lblk] };

	mutex_lock(&page->lock);
	if (page->dirty && !page->writeback) {
		page->writeback = true;
		page->dirty = false;
		cohfs_fresh_gone(&M.inode.ci_vfs, lblk, lblk);
		rq.blk = M.map[lblk];
		rq.data = page->data;
		submit(&rq);
	}
	mutex_unlock(&page->lock);
}

static void reclaim(u64 lblk)
{
	struct page *page = &M.page[lblk];

	mutex_lock(&page->lock);
	if (!page->dirty && !page->writeback)
		page->cached = false;
	mutex_unlock(&page->lock);
}

static void drop(u64 lblk)
{
	struct page *page = &M.page[lblk];

	mutex_lock(&page->lock);
	sched_wait(written_back, page);
	page->dirty = page->cached = false;
	M.file[lblk] = (struct content) { };
	mutex_unlock(&page->lock);
}

/* As shrink_once() in fs/extalloc.c, when the pages are gone */
static void punch(u64 lblk)
{
	handle_t *handle;

	mutex_lock(&M.rwsem);
	sched_wait(no_store, NULL);
	M.punches = true;
	drop(lblk);
	mutex_lock(&M.inode.ci_map_mutex);
	handle = cohfs_trans_begin(&sb_private, 1);
	if (M.map[lblk]) {
		M.owner[M.map[lblk]] = FREED;
		M.freed_running[M.map[lblk]] = true;
		M.map[lblk] = 0;
		cohfs_fresh_freed(&M.inode.ci_vfs, lblk, lblk);
	}
	cohfs_trans_end(handle);
	mutex_unlock(&M.inode.ci_map_mutex);
	/* who read a block that was about to go */
	drop(lblk);
	M.punches = false;
	mutex_unlock(&M.rwsem);
}

/* Tasks -------------------------------------------------------------------------------------- */

static void worker(void *deeds)
{
	void (**deed)(u64 lblk) = deeds;
	unsigned int i, nr;

	for (nr = 0; deed[nr]; nr++)
		;
	for (i = 0; i < 8; i++) {
		deed[sched_rand() % nr](sched_rand() % NR_BLOCKS);
		sched_pause();
	}
	M.busy--;
}

static void (*writes[])(u64 lblk) = { write_call, write_call, look, NULL };
static void (*stores[])(u64 lblk) = { store, store, look, NULL };
static void (*cleans[])(u64 lblk) = { clean, clean, reclaim, reclaim, look, NULL };
static void (*punches[])(u64 lblk) = { punch, write_call, clean, NULL };

static bool all_ended(void *unused)
{
	return !M.busy;
}

/* As the VFS does: what has links is written first. */
static void evict(void *unused)
{
	bool linked = sched_rand() % 2;
	u64 i;

	sched_wait(all_ended, NULL);
	for (i = 0; i < NR_BLOCKS; i++) {
		if (linked)
			clean(i);
		drop(i);
	}
	cohfs_fresh_evict(&M.inode.ci_vfs);
	M.evicted = true;
}

static bool play(u64 seed)
{
	int i;

	memset(&M, 0, sizeof(M));
	known = NULL;
	M.inode.ci_vfs.i_sb = &sb;
	memset(M.disk, STALE, sizeof(M.disk));
	M.busy = 5;
	sched_start(worker, writes);
	sched_start(worker, stores);
	sched_start(worker, cleans);
	sched_start(worker, cleans);
	sched_start(worker, punches);
	sched_start(evict, NULL);
	sched_start(committer, NULL);
	if (!sched_run(seed, disk_works))
		model_violated("all wait");
	for (i = 0; i < NR_BLOCKS && !M.wrong; i++)
		if (M.page[i].cached)
			model_violated("a page is left");
	return !M.wrong;
}

static void test_fresh_schedules(void)
{
	unsigned int run, runs = check_env("COHFS_RUNS", 1500);
	u64 seed = check_env("COHFS_SEED", 1);

	for (run = 0; run < runs; run++, seed++) {
		if (play(seed * 0x9e3779b97f4a7c15ull))
			continue;
		printf("# %s (COHFS_SEED=%llu COHFS_RUNS=1)\n", M.wrong,
		       (unsigned long long)seed);
		check(!"right");
		return;
	}
}

int main(void)
{
	run_test(test_fresh_schedules);
	return check_done();
}
