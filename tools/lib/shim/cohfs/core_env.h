/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Userspace twin of include/cohfs/core_env.h: lets pure code (fs/core,
 * dlm_glue/core) compile in tools and host tests.  Put tools/lib/shim before
 * include in the search path.  Keep this small: what does not fit here does not
 * belong into pure code.
 */
#ifndef _COHFS_CORE_ENV_H
#define _COHFS_CORE_ENV_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s8 s8;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;

#define U8_MAX		((u8)~0U)
#define U16_MAX		((u16)~0U)
#define U32_MAX		((u32)~0U)
#define S32_MAX		((s32)(U32_MAX >> 1))
#define U64_MAX		((u64)~0ULL)
#define S64_MAX		((s64)(U64_MAX >> 1))

/* Compiler ---------------------------------------------------------------- */

#ifdef __CHECKER__
#define __force		__attribute__((force))
#else
#define __force
#endif

#ifndef __always_inline
#define __always_inline	inline __attribute__((__always_inline__))
#endif
#define __must_check	__attribute__((__warn_unused_result__))
#define __maybe_unused	__attribute__((__unused__))
#define __printf(a, b)	__attribute__((__format__(printf, a, b)))
#ifndef __has_attribute
#define __has_attribute(x) 0
#endif
#if __has_attribute(__fallthrough__)
#define fallthrough	__attribute__((__fallthrough__))
#else
#define fallthrough	do {} while (0)
#endif
#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#define READ_ONCE(x)	(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define BUILD_BUG_ON(c)	_Static_assert(!(c), "BUILD_BUG_ON: " #c)
#define BIT(n)		(1UL << (n))
#define BIT_ULL(n)	(1ULL << (n))

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

/* Arithmetic: arguments are evaluated once, types as the kernel has them ---- */

#define min(x, y) ({ \
	__typeof__(x) __min_x = (x); \
	__typeof__(y) __min_y = (y); \
	__min_x < __min_y ? __min_x : __min_y; })
#define max(x, y) ({ \
	__typeof__(x) __max_x = (x); \
	__typeof__(y) __max_y = (y); \
	__max_x > __max_y ? __max_x : __max_y; })
#define min_t(type, x, y)	min((type)(x), (type)(y))
#define max_t(type, x, y)	max((type)(x), (type)(y))
#define clamp(v, lo, hi)	min(max(v, lo), hi)
#define clamp_t(type, v, lo, hi) clamp((type)(v), (type)(lo), (type)(hi))
#define swap(a, b) \
	do { __typeof__(a) __swap_t = (a); (a) = (b); (b) = __swap_t; } while (0)

#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
/* powers of two only */
#define round_up(x, y)		((((x) - 1) | ((__typeof__(x))((y) - 1))) + 1)
#define round_down(x, y)	((x) & ~((__typeof__(x))((y) - 1)))
#define ALIGN(x, a)		(((x) + ((__typeof__(x))(a) - 1)) & \
				 ~((__typeof__(x))(a) - 1))

static inline unsigned int hweight8(unsigned int w)
{
	return (unsigned int)__builtin_popcount(w & 0xff);
}

static inline unsigned int hweight32(u32 w)
{
	return (unsigned int)__builtin_popcount(w);
}

static inline unsigned int hweight64(u64 w)
{
	return (unsigned int)__builtin_popcountll(w);
}

/* undefined for 0, as in the kernel */
static inline unsigned long __ffs64(u64 w)
{
	return (unsigned long)__builtin_ctzll(w);
}

static inline u64 rol64(u64 w, unsigned int shift)
{
	return (w << (shift & 63)) | (w >> ((-shift) & 63));
}

/* Byte order -------------------------------------------------------------- */

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define __cohfs_le(bits, x)	((u##bits)(x))
#define __cohfs_be(bits, x)	__builtin_bswap##bits((u##bits)(x))
#else
#define __cohfs_le(bits, x)	__builtin_bswap##bits((u##bits)(x))
#define __cohfs_be(bits, x)	((u##bits)(x))
#endif

#define COHFS_SHIM_ENDIAN(bits) \
static inline __le##bits cpu_to_le##bits(u##bits v) \
{ \
	return (__force __le##bits)__cohfs_le(bits, v); \
} \
static inline u##bits le##bits##_to_cpu(__le##bits v) \
{ \
	return __cohfs_le(bits, (__force u##bits)v); \
} \
static inline __be##bits cpu_to_be##bits(u##bits v) \
{ \
	return (__force __be##bits)__cohfs_be(bits, v); \
} \
static inline u##bits be##bits##_to_cpu(__be##bits v) \
{ \
	return __cohfs_be(bits, (__force u##bits)v); \
} \
static inline void le##bits##_add_cpu(__le##bits *var, u##bits val) \
{ \
	*var = cpu_to_le##bits((u##bits)(le##bits##_to_cpu(*var) + val)); \
} \
static inline u##bits get_unaligned_le##bits(const void *p) \
{ \
	u##bits v; \
\
	memcpy(&v, p, sizeof(v)); \
	return __cohfs_le(bits, v); \
} \
static inline void put_unaligned_le##bits(u##bits v, void *p) \
{ \
	v = __cohfs_le(bits, v); \
	memcpy(p, &v, sizeof(v)); \
} \
static inline u##bits get_unaligned_be##bits(const void *p) \
{ \
	u##bits v; \
\
	memcpy(&v, p, sizeof(v)); \
	return __cohfs_be(bits, v); \
} \
static inline void put_unaligned_be##bits(u##bits v, void *p) \
{ \
	v = __cohfs_be(bits, v); \
	memcpy(p, &v, sizeof(v)); \
}

COHFS_SHIM_ENDIAN(16)
COHFS_SHIM_ENDIAN(32)
COHFS_SHIM_ENDIAN(64)

/* Strings ----------------------------------------------------------------- */

/* first byte of @s that is not @c, or NULL */
static inline void *memchr_inv(const void *s, int c, size_t n)
{
	const u8 *p = s;
	size_t i;

	for (i = 0; i < n; i++)
		if (p[i] != (u8)c)
			return (void *)(uintptr_t)(p + i);
	return NULL;
}

/* -E2BIG when @src does not fit; always terminated */
static inline ssize_t strscpy(char *dst, const char *src, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		dst[i] = src[i];
		if (!src[i])
			return (ssize_t)i;
	}
	if (n)
		dst[n - 1] = '\0';
	return -E2BIG;
}

static inline int scnprintf(char *buf, size_t size, const char *fmt, ...)
	__attribute__((__format__(printf, 3, 4)));
static inline int scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	__builtin_va_list ap;
	int n;

	__builtin_va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	__builtin_va_end(ap);
	if (n < 0 || !size)
		return 0;
	return (size_t)n < size ? n : (int)size - 1;
}

/* Checks ------------------------------------------------------------------ */

/*
 * Warnings so far in this process.  Tests that do not provoke warnings on
 * purpose should end by demanding 0.
 */
extern unsigned int cohfs_shim_warnings;
__attribute__((__weak__)) unsigned int cohfs_shim_warnings;

static inline bool cohfs_shim_warn(bool cond, const char *what, const char *file,
				   int line)
{
	if (unlikely(cond)) {
		cohfs_shim_warnings++;
		fprintf(stderr, "WARNING: %s at %s:%d\n", what, file, line);
	}
	return cond;
}

#define WARN_ON(c)	cohfs_shim_warn(!!(c), #c, __FILE__, __LINE__)
#define WARN_ON_ONCE(c) ({ \
	static bool __warned; \
	bool __cond = !!(c); \
	if (__cond && !__warned) { \
		__warned = true; \
		cohfs_shim_warn(true, #c, __FILE__, __LINE__); \
	} \
	unlikely(__cond); })
#define WARN_ONCE(c, fmt, ...) ({ \
	static bool __warned; \
	bool __cond = !!(c); \
	if (__cond && !__warned) { \
		__warned = true; \
		cohfs_shim_warn(true, #c, __FILE__, __LINE__); \
		fprintf(stderr, fmt, ##__VA_ARGS__); \
	} \
	unlikely(__cond); })

/* tools/lib/crc32c.c; as the kernel's: no inversion of seed or result */
u32 crc32c(u32 seed, const void *buf, size_t len);

#endif /* _COHFS_CORE_ENV_H */
