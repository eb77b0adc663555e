// SPDX-License-Identifier: GPL-2.0-only
/* Files, mappings, known bytes and time for the test programs. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "prog.h"

const char *at(const char *fmt, ...)
{
	static __thread char paths[16][512];
	static __thread unsigned int next;
	char *path = paths[next++ % ARRAY_SIZE(paths)];
	va_list args;
	int len;

	len = snprintf(path, sizeof(paths[0]), "%s/", prog.dir);
	va_start(args, fmt);
	vsnprintf(path + len, sizeof(paths[0]) - len, fmt, args);
	va_end(args);
	return path;
}

int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0644);

	CHECK(fd >= 0, "open %s: %m", path);
	return fd;
}

int make_file(const char *path, size_t len, bool hole)
{
	static const char zeroes[64 * 1024];
	int fd = open_file(path, O_RDWR | O_CREAT | O_TRUNC);

	if (hole) {
		SYS(ftruncate(fd, len));
		return fd;
	}
	for (size_t off = 0; off < len; off += sizeof(zeroes)) {
		size_t part = len - off;

		if (part > sizeof(zeroes))
			part = sizeof(zeroes);
		pwrite_all(fd, zeroes, part, off);
	}
	return fd;
}

void *map_file(int fd, size_t len, int prot, int flags)
{
	return SYS(mmap(NULL, len, prot, flags, fd, 0));
}

void pread_all(int fd, void *buf, size_t len, off_t off)
{
	for (size_t got = 0; got < len;) {
		ssize_t ret = pread(fd, buf + got, len - got, off + got);

		CHECK(ret >= 0, "pread %zu bytes at %jd: %m", len - got,
		      (intmax_t)(off + got));
		CHECK(ret > 0, "pread at %jd: end of file, size %jd",
		      (intmax_t)(off + got), (intmax_t)file_size(fd));
		got += ret;
	}
}

void pwrite_all(int fd, const void *buf, size_t len, off_t off)
{
	for (size_t put = 0; put < len;) {
		ssize_t ret = pwrite(fd, buf + put, len - put, off + put);

		CHECK(ret > 0, "pwrite %zu bytes at %jd: %m", len - put,
		      (intmax_t)(off + put));
		put += ret;
	}
}

off_t file_size(int fd)
{
	struct stat st;

	SYS(fstat(fd, &st));
	return st.st_size;
}

uint64_t hash64(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ULL;
	return x ^ x >> 33;
}

static uint8_t stream_byte(uint64_t seed, uint64_t off)
{
	return hash64(seed * 0x9e3779b97f4a7c15ULL + off / 8) >> off % 8 * 8;
}

void fill(void *buf, size_t len, uint64_t seed, uint64_t off)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)buf)[i] = stream_byte(seed, off + i);
}

ssize_t differs(const void *buf, size_t len, uint64_t seed, uint64_t off)
{
	for (size_t i = 0; i < len; i++)
		if (((const uint8_t *)buf)[i] != stream_byte(seed, off + i))
			return i;
	return -1;
}

static __thread sigjmp_buf fault_return;
static __thread SHARED sig_atomic_t fault_expected;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (fault_expected)
		siglongjmp(fault_return, sig);
	fail("%s at %p", sig == SIGBUS ? "SIGBUS" : "SIGSEGV", info->si_addr);
}

void catch_faults(void)
{
	struct sigaction sa = {
		.sa_sigaction = on_fault,
		.sa_flags = SA_SIGINFO,
	};

	SYS(sigaction(SIGBUS, &sa, NULL));
	SYS(sigaction(SIGSEGV, &sa, NULL));
}

int faults(SHARED char *p, bool store)
{
	int sig = sigsetjmp(fault_return, 1);

	if (!sig) {
		fault_expected = 1;
		if (store)
			__atomic_fetch_or(p, 0, __ATOMIC_SEQ_CST);
		else
			(void)*p;
	}
	fault_expected = 0;
	return sig;
}

int store_faults(SHARED uint64_t *p, uint64_t value)
{
	int sig = sigsetjmp(fault_return, 1);

	if (!sig) {
		fault_expected = 1;
		*p = value;
	}
	fault_expected = 0;
	return sig;
}

int copy_self(const char *to)
{
	static char buf[64 * 1024];
	int in = SYS(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
	int out = open_file(to, O_WRONLY | O_CREAT | O_TRUNC);
	off_t off = 0;
	ssize_t got;

	while ((got = SYS(read(in, buf, sizeof(buf)))) > 0) {
		pwrite_all(out, buf, got, off);
		off += got;
	}
	SYS(fchmod(out, 0755));
	close(in);
	return out;
}

int copy_faults(void *to, const void *from, size_t len)
{
	int sig = sigsetjmp(fault_return, 1);

	if (!sig) {
		fault_expected = 1;
		memcpy(to, from, len);
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
	}
	fault_expected = 0;
	return sig;
}

double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

void sleep_for(double seconds)
{
	struct timespec ts = {
		.tv_sec = seconds,
		.tv_nsec = (seconds - (long)seconds) * 1e9,
	};

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

uint64_t rnd(void)
{
	static __thread uint64_t state;

	if (!state)
		state = hash64(prog.seed * MAX_NODES + prog.node +
			       (uintptr_t)&state) | 1;
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}
