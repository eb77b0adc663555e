// SPDX-License-Identifier: GPL-2.0-only
/* fs/core/stride.c against the list of all records. */
#include "core_test.h"
#include "../../fs/core/stride.h"

#define RECORDS 400

static struct { u64 first, len; } all[RECORDS];

/* How often in turn came the last distance, after it had come once? */
static u64 naive_seen(int n)
{
	u64 step;
	int i;

	if (n < 2 || all[n - 1].first <= all[n - 2].first)
		return 0;
	step = all[n - 1].first - all[n - 2].first;
	for (i = n - 1; i > 0; i--)
		if (all[i].first - all[i - 1].first != step || all[i].len != all[i - 1].len)
			break;
	return i == n - 1 ? 0 : n - 1 - i - 1;
}

static u64 naive_expect(int n, u64 most)
{
	u64 seen = naive_seen(n), fit;

	if (seen < 2 || all[n - 1].first - all[n - 2].first <= all[n - 1].len)
		return 0;
	fit = most / all[n - 1].len;
	return min(seen, fit);
}

/* Runs of records, of which some differ in length or place, or go back */
static void random_record(int n)
{
	static u64 step, len;

	if (!n || !rnd(12)) {
		len = 1 + rnd(20);
		step = rnd(3) ? len + rnd(60) : len;
	}
	all[n].len = rnd(40) ? len : 1 + rnd(20);
	if (!n)
		all[n].first = rnd(1000);
	else if (!rnd(40))
		all[n].first = 1 + all[n - 1].first / 2;
	else
		all[n].first = all[n - 1].first + (rnd(40) ? step : 1 + rnd(80));
}

static void records_of_all_kinds(void)
{
	for (int run = 0; run < 300; run++) {
		struct cohfs_stride st = { };

		for (int n = 0; n < RECORDS; n++) {
			random_record(n);
			cohfs_stride_note(&st, all[n].first, all[n].len);
			if (!rnd(5))
				cohfs_stride_note(&st, all[n].first, all[n].len);
			for (u64 most = 0; most <= 256; most += 32)
				CHECK_EQ(cohfs_stride_expect(&st, most),
					 naive_expect(n + 1, most));
		}
	}
}

/* Every fourth block: as many are expected as have come, up to what is allowed. */
static void every_fourth(void)
{
	struct cohfs_stride st = { };

	for (u64 n = 0; n < 1000; n++) {
		cohfs_stride_note(&st, 3 + 4 * n, 1);
		CHECK_EQ(cohfs_stride_expect(&st, 256),
			 n < 3 ? 0 : min(n - 1, (u64)256));
	}
	CHECK_EQ(cohfs_stride_expect(&st, 0), 0);
}

/* Nothing is foreseen for what has no gaps, nor for one record over and over. */
static void no_gaps(void)
{
	struct cohfs_stride st = { };

	for (u64 n = 0; n < 100; n++) {
		cohfs_stride_note(&st, 16 * n, 16);
		CHECK_EQ(cohfs_stride_expect(&st, 256), 0);
	}
	for (u64 n = 0; n < 100; n++) {
		cohfs_stride_note(&st, 16, 16);
		CHECK_EQ(cohfs_stride_expect(&st, 256), 0);
	}
}

int main(void)
{
	test_begin();
	test_case("stride_of_all_kinds", records_of_all_kinds);
	test_case("stride_every_fourth", every_fourth);
	test_case("stride_no_gaps", no_gaps);
	return test_end();
}
