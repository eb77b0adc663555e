/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A stream of damaged images: what tests/host/fsck_images.c writes and fuzzed.c reads.
 *
 * A record is a struct fuzz_record and @blocks times a struct fuzz_block.  A base comes
 * first and says what the image is, all other blocks being zero; each case that follows
 * says what is different in it, until the next base.
 */
#ifndef _COHFS_TEST_FUZZED_H
#define _COHFS_TEST_FUZZED_H

#include <stdint.h>

#define FUZZ_BLOCK	4096u
#define FUZZ_BASE	0x65736142u
#define FUZZ_CASE	0x65736143u

/**
 * struct fuzz_record - a base or a case
 * @magic: FUZZ_BASE or FUZZ_CASE
 * @blocks: how many follow
 * @size: base: blocks of the image
 * @seed: COHFS_SEED
 * @number: COHFS_CASE
 * @fuzzer: name
 * @text: what was done, for people
 */
struct fuzz_record {
	uint32_t magic;
	uint32_t blocks;
	uint64_t size;
	uint64_t seed;
	uint32_t number;
	uint32_t pad;
	char fuzzer[16];
	char text[1024];
};

/** struct fuzz_block - contents of a block */
struct fuzz_block {
	uint64_t number;
	uint8_t bytes[FUZZ_BLOCK];
};

#endif /* _COHFS_TEST_FUZZED_H */
