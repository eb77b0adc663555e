// SPDX-License-Identifier: GPL-2.0-only
/*
 * fs/core/dirhash.c is disk format: golden vectors, the same as in tests/host, and
 * the kernel's own SipHash as a second opinion.
 */
#include <kunit/test.h>
#include <linux/cohfs_ondisk.h>
#include <linux/siphash.h>
#include "../../fs/core/dirhash.h"

static const struct hash_row {
	const char *name;
	u64 hash;
} golden[] = {
	{ "a", 0x278559a0d446c3ULL },
	{ "b", 0x59c12a7feab854ULL },
	{ "file", 0x7c41528c0e83ecULL },
	{ "lost+found", 0x3e3cb9876d89bULL },
	{ "Makefile", 0x50a1b3b4613550ULL },
	{ "0123456", 0x6d062541b5aa40ULL },
	{ "01234567", 0x2afbc82c989143ULL },
	{ "012345678", 0x59ebd39f8f53e8ULL },
	{ "\xc3\xa4\xc3\xb6\xc3\xbc", 0x78ab8394493753ULL },
};

static void golden_desc(const struct hash_row *row, char *desc)
{
	/* a name may be anything; test names may not */
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%llx", row->hash);
}

KUNIT_ARRAY_PARAM(golden, golden, golden_desc);

static void golden_names(struct kunit *test)
{
	const struct hash_row *row = test->param_value;
	u8 key[16];
	unsigned int i;

	for (i = 0; i < sizeof(key); i++)
		key[i] = 0xa0 + i;
	KUNIT_EXPECT_EQ(test, cohfs_dirhash(key, row->name, strlen(row->name)), row->hash);
}

static void agrees_with_the_kernels(struct kunit *test)
{
	siphash_key_t key;
	u8 bytes[16], data[64];
	unsigned int i, len;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = 7 * i + 3;
	for (i = 0; i < sizeof(data); i++)
		data[i] = 251 * i;
	key.key[0] = get_unaligned_le64(bytes);
	key.key[1] = get_unaligned_le64(bytes + 8);
	for (len = 0; len <= sizeof(data); len++)
		KUNIT_EXPECT_EQ_MSG(test, cohfs_siphash(bytes, data, len),
				    siphash(data, len, &key), "%u bytes", len);
}

static void hash_in_range(struct kunit *test)
{
	u8 key[16] = {}, name[COHFS_NAME_MAX];
	unsigned int len;
	u64 hash;

	for (len = 1; len <= sizeof(name); len++) {
		memset(name, len, len);
		hash = cohfs_dirhash(key, name, len);
		KUNIT_EXPECT_NE(test, hash, 0);
		KUNIT_EXPECT_EQ(test, hash >> COHFS_HASH_BITS, 0);
	}
}

static struct kunit_case dirhash_cases[] = {
	KUNIT_CASE_PARAM(golden_names, golden_gen_params),
	KUNIT_CASE(agrees_with_the_kernels),
	KUNIT_CASE(hash_in_range),
	{}
};

static struct kunit_suite dirhash_suite = {
	.name = "cohfs_dirhash",
	.test_cases = dirhash_cases,
};

kunit_test_suite(dirhash_suite);
