// SPDX-License-Identifier: GPL-2.0-only
/* fs/core/mapblock.c against an array with one entry per logical block. */
#include "core_test.h"
#include "../../fs/core/check.h"
#include "../../fs/core/mapblock.h"

#define SPACE 1200

struct model {
	u64 blk[SPACE];		/* 0 = hole */
	struct cohfs_map_block mb;
};

static const u8 fsid[16] = "mapblock test...";

static void model_init(struct model *m)
{
	memset(m, 0, sizeof(*m));
	cohfs_header_init(&m->mb.m_hdr, COHFS_BT_MAP, 101, fsid, 100, 7);
}

static void compare(const struct model *m)
{
	u64 seen[SPACE] = { 0 };
	struct cohfs_extent ext;
	u32 i, k;

	CHECK_STR(cohfs_check_body(&m->mb, COHFS_BT_MAP), NULL);
	for (i = 0; i < cohfs_mapblock_count(&m->mb); i++) {
		cohfs_mapblock_get(&m->mb, i, &ext);
		for (k = 0; k < ext.len; k++)
			seen[ext.key + k] = ext.blk + k;
	}
	CHECK(!memcmp(seen, m->blk, sizeof(seen)));
}

static bool is_free(const struct model *m, u64 key, u32 len)
{
	u32 k;

	for (k = 0; k < len; k++)
		if (m->blk[key + k])
			return false;
	return true;
}

static void insert_one(struct model *m)
{
	struct cohfs_extent ext = { .len = 1 + rnd(6) };
	bool fits, full = cohfs_mapblock_full(&m->mb);
	u64 end = rnd(4) ? COHFS_MAP_KEY_MAX + 1 : SPACE / 2;
	u32 k, count = cohfs_mapblock_count(&m->mb);
	int err;

	ext.key = rnd(SPACE - 8);
	/* often the block that continues a neighbour, so that merges happen */
	ext.blk = rnd(3) ? 5000 + ext.key : 5000 + rnd(100000);
	fits = is_free(m, ext.key, ext.len);
	if (end <= SPACE) {	/* only legal when nothing lies beyond */
		if (cohfs_mapblock_search(&m->mb, end + 10) + 1 != (int)count ||
		    !is_free(m, end, SPACE - end))
			return;
		fits = fits && ext.key + ext.len <= end;
	}
	err = cohfs_mapblock_insert(&m->mb, &ext, end, rnd(2));
	if (!fits)
		CHECK_EQ(err, -EEXIST);
	else if (err)
		CHECK(err == -ENOSPC && full);
	for (k = 0; !err && k < ext.len; k++)
		m->blk[ext.key + k] = ext.blk + k;
}

static void remove_one(struct model *m)
{
	u32 count = cohfs_mapblock_count(&m->mb);
	struct cohfs_extent rec, ext;
	bool full = cohfs_mapblock_full(&m->mb), inside;
	int err;

	if (!count)
		return;
	cohfs_mapblock_get(&m->mb, rnd(count), &rec);
	ext = rec;
	ext.key += rnd(rec.len);
	ext.blk += ext.key - rec.key;
	ext.len = 1 + rnd(rec.len - (u32)(ext.key - rec.key));
	inside = ext.key > rec.key && ext.key + ext.len < rec.key + rec.len;
	if (!rnd(10)) {		/* not what is there */
		ext.blk++;
		CHECK_EQ(cohfs_mapblock_remove(&m->mb, &ext), -ENOENT);
		return;
	}
	err = cohfs_mapblock_remove(&m->mb, &ext);
	CHECK_EQ(err, inside && full ? -ENOSPC : 0);
	if (!err)
		memset(&m->blk[ext.key], 0, ext.len * sizeof(m->blk[0]));
}

static void random_ops(void)
{
	static struct model m;
	u32 round, i;

	for (round = 0; round < 20; round++) {
		model_init(&m);
		for (i = 0; i < 4000; i++) {
			if (rnd(10) < (round % 2 ? 9 : 6))
				insert_one(&m);
			else
				remove_one(&m);
			if (i % 16 == 0)
				compare(&m);
		}
	}
}

static void search(void)
{
	static struct model m;
	struct cohfs_extent ext = { .len = 1 };
	u32 i;

	model_init(&m);
	CHECK_EQ(cohfs_mapblock_search(&m.mb, 0), -1);
	for (i = 0; i < COHFS_MAP_RECS; i++) {
		ext.key = 10 + 3 * (u64)i;
		ext.blk = 1000 + 7 * (u64)i;
		CHECK_EQ(cohfs_mapblock_insert(&m.mb, &ext, COHFS_MAP_KEY_MAX + 1, true), 0);
	}
	ext.key = 11;
	CHECK_EQ(cohfs_mapblock_insert(&m.mb, &ext, COHFS_MAP_KEY_MAX + 1, true), -ENOSPC);
	CHECK_EQ(cohfs_mapblock_search(&m.mb, 9), -1);
	for (i = 0; i < 3 * COHFS_MAP_RECS; i++)
		CHECK_EQ(cohfs_mapblock_search(&m.mb, 10 + (u64)i), i / 3);
	CHECK_EQ(cohfs_mapblock_search(&m.mb, U64_MAX), COHFS_MAP_RECS - 1);
}

static void split(void)
{
	static struct model m;
	struct cohfs_map_block upper;
	struct cohfs_extent ext = { .len = 1 }, a;
	u32 at, i;

	for (at = 0; at <= COHFS_MAP_RECS; at++) {
		model_init(&m);
		memset(&upper, 0, sizeof(upper));
		for (i = 0; i < COHFS_MAP_RECS; i++) {
			ext.key = ext.blk = 10 + 2 * (u64)i;
			cohfs_mapblock_put(&m.mb, i, &ext);
		}
		cohfs_mapblock_split(&m.mb, &upper, at);
		CHECK_EQ(cohfs_mapblock_count(&m.mb), at);
		CHECK_EQ(cohfs_mapblock_count(&upper), COHFS_MAP_RECS - at);
		for (i = 0; i < COHFS_MAP_RECS; i++) {
			if (i < at)
				cohfs_mapblock_get(&m.mb, i, &a);
			else
				cohfs_mapblock_get(&upper, i - at, &a);
			CHECK_EQ(a.key, 10 + 2 * (u64)i);
		}
	}
	model_init(&m);
	for (i = 0; i < COHFS_MAP_RECS; i++)
		cohfs_mapblock_put(&m.mb, i, &ext);
	CHECK_EQ(cohfs_mapblock_split_at(&m.mb, 3), COHFS_MAP_RECS / 2);
	CHECK_EQ(cohfs_mapblock_split_at(&m.mb, COHFS_MAP_RECS), COHFS_MAP_RECS - 1);
}

int main(void)
{
	test_begin();
	test_case("mapblock_search", search);
	test_case("mapblock_split", split);
	test_case("mapblock_random_ops", random_ops);
	return test_end();
}
