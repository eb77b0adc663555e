// SPDX-License-Identifier: GPL-2.0-only
/* A table from numbers to numbers. */
#include "mem.h"
#include "numtab.h"

#define FIRST_SIZE 64

/* Where @key is, or where it would go; there always is an empty place */
static struct numtab_entry *place(const struct numtab *tab, u64 key)
{
	size_t i = (size_t)((key * 0x9e3779b97f4a7c15ULL) >> 20) & (tab->size - 1);

	while (tab->entries[i].key && tab->entries[i].key != key)
		i = (i + 1) & (tab->size - 1);
	return &tab->entries[i];
}

static void enlarge(struct numtab *tab)
{
	struct numtab old = *tab;
	size_t i;

	tab->size = old.size ? 2 * old.size : FIRST_SIZE;
	tab->entries = mem_zalloc(tab->size * sizeof(*tab->entries));
	for (i = 0; i < old.size; i++)
		if (old.entries[i].key)
			*place(tab, old.entries[i].key) = old.entries[i];
	free(old.entries);
}

bool numtab_get(const struct numtab *tab, u64 key, u64 *value)
{
	const struct numtab_entry *entry;

	if (!tab->size || !key)
		return false;
	entry = place(tab, key);
	if (!entry->key)
		return false;
	*value = entry->value;
	return true;
}

void numtab_put(struct numtab *tab, u64 key, u64 value)
{
	struct numtab_entry *entry;

	if (WARN_ON_ONCE(!key))
		return;
	if (tab->used >= tab->size / 4 * 3)
		enlarge(tab);
	entry = place(tab, key);
	if (!entry->key)
		tab->used++;
	entry->key = key;
	entry->value = value;
}

const struct numtab_entry *numtab_next(const struct numtab *tab, size_t *pos)
{
	while (*pos < tab->size)
		if (tab->entries[(*pos)++].key)
			return &tab->entries[*pos - 1];
	return NULL;
}

static int compare_keys(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

u64 *numtab_keys(const struct numtab *tab)
{
	const struct numtab_entry *entry;
	size_t pos = 0, n = 0;
	u64 *keys;

	if (!tab->used)
		return NULL;
	keys = mem_zalloc(tab->used * sizeof(*keys));
	while ((entry = numtab_next(tab, &pos)))
		keys[n++] = entry->key;
	qsort(keys, n, sizeof(*keys), compare_keys);
	return keys;
}

void numtab_free(struct numtab *tab)
{
	free(tab->entries);
	memset(tab, 0, sizeof(*tab));
}
