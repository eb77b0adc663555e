/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events of the data path.  Questions they answer: which faults had to ask another
 * node and how long that took, what grew a file, who pins pages.  Events of the
 * locks themselves are in dlm_glue/trace.h.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM cohfs

#if !defined(_COHFS_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _COHFS_TRACE_H

#include <linux/fs.h>
#include <linux/tracepoint.h>
#include "map.h"

TRACE_EVENT(cohfs_fault_wait,
	TP_PROTO(struct inode *inode, pgoff_t index, int mode, u64 ns, int err),
	TP_ARGS(inode, index, mode, ns, err),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(u64, ino)
		__field(pgoff_t, index)
		__field(int, mode)
		__field(u64, ns)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->dev = inode->i_sb->s_dev;
		__entry->ino = inode->i_ino;
		__entry->index = index;
		__entry->mode = mode;
		__entry->ns = ns;
		__entry->err = err;
	),
	TP_printk("dev %d:%d ino %llu page %lu mode %d waited_ns %llu err %d",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino,
		  __entry->index, __entry->mode, __entry->ns, __entry->err)
);

TRACE_EVENT(cohfs_mkwrite_miss,
	TP_PROTO(struct inode *inode, pgoff_t index, int err),
	TP_ARGS(inode, index, err),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(u64, ino)
		__field(pgoff_t, index)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->dev = inode->i_sb->s_dev;
		__entry->ino = inode->i_ino;
		__entry->index = index;
		__entry->err = err;
	),
	TP_printk("dev %d:%d ino %llu page %lu err %d",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino,
		  __entry->index, __entry->err)
);

TRACE_EVENT(cohfs_copy_retry,
	TP_PROTO(struct inode *inode, loff_t pos, size_t left, bool locked,
		 unsigned int ranges),
	TP_ARGS(inode, pos, left, locked, ranges),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(u64, ino)
		__field(loff_t, pos)
		__field(size_t, left)
		__field(bool, locked)
		__field(unsigned int, ranges)
	),
	TP_fast_assign(
		__entry->dev = inode->i_sb->s_dev;
		__entry->ino = inode->i_ino;
		__entry->pos = pos;
		__entry->left = left;
		__entry->locked = locked;
		__entry->ranges = ranges;
	),
	TP_printk("dev %d:%d ino %llu pos %lld left %zu locked %d ranges %u",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino,
		  __entry->pos, __entry->left, __entry->locked, __entry->ranges)
);

TRACE_EVENT(cohfs_range_pinned,
	TP_PROTO(struct inode *inode, pgoff_t index, unsigned int waited_ms),
	TP_ARGS(inode, index, waited_ms),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(u64, ino)
		__field(pgoff_t, index)
		__field(unsigned int, waited_ms)
	),
	TP_fast_assign(
		__entry->dev = inode->i_sb->s_dev;
		__entry->ino = inode->i_ino;
		__entry->index = index;
		__entry->waited_ms = waited_ms;
	),
	TP_printk("dev %d:%d ino %llu page %lu waited_ms %u",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino,
		  __entry->index, __entry->waited_ms)
);

TRACE_EVENT(cohfs_range_split,
	TP_PROTO(struct inode *inode, int level, u64 index, int to, unsigned int kept),
	TP_ARGS(inode, level, index, to, kept),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(u64, ino)
		__field(int, level)
		__field(u64, index)
		__field(int, to)
		__field(unsigned int, kept)
	),
	TP_fast_assign(
		__entry->dev = inode->i_sb->s_dev;
		__entry->ino = inode->i_ino;
		__entry->level = level;
		__entry->index = index;
		__entry->to = to;
		__entry->kept = kept;
	),
	TP_printk("dev %d:%d ino %llu level %d index %llu to %d kept %u",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino,
		  __entry->level, __entry->index, __entry->to, __entry->kept)
);

TRACE_EVENT(cohfs_range_climb,
	TP_PROTO(struct inode *inode, int level, u64 index, int mode, int err),
	TP_ARGS(inode, level, index, mode, err),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(u64, ino)
		__field(int, level)
		__field(u64, index)
		__field(int, mode)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->dev = inode->i_sb->s_dev;
		__entry->ino = inode->i_ino;
		__entry->level = level;
		__entry->index = index;
		__entry->mode = mode;
		__entry->err = err;
	),
	TP_printk("dev %d:%d ino %llu level %d index %llu mode %d err %d",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino,
		  __entry->level, __entry->index, __entry->mode, __entry->err)
);

TRACE_EVENT(cohfs_range_bounce,
	TP_PROTO(struct inode *inode, int level, u64 index, int from, int to),
	TP_ARGS(inode, level, index, from, to),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(u64, ino)
		__field(int, level)
		__field(u64, index)
		__field(int, from)
		__field(int, to)
	),
	TP_fast_assign(
		__entry->dev = inode->i_sb->s_dev;
		__entry->ino = inode->i_ino;
		__entry->level = level;
		__entry->index = index;
		__entry->from = from;
		__entry->to = to;
	),
	TP_printk("dev %d:%d ino %llu level %d index %llu from %d to %d",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino,
		  __entry->level, __entry->index, __entry->from, __entry->to)
);

TRACE_EVENT(cohfs_extmap_grow,
	TP_PROTO(struct inode *inode, u64 lblk, u64 want,
		 const struct cohfs_extent *ext, int err),
	TP_ARGS(inode, lblk, want, ext, err),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(u64, ino)
		__field(u64, lblk)
		__field(u64, want)
		__field(u64, blk)
		__field(u32, len)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->dev = inode->i_sb->s_dev;
		__entry->ino = inode->i_ino;
		__entry->lblk = lblk;
		__entry->want = want;
		__entry->blk = err ? 0 : ext->blk;
		__entry->len = err ? 0 : ext->len;
		__entry->err = err;
	),
	TP_printk("dev %d:%d ino %llu lblk %llu want %llu blk %llu len %u err %d",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino,
		  __entry->lblk, __entry->want, __entry->blk, __entry->len,
		  __entry->err)
);

TRACE_EVENT(cohfs_disksize,
	TP_PROTO(struct inode *inode, loff_t size, int err),
	TP_ARGS(inode, size, err),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(u64, ino)
		__field(loff_t, size)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->dev = inode->i_sb->s_dev;
		__entry->ino = inode->i_ino;
		__entry->size = size;
		__entry->err = err;
	),
	TP_printk("dev %d:%d ino %llu size %lld err %d",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino,
		  __entry->size, __entry->err)
);

#endif /* _COHFS_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
