// SPDX-License-Identifier: GPL-2.0-only
/*
 * fsck.cohfs on filesystems that were damaged at random, by a fuzzer that knows the
 * format and one that does not.  Of each image it is demanded that
 *
 *  - nothing crashes, hangs or reads where it must not (ASan, UBSan, a time limit);
 *  - -n finds damage, or there is none that matters: then -y repairs nothing;
 *  - after -y, -n is clean;
 *  - files that were not hit are what they were.
 *
 * COHFS_SEED, COHFS_RUNS: as printed; COHFS_CASE: this one only; COHFS_LONG=1: 2,000
 * of each.
 */
#include "core_test.h"
#include "fsck_compare.h"
#include "fsck_damage.h"

#define RUNS_SHORT	60
#define RUNS_LONG	2000
#define IMAGES		3	/* filesystems, the last of them with full journals */

static u64 seed = 1;
static u32 runs = RUNS_SHORT;
static long only = -1;
static struct damage damage;
static u32 beyond_repair;
static u32 harmless;

/* Neither superblock nor copy is left: nothing can be done, and nothing must be */
static bool supers_lost(void)
{
	return damage.hit[COHFS_SUPER_BLKNO] && damage.hit[model.vol.info.copy];
}

static const char *judge_refusal(void)
{
	if (disk_fsck("-y") != 8)
		return "refused by -n, not by -y";
	beyond_repair++;
	return supers_lost() ? NULL : "refused";
}

/* NULL or what went wrong */
static const char *judge(void)
{
	int look = disk_fsck("-n"), repair;

	if (look < 0)
		return look == -2 ? "-n takes too long" : "-n crashed";
	if (look == 8)
		return judge_refusal();
	if (look != 0 && look != 4)
		return "exit status of -n";
	repair = disk_fsck("-y");
	if (repair < 0)
		return repair == -2 ? "-y takes too long" : "-y crashed";
	if (repair != (look ? 1 : 0))
		return look ? "-y did not repair all" : "-y repaired what -n did not find";
	harmless += !look;
	if (only >= 0)
		fputs(disk.output, stderr);
	if (disk_fsck("-n"))
		return "not clean after -y";
	return compare_model(damage.hit) ? "undamaged files are not what they were" : NULL;
}

static void one_case(const char *name, u32 n, void (*hurt)(struct damage *dm))
{
	const char *why;

	damage_reset(&damage, seed * 1000003 + n);
	hurt(&damage);
	why = judge();
	if (why) {
		fprintf(stderr, "%s: case %u: %s (COHFS_SEED=%llu COHFS_CASE=%u)\n  %s\n%.1500s\n",
			name, n, why, seed, n, damage.text, disk.output);
		test_failed++;
	}
	disk_restore();
}

static void fuzz(const char *name, u32 image, void (*hurt)(struct damage *dm))
{
	u32 n;

	for (n = image; n < runs && test_failed < 10; n += IMAGES)
		if (only < 0 || n == only)
			one_case(name, n, hurt);
}

static u32 image;

static void blind(void)
{
	fuzz("blind", image, damage_blind);
}

static void knowing(void)
{
	fuzz("knowing", image, damage_knowing);
}

int main(void)
{
	const char *env;
	char name[64];

	test_begin();
	runs = getenv("COHFS_LONG") ? RUNS_LONG : RUNS_SHORT;
	env = getenv("COHFS_RUNS");
	if (env)
		runs = (u32)strtoul(env, NULL, 0);
	env = getenv("COHFS_SEED");
	if (env)
		seed = strtoull(env, NULL, 0);
	env = getenv("COHFS_CASE");
	if (env) {
		only = strtol(env, NULL, 0);
		runs = (u32)only + 1;
	}
	for (image = 0; image < IMAGES; image++) {
		if (only >= 0 && only % IMAGES != image)
			continue;
		build_filesystem(seed + image, image == IMAGES - 1);
		snprintf(name, sizeof(name), "fsck_fuzz_blind_%u", image);
		test_case(name, blind);
		snprintf(name, sizeof(name), "fsck_fuzz_knowing_%u", image);
		test_case(name, knowing);
	}
	printf("# fsck_fuzz: seed %llu, %u images of each fuzzer, %u harmless, %u beyond repair\n",
	       seed, runs, harmless, beyond_repair);
	return test_end();
}
