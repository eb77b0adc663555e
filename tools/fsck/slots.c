// SPDX-License-Identifier: GPL-2.0-only
/* What nodes own. */
#include "../lib/layout.h"
#include "fsck.h"
#include "ident.h"
#include "inode.h"

static struct expect slot_expect(const struct volume *vol, u32 slot)
{
	return (struct expect) {
		.type = COHFS_BT_SLOT,
		.blkno = vol->info.first_slot + slot,
		.owner = slot,
	};
}

static struct cohfs_slot *slot_of(struct fsck *f, u32 slot)
{
	return &f->slots.block[slot].slot;
}

/* Orphan directories ------------------------------------------------------------------ */

/* Where mkfs has put it */
static u64 usual_place(const struct volume *vol, u32 slot)
{
	const struct cohfs_super_info *info = &vol->info;
	struct layout l = {
		.slots = info->slots, .blocks = info->blocks, .groups = info->groups,
		.first_group = info->first_group, .super_copy = info->copy,
	};

	return layout_orphan_ino(&l, slot);
}

/* These directories are their own parents, as only the root is besides */
static bool is_own_parent(struct fsck *f, u64 ino)
{
	struct expect ex = { .type = COHFS_BT_INODE, .blkno = ino, .owner = ino };
	union block buf;
	const char *why;

	return !image_read(f->img, ino, &buf) &&
	       ident_block(&f->vol, &buf, &ex, &why) != IDENT_NONE &&
	       le64_to_cpu(buf.inode.i_parent) == ino;
}

int slots_by_dir(const struct fsck *f, u64 ino)
{
	u32 slot;

	for (slot = 0; slot < f->vol.info.slots; slot++)
		if (f->slots.dir[slot] == ino)
			return (int)slot;
	return -1;
}

static bool dir_possible(struct fsck *f, u64 ino)
{
	return volume_extent_ok(&f->vol, ino, 2) && ino != f->vol.info.root_ino &&
	       !is_claimed_meta(&f->claims, ino) && slots_by_dir(f, ino) < 0;
}

/*
 * The slot's directory: where mkfs has put it, unless there is none there and the slot
 * knows another one, which a repair has made.  0: there is none.
 */
static u64 choose_dir(struct fsck *f, u32 slot, u64 said)
{
	u64 usual = usual_place(&f->vol, slot);

	if (said != usual && !is_own_parent(f, usual) && dir_possible(f, said) &&
	    is_own_parent(f, said))
		return said;
	return dir_possible(f, usual) ? usual : 0;
}

static void find_dir(struct fsck *f, u32 slot)
{
	struct cohfs_slot *sl = slot_of(f, slot);
	u64 said = le64_to_cpu(sl->sl_orphan_dir), ino = choose_dir(f, slot, said);

	f->slots.dir[slot] = ino;
	if (ino == said)
		return;
	problem(&f->problems, P_SLOT_ORPHANS, "slot %u: inode %llu is no orphan directory",
		slot, said);
	sl->sl_orphan_dir = cpu_to_le64(ino);
	f->slots.changed[slot] = true;
}

void slots_make_dirs(struct fsck *f)
{
	struct node *node;
	u32 slot;
	u64 ino;

	for (slot = 0; slot < f->vol.info.slots; slot++) {
		if (f->slots.dir[slot])
			continue;
		ino = claims_find_free(&f->claims, 2, true);
		if (!ino) {
			problem(&f->problems, P_NO_SPACE,
				"slot %u: no space for an orphan directory", slot);
			continue;
		}
		node = inode_create_dir(f, ino, 0700, ino);
		node->flags |= NODE_SYSTEM;
		node->parent = ino;
		f->slots.dir[slot] = ino;
		slot_of(f, slot)->sl_orphan_dir = cpu_to_le64(ino);
	}
}

/* Slot blocks ------------------------------------------------------------------------------ */

static void make_anew(struct fsck *f, u32 slot)
{
	struct expect ex = slot_expect(&f->vol, slot);
	union block *buf = &f->slots.block[slot];

	memset(buf, 0, sizeof(*buf));
	ident_restore(&f->vol, buf, &ex);
	buf->slot.sl_orphan_dir = cpu_to_le64(usual_place(&f->vol, slot));
	f->slots.changed[slot] = true;
}

/* The entries that are none go; more than there can be are none */
static void fix_pool(struct fsck *f, u32 slot)
{
	struct cohfs_slot *sl = slot_of(f, slot);
	u32 count = min_t(u32, le32_to_cpu(sl->sl_pool_count), COHFS_POOL_MAX);
	u32 i, n = 0;

	for (i = 0; i < count; i++)
		if (sl->sl_pool[i])
			sl->sl_pool[n++] = sl->sl_pool[i];
	sl->sl_pool_count = cpu_to_le32(n);
}

static void load_slot(struct fsck *f, u32 slot)
{
	struct expect ex = slot_expect(&f->vol, slot);
	union block *buf = &f->slots.block[slot];
	const char *why = "cannot be read", *body;
	enum ident id = IDENT_NONE;

	if (!image_read(f->img, ex.blkno, buf))
		id = ident_block(&f->vol, buf, &ex, &why);
	if (id != IDENT_SURE) {
		problem(&f->problems, P_SLOT_BLOCK, "slot %u: block %llu: %s%s", slot,
			ex.blkno, why, id == IDENT_NONE ? "; made anew" : "");
		ident_restore(&f->vol, buf, &ex);
		f->slots.changed[slot] = true;
	}
	if (id == IDENT_NONE)
		make_anew(f, slot);
	body = cohfs_check_body(buf, COHFS_BT_SLOT);
	if (!body)
		return;
	if (id == IDENT_SURE)
		problem(&f->problems, P_SLOT_BLOCK, "slot %u: block %llu: %s", slot,
			ex.blkno, body);
	fix_pool(f, slot);
	f->slots.changed[slot] = true;
}

static void note_pool(struct fsck *f, u32 slot)
{
	const struct cohfs_slot *sl = slot_of(f, slot);
	u32 i;

	for (i = 0; i < le32_to_cpu(sl->sl_pool_count); i++)
		numtab_put(&f->slots.pool, le64_to_cpu(sl->sl_pool[i]), slot);
}

void slots_load(struct fsck *f)
{
	u32 slot;

	for (slot = 0; slot < f->vol.info.slots; slot++) {
		load_slot(f, slot);
		note_pool(f, slot);
		find_dir(f, slot);
	}
}

void slots_free(struct slots *slots)
{
	numtab_free(&slots->pool);
}

/* Pools ---------------------------------------------------------------------------------------- */

bool slots_in_pool(const struct fsck *f, u64 ino)
{
	u64 slot;

	return numtab_get(&f->slots.pool, ino, &slot);
}

static void check_pool(struct fsck *f, u32 slot)
{
	struct cohfs_slot *sl = slot_of(f, slot);
	u32 count = le32_to_cpu(sl->sl_pool_count);
	u32 i, n = 0;

	for (i = 0; i < count; i++) {
		u64 ino = le64_to_cpu(sl->sl_pool[i]);

		if (volume_extent_ok(&f->vol, ino, 2) && !is_claimed(&f->claims, ino) &&
		    !is_claimed(&f->claims, ino + 1) && claim_meta(&f->claims, ino, 2)) {
			sl->sl_pool[n++] = sl->sl_pool[i];
			continue;
		}
		problem(&f->problems, P_POOL_ENTRY, "slot %u: %llu is no unused inode number",
			slot, ino);
		f->slots.changed[slot] = true;
	}
	for (i = n; i < count; i++)
		sl->sl_pool[i] = 0;
	sl->sl_pool_count = cpu_to_le32(n);
}

void slots_check_pools(struct fsck *f)
{
	u32 slot;

	for (slot = 0; slot < f->vol.info.slots; slot++)
		check_pool(f, slot);
}

/* Counts ------------------------------------------------------------------------------------------ */

/* Which slot is wrong cannot be told, and does not matter: only the sum counts */
void slots_check_free(struct fsck *f, u64 free)
{
	u64 sum = f->vol.info.free_at_mkfs;
	struct cohfs_slot *sl;
	u32 slot;

	for (slot = 0; slot < f->vol.info.slots; slot++)
		sum += le64_to_cpu(slot_of(f, slot)->sl_free_delta);
	if (sum != free) {
		problem(&f->problems, P_FREE_COUNT,
			"the slots count %lld free blocks, there are %llu", (long long)sum,
			free);
		sl = slot_of(f, 0);
		le64_add_cpu(&sl->sl_free_delta, free - sum);
		f->slots.changed[0] = true;
	}
	for (slot = 0; slot < f->vol.info.slots; slot++) {
		if (!f->slots.changed[slot])
			continue;
		cohfs_block_seal(&f->slots.block[slot]);
		image_write(f->img, f->vol.info.first_slot + slot, &f->slots.block[slot]);
	}
}
