/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Large folios, for what is written at once.
 *
 * A folio is filled, written back and thrown away as a whole, so all of it has to be under
 * one lock: the file's, or a region's.  Under page locks a folio is a page.
 *
 * Only a write() that holds D for all of the file makes large ones, of pages that it has
 * allocated blocks for.  Read-ahead does not: it would make some of pages whose places it
 * does not know.  A region that is kept when D goes keeps its large folios, which do not
 * reach beyond it; when it is split in turn, they go (revoke.c).
 */
#ifndef _COHFS_FOLIO_H
#define _COHFS_FOLIO_H

#include <linux/fs.h>
#include <linux/pagemap.h>

struct cohfs_range_hold;

/* Half a region: small enough never to be mapped as a whole, whatever its place in a VMA */
#define COHFS_FOLIO_ORDER	8

/**
 * cohfs_folio_large_begin() - folios that iomap adds for a write() at @pos may be large
 * @hold: EX on the range; if it is not of all of the file nothing changes
 * Context: i_rwsem exclusive, to cohfs_folio_large_end().
 */
void cohfs_folio_large_begin(const struct cohfs_range_hold *hold, loff_t pos);
void cohfs_folio_large_end(struct inode *inode);

/**
 * cohfs_folio_refuse_large() - throw read-ahead away that has large folios
 *
 * It was begun in the middle of a write().
 * Context: ->readahead().
 * Return: true if nothing is left to be read.
 */
bool cohfs_folio_refuse_large(struct readahead_control *rac);

#endif /* _COHFS_FOLIO_H */
