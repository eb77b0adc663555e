/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Range locks as a tree: where its nodes are and what to ask of them.
 *
 * A file's data is one node (level FILE), cut into regions, cut into pages.  PR or EX
 * on a node covers everything below it; CR or CW says that something below it is
 * read or written and is covered there.  Gray's hierarchy, on the DLM's own modes.
 *
 * Pure: fs/range.c and its neighbours do what is decided here.
 */
#ifndef _COHFS_RANGETREE_H
#define _COHFS_RANGETREE_H

#include <cohfs/types.h>

/** enum cohfs_rt_level - from the root down; each is a lock type, in this order */
enum cohfs_rt_level {
	COHFS_RT_FILE,
	COHFS_RT_REGION,
	COHFS_RT_PAGE,
};
#define COHFS_NR_RT_LEVELS 3

/* 2 MiB: what one PMD maps, so no mapping entry ever spans two regions */
#ifndef COHFS_RT_REGION_SHIFT
#define COHFS_RT_REGION_SHIFT	9
#endif

#define COHFS_RT_END	U64_MAX		/* last page of any file */

/* Asking for more regions than this at once asks for the whole file: 512 MiB. */
#define COHFS_RT_MANY_REGIONS	256

/** cohfs_rt_index() - which node of @level has page @page */
u64 cohfs_rt_index(enum cohfs_rt_level level, u64 page);
/** cohfs_rt_first() - first page of node @index of @level */
u64 cohfs_rt_first(enum cohfs_rt_level level, u64 index);
/** cohfs_rt_last() - last page of node @index of @level */
u64 cohfs_rt_last(enum cohfs_rt_level level, u64 index);

/** cohfs_rt_intent() - what a node has to be held in while @mode is held below it */
static inline enum cohfs_mode cohfs_rt_intent(enum cohfs_mode mode)
{
	return mode == COHFS_PR ? COHFS_CR : COHFS_CW;
}

/** cohfs_rt_is_whole() - does @mode cover what is below? */
static inline bool cohfs_rt_is_whole(enum cohfs_mode mode)
{
	return mode >= COHFS_PR;
}

/** enum cohfs_rt_ask - how to get @mode for a range, at one node of the tree */
enum cohfs_rt_ask {
	COHFS_RT_ASK_WHOLE,	/* the node in @mode, however long it takes */
	COHFS_RT_ASK_TRY,	/* the same if nobody minds, else part of it */
	COHFS_RT_ASK_PART,	/* the intent, then the children */
};

/**
 * cohfs_rt_ask() - the node does not cover the range in @mode: what to do?
 * @granted: what this node of the cluster has of it
 * @shared: another node of the cluster was in the way lately
 * @first: etc.: the range, at least one page in the node's span
 *
 * Whoever is alone gets everything with one lock.  Where another node was met, it is
 * left its part: asking for the whole would take it away, asking for a part makes
 * it keep what it uses.  What covers the whole span has no part to leave.
 */
enum cohfs_rt_ask cohfs_rt_ask(enum cohfs_rt_level level, u64 index,
			       enum cohfs_mode granted, bool shared, u64 first,
			       u64 last, enum cohfs_mode mode);

/**
 * struct cohfs_rt_keep - a child that is kept when its parent is split
 */
struct cohfs_rt_keep {
	u64 index;
	u8 mode;
};

/**
 * cohfs_rt_keep_add() - note child @index, wanted in @mode; sorted, merged by join
 * Return: false if there is no room for one more.
 */
bool cohfs_rt_keep_add(struct cohfs_rt_keep *keep, unsigned int *nr, unsigned int max,
		       u64 index, enum cohfs_mode mode);

/**
 * cohfs_rt_gap() - next pages of [@from, @last] that no kept child covers
 * @level: of the children; entries in NL keep nothing
 * Return: false if there are none; else they are [@first, @end], and the next search
 * begins after @end.
 */
bool cohfs_rt_gap(enum cohfs_rt_level level, const struct cohfs_rt_keep *keep,
		  unsigned int nr, u64 from, u64 last, u64 *first, u64 *end);

/**
 * struct cohfs_rt_climb - when to try for the whole again; times in any unit
 * @next: not before
 * @wait: to be added if it fails; doubles up to @most
 */
struct cohfs_rt_climb {
	u64 next;
	u64 wait;
};

/** cohfs_rt_climb_met() - another node was in the way: begin to wait anew */
void cohfs_rt_climb_met(struct cohfs_rt_climb *climb, u64 now, u64 least);
/** cohfs_rt_climb_due() - try now? */
bool cohfs_rt_climb_due(const struct cohfs_rt_climb *climb, u64 now);
/** cohfs_rt_climb_failed() - somebody is still there: ever less often */
void cohfs_rt_climb_failed(struct cohfs_rt_climb *climb, u64 now, u64 most);

#endif /* _COHFS_RANGETREE_H */
