/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything that pure code (fs/core, dlm_glue/core) may use of the outside
 * world.  Kernel side; tools and host tests put tools/lib/shim first in their
 * include path and so get the userspace twin of this file.
 */
#ifndef _COHFS_CORE_ENV_H
#define _COHFS_CORE_ENV_H

#include <linux/bug.h>
#include <linux/crc32c.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/unaligned.h>
#include <asm/byteorder.h>

#endif /* _COHFS_CORE_ENV_H */
