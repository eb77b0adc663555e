// SPDX-License-Identifier: GPL-2.0-only
/* fs/core/dirleaf.c: names of one leaf. */
#include <kunit/test.h>
#include "../../fs/core/check.h"
#include "../../fs/core/dirhash.h"
#include "../../fs/core/dirleaf.h"

static const struct cohfs_dirtarget target = { .ino = 4711, .generation = 3, .type = 8 };

struct leaf_name {
	char text[16];
	struct cohfs_dirname name;
};

static struct cohfs_dirleaf *new_leaf(struct kunit *test)
{
	static const u8 fsid[16] = "dirleaf kunit..";
	struct cohfs_dirleaf *leaf = kunit_kzalloc(test, sizeof(*leaf), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, leaf);
	cohfs_header_init(&leaf->l_hdr, COHFS_BT_DIRLEAF, 200, fsid, 100, 3);
	return leaf;
}

static const struct cohfs_dirname *make_name(struct leaf_name *ln, unsigned int nr,
					     u64 hash)
{
	ln->name.len = snprintf(ln->text, sizeof(ln->text), "name%u", nr);
	ln->name.name = (const u8 *)ln->text;
	ln->name.hash = hash;
	return &ln->name;
}

/* as many as there is room for; hashes downwards, two names each */
static unsigned int fill(struct kunit *test, struct cohfs_dirleaf *leaf)
{
	struct leaf_name ln;
	unsigned int n;
	int error;

	for (n = 0; ; n++) {
		error = cohfs_dirleaf_insert(leaf, make_name(&ln, n, 1000 - n / 2), &target,
					     NULL);
		if (error)
			break;
	}
	KUNIT_EXPECT_EQ(test, error, -ENOSPC);
	KUNIT_EXPECT_EQ(test, cohfs_dirleaf_count(leaf), n);
	KUNIT_EXPECT_NULL(test, cohfs_check_body(leaf, COHFS_BT_DIRLEAF));
	return n;
}

static void find_what_was_put_in(struct kunit *test)
{
	struct cohfs_dirleaf *leaf = new_leaf(test);
	unsigned int i, n = fill(test, leaf);
	struct cohfs_dirview view;
	struct leaf_name ln;

	KUNIT_EXPECT_GT(test, n, 50);
	for (i = 0; i < n; i++) {
		make_name(&ln, i, 1000 - i / 2);
		KUNIT_ASSERT_EQ(test, 0, cohfs_dirleaf_find(leaf, &ln.name, &view));
		KUNIT_EXPECT_EQ(test, view.target.ino, target.ino);
		KUNIT_EXPECT_EQ(test, view.key, ln.name.hash << 8 | i % 2);
		KUNIT_EXPECT_EQ(test, -EEXIST,
				cohfs_dirleaf_insert(leaf, &ln.name, &target, NULL));
	}
	make_name(&ln, n, 1000);
	KUNIT_EXPECT_EQ(test, -ENOENT, cohfs_dirleaf_find(leaf, &ln.name, &view));
}

static void walk_by_cookie(struct kunit *test)
{
	struct cohfs_dirleaf *leaf = new_leaf(test);
	unsigned int n = fill(test, leaf), seen = 0;
	struct cohfs_dirview view;
	u64 cookie = 0;

	while (cohfs_dirleaf_next(leaf, cookie, &view)) {
		KUNIT_EXPECT_GE(test, view.key, cookie);
		cookie = view.key + 1;
		seen++;
	}
	KUNIT_EXPECT_EQ(test, seen, n);
}

static void delete_and_reuse(struct kunit *test)
{
	struct cohfs_dirtarget other = { .ino = 5, .generation = 6, .type = 4 };
	struct cohfs_dirleaf *leaf = new_leaf(test);
	struct cohfs_dirview view;
	struct leaf_name ln;
	unsigned int i;
	u64 key;

	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_EQ(test, 0, cohfs_dirleaf_insert(leaf, make_name(&ln, i, 77),
							      &target, NULL));
	KUNIT_EXPECT_EQ(test, 0, cohfs_dirleaf_delete(leaf, make_name(&ln, 1, 77)));
	KUNIT_EXPECT_EQ(test, -ENOENT, cohfs_dirleaf_delete(leaf, &ln.name));
	KUNIT_EXPECT_EQ(test, 0, cohfs_dirleaf_insert(leaf, make_name(&ln, 9, 77), &other,
						      &key));
	KUNIT_EXPECT_EQ(test, key, 77 << 8 | 1);
	make_name(&ln, 2, 77);
	KUNIT_EXPECT_EQ(test, 0, cohfs_dirleaf_retarget(leaf, &ln.name, &other));
	KUNIT_ASSERT_EQ(test, 0, cohfs_dirleaf_find(leaf, &ln.name, &view));
	KUNIT_EXPECT_EQ(test, view.target.ino, other.ino);
	KUNIT_EXPECT_EQ(test, view.key, 77 << 8 | 2);
	KUNIT_EXPECT_NULL(test, cohfs_check_body(leaf, COHFS_BT_DIRLEAF));
}

static void split(struct kunit *test)
{
	struct cohfs_dirleaf *leaf = new_leaf(test), *upper = new_leaf(test);
	unsigned int i, n = fill(test, leaf);
	u64 hash = cohfs_dirleaf_split_hash(leaf);
	struct cohfs_dirview view;
	struct leaf_name ln;

	KUNIT_ASSERT_NE(test, hash, 0);
	cohfs_dirleaf_split(leaf, upper, hash);
	KUNIT_EXPECT_NULL(test, cohfs_check_body(leaf, COHFS_BT_DIRLEAF));
	KUNIT_EXPECT_NULL(test, cohfs_check_body(upper, COHFS_BT_DIRLEAF));
	KUNIT_EXPECT_EQ(test, cohfs_dirleaf_count(leaf) + cohfs_dirleaf_count(upper), n);
	for (i = 0; i < n; i++) {
		make_name(&ln, i, 1000 - i / 2);
		KUNIT_EXPECT_EQ(test, 0,
				cohfs_dirleaf_find(ln.name.hash < hash ? leaf : upper,
						   &ln.name, &view));
	}
}

static void one_hash_cannot_split(struct kunit *test)
{
	struct cohfs_dirleaf *leaf = new_leaf(test);
	struct leaf_name ln;
	unsigned int i;

	for (i = 0; i < 10; i++)
		KUNIT_ASSERT_EQ(test, 0, cohfs_dirleaf_insert(leaf, make_name(&ln, i, 5),
							      &target, NULL));
	KUNIT_EXPECT_EQ(test, cohfs_dirleaf_split_hash(leaf), 0);
}

static struct kunit_case dirleaf_cases[] = {
	KUNIT_CASE(find_what_was_put_in),
	KUNIT_CASE(walk_by_cookie),
	KUNIT_CASE(delete_and_reuse),
	KUNIT_CASE(split),
	KUNIT_CASE(one_hash_cannot_split),
	{}
};

static struct kunit_suite dirleaf_suite = {
	.name = "cohfs_dirleaf",
	.test_cases = dirleaf_cases,
};

kunit_test_suite(dirleaf_suite);
