// SPDX-License-Identifier: GPL-2.0-only
/*
 * fs/core/dirleaf.c against a list of names.  Hashes are drawn from a small set
 * in some rounds, so that equal hashes and their sequence numbers get used.
 */
#include "core_test.h"
#include "../../fs/core/check.h"
#include "../../fs/core/dirhash.h"
#include "../../fs/core/dirleaf.h"

#define MAX_NAMES 400

struct item {
	bool used;
	char name[COHFS_NAME_MAX + 1];
	u64 hash, key, ino;
};

static struct item items[MAX_NAMES];
static u32 hashes;	/* how many different ones in this round */
static struct cohfs_dirleaf leaf;

static struct cohfs_dirname name_of(const struct item *it)
{
	return (struct cohfs_dirname) {
		.name = (const u8 *)it->name,
		.len = (u32)strlen(it->name),
		.hash = it->hash,
	};
}

static void new_name(struct item *it)
{
	u32 len = rnd(20) ? 1 + rnd(20) : 1 + rnd(COHFS_NAME_MAX);
	u32 i;

	for (i = 0; i < len; i++)
		it->name[i] = (char)('a' + rnd(26));
	it->name[len] = '\0';
	it->hash = 1 + (hashes < 5000 ? rnd(hashes) * 3 : rnd64() >> 10);
}

static void leaf_init(struct cohfs_dirleaf *l)
{
	static const u8 fsid[16] = "dirleaf test....";

	memset(l, 0, sizeof(*l));
	cohfs_header_init(&l->l_hdr, COHFS_BT_DIRLEAF, 200, fsid, 100, 3);
}

static struct item *find_item(const char *name, u64 hash)
{
	u32 i;

	for (i = 0; i < MAX_NAMES; i++)
		if (items[i].used && items[i].hash == hash &&
		    !strcmp(items[i].name, name))
			return &items[i];
	return NULL;
}

static u64 naive_seq(u64 hash)
{
	u64 seq;
	u32 i;

	for (seq = 0; ; seq++) {
		for (i = 0; i < MAX_NAMES; i++)
			if (items[i].used && items[i].key == (hash << 8 | seq))
				break;
		if (i == MAX_NAMES)
			return seq;
	}
}

static void insert_one(void)
{
	struct cohfs_dirtarget target = { .ino = 1 + rnd(1000), .generation = 9, .type = 8 };
	u32 used = le16_to_cpu(leaf.l_used);
	struct item fresh, *slot = NULL;
	struct cohfs_dirname name;
	u64 key = 0;
	int err;
	u32 i;

	new_name(&fresh);
	for (i = 0; i < MAX_NAMES && !slot; i++)
		if (!items[i].used)
			slot = &items[i];
	if (!slot)
		return;
	name = name_of(&fresh);
	err = cohfs_dirleaf_insert(&leaf, &name, &target, &key);
	if (find_item(fresh.name, fresh.hash)) {
		CHECK_EQ(err, -EEXIST);
	} else if (cohfs_dirent_size(name.len) > COHFS_DIRLEAF_BYTES - used) {
		CHECK_EQ(err, -ENOSPC);
	} else {
		CHECK_EQ(err, 0);
		CHECK_EQ(key, fresh.hash << 8 | naive_seq(fresh.hash));
		*slot = fresh;
		slot->used = true;
		slot->key = key;
		slot->ino = target.ino;
	}
}

static void change_one(void)
{
	struct cohfs_dirtarget target = { .ino = 5000 + rnd(100), .type = 4 };
	struct item *it = &items[rnd(MAX_NAMES)], fresh;
	struct cohfs_dirname name;

	if (!it->used) {
		new_name(&fresh);
		name = name_of(&fresh);
		if (!find_item(fresh.name, fresh.hash)) {
			CHECK_EQ(cohfs_dirleaf_delete(&leaf, &name), -ENOENT);
			CHECK_EQ(cohfs_dirleaf_retarget(&leaf, &name, &target), -ENOENT);
		}
		return;
	}
	name = name_of(it);
	if (rnd(3)) {
		CHECK_EQ(cohfs_dirleaf_delete(&leaf, &name), 0);
		it->used = false;
	} else {
		CHECK_EQ(cohfs_dirleaf_retarget(&leaf, &name, &target), 0);
		it->ino = target.ino;
	}
}

static void compare(const struct cohfs_dirleaf *l, u64 from, u64 to)
{
	struct cohfs_dirview view;
	struct cohfs_dirname name;
	u32 i, count = 0, walked = 0;
	u64 cookie = 0;

	CHECK_STR(cohfs_check_body(l, COHFS_BT_DIRLEAF), NULL);
	for (i = 0; i < MAX_NAMES; i++) {
		if (!items[i].used || items[i].hash < from || items[i].hash >= to)
			continue;
		count++;
		name = name_of(&items[i]);
		CHECK_EQ(cohfs_dirleaf_find(l, &name, &view), 0);
		CHECK(view.key == items[i].key && view.target.ino == items[i].ino);
	}
	CHECK_EQ(cohfs_dirleaf_count(l), count);
	for (; cohfs_dirleaf_next(l, cookie, &view); cookie = view.key + 1) {
		CHECK(view.key >= cookie && view.key >= 256);
		walked++;
	}
	CHECK_EQ(walked, count);
}

static void check_split(void)
{
	struct cohfs_dirleaf lower = leaf, upper;
	u64 hash = cohfs_dirleaf_split_hash(&leaf);
	u64 lowest = U64_MAX, highest = 0;
	u32 i;

	for (i = 0; i < MAX_NAMES; i++) {
		if (!items[i].used)
			continue;
		lowest = min(lowest, items[i].hash);
		highest = max(highest, items[i].hash);
	}
	if (!hash) {
		CHECK(lowest >= highest);
		return;
	}
	CHECK(hash > lowest && hash <= highest);
	leaf_init(&upper);
	cohfs_dirleaf_split(&lower, &upper, hash);
	compare(&lower, 0, hash);
	compare(&upper, hash, U64_MAX);
	/* with many hashes no half may take more than half and one long entry */
	if (hashes > 5000) {
		CHECK(le16_to_cpu(lower.l_used) <= le16_to_cpu(leaf.l_used) / 2 + 280);
		CHECK(le16_to_cpu(upper.l_used) <= le16_to_cpu(leaf.l_used) / 2 + 280);
	}
}

static void random_ops(void)
{
	static const u32 sets[] = { 1, 2, 5, 40, 100000 };
	u32 round, i;

	for (round = 0; round < 2 * ARRAY_SIZE(sets); round++) {
		hashes = sets[round / 2];
		memset(items, 0, sizeof(items));
		leaf_init(&leaf);
		for (i = 0; i < 3000; i++) {
			if (rnd(10) < (round % 2 ? 7 : 5))
				insert_one();
			else
				change_one();
			if (i % 8 == 0)
				compare(&leaf, 0, U64_MAX);
			if (i % 32 == 0)
				check_split();
		}
	}
}

static void equal_hashes(void)
{
	struct cohfs_dirtarget target = { .ino = 5, .type = 8 };
	struct cohfs_dirname name = { .hash = 77, .len = 2 };
	char buf[4];
	u32 i;
	u64 key;

	leaf_init(&leaf);
	name.name = (const u8 *)buf;
	for (i = 0; ; i++) {
		snprintf(buf, sizeof(buf), "%02x", i);
		if (cohfs_dirleaf_insert(&leaf, &name, &target, &key))
			break;
		CHECK_EQ(key, 77 << 8 | i);
	}
	CHECK_EQ(i, COHFS_DIRLEAF_BYTES / cohfs_dirent_size(2));
	CHECK_EQ(cohfs_dirleaf_split_hash(&leaf), 0);
	memcpy(buf, "11", 3);
	CHECK_EQ(cohfs_dirleaf_delete(&leaf, &name), 0);
	memcpy(buf, "zz", 3);
	CHECK_EQ(cohfs_dirleaf_insert(&leaf, &name, &target, &key), 0);
	CHECK_EQ(key, 77 << 8 | 0x11);
	CHECK_STR(cohfs_check_body(&leaf, COHFS_BT_DIRLEAF), NULL);
}

/* No function leaves the block, whatever is in it: it ends where ASan watches */
static void garbage(void)
{
	struct cohfs_dirleaf *l = malloc(sizeof(*l)), *upper = malloc(sizeof(*l));
	struct cohfs_dirname name = { .name = (const u8 *)"abc", .len = 3 };
	struct cohfs_dirview view;
	u32 i, k;

	for (i = 0; i < 30000; i++) {
		for (k = 0; k < sizeof(*l); k += 8)
			put_unaligned_le64(rnd64(), (u8 *)l + k);
		if (rnd(2)) {	/* plausible from the start on */
			l->l_used = cpu_to_le16((u16)rnd(COHFS_DIRLEAF_BYTES + 1));
			for (k = 0; k + 32 < COHFS_DIRLEAF_BYTES; k += 32) {
				put_unaligned_le16(32, l->l_data + k + 20);
				l->l_data[k + 22] = rnd(50) ? 3 : (u8)rnd(256);
			}
		}
		name.hash = le64_to_cpu(((struct cohfs_dirent *)l->l_data)->d_key) >> 8;
		cohfs_dirleaf_find(l, &name, &view);
		cohfs_dirleaf_next(l, rnd64(), &view);
		cohfs_check_body(l, COHFS_BT_DIRLEAF);
		memset(upper, 0, sizeof(*upper));
		cohfs_dirleaf_split(l, upper, cohfs_dirleaf_split_hash(l));
		if (cohfs_dirleaf_next(upper, 0, &view)) {
			name.name = view.name;
			name.len = view.name_len;
			name.hash = cohfs_dirkey_hash(view.key);
			if (!cohfs_dirleaf_retarget(upper, &name, &view.target))
				CHECK_EQ(cohfs_dirleaf_delete(upper, &name), 0);
			name.name = (const u8 *)"abc";
			name.len = 3;
		}
		if (cohfs_dirleaf_insert(l, &name, &view.target, NULL) == 0)
			CHECK_EQ(cohfs_dirleaf_delete(l, &name), 0);
	}
	free(l);
	free(upper);
}

int main(void)
{
	test_begin();
	test_case("dirleaf_equal_hashes", equal_hashes);
	test_case("dirleaf_random_ops", random_ops);
	test_case("dirleaf_garbage", garbage);
	return test_end();
}
