// SPDX-License-Identifier: GPL-2.0-only
/*
 * crc32c (Castagnoli) for userspace, eight bytes at a time.  Same contract as
 * the kernel's crc32c(): the caller chooses the seed and inverts if it wants to.
 */
#include <cohfs/core_env.h>

#define POLY 0x82f63b78u	/* reflected */

static u32 table[8][256];

/* Runs before main, so that no caller needs to think of threads. */
__attribute__((constructor)) static void fill_table(void)
{
	u32 crc;
	int i, k;

	for (i = 0; i < 256; i++) {
		crc = (u32)i;
		for (k = 0; k < 8; k++)
			crc = (crc >> 1) ^ ((crc & 1) ? POLY : 0);
		table[0][i] = crc;
	}
	for (i = 0; i < 256; i++)
		for (k = 1; k < 8; k++)
			table[k][i] = (table[k - 1][i] >> 8) ^
				      table[0][table[k - 1][i] & 0xff];
}

u32 crc32c(u32 seed, const void *buf, size_t len)
{
	const u8 *p = buf;
	u32 crc = seed;
	u32 lo, hi;

	for (; len >= 8; len -= 8, p += 8) {
		lo = get_unaligned_le32(p) ^ crc;
		hi = get_unaligned_le32(p + 4);
		crc = table[7][lo & 0xff] ^ table[6][(lo >> 8) & 0xff] ^
		      table[5][(lo >> 16) & 0xff] ^ table[4][lo >> 24] ^
		      table[3][hi & 0xff] ^ table[2][(hi >> 8) & 0xff] ^
		      table[1][(hi >> 16) & 0xff] ^ table[0][hi >> 24];
	}
	for (; len; len--, p++)
		crc = (crc >> 8) ^ table[0][(crc ^ *p) & 0xff];
	return crc;
}
