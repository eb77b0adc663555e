// SPDX-License-Identifier: GPL-2.0-only
/* Modes, names, order and value blocks: everything small enough to try it all. */
#include "../../dlm_glue/core/lvb.h"
#include "../../dlm_glue/core/mode.h"
#include "../../dlm_glue/core/name.h"
#include "../../dlm_glue/core/order.h"
#include "glue_check.h"

#define for_each_mode(m) for (m = COHFS_NL; m < COHFS_NR_MODES; m++)

/* the matrix of fs/dlm/lock.c, typed in again */
static const char matrix[COHFS_NR_MODES][COHFS_NR_MODES + 1] = {
	"111111", "111110", "111000", "110100", "110000", "100000",
};

static void test_compat(void)
{
	unsigned int a, b;

	for_each_mode(a)
		for_each_mode(b) {
			check(cohfs_mode_compat(a, b) == (matrix[a][b] == '1'));
			check(cohfs_mode_compat(a, b) == cohfs_mode_compat(b, a));
		}
}

static void test_covers_is_a_partial_order(void)
{
	unsigned int a, b, c;

	for_each_mode(a) {
		check(cohfs_mode_covers(a, a));
		check(cohfs_mode_covers(COHFS_EX, a));
		check(cohfs_mode_covers(a, COHFS_NL));
		for_each_mode(b) {
			if (a != b && cohfs_mode_covers(a, b))
				check(!cohfs_mode_covers(b, a) && a > b);
			for_each_mode(c)
				if (cohfs_mode_covers(a, b) && cohfs_mode_covers(b, c))
					check(cohfs_mode_covers(a, c));
		}
	}
	check(!cohfs_mode_covers(COHFS_PR, COHFS_CW));
	check(!cohfs_mode_covers(COHFS_CW, COHFS_PR));
}

static void test_join_is_the_least_upper_bound(void)
{
	unsigned int a, b, c, j;

	for_each_mode(a)
		for_each_mode(b) {
			j = cohfs_mode_join(a, b);
			check(cohfs_mode_covers(j, a) && cohfs_mode_covers(j, b));
			check(j == cohfs_mode_join(b, a));
			for_each_mode(c) {
				if (cohfs_mode_covers(c, a) && cohfs_mode_covers(c, b))
					check(cohfs_mode_covers(c, j));
				check(cohfs_mode_join(cohfs_mode_join(a, b), c) ==
				      cohfs_mode_join(a, cohfs_mode_join(b, c)));
			}
		}
	check(cohfs_mode_join(COHFS_PR, COHFS_CW) == COHFS_PW);
}

static void test_keep_makes_way_and_no_more(void)
{
	unsigned int g, d, d2, k;

	for_each_mode(g)
		for_each_mode(d) {
			k = cohfs_mode_keep(g, d);
			check(cohfs_mode_covers(g, k));
			check(cohfs_mode_compat(k, d));
			if (cohfs_mode_compat(g, d))
				check(k == g);
			/* a second demand is served by serving the join of both */
			for_each_mode(d2)
				check(cohfs_mode_compat(cohfs_mode_keep(g,
					cohfs_mode_join(d, d2)), d2));
		}
	check(cohfs_mode_keep(COHFS_EX, COHFS_PR) == COHFS_PR);
	check(cohfs_mode_keep(COHFS_EX, COHFS_EX) == COHFS_NL);
	check(cohfs_mode_keep(COHFS_EX, COHFS_CR) == COHFS_CW);
}

static void test_ways_up(void)
{
	unsigned int a, b;

	for_each_mode(a)
		for_each_mode(b) {
			if (cohfs_mode_can_raise(a, b))
				check(a != b && cohfs_mode_covers(b, a));
		}
	check(cohfs_mode_can_raise(COHFS_PR, COHFS_EX));
	check(!cohfs_mode_can_raise(COHFS_PR, COHFS_CW));
	check(!cohfs_mode_can_raise(COHFS_CW, COHFS_EX));
}

static void test_names_round_trip(void)
{
	static const u64 values[] = {
		0, 1, 0xf, 0x10, 0x1234, 0xdeadbeefull, S64_MAX, U64_MAX,
	};
	struct cohfs_lock_name name, back;
	char buf[COHFS_RES_NAME_MAX + 1];
	unsigned int i, j, len;

	for (name.type = 0; name.type < COHFS_NR_LOCK_TYPES; name.type++)
		for (i = 0; i < ARRAY_SIZE(values); i++)
			for (j = 0; j < ARRAY_SIZE(values); j++) {
				name.number = values[i];
				name.index = values[j];
				len = cohfs_name_format(&name, buf);
				check(len && len == strlen(buf) && len <= 64);
				check(!cohfs_name_parse(buf, len, &back));
				check(!cohfs_name_cmp(&name, &back));
			}
	name = (struct cohfs_lock_name) { .type = COHFS_LT_INODE, .number = 0x1234 };
	cohfs_name_format(&name, buf);
	check(!strcmp(buf, "I0000000000001234"));
	name.type = COHFS_NR_LOCK_TYPES;
	check(!cohfs_name_format(&name, buf));
}

static void test_bad_names(void)
{
	static const char *const bad[] = {
		"", "I", "I000000000000123", "X0000000000001234",
		"I000000000000123G", "I000000000000123A", "i0000000000001234",
		"I00000000000012340", "I0000000000001234.", "I0000000000001234.0",
		"I0000000000001234.01", "I0000000000001234.x", "I0000000000001234 1",
		"I0000000000001234.00000000000000001",
		"I0000000000001234.11111111111111111",
	};
	struct cohfs_lock_name name;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		check(cohfs_name_parse(bad[i], strlen(bad[i]), &name) == -EINVAL);
}

static void test_name_order(void)
{
	struct cohfs_lock_name a, b;

	a = (struct cohfs_lock_name) { .type = COHFS_LT_INODE, .number = 9, .index = 9 };
	b = (struct cohfs_lock_name) { .type = COHFS_LT_RANGE, .number = 1, .index = 1 };
	check(cohfs_name_cmp(&a, &b) < 0 && cohfs_name_cmp(&b, &a) > 0);
	b.type = a.type;
	check(cohfs_name_cmp(&a, &b) > 0);
	b.number = 9;
	check(cohfs_name_cmp(&a, &b) > 0);
}

static void test_order_against_naive(void)
{
	static const u8 modes[] = { COHFS_PR, COHFS_EX, COHFS_CW };
	struct cohfs_lock_want want[8], in[8];
	unsigned int i, j, n, out, round;

	for (round = 0; round < 20000; round++) {
		memset(in, 0, sizeof(in));
		n = check_rand() % 9;
		for (i = 0; i < n; i++) {
			in[i].name.type = COHFS_LT_OPEN + check_rand() % 3;
			in[i].name.number = check_rand() % 3;
			in[i].name.index = check_rand() % 2;
			in[i].mode = modes[check_rand() % 3];
			in[i].lk = &in[i];
		}
		memcpy(want, in, sizeof(in));
		out = cohfs_order(want, n);
		for (i = 1; i < out; i++)
			check(cohfs_name_cmp(&want[i - 1].name, &want[i].name) < 0);
		for (i = 0; i < out; i++) {
			enum cohfs_mode join = COHFS_NL;

			for (j = 0; j < n; j++)
				if (!cohfs_name_cmp(&in[j].name, &want[i].name))
					join = cohfs_mode_join(join, in[j].mode);
			check(join != COHFS_NL && join == want[i].mode);
		}
		for (j = 0; j < n; j++) {
			for (i = 0; i < out; i++)
				if (!cohfs_name_cmp(&in[j].name, &want[i].name))
					break;
			check(i < out);
		}
	}
}

static void fill_attr(struct cohfs_attr *attr)
{
	u8 *p = (u8 *)attr;
	size_t i;

	for (i = 0; i < sizeof(*attr); i++)
		p[i] = check_rand();
	attr->atime.nsec %= 1000000000;
	attr->mtime.nsec %= 1000000000;
	attr->ctime.nsec %= 1000000000;
	attr->btime.nsec %= 1000000000;
}

static bool same_ts(const struct cohfs_ts *a, const struct cohfs_ts *b)
{
	return a->sec == b->sec && a->nsec == b->nsec;
}

static bool same_attr(const struct cohfs_attr *a, const struct cohfs_attr *b)
{
	return a->mode == b->mode && a->uid == b->uid && a->gid == b->gid &&
	       a->nlink == b->nlink && a->size == b->size && a->blocks == b->blocks &&
	       same_ts(&a->atime, &b->atime) && same_ts(&a->mtime, &b->mtime) &&
	       same_ts(&a->ctime, &b->ctime) && same_ts(&a->btime, &b->btime) &&
	       a->time_gen == b->time_gen && a->flags == b->flags &&
	       a->rdev == b->rdev && a->generation == b->generation &&
	       a->orphan_slot == b->orphan_slot;
}

static void test_lvb_round_trip(void)
{
	struct cohfs_lvb_inode lvb;
	struct cohfs_attr in, out;
	unsigned int i;

	for (i = 0; i < 2000; i++) {
		fill_attr(&in);
		cohfs_lvb_encode(&lvb, &in);
		memset(&out, 0, sizeof(out));
		check(cohfs_lvb_decode(&lvb, &out));
		check(same_attr(&in, &out));
	}
}

static void test_lvb_refuses_damage(void)
{
	struct cohfs_lvb_inode lvb, bad;
	struct cohfs_attr in, out;
	unsigned int bit;

	memset(&lvb, 0, sizeof(lvb));
	check(!cohfs_lvb_decode(&lvb, &out));
	memset(&lvb, '?', sizeof(lvb));
	check(!cohfs_lvb_decode(&lvb, &out));
	fill_attr(&in);
	cohfs_lvb_encode(&lvb, &in);
	for (bit = 0; bit < 8 * sizeof(lvb); bit++) {
		bad = lvb;
		((u8 *)&bad)[bit / 8] ^= 1 << bit % 8;
		check(!cohfs_lvb_decode(&bad, &out));
	}
}

int main(void)
{
	run_test(test_compat);
	run_test(test_covers_is_a_partial_order);
	run_test(test_join_is_the_least_upper_bound);
	run_test(test_keep_makes_way_and_no_more);
	run_test(test_ways_up);
	run_test(test_names_round_trip);
	run_test(test_bad_names);
	run_test(test_name_order);
	run_test(test_order_against_naive);
	run_test(test_lvb_round_trip);
	run_test(test_lvb_refuses_damage);
	return check_done();
}
