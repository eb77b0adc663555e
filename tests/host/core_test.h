/* SPDX-License-Identifier: GPL-2.0-only */
/* What the host tests of fs/core and fs/map.c share: checks, results, chance. */
#ifndef _COHFS_CORE_TEST_H
#define _COHFS_CORE_TEST_H

#include <cohfs/core_env.h>

static unsigned int test_failed;	/* checks failed in the running case */
static unsigned int cases_failed;
static u64 test_seed = 20240607;

/* Fails the case, not the process: later checks often tell more. */
#define CHECK(cond) do { \
	if (!(cond) && ++test_failed <= 10) \
		fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond); \
} while (0)

#define CHECK_EQ(a, b) do { \
	long long __a = (long long)(a), __b = (long long)(b); \
	if (__a != __b && ++test_failed <= 10) \
		fprintf(stderr, "%s:%d: %s = %lld, %s = %lld\n", __FILE__, \
			__LINE__, #a, __a, #b, __b); \
} while (0)

/* Phrases of the check functions; NULL on either side is fine */
#define CHECK_STR(a, b) do { \
	const char *__a = (a), *__b = (b); \
	if ((!__a != !__b || (__a && strcmp(__a, __b))) && ++test_failed <= 10) \
		fprintf(stderr, "%s:%d: %s is \"%s\", not \"%s\"\n", __FILE__, \
			__LINE__, #a, __a ? __a : "(null)", __b ? __b : "(null)"); \
} while (0)

static inline u64 rnd64(void)
{
	u64 z = (test_seed += 0x9e3779b97f4a7c15ULL);	/* splitmix64 */

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* 0..@n - 1 */
static inline u32 rnd(u32 n)
{
	return (u32)(rnd64() % n);
}

static inline void test_case(const char *name, void (*fn)(void))
{
	test_failed = 0;
	fn();
	printf("%s %s\n", test_failed ? "not ok" : "ok", name);
	fflush(stdout);
	if (test_failed)
		cases_failed++;
}

/* For main: TEST_SEED in the environment repeats or varies a run */
static inline void test_begin(void)
{
	const char *seed = getenv("TEST_SEED");

	if (seed)
		test_seed = strtoull(seed, NULL, 0);
}

static inline int test_end(void)
{
	if (cohfs_shim_warnings) {
		printf("not ok no_warnings\n");
		cases_failed++;
	}
	return cases_failed != 0;
}

#endif /* _COHFS_CORE_TEST_H */
