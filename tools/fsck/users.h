/* SPDX-License-Identifier: GPL-2.0-only */
/* Who else may have the filesystem mounted? */
#ifndef _COHFS_FSCK_USERS_H
#define _COHFS_FSCK_USERS_H

#include "recover.h"

/**
 * users_known() - does this host's cluster software know of a node that has it mounted?
 * Says which.  False says nothing: this host may not be in the cluster.
 */
bool users_known(const struct volume *vol);

/**
 * users_possible() - could another node be using it, as far as the disk tells?
 * Says what is known.  This host is asked when the device is opened.
 */
bool users_possible(struct recovery *rec);

#endif /* _COHFS_FSCK_USERS_H */
