/* SPDX-License-Identifier: GPL-2.0-only */
/* Value block of I(ino): attributes that travel with the lock. */
#ifndef _COHFS_GLUE_LVB_H
#define _COHFS_GLUE_LVB_H

#include <cohfs/attr.h>
#include <cohfs/types.h>
#include <linux/cohfs_ondisk.h>

/** cohfs_lvb_encode() - fill every byte of @lvb, checksum included */
void cohfs_lvb_encode(struct cohfs_lvb_inode *lvb, const struct cohfs_attr *attr);

/**
 * cohfs_lvb_decode() - attributes from a value block, if it is one
 *
 * A value block that nobody has written yet is zeroes or, from some lock
 * managers, whatever was in the buffer; after a node died it may be old.  Magic,
 * version and checksum sort out the first two, the caller has sorted out the last.
 * Return: true and *@attr filled; false and *@attr untouched.
 */
bool cohfs_lvb_decode(const struct cohfs_lvb_inode *lvb, struct cohfs_attr *attr);

#endif /* _COHFS_GLUE_LVB_H */
