/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every test program shares: options, verdict, meeting the other nodes,
 * and small helpers around system calls that must not fail.
 *
 * One process per node runs the same program with the same options except -i.
 * They meet over the network, never through the filesystem under test, so that
 * meeting neither hides nor adds cluster traffic.
 */
#ifndef _COHFS_TEST_PROG_H
#define _COHFS_TEST_PROG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PAGE 4096UL
#define MAX_NODES 16
/* Memory that others change: other nodes, whom the compiler knows nothing about. */
#define SHARED __volatile
#define PRINTF(a, b) __attribute((__format__(__printf__, a, b)))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/**
 * struct prog - this run
 * @name: of the program, plus its mode if there is one
 * @step: what it is doing now; part of every failure message
 * @waiting: where it waits for the other nodes, if it does
 * @node: own index, 0..@nodes-1
 * @dir: directory of the filesystem under test that belongs to this run
 * @count: how much of what the program does; its unit is the program's business
 * @handovers: least number of times that ownership has to move
 */
struct prog {
	char name[64];
	const char *step;
	const char *waiting;
	int node;
	int nodes;
	const char *dir;
	const char *mode;
	long count;
	long handovers;
	double seconds;
	uint32_t run;
	uint64_t seed;
};

extern struct prog prog;

/* prog.c */

/**
 * prog_init() - parse the options, arm the time limit, meet the other nodes
 *
 * -i NODE -n NODES -d DIR -r RUN -m MODE -c COUNT -k HANDOVERS -t SECONDS
 * -s SEED -l LIMIT.  Fields that no option sets keep what @prog holds before.
 */
void prog_init(int argc, char **argv, const char *name);

/** prog_end() - meet once more, print "ok NAME: ..." */
int prog_end(const char *fmt, ...) PRINTF(1, 2);

/** report() - one line "data key=value ..." for whoever started the program */
void report(const char *fmt, ...) PRINTF(1, 2);

/** fail() - print "not ok NAME: ...", tell the other nodes, exit */
_Noreturn void fail(const char *fmt, ...) PRINTF(1, 2);

#define STR_(x) #x
#define STR(x) STR_(x)
#define WHERE __FILE__ ":" STR(__LINE__)

#define CHECK(cond, fmt, ...)						\
	do {								\
		if (!(cond))						\
			fail(WHERE ": " fmt, ##__VA_ARGS__);		\
	} while (0)

/* A system call that must succeed. */
#define SYS(call)							\
	({								\
		__auto_type ret_ = (call);				\
		if (ret_ == (__typeof__(ret_))-1)			\
			fail(WHERE ": %s: %m", #call);			\
		ret_;							\
	})

/* A system call that must fail with this errno. */
#define SYS_FAILS(call, error)						\
	do {								\
		long ret_ = (long)(call);				\
		int errno_ = errno;					\
		if (ret_ != -1 || errno_ != (error))			\
			fail(WHERE ": %s: returned %ld (%s), wanted %s", #call, \
			     ret_, ret_ == -1 ? strerror(errno_) : "success", \
			     #error);					\
	} while (0)

/* sync.c */
void sync_start(void);
/** sync_end() - stay a moment for those who have not heard of us yet */
void sync_end(void);
/** sync_fail() - make the others stop as well */
void sync_fail(void);

/**
 * exchange_at() - meet all nodes; give each a number and get theirs
 * @all: filled with one number per node, or NULL
 * Return: sum of all.
 */
uint64_t exchange_at(const char *where, uint64_t mine, uint64_t *all);
#define exchange(mine, all) exchange_at(WHERE, mine, all)
#define barrier() ((void)exchange_at(WHERE, 0, NULL))

/** others_waiting() - are all others waiting for us at the next meeting? */
bool others_waiting(void);

/* file.c */

/** at() - path of @name in this run's directory; valid for 16 further calls */
const char *at(const char *fmt, ...) PRINTF(1, 2);
int open_file(const char *path, int flags);
/** make_file() - create and fill with @len bytes of zero, or leave a hole */
int make_file(const char *path, size_t len, bool hole);
void *map_file(int fd, size_t len, int prot, int flags);
void pread_all(int fd, void *buf, size_t len, off_t off);
void pwrite_all(int fd, const void *buf, size_t len, off_t off);
off_t file_size(int fd);

/** fill() - bytes of stream @seed from offset @off on */
void fill(void *buf, size_t len, uint64_t seed, uint64_t off);
/** differs() - first offset in @buf that is not as fill() made it, or -1 */
ssize_t differs(const void *buf, size_t len, uint64_t seed, uint64_t off);

/** catch_faults() - from now on an unexpected SIGBUS or SIGSEGV is a failure */
void catch_faults(void);

/**
 * faults() - does touching @p raise SIGBUS (or SIGSEGV)?
 * @store: write the byte that is there back instead of reading it
 * Return: 0 or the signal.
 */
int faults(SHARED char *p, bool store);

/** store_faults() - store @value at @p.  Return: 0 or the signal that this raised. */
int store_faults(SHARED uint64_t *p, uint64_t value);

/** copy_self() - this program as a new file that can be executed; open for writing */
int copy_self(const char *to);

/** copy_faults() - copy where either side may fault.  Return: 0 or the signal. */
int copy_faults(void *to, const void *from, size_t len);

double now(void);
void sleep_for(double seconds);
uint64_t rnd(void);		/* xorshift, seeded by run seed and node */
uint64_t hash64(uint64_t x);

static inline uint64_t tsc(void)
{
	return __builtin_ia32_rdtsc();
}

#endif /* _COHFS_TEST_PROG_H */
