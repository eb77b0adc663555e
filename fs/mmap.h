/* SPDX-License-Identifier: GPL-2.0-only */
/* Mappings: faults are where mapped programs meet the cluster. */
#ifndef _COHFS_MMAP_H
#define _COHFS_MMAP_H

#include <linux/mm.h>

extern const struct vm_operations_struct cohfs_vm_ops;
int cohfs_mmap(struct file *file, struct vm_area_struct *vma);

#endif /* _COHFS_MMAP_H */
