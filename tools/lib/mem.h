/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory for the tools: what cannot be had ends the program with a message. */
#ifndef _COHFS_TOOLS_MEM_H
#define _COHFS_TOOLS_MEM_H

#include <cohfs/core_env.h>

/** mem_exit_status - how a program ends that is out of memory; 1 unless set */
extern int mem_exit_status;

/** mem_zalloc() - zeroed */
void *mem_zalloc(size_t size);
/** mem_copy() - a copy of @size bytes */
void *mem_copy(const void *from, size_t size);
/**
 * mem_grow() - room for one more element at the end of an array
 * @array: as it is; may have moved afterwards
 * @count: elements in use
 * @room: elements that fit, updated
 */
void *mem_grow(void *array, size_t count, size_t *room, size_t element);

/** mem_sort() - qsort() that takes an array of nothing, too */
static inline void mem_sort(void *array, size_t count, size_t element,
			    int (*compare)(const void *a, const void *b))
{
	if (count)
		qsort(array, count, element, compare);
}

#endif /* _COHFS_TOOLS_MEM_H */
