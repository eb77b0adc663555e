// SPDX-License-Identifier: GPL-2.0-only
/*
 * The name hash is disk format: golden vectors.  SipHash-2-4 vectors are those of
 * its authors (key 00..0f, input 00..n-1).
 */
#include <linux/cohfs_ondisk.h>
#include "core_test.h"
#include "../../fs/core/dirhash.h"

static const u64 reference[] = {
	0x726fdb47dd0e0e31ULL, 0x74f839c593dc67fdULL, 0x0d6c8009d9a94f5aULL,
	0x85676696d7fb7e2dULL, 0xcf2794e0277187b7ULL, 0x18765564cd99a68dULL,
	0xcbc9466e58fee3ceULL, 0xab0200f58b01d137ULL, 0x93f5f5799a932462ULL,
	0x9e0082df0ba9e4b0ULL, 0x7a5dbbc594ddb9f3ULL, 0xf4b32f46226bada7ULL,
	0x751e8fbc860ee5fbULL, 0x14ea5627c0843d90ULL, 0xf723ca908e7af2eeULL,
	0xa129ca6149be45e5ULL,
};

static void siphash_reference(void)
{
	u8 key[16], data[16];
	u32 i;

	for (i = 0; i < 16; i++)
		key[i] = data[i] = (u8)i;
	for (i = 0; i < ARRAY_SIZE(reference); i++)
		CHECK(cohfs_siphash(key, data, i) == reference[i]);
}

static void golden_names(void)
{
	static const struct {
		const char *name;
		u64 hash;
	} rows[] = {
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
	char longest[COHFS_NAME_MAX];
	u8 key[16];
	u32 i;

	for (i = 0; i < 16; i++)
		key[i] = (u8)(0xa0 + i);
	memset(longest, 'x', sizeof(longest));
	CHECK_EQ(cohfs_dirhash(key, longest, sizeof(longest)), 0x84dbf134897c3ULL);
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		CHECK_EQ(cohfs_dirhash(key, rows[i].name, strlen(rows[i].name)),
			 rows[i].hash);
}

static void range_and_alignment(void)
{
	u8 buf[300], key[16];
	u64 hash;
	u32 i, len;

	for (i = 0; i < 20000; i++) {
		u32 off = rnd(16), k;

		for (k = 0; k < sizeof(buf); k++)
			buf[k] = (u8)rnd64();
		for (k = 0; k < 16; k++)
			key[k] = (u8)rnd64();
		len = rnd(256);
		hash = cohfs_dirhash(key, buf + off, len);
		CHECK(hash > 0 && hash >> COHFS_HASH_BITS == 0);
		memmove(buf + 1, buf + off, len);
		CHECK(cohfs_dirhash(key, buf + 1, len) == hash);
	}
}

int main(void)
{
	test_begin();
	test_case("siphash_reference", siphash_reference);
	test_case("dirhash_golden_names", golden_names);
	test_case("dirhash_range", range_and_alignment);
	return test_end();
}
