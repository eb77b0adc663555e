/* SPDX-License-Identifier: GPL-2.0-only */
/* The few lines of test framework that the glue tests need. */
#ifndef _COHFS_TEST_GLUE_CHECK_H
#define _COHFS_TEST_GLUE_CHECK_H

#include <cohfs/core_env.h>

static unsigned int check_failed_now, check_failed_ever;
static u64 check_seed = 0x9e3779b97f4a7c15ull;

#define check(cond) \
	do { \
		if (!(cond) && check_failed_now++ < 5) \
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond); \
	} while (0)

#define run_test(fn) \
	do { \
		check_failed_now = 0; \
		fn(); \
		check_result(#fn + 5); \
	} while (0)

static inline void check_result(const char *name)
{
	printf("%s %s\n", check_failed_now ? "not ok" : "ok", name);
	fflush(stdout);
	check_failed_ever += check_failed_now;
	check_failed_now = 0;
}

/* xorshift64*: the same everywhere, unlike rand(3) */
static inline u32 check_rand(void)
{
	check_seed ^= check_seed >> 12;
	check_seed ^= check_seed << 25;
	check_seed ^= check_seed >> 27;
	return (check_seed * 0x2545f4914f6cdd1dull) >> 32;
}

static inline unsigned int check_env(const char *name, unsigned int dflt)
{
	const char *s = getenv(name);

	return s && *s ? (unsigned int)strtoul(s, NULL, 0) : dflt;
}

static inline int check_done(void)
{
	if (cohfs_shim_warnings) {
		printf("not ok no_warnings (%u)\n", cohfs_shim_warnings);
		return 1;
	}
	return check_failed_ever != 0;
}

#endif /* _COHFS_TEST_GLUE_CHECK_H */
