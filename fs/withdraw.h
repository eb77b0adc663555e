/* SPDX-License-Identifier: GPL-2.0-only */
/* A node that cannot go on: stops writing, has its journal replayed, hands over. */
#ifndef _COHFS_WITHDRAW_H
#define _COHFS_WITHDRAW_H

struct cohfs_sb;

int cohfs_withdraw_init(struct cohfs_sb *cs);
/** cohfs_withdraw_stop() - the lockspace is about to be left: nobody kills it any more */
void cohfs_withdraw_stop(struct cohfs_sb *cs);
void cohfs_withdraw_free(struct cohfs_sb *cs);

/**
 * cohfs_withdraw() - stop writing for good: the on-disk state is not to be trusted
 * further from this node
 *
 * The first call says @fmt, fails all waits and has the rest done by a worker, see
 * withdraw.c; later calls do nothing.
 * Context: any.
 */
__printf(2, 3) void cohfs_withdraw(struct cohfs_sb *cs, const char *fmt, ...);

/** cohfs_withdraw_serve() - mounted: from now on a withdrawal hands over by itself */
void cohfs_withdraw_serve(struct cohfs_sb *cs);
/** cohfs_withdraw_unmount() - not any more: no worker will pin an inode */
void cohfs_withdraw_unmount(struct cohfs_sb *cs);
/**
 * cohfs_withdraw_settle() - if withdrawn: all is done that can be, before the end
 *
 * Waits for another node to replay our journal, if there is one; killable, and then
 * the locks stay until this node is fenced.
 * Context: sleeps; no inode is left; the slot is not used any more.
 */
void cohfs_withdraw_settle(struct cohfs_sb *cs);

#endif /* _COHFS_WITHDRAW_H */
