/* SPDX-License-Identifier: GPL-2.0-only */
/* Algebra of the six lock modes: pure tables, no state. */
#ifndef _COHFS_GLUE_MODE_H
#define _COHFS_GLUE_MODE_H

#include <cohfs/types.h>

/** cohfs_mode_compat() - may two nodes have @a and @b at the same time? */
bool cohfs_mode_compat(enum cohfs_mode a, enum cohfs_mode b);

/**
 * cohfs_mode_covers() - is whoever needs @need served by @have?
 *
 * True when @have keeps out every mode that @need keeps out.  A partial order: PR
 * and CW do not cover each other, PW covers both.
 */
bool cohfs_mode_covers(enum cohfs_mode have, enum cohfs_mode need);

/** cohfs_mode_join() - weakest mode that covers both */
enum cohfs_mode cohfs_mode_join(enum cohfs_mode a, enum cohfs_mode b);

/**
 * cohfs_mode_keep() - what is left of @granted when another node wants @demand
 *
 * Never PW: whoever asks for an intent gets the parent lowered to an intent, see
 * "Range locks" in Documentation/design.rst.
 * Return: a mode that @granted covers and that is compatible with @demand;
 * @granted itself when there is no conflict.
 */
enum cohfs_mode cohfs_mode_keep(enum cohfs_mode granted, enum cohfs_mode demand);

/**
 * cohfs_mode_can_raise() - may @from be converted to @to by a request that waits?
 *
 * Only pairs whose waits cannot close a circle that the DLM does not see; every
 * other way up leads through a lower mode first.
 */
bool cohfs_mode_can_raise(enum cohfs_mode from, enum cohfs_mode to);

/** cohfs_mode_name() - two letters, for dumps and messages */
const char *cohfs_mode_name(unsigned int mode);

#endif /* _COHFS_GLUE_MODE_H */
