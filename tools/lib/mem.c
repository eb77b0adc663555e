// SPDX-License-Identifier: GPL-2.0-only
/* Memory for the tools. */
#include "io.h"
#include "mem.h"

int mem_exit_status = 1;

static void *checked(void *mem)
{
	if (mem)
		return mem;
	tool_error("out of memory");
	exit(mem_exit_status);
}

void *mem_zalloc(size_t size)
{
	return checked(calloc(1, size ? size : 1));
}

void *mem_copy(const void *from, size_t size)
{
	void *to = mem_zalloc(size);

	if (size)
		memcpy(to, from, size);
	return to;
}

void *mem_grow(void *array, size_t count, size_t *room, size_t element)
{
	if (count < *room)
		return array;
	*room = *room ? 2 * *room : 16;
	return checked(reallocarray(array, *room, element));
}
