/* SPDX-License-Identifier: GPL-2.0-only */
/* Who else may have the filesystem mounted? */
#ifndef _COHFS_FSCK_USERS_H
#define _COHFS_FSCK_USERS_H

#include "recover.h"

/**
 * enum users - what this host's cluster software knows of nodes that have it mounted
 * @USERS_NONE: there are none, or it is not for a cluster, or an image file
 * @USERS_KNOWN: there are some
 * @USERS_UNKNOWN: it cannot be asked
 */
enum users { USERS_NONE, USERS_KNOWN, USERS_UNKNOWN };

/** users_ask() - Says which nodes, if USERS_KNOWN. */
enum users users_ask(const struct volume *vol);

/** users_unknown() - says that USERS_UNKNOWN is why nothing is repaired */
void users_unknown(const struct volume *vol);

/**
 * users_possible() - could another node be using it, as far as the disk tells?
 * Says what is known.  This host is asked when the device is opened.
 */
bool users_possible(struct recovery *rec);

#endif /* _COHFS_FSCK_USERS_H */
