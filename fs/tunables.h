/* SPDX-License-Identifier: GPL-2.0-only */
/* /sys/kernel/config/cohfs: what can be changed while mounted. */
#ifndef _COHFS_TUNABLES_H
#define _COHFS_TUNABLES_H

#include <linux/init.h>

int __init cohfs_tunables_init(void);
void cohfs_tunables_exit(void);

#endif /* _COHFS_TUNABLES_H */
