/* SPDX-License-Identifier: GPL-2.0-only */
/* Name hash of directories: on-disk format, see the golden vectors in tests/host. */
#ifndef _COHFS_CORE_DIRHASH_H
#define _COHFS_CORE_DIRHASH_H

#include <cohfs/types.h>

#define COHFS_HASH_BITS		55
#define COHFS_SEQ_BITS		8
#define COHFS_SEQ_MAX		((1u << COHFS_SEQ_BITS) - 1)

/** cohfs_siphash() - SipHash-2-4 of @len bytes under a 16 byte key */
u64 cohfs_siphash(const u8 key[16], const void *data, size_t len);

/**
 * cohfs_dirhash() - hash of a name: the top 55 bits of its SipHash, 1 for 0
 * @key: s_hash_key
 * Keyed, so that nobody can prepare names that collide.  Never 0, so that a
 * readdir cookie (hash << 8 | sequence) is never one of "." and "..".
 */
u64 cohfs_dirhash(const u8 key[16], const void *name, size_t len);

static inline u64 cohfs_dirkey_hash(u64 key)
{
	return key >> COHFS_SEQ_BITS;
}

#endif /* _COHFS_CORE_DIRHASH_H */
