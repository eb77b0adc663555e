// SPDX-License-Identifier: GPL-2.0-only
/*
 * fs/map.c, unchanged, against an array with one entry per key.
 *
 * The fakes below stand for buffers, journal and allocator and are stricter than
 * the real ones: a change without declared access or without being journaled, more
 * journaled blocks than credits, a reference that is kept, a block freed in a group
 * that was not planned or used after it was freed, all fail the test.
 *
 * Built twice: as it is, and with TEST_RECS records per block instead of 166, which
 * makes trees as high as the format allows from few records.
 */
#include <linux/cohfs_ondisk.h>
#ifdef TEST_RECS
#undef COHFS_MAP_RECS
#define COHFS_MAP_RECS TEST_RECS
#define NAME(n) n "_low_fanout"
#define KEYS 6000
#else
#define NAME(n) n
#define KEYS 40000
#endif
#include "core_test.h"
#include "../../fs/core/mapblock.c"
#include "../../fs/core/check.c"
#include "../../fs/map.c"

#define GROUP		512	/* blocks of a fake group; its first is no one's */
#define META_BLOCKS	(64 * GROUP)
#define DATA_BASE	(1024 * GROUP)
#define INO		600
#define GENERATION	17

/* Fakes: blocks -------------------------------------------------------------- */

static struct buffer_head *blocks[META_BLOCKS];	/* exist on disk and in the set */
static bool allocated[META_BLOCKS];
static u32 nr_allocated;
static struct buffer_head *touched[4096];	/* in this transaction; with repeats */
static u32 nr_touched;
static handle_t *current_handle;
static int last_tid;
static int alloc_budget = INT_MAX;	/* allocations that succeed from now on */
static int read_budget = INT_MAX;	/* reads that succeed from now on */
static u64 resv_groups[COHFS_RESV_GROUPS];	/* groups locked for frees */
static int resv_count;
static bool expect_corruption;
static u32 corruptions;

static u8 fsid[16] = "map test.......";
static struct super_block test_sb;
static struct cohfs_sb test_cs = { .sb = &test_sb };

static struct buffer_head *block_new(u64 blkno)
{
	struct buffer_head *bh = calloc(1, sizeof(*bh));

	bh->b_blocknr = blkno;
	bh->b_data = calloc(1, COHFS_BLOCK_SIZE);
	blocks[blkno] = bh;
	return bh;
}

static void block_free(u64 blkno)
{
	u32 i;

	CHECK(blocks[blkno]->refs == 0);
	for (i = 0; i < nr_touched; i++)
		if (touched[i] == blocks[blkno])
			touched[i] = NULL;
	free(blocks[blkno]->b_data);
	free(blocks[blkno]);
	blocks[blkno] = NULL;
}

int cohfs_corrupt(struct super_block *sb, u64 blkno, const char *check)
{
	(void)sb;
	corruptions++;
	if (!expect_corruption) {
		fprintf(stderr, "block %llu: %s\n", (unsigned long long)blkno, check);
		CHECK(!"corruption");
	}
	return -EFSCORRUPTED;
}

static void touch(struct buffer_head *bh)
{
	if (nr_touched < ARRAY_SIZE(touched))
		touched[nr_touched++] = bh;
}

/* Checksums are most of the run time: all in the damage case, else a sample */
static bool look_closely(void)
{
	return expect_corruption || last_tid % 16 == 0;
}

/* Journaled and sealed, or never touched? */
static bool is_sealed(const struct buffer_head *bh)
{
	const struct cohfs_block_header *hdr = (const void *)bh->b_data;

	return le32_to_cpu(hdr->bh_crc) == cohfs_block_crc(bh->b_data);
}

struct buffer_head *cohfs_meta_read(struct cohfs_sb *cs, struct cohfs_metaset *set,
				    u64 blkno, unsigned int type, u64 owner)
{
	const char *why;

	(void)set;
	if (!read_budget)
		return ERR_PTR(-EIO);
	read_budget--;
	if (blkno >= META_BLOCKS || !blocks[blkno])
		return ERR_PTR(cohfs_corrupt(cs->sb, blkno, "no such block"));
	if (blocks[blkno]->checked_tid != last_tid) {
		why = NULL;
		if (look_closely())
			why = cohfs_check_block(blocks[blkno]->b_data, type, blkno,
						fsid, owner);
		if (why)
			return ERR_PTR(cohfs_corrupt(cs->sb, blkno, why));
		blocks[blkno]->checked_tid = last_tid;
		touch(blocks[blkno]);
	}
	blocks[blkno]->refs++;
	return blocks[blkno];
}

struct buffer_head *cohfs_meta_read_unchecked(struct cohfs_sb *cs,
		struct cohfs_metaset *set, u64 blkno, unsigned int type,
		u64 owner, u32 generation)
{
	const struct cohfs_block_header *hdr;

	if (!blocks[blkno])
		return NULL;
	hdr = (const void *)blocks[blkno]->b_data;
	if (le32_to_cpu(hdr->bh_generation) != generation)
		return NULL;
	return cohfs_meta_read(cs, set, blkno, type, owner);
}

struct buffer_head *cohfs_meta_create(handle_t *handle, struct cohfs_sb *cs,
		struct cohfs_metaset *set, u64 blkno, unsigned int type,
		u64 owner, u32 generation)
{
	struct buffer_head *bh;

	(void)cs;
	(void)set;
	CHECK(handle == current_handle);
	CHECK(blkno == INO + 1 || allocated[blkno]);
	bh = blocks[blkno] ? blocks[blkno] : block_new(blkno);
	CHECK_EQ(bh->refs, 0);
	memset(bh->b_data, 0, COHFS_BLOCK_SIZE);
	cohfs_header_init((void *)bh->b_data, type, blkno, fsid, owner, generation);
	bh->access_tid = handle->tid;
	bh->checked_tid = handle->tid;
	touch(bh);
	bh->refs++;
	return bh;
}

int cohfs_meta_access(handle_t *handle, struct buffer_head *bh)
{
	CHECK(handle == current_handle && bh->refs > 0);
	bh->access_tid = handle->tid;
	return 0;
}

int cohfs_meta_dirty(handle_t *handle, struct cohfs_sb *cs,
		     struct cohfs_metaset *set, struct buffer_head *bh)
{
	(void)cs;
	(void)set;
	CHECK(handle == current_handle && bh->access_tid == handle->tid);
	if (bh->dirty_tid != handle->tid)
		handle->dirtied++;
	bh->dirty_tid = handle->tid;
	cohfs_block_seal(bh->b_data);
	return 0;
}

void cohfs_meta_forget(handle_t *handle, struct cohfs_metaset *set,
		       struct buffer_head *bh)
{
	(void)set;
	CHECK(handle == current_handle);
	CHECK_EQ(bh->refs, 1);
	bh->refs--;
	handle->revoked++;
	block_free(bh->b_blocknr);
}

/* Fakes: allocator ----------------------------------------------------------- */

bool cohfs_valid_extent(const struct cohfs_sb *cs, u64 blk, u64 len)
{
	(void)cs;
	return len && blk % GROUP && blk < 1ULL << 40 && len <= GROUP - blk % GROUP;
}

int cohfs_alloc_extent(handle_t *handle, struct cohfs_resv *resv, u64 goal,
		       u32 want, u32 leave, u64 *blk, u32 *len)
{
	(void)resv;
	(void)goal;
	(void)leave;
	CHECK(handle == current_handle && want == 1);
	if (!alloc_budget)
		return -ENOSPC;
	alloc_budget--;
	do {
		*blk = GROUP * 2 + rnd(META_BLOCKS - GROUP * 2);
	} while (!(*blk % GROUP) || allocated[*blk]);
	allocated[*blk] = true;
	nr_allocated++;
	*len = 1;
	return 0;
}

int cohfs_free_extent(handle_t *handle, struct cohfs_resv *resv, u64 blk, u32 len)
{
	bool planned = !resv_count;	/* inserts free only what they allocated */
	int i;

	(void)resv;
	CHECK(handle == current_handle && len == 1);
	for (i = 0; i < resv_count; i++)
		planned = planned || resv_groups[i] == blk / GROUP;
	CHECK(planned);
	if (blk >= META_BLOCKS || !allocated[blk])
		return cohfs_corrupt(&test_sb, blk, "freed twice");
	allocated[blk] = false;
	nr_allocated--;
	return 0;
}

/* The model ------------------------------------------------------------------- */

/**
 * struct model - key slot k stands for map key k * @stride
 * @blk: 0 = hole
 */
static struct {
	u64 blk[KEYS];
	u32 keys;	/* in use in this round */
	u64 stride;
	bool merge;
	u64 data;	/* sum of lengths */
} model;

static struct cohfs_map map = {
	.cs = &test_cs, .ino = INO, .generation = GENERATION,
};

static handle_t *begin(handle_t *handle)
{
	*handle = (handle_t) { .tid = ++last_tid };
	current_handle = handle;
	return handle;
}

/* After each transaction: nothing kept, nothing changed behind the journal's back */
static void end(handle_t *handle, int credits)
{
	u32 i;

	CHECK(handle->dirtied <= credits);
	CHECK(handle->revoked <= COHFS_RESV_GROUPS);
	CHECK(nr_touched < ARRAY_SIZE(touched));
	for (i = 0; i < nr_touched; i++) {
		if (!touched[i])
			continue;
		CHECK_EQ(touched[i]->refs, 0);
		if (touched[i]->dirty_tid == handle->tid || look_closely())
			CHECK(is_sealed(touched[i]));
	}
	nr_touched = 0;
	current_handle = NULL;
	resv_count = 0;
}

static void reset(u32 keys, u64 stride, bool merge)
{
	u32 i;

	nr_touched = 0;
	for (i = 0; i < META_BLOCKS; i++) {
		if (blocks[i])
			block_free(i);
		allocated[i] = false;
	}
	nr_allocated = 0;
	memset(&model, 0, sizeof(model));
	model.keys = keys;
	model.stride = stride;
	model.merge = merge;
	alloc_budget = INT_MAX;
	read_budget = INT_MAX;
	/* what an earlier inode with this number left behind */
	block_new(INO + 1);
	cohfs_header_init((void *)blocks[INO + 1]->b_data, COHFS_BT_MAP, INO + 1, fsid,
			  INO, GENERATION - 1);
	((struct cohfs_map_block *)blocks[INO + 1]->b_data)->m_count = cpu_to_le16(9);
	cohfs_block_seal(blocks[INO + 1]->b_data);
}

/* Physical place that continues from key to key, except across groups */
static u64 steady_blk(u32 slot)
{
	return DATA_BASE + slot / (GROUP - 1) * GROUP + 1 + slot % (GROUP - 1);
}

static u32 tree_height;	/* highest seen by the walk */

/* Walk the subtree, compare records with the model.  Return: blocks in it */
static u32 walk(u64 blk, int level, u64 first, u64 end, u32 *slot, u64 *data)
{
	struct cohfs_map_block *mb = (void *)blocks[blk]->b_data;
	u32 count = cohfs_mapblock_count(mb), sum = 1, i, k;
	struct cohfs_extent ext, next;

	CHECK_STR(cohfs_check_block(mb, COHFS_BT_MAP, blk, fsid, INO), NULL);
	CHECK_EQ(cohfs_mapblock_level(mb), level);
	CHECK(count > 0 || (blk == INO + 1 && !level));
	tree_height = max(tree_height, (u32)level + 1);
	for (i = 0; i < count && !test_failed; i++) {
		cohfs_mapblock_get(mb, i, &ext);
		if (!i && blk != INO + 1)
			CHECK(ext.key == first);
		if (level) {
			CHECK(allocated[ext.blk] && blocks[ext.blk]);
			if (i + 1 < count)
				cohfs_mapblock_get(mb, i + 1, &next);
			sum += walk(ext.blk, level - 1, ext.key,
				    i + 1 < count ? next.key : end, slot, data);
			continue;
		}
		CHECK(ext.key % model.stride == 0 && ext.key + ext.len <= end);
		for (; *slot < ext.key / model.stride; ++*slot)
			CHECK_EQ(model.blk[*slot], 0);
		for (k = 0; k < ext.len; k++, ++*slot)
			CHECK(model.blk[*slot] == ext.blk + k);
		*data += ext.len;
	}
	return sum;
}

static void check_tree(void)
{
	struct cohfs_map_block *root = (void *)blocks[INO + 1]->b_data;
	u32 slot = 0, sum;
	u64 data = 0, counted;

	if (le32_to_cpu(root->m_hdr.bh_generation) != GENERATION)
		return;
	sum = walk(INO + 1, (int)cohfs_mapblock_level(root), 0, COHFS_MAP_KEY_MAX + 1,
		   &slot, &data);
	for (; slot < model.keys; slot++)
		CHECK_EQ(model.blk[slot], 0);
	CHECK_EQ(data, model.data);
	CHECK_EQ(sum - 1, nr_allocated);	/* reachable = allocated */
	CHECK_EQ(cohfs_map_blocks(&map, &counted), 0);
	CHECK_EQ(counted, data + nr_allocated);
}

/* Operations -------------------------------------------------------------------- */

static u32 hole_len(u32 slot, u32 max_len)
{
	u32 len = 0;

	while (len < max_len && slot + len < model.keys && !model.blk[slot + len])
		len++;
	return len;
}

static int insert(u32 slot, u32 len)
{
	struct cohfs_extent ext = { .key = slot * model.stride, .len = len };
	int credits = cohfs_map_insert_credits(&map);
	u32 most = cohfs_map_insert_blocks(&map), before = nr_allocated, k;
	struct cohfs_resv resv = { .count = 0 };
	handle_t handle;
	int err;

	ext.blk = steady_blk(slot);
	if (!model.merge || !rnd(8))
		ext.blk = DATA_BASE + rnd(1000) * GROUP + 1 + rnd(200);
	if (!cohfs_valid_extent(&test_cs, ext.blk, len))
		return 0;
	err = cohfs_map_insert(begin(&handle), &map, &resv, &ext, model.merge);
	if (!err)
		CHECK_EQ(cohfs_map_count(&handle, &map, len), 0);
	end(&handle, credits);
	CHECK(nr_allocated - before <= most);
	if (err) {
		CHECK_EQ(nr_allocated, before);
		return err;
	}
	model.data += len;
	for (k = 0; k < len; k++)
		model.blk[slot + k] = ext.blk + k;
	return 0;
}

static void insert_random(void)
{
	u32 slot = rnd(model.keys), max_len = model.stride > 1 ? 1 : 1 + rnd(6);
	u32 len = hole_len(slot, max_len);
	int err;

	if (len < max_len && slot + max_len <= model.keys && max_len < 3) {
		err = insert(slot, max_len);	/* overlaps */
		CHECK(err == -EEXIST || err == 0);
		return;
	}
	if (len)
		CHECK_EQ(insert(slot, len), 0);
}

/* One step of a removal.  Return: the length removed, or an error */
static int remove_step(u64 first, u64 last)
{
	u64 planned[COHFS_RESV_GROUPS];
	struct cohfs_resv resv = { .count = 0 };
	struct cohfs_extent ext;
	handle_t handle;
	u32 slot, k;
	int n, err, i;

	n = cohfs_map_remove_plan(&map, first, last, &ext, planned);
	if (n <= 0)
		return n;
	CHECK(n <= COHFS_RESV_GROUPS);
	CHECK(ext.key >= first && ext.key + ext.len - 1 <= last && ext.len);
	CHECK_EQ(planned[0], ext.blk);
	begin(&handle);
	resv_count = n;
	for (i = 0; i < n; i++)
		resv_groups[i] = planned[i] / GROUP;
	err = cohfs_map_remove(&handle, &map, &resv, &ext);
	if (!err)
		CHECK_EQ(cohfs_map_count(&handle, &map, -(s64)ext.len), 0);
	end(&handle, COHFS_MAP_REMOVE_CREDITS);
	if (err)
		return err;
	slot = (u32)(ext.key / model.stride);
	for (k = 0; k < ext.len; k++) {
		CHECK(model.blk[slot + k] == ext.blk + k);
		model.blk[slot + k] = 0;
	}
	/* it really was the last piece in the range */
	for (; slot + k < model.keys && (slot + k) * model.stride <= last; k++)
		CHECK_EQ(model.blk[slot + k], 0);
	model.data -= ext.len;
	return (int)ext.len;
}

static void remove_random(void)
{
	u32 slot = rnd(model.keys), len = 1 + rnd(rnd(20) ? 3 : 60), k;
	u64 last = rnd(50) ? (slot + len - 1) * model.stride : U64_MAX;
	int steps = last == U64_MAX ? 5 : INT_MAX, ret;

	if (last == U64_MAX)
		slot = model.keys - model.keys / 4;
	do {
		ret = remove_step(slot * model.stride, last);
		CHECK(ret >= 0);
	} while (ret > 0 && --steps && !test_failed);
	for (k = 0; !ret && k < len && slot + k < model.keys; k++)
		CHECK_EQ(model.blk[slot + k], 0);
}

/* Does the model have what @ext says? */
static void check_ext(const struct cohfs_extent *ext)
{
	u32 slot = (u32)(ext->key / model.stride), k;

	CHECK(ext->len && ext->key % model.stride == 0 && slot < model.keys);
	for (k = 0; k < ext->len; k++)
		CHECK(model.blk[slot + k] == ext->blk + k);
}

static void look_up(void)
{
	u32 slot = rnd(model.keys);
	u64 off = model.stride > 1 ? rnd64() % model.stride : 0;
	u64 key = slot * model.stride + off;
	struct cohfs_extent ext;
	int err;
	u32 k;

	err = cohfs_map_find(&map, key, &ext);
	for (k = slot; k && !model.blk[k]; k--)
		;
	CHECK_EQ(err, model.blk[k] ? 0 : -ENOENT);
	if (!err) {
		check_ext(&ext);
		CHECK(ext.key <= k * model.stride);
		CHECK(ext.key / model.stride + ext.len > k);
	}
	/* next returns records that begin at or after the key */
	err = cohfs_map_next(&map, key, &ext);
	if (!err) {
		check_ext(&ext);
		CHECK(ext.key >= key);
		for (k = off ? slot + 1 : slot; k < ext.key / model.stride; k++)
			CHECK(!model.blk[k] || k == slot ||
			      model.blk[k] == model.blk[k - 1] + 1);
	} else {
		CHECK_EQ(err, -ENOENT);
		/* only the rest of a record that began earlier may follow */
		for (k = off ? slot + 1 : slot; k < model.keys; k++)
			CHECK(!model.blk[k] || (k && model.blk[k] == model.blk[k - 1] + 1));
	}
	err = cohfs_map_last(&map, &ext);
	CHECK_EQ(err, model.data ? 0 : -ENOENT);
	if (!err) {
		check_ext(&ext);
		for (k = (u32)(ext.key / model.stride) + ext.len; k < model.keys; k++)
			CHECK_EQ(model.blk[k], 0);
	}
}

static void drain(void)
{
	int ret = 1;

	while (ret > 0 && !test_failed)
		ret = remove_step(0, U64_MAX);
	CHECK_EQ(ret, 0);
	check_tree();
	CHECK_EQ(nr_allocated, 0);
	CHECK_EQ(cohfs_mapblock_level((void *)blocks[INO + 1]->b_data), 0);
}

static void churn(u32 ops, u32 insert_of_10)
{
	u32 i;

	for (i = 0; i < ops && !test_failed; i++) {
		if (rnd(10) < insert_of_10)
			insert_random();
		else
			remove_random();
		if (i % 4 == 0)
			look_up();
		if (i % 1024 == 0)
			check_tree();
	}
	check_tree();
}

/* Cases --------------------------------------------------------------------------- */

static void empty_map(void)
{
	u64 planned[COHFS_RESV_GROUPS], count = 1;
	struct cohfs_extent ext;

	reset(100, 1, true);
	CHECK_EQ(cohfs_map_find(&map, 5, &ext), -ENOENT);
	CHECK_EQ(cohfs_map_next(&map, 0, &ext), -ENOENT);
	CHECK_EQ(cohfs_map_last(&map, &ext), -ENOENT);
	CHECK_EQ(cohfs_map_remove_plan(&map, 0, U64_MAX, &ext, planned), 0);
	CHECK_EQ(cohfs_map_blocks(&map, &count), 0);
	CHECK_EQ(count, 0);
	CHECK_EQ(insert(7, 1), 0);
	CHECK_EQ(cohfs_map_find(&map, 5, &ext), -ENOENT);
	CHECK_EQ(cohfs_map_find(&map, 50, &ext), 0);
	CHECK_EQ(ext.key, 7);
	drain();
}

static void random_file(void)
{
	u32 round;

	for (round = 0; round < 3; round++) {
		reset(round == 1 ? 2000 : KEYS, 1, round < 2);
		churn(9000, 8);
		churn(6000, 5);
		churn(3000, 2);
		drain();
	}
}

static void random_directory(void)
{
	reset(KEYS, (COHFS_MAP_KEY_MAX + 1) / KEYS, false);
	churn(20000, 9);
	churn(10000, 5);
	drain();
}

static void sequential(void)
{
	u32 i, leaves;

	reset(KEYS, 1, false);
	for (i = 0; i < KEYS / 2; i++)
		CHECK_EQ(insert(i, 1), 0);
	check_tree();
	/* appending leaves full blocks behind, not half-full ones */
	leaves = KEYS / 2 / (COHFS_MAP_RECS - 1) + 1;
	CHECK(nr_allocated <= leaves + leaves / (COHFS_MAP_RECS - 2) * 2 + 8);
	drain();
	reset(KEYS, 1, false);
	for (i = KEYS / 2; i > 0; i--)
		CHECK_EQ(insert(i, 1), 0);
	check_tree();
	drain();
}

/* Removal can leave one child at each level: the last record takes all along */
static void skinny_tree(void)
{
	const u32 n = KEYS / 2;
	u32 round;
	int ret;

	for (round = 0; round < 3; round++) {
		reset(KEYS, 1, false);
		for (ret = 0; ret < (int)n; ret++)
			CHECK_EQ(insert((u32)ret, 1), 0);
		do {
			ret = remove_step(0, n - 2);
		} while (ret > 0 && !test_failed);
		check_tree();
		CHECK(nr_allocated > 0);
		if (round == 1)		/* below and behind what is left */
			CHECK(!insert(3, 1) && !insert(n + 5, 1) && !insert(1, 1));
		if (round == 2)
			CHECK_EQ(insert(n, 1), 0);
		check_tree();
		drain();
	}
}

static void full_disk(void)
{
	u32 i, refused = 0;
	int err;

	reset(KEYS, 1, false);
	for (i = 0; i < 6000 && !test_failed; i++) {
		u32 slot = rnd(KEYS);

		alloc_budget = (int)rnd(3);
		err = model.blk[slot] ? 0 : insert(slot, 1);
		CHECK(err == 0 || err == -ENOSPC);
		refused += err == -ENOSPC;
		if (i % 512 == 0)
			check_tree();
	}
	check_tree();
	CHECK(refused > 0);
	/* punching a hole into a record needs room, too; failure changes nothing */
	reset(KEYS, 1, true);
	for (i = 0; i + 100 < KEYS; i += 6)
		CHECK_EQ(insert(i, cohfs_valid_extent(&test_cs, steady_blk(i), 5) ? 5 : 1), 0);
	for (refused = 0, i = 0; i < 3000 && !test_failed; i++) {
		u32 slot = rnd(KEYS);

		alloc_budget = rnd(2) ? 0 : INT_MAX;
		err = remove_step(slot, slot);
		CHECK(err >= 0 || err == -ENOSPC);
		refused += err == -ENOSPC;
	}
	check_tree();
	CHECK(refused > 0);
	alloc_budget = INT_MAX;
	drain();
}

static void read_errors(void)
{
	struct cohfs_extent ext;
	u64 planned[COHFS_RESV_GROUPS];
	u32 i;

	reset(KEYS, 1, false);
	for (i = 0; i < 8000; i++)
		insert_random();
	for (i = 0; i < 2000; i++) {
		read_budget = (int)rnd(4);
		cohfs_map_find(&map, rnd(KEYS), &ext);
		cohfs_map_next(&map, rnd(KEYS), &ext);
		cohfs_map_remove_plan(&map, rnd(KEYS), U64_MAX, &ext, planned);
	}
	read_budget = 0;
	CHECK_EQ(cohfs_map_insert_credits(&map), -EIO);
	CHECK_EQ(cohfs_map_find(&map, 5, &ext), -EIO);
	read_budget = INT_MAX;
	check_tree();
	drain();
}

/*
 * Damage that passes the check of the single block: pointers, levels, keys.  Every
 * operation must end, with a result or an error.
 */
static void damage_one(void)
{
	struct cohfs_map_block *mb;
	u32 at, i;
	u64 other;

	do {
		at = rnd(META_BLOCKS);
	} while (!blocks[at]);
	mb = (void *)blocks[at]->b_data;
	do {
		other = rnd(META_BLOCKS);
	} while (!blocks[other]);
	i = rnd(max(cohfs_mapblock_count(mb), 1u));
	switch (rnd(6)) {
	case 0:
		mb->m_rec[i].r_blk = cpu_to_le64(other);	/* cycle, cross link */
		break;
	case 1:
		mb->m_rec[i].r_blk = cpu_to_le64(rnd64());
		break;
	case 2:
		mb->m_rec[i].r_key = cpu_to_le64(rnd(KEYS));
		break;
	case 3:
		mb->m_level = cpu_to_le16((u16)rnd(9));
		break;
	case 4:
		mb->m_count = cpu_to_le16((u16)rnd(COHFS_MAP_RECS + 2));
		break;
	case 5:
		memcpy(blocks[other]->b_data + 64, blocks[at]->b_data + 64,
		       COHFS_BLOCK_SIZE - 64);
		cohfs_block_seal(blocks[other]->b_data);
		break;
	}
	cohfs_block_seal(mb);
	last_tid++;
	nr_touched = 0;
}

static void damaged_trees(void)
{
	struct cohfs_resv resv = { .count = 0 };
	u64 planned[COHFS_RESV_GROUPS];
	struct cohfs_extent ext;
	u32 round, i, k;
	handle_t handle;
	int n;

	expect_corruption = true;
	for (round = 0; round < 60; round++) {
		reset(3000, 1, false);
		for (i = 0; i < 900; i++)
			insert_random();
		for (i = 1 + rnd(3); i; i--)
			damage_one();
		for (i = 0; i < 100; i++) {
			cohfs_map_find(&map, rnd(3000), &ext);
			cohfs_map_next(&map, rnd(3000), &ext);
			n = cohfs_map_remove_plan(&map, rnd(3000), U64_MAX, &ext, planned);
			begin(&handle);
			resv_count = 0;
			if (n > 0 && rnd(2)) {
				cohfs_map_remove(&handle, &map, &resv, &ext);
			} else {
				ext = (struct cohfs_extent) { .key = rnd(3000), .len = 1,
							      .blk = steady_blk(i) };
				cohfs_map_insert(&handle, &map, &resv, &ext, rnd(2));
			}
			current_handle = NULL;
			nr_touched = 0;
			for (k = 0; k < META_BLOCKS; k++)
				if (blocks[k])
					CHECK_EQ(blocks[k]->refs, 0);
		}
	}
	CHECK(corruptions > 100);
	expect_corruption = false;
}

int main(void)
{
	test_begin();
	test_case(NAME("map_empty"), empty_map);
	test_case(NAME("map_sequential"), sequential);
	test_case(NAME("map_random_file"), random_file);
	test_case(NAME("map_random_directory"), random_directory);
	test_case(NAME("map_skinny_tree"), skinny_tree);
	test_case(NAME("map_full_disk"), full_disk);
	test_case(NAME("map_read_errors"), read_errors);
	test_case(NAME("map_damaged_trees"), damaged_trees);
	printf("# highest tree: %u levels\n", tree_height);
	reset(1, 1, false);
	block_free(INO + 1);
	return test_end();
}
