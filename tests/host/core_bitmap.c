// SPDX-License-Identifier: GPL-2.0-only
/* fs/core/bitmap.c against one bool per bit. */
#include "core_test.h"
#include "../../fs/core/bitmap.h"

#define MAX_BITS 700

struct model {
	u32 nbits;
	bool cur[MAX_BITS];
	bool committed[MAX_BITS];
	u8 *cur_map;		/* exactly as many bytes as needed: ASan watches */
	u8 *committed_map;
	bool use_committed;
};

static void model_init(struct model *m, u32 nbits)
{
	m->nbits = nbits;
	m->cur_map = calloc(1, (nbits + 7) / 8);
	m->committed_map = calloc(1, (nbits + 7) / 8);
	memset(m->cur, 0, sizeof(m->cur));
	memset(m->committed, 0, sizeof(m->committed));
	m->use_committed = true;
}

static void model_exit(struct model *m)
{
	free(m->cur_map);
	free(m->committed_map);
}

static bool naive_free(const struct model *m, u32 bit)
{
	return !m->cur[bit] && !(m->use_committed && m->committed[bit]);
}

static u32 naive_run(const struct model *m, u32 bit)
{
	u32 len = 0;

	while (bit + len < m->nbits && naive_free(m, bit + len))
		len++;
	return len;
}

/* The rule of cohfs_bitmap_find(), one bit at a time */
static bool naive_find(const struct model *m, u32 goal, u32 want, u32 *start, u32 *len)
{
	u32 best = 0, i, bit, run;

	if (goal >= m->nbits)
		goal = 0;
	*start = goal;
	*len = min(naive_run(m, goal), want);
	if (*len)
		return true;
	for (i = 0; i < m->nbits; i++) {
		bit = (goal + i) % m->nbits;
		if (bit && naive_free(m, bit - 1) && bit != goal && i)
			continue;	/* not the beginning of a run */
		run = naive_run(m, bit);
		if (run > best) {
			best = run;
			*start = bit;
		}
		if (best >= want)
			break;
	}
	*len = min(best, want);
	return best > 0;
}

static void compare_maps(const struct model *m)
{
	u32 bit, free = 0, free_both = 0;

	for (bit = 0; bit < m->nbits; bit++) {
		CHECK_EQ((m->cur_map[bit / 8] >> (bit & 7)) & 1, m->cur[bit]);
		free += !m->cur[bit];
		free_both += !m->cur[bit] && !m->committed[bit];
	}
	CHECK_EQ(cohfs_bitmap_free(m->cur_map, NULL, m->nbits), free);
	CHECK_EQ(cohfs_bitmap_free(m->cur_map, m->committed_map, m->nbits), free_both);
}

static void check_find(struct model *m)
{
	u32 goal = rnd(m->nbits + 5), want = 1 + rnd(rnd(2) ? 4 : 100);
	u32 start, len, nstart, nlen;
	bool got, naive;

	m->use_committed = rnd(2);
	got = cohfs_bitmap_find(m->cur_map, m->use_committed ? m->committed_map : NULL,
				m->nbits, goal, want, &start, &len);
	naive = naive_find(m, goal, want, &nstart, &nlen);
	CHECK_EQ(got, naive);
	if (got) {
		CHECK_EQ(start, nstart);
		CHECK_EQ(len, nlen);
	}
}

/* One random set or clear; every fourth ignores what is there and may fail */
static void change(struct model *m)
{
	bool set = rnd(5) < 3;
	u32 start = rnd(m->nbits + 2), len = 1 + rnd(40), i;
	bool fits = start <= m->nbits && len <= m->nbits - start;
	bool *now = m->cur;
	int err;

	for (i = 0; fits && i < len; i++)
		if (now[start + i] == set)
			fits = false;
	if (set)
		err = cohfs_bitmap_set(m->cur_map, m->nbits, start, len);
	else
		err = cohfs_bitmap_clear(m->cur_map, m->nbits, start, len);
	CHECK_EQ(err, fits ? 0 : -EFSCORRUPTED);
	for (i = 0; fits && i < len; i++)
		now[start + i] = set;
}

static void random_ops(void)
{
	static const u32 sizes[] = { 1, 7, 8, 9, 63, 64, 65, 127, 129, 500, 512, 700 };
	struct model m;
	u32 s, i;

	for (s = 0; s < ARRAY_SIZE(sizes); s++) {
		model_init(&m, sizes[s]);
		for (i = 0; i < 20000; i++) {
			change(&m);
			check_find(&m);
			if (i % 64)
				continue;
			compare_maps(&m);
			memcpy(m.committed, m.cur, sizeof(m.cur));	/* a commit */
			memcpy(m.committed_map, m.cur_map, (m.nbits + 7) / 8);
		}
		model_exit(&m);
	}
}

static void edges(void)
{
	u8 map[4] = { 0 };
	u32 start, len;

	CHECK(!cohfs_bitmap_find(map, NULL, 0, 0, 1, &start, &len));
	CHECK(!cohfs_bitmap_find(map, NULL, 32, 0, 0, &start, &len));
	CHECK_EQ(cohfs_bitmap_set(map, 32, 0, 32), 0);
	CHECK(!cohfs_bitmap_find(map, NULL, 32, 5, 1, &start, &len));
	CHECK_EQ(len, 0);
	CHECK_EQ(cohfs_bitmap_set(map, 32, 31, 1), -EFSCORRUPTED);
	CHECK_EQ(cohfs_bitmap_clear(map, 32, 4, 3), 0);
	CHECK_EQ(cohfs_bitmap_clear(map, 32, 3, 2), -EFSCORRUPTED);
	CHECK_EQ(map[0], 0x8f);
	CHECK_EQ(cohfs_bitmap_set(map, 32, 5, U32_MAX), -EFSCORRUPTED);
	CHECK_EQ(cohfs_bitmap_clear(map, 32, U32_MAX, 2), -EFSCORRUPTED);
	CHECK_EQ(cohfs_bitmap_set(map, 32, 32, 0), 0);
}

int main(void)
{
	test_begin();
	test_case("bitmap_edges", edges);
	test_case("bitmap_random_ops", random_ops);
	return test_end();
}
