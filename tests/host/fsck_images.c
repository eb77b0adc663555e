// SPDX-License-Identifier: GPL-2.0-only
/*
 * The images that fsck_fuzz.c damages, for the module: a stream of them (see
 * tests/cluster/prog/fuzzed.h), which cluster test 308 mounts.
 *
 * usage: fsck_images FILE FROM STEP END: each STEP-th case from FROM on, below END, of
 * both fuzzers.
 *
 * COHFS_SEED: as printed; COHFS_CASE: this one only.  They mean what they mean to
 * fsck_fuzz, so that fsck can be asked about an image that the module was given.
 */
#include "../cluster/prog/fuzzed.h"
#include "core_test.h"
#include "fsck_damage.h"

#define IMAGES	3	/* as in fsck_fuzz.c: filesystems, the last with full journals */

static const struct {
	const char *name;
	void (*hurt)(struct damage *dm);
} fuzzers[] = {
	{ "blind", damage_blind },
	{ "knowing", damage_knowing },
};

static FILE *out;
static u64 seed = 1;
static struct damage damage;

static void put(const void *data, size_t len)
{
	if (fwrite(data, 1, len, out) == len)
		return;
	perror("fsck_images");
	exit(1);
}

static bool is_zero(const u8 *block)
{
	return !block[0] && !memcmp(block, block + 1, COHFS_BLOCK_SIZE - 1);
}

static const u8 *pristine(u64 blkno)
{
	return disk.pristine + (blkno << COHFS_BLOCK_SHIFT);
}

static bool of_base(u64 blkno)
{
	return !is_zero(pristine(blkno));
}

static bool of_case(u64 blkno)
{
	return disk.written[blkno] &&
	       memcmp(disk_block(blkno), pristine(blkno), COHFS_BLOCK_SIZE);
}

static void put_record(struct fuzz_record *rec, bool (*wanted)(u64 blkno))
{
	u64 blk;

	for (blk = 0; blk < disk.blocks; blk++)
		rec->blocks += wanted(blk);
	put(rec, sizeof(*rec));
	for (blk = 0; blk < disk.blocks; blk++)
		if (wanted(blk)) {
			put(&blk, sizeof(blk));
			put(disk_block(blk), COHFS_BLOCK_SIZE);
		}
}

static void put_base(void)
{
	struct fuzz_record rec = { .magic = FUZZ_BASE, .size = disk.blocks, .seed = seed };

	put_record(&rec, of_base);
}

/* A loop device cannot fail to read one block; what drives give instead is noise */
static void fill_unreadable(void)
{
	if (*disk.unreadable)
		memset(disk_block(*disk.unreadable), 0x5a, COHFS_BLOCK_SIZE);
}

/* The filesystem that a case is about, if it is not the one that the last was about */
static void need_base(u32 number)
{
	static u32 built = IMAGES;
	u32 image = number % IMAGES;

	if (image == built)
		return;
	build_filesystem(seed + image, image == IMAGES - 1);
	put_base();
	built = image;
}

static void put_case(u32 fuzzer, u32 number)
{
	struct fuzz_record rec = { .magic = FUZZ_CASE, .seed = seed, .number = number };

	damage_reset(&damage, seed * 1000003 + number);
	fuzzers[fuzzer].hurt(&damage);
	fill_unreadable();
	snprintf(rec.fuzzer, sizeof(rec.fuzzer), "%s", fuzzers[fuzzer].name);
	snprintf(rec.text, sizeof(rec.text), "%s", damage.text);
	put_record(&rec, of_case);
	disk_restore();
}

static void put_cases(u32 number)
{
	u32 i;

	need_base(number);
	for (i = 0; i < ARRAY_SIZE(fuzzers); i++)
		put_case(i, number);
}

int main(int argc, char **argv)
{
	u32 from, end, image, n, step = argc == 5 ? (u32)atol(argv[3]) : 0;
	const char *env = getenv("COHFS_SEED");

	if (!step) {
		fprintf(stderr, "usage: fsck_images FILE FROM STEP END\n");
		return 2;
	}
	from = (u32)atol(argv[2]);
	end = (u32)atol(argv[4]);
	if (env)
		seed = strtoull(env, NULL, 0);
	env = getenv("COHFS_CASE");
	if (env && (u32)atol(env) % step == from % step) {
		from = (u32)atol(env);
		end = from + 1;
	} else if (env) {
		end = from;	/* it is another stream's */
	}
	out = fopen(argv[1], "we");
	if (!out) {
		perror(argv[1]);
		return 1;
	}
	for (image = 0; image < IMAGES; image++)
		for (n = from; n < end; n += step)
			if (n % IMAGES == image)
				put_cases(n);
	if (fclose(out)) {
		perror(argv[1]);
		return 1;
	}
	return 0;
}
