// SPDX-License-Identifier: GPL-2.0-only
#include "order.h"
#include "mode.h"

/* insertion sort: a handful of entries, usually in order already */
static void sort_wants(struct cohfs_lock_want *want, unsigned int nr)
{
	struct cohfs_lock_want tmp;
	unsigned int i, j;

	for (i = 1; i < nr; i++) {
		tmp = want[i];
		for (j = i; j && cohfs_name_cmp(&want[j - 1].name, &tmp.name) > 0; j--)
			want[j] = want[j - 1];
		want[j] = tmp;
	}
}

unsigned int cohfs_order(struct cohfs_lock_want *want, unsigned int nr)
{
	unsigned int i, out = 0;

	sort_wants(want, nr);
	for (i = 0; i < nr; i++) {
		if (out && !cohfs_name_cmp(&want[out - 1].name, &want[i].name))
			want[out - 1].mode = cohfs_mode_join(want[out - 1].mode,
							     want[i].mode);
		else
			want[out++] = want[i];
	}
	return out;
}
