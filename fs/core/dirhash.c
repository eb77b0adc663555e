// SPDX-License-Identifier: GPL-2.0-only
/*
 * SipHash-2-4 (Aumasson, Bernstein), byte order independent.  Not the kernel's
 * siphash(): this one is disk format and has to be the same code in tools.
 */
#include "dirhash.h"

struct sip {
	u64 v0, v1, v2, v3;
};

static u64 rotl(u64 w, unsigned int n)
{
	return (w << n) | (w >> (64 - n));
}

static void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = rotl(s->v1, 13) ^ s->v0;
	s->v0 = rotl(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotl(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotl(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotl(s->v1, 17) ^ s->v2;
	s->v2 = rotl(s->v2, 32);
}

static void sip_word(struct sip *s, u64 m)
{
	s->v3 ^= m;
	sip_round(s);
	sip_round(s);
	s->v0 ^= m;
}

u64 cohfs_siphash(const u8 key[16], const void *data, size_t len)
{
	u64 k0 = get_unaligned_le64(key);
	u64 k1 = get_unaligned_le64(key + 8);
	struct sip s = {
		.v0 = k0 ^ 0x736f6d6570736575ULL,
		.v1 = k1 ^ 0x646f72616e646f6dULL,
		.v2 = k0 ^ 0x6c7967656e657261ULL,
		.v3 = k1 ^ 0x7465646279746573ULL,
	};
	const u8 *p = data;
	u64 last = (u64)len << 56;
	unsigned int i;

	for (; len >= 8; len -= 8, p += 8)
		sip_word(&s, get_unaligned_le64(p));
	for (i = 0; i < len; i++)
		last |= (u64)p[i] << (8 * i);
	sip_word(&s, last);
	s.v2 ^= 0xff;
	for (i = 0; i < 4; i++)
		sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

u64 cohfs_dirhash(const u8 key[16], const void *name, size_t len)
{
	u64 hash = cohfs_siphash(key, name, len) >> (64 - COHFS_HASH_BITS);

	return hash ? hash : 1;
}
