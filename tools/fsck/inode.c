// SPDX-License-Identifier: GPL-2.0-only
/*
 * One inode.
 *
 * Three things know of it: the name, the inode's block and the root of its map, all with
 * number, type and generation.  When two agree against the third, the third is wrong;
 * when the block is lost the other two make a new one, with the contents and without
 * owner and times.
 */
#include <sys/random.h>
#include <time.h>
#include "../lib/mem.h"
#include "fsck.h"
#include "ident.h"
#include "inode.h"

#define MODE_SET_ID 06000u

/**
 * struct loading - one inode_load()
 * @buf: its block, repaired as far as possible
 * @changed: not as it is on disk
 */
struct loading {
	struct fsck *f;
	u64 ino;
	const struct hint *hint;
	union block buf;
	bool changed;
};

/* Messages --------------------------------------------------------------------------- */

static void report(struct loading *l, enum problem kind, const char *what)
{
	const struct hint *hint = l->hint;

	if (hint->name)
		problem(&l->f->problems, kind, "inode %llu (\"%.*s\" in directory %llu): %s",
			l->ino, (int)hint->name_len, (const char *)hint->name,
			hint->dir, what);
	else
		problem(&l->f->problems, kind, "inode %llu: %s", l->ino, what);
	l->changed = true;
}

/* Small things --------------------------------------------------------------------------- */

struct cohfs_time inode_now(void)
{
	return (struct cohfs_time) { .t_sec = cpu_to_le64((u64)time(NULL)) };
}

static u32 new_generation(void)
{
	u32 generation = 0;

	if (getrandom(&generation, sizeof(generation), 0) != sizeof(generation))
		generation = (u32)time(NULL);
	return generation | 1;
}

static u8 type_of(const union block *buf)
{
	return le32_to_cpu(buf->inode.i_mode) >> 12 & 15;
}

static bool type_known(u8 type)
{
	return type < 16 && ((1u << type) & 0x1556u);	/* as dtype_ok() in core/check.c */
}

static void write_inode(struct fsck *f, union block *buf)
{
	cohfs_block_seal(buf);
	image_write(f->img, le64_to_cpu(buf->hdr.bh_blkno), buf);
}

static bool read_inode(struct fsck *f, u64 ino, union block *buf)
{
	return !image_read(f->img, ino, buf);
}

static struct owner owner_of(const union block *buf)
{
	bool dir = type_of(buf) == TYPE_DIR;

	return (struct owner) {
		.ino = le64_to_cpu(buf->hdr.bh_blkno),
		.generation = le32_to_cpu(buf->hdr.bh_generation),
		.dir = dir,
		.expected = dir && (buf->inode.i_size ||
				    le64_to_cpu(buf->inode.i_blocks) > 2),
		.blocks = le64_to_cpu(buf->inode.i_blocks),
	};
}

/* Is there a sound root of a map of this generation?  0 takes any. */
static bool root_agrees(struct loading *l, u32 generation, union block *root)
{
	struct expect ex = {
		.type = COHFS_BT_MAP, .blkno = l->ino + 1, .owner = l->ino,
		.generation = generation,
	};
	const char *why;

	return !image_read(l->f->img, ex.blkno, root) &&
	       ident_block(&l->f->vol, root, &ex, &why) == IDENT_SURE;
}

/* A block that is lost --------------------------------------------------------------------- */

static u64 end_of_map(const struct tree *t)
{
	const struct cohfs_extent *last = t->count ? &t->recs[t->count - 1] : NULL;

	return last ? (last->key + last->len) << COHFS_BLOCK_SHIFT : 0;
}

/* A new block for a file or directory of which name and map are left */
static bool rebuild(struct loading *l)
{
	const struct hint *hint = l->hint;
	bool dir = hint->type == TYPE_DIR;
	struct owner own = { .ino = l->ino, .dir = dir };
	struct tree t = { 0 };
	union block root;

	if ((!dir && hint->type != TYPE_REG) || !root_agrees(l, hint->generation, &root))
		return false;
	own.generation = le32_to_cpu(root.hdr.bh_generation);
	tree_read(l->f, &own, &t, TREE_AGAIN);
	memset(&l->buf, 0, sizeof(l->buf));
	cohfs_header_init(&l->buf.hdr, COHFS_BT_INODE, l->ino, l->f->vol.info.fsid, l->ino,
			  own.generation);
	l->buf.inode.i_mode = cpu_to_le32(dir ? 0040700 : 0100600);
	l->buf.inode.i_nlink = cpu_to_le32(dir ? 2 : 1);
	l->buf.inode.i_parent = cpu_to_le64(dir ? hint->dir : 0);
	l->buf.inode.i_size = cpu_to_le64(dir ? (u64)t.count << COHFS_BLOCK_SHIFT :
						end_of_map(&t));
	l->buf.inode.i_blocks = cpu_to_le64(tree_blocks(&t) + 2);
	l->buf.inode.i_mtime = inode_now();
	l->buf.inode.i_ctime = inode_now();
	tree_free(&t);
	report(l, P_INODE_REBUILT,
	       "block is lost; made anew from the map, without owner, mode and times");
	return true;
}

/* Generation, type --------------------------------------------------------------------------- */

/*
 * Name and inode have different generations.
 * Return: false if the name does not mean this inode, as far as can be told now.
 */
static bool settle_generation(struct loading *l, bool sum_wrong)
{
	u32 mine = le32_to_cpu(l->buf.hdr.bh_generation);
	u32 named = l->hint->generation;
	union block root;

	if (!mine && !named) {
		named = root_agrees(l, 0, &root) ? le32_to_cpu(root.hdr.bh_generation) :
						   new_generation();
	} else if (mine == named || (mine && !named)) {
		return true;
	} else if (mine && !root_agrees(l, named, &root)) {
		/* then the name is wrong; with a bad checksum of its own that is plain */
		return l->hint->weak && !sum_wrong;
	}
	l->buf.hdr.bh_generation = cpu_to_le32(named);
	report(l, P_INODE_GENERATION, "generation");
	return true;
}

/*
 * Name and inode say different types.  Directories, and only they, have a parent; only
 * directories and regular files have a map.
 */
static void settle_type(struct loading *l, bool sum_wrong)
{
	u8 mine = type_of(&l->buf), named = l->hint->type;
	bool parent = l->buf.inode.i_parent;
	u32 mode = le32_to_cpu(l->buf.inode.i_mode);
	union block root;
	bool wrong;

	if (!named || mine == named)
		return;
	if ((mine == TYPE_DIR) != (named == TYPE_DIR))
		wrong = (mine == TYPE_DIR) != parent;
	else
		wrong = named == TYPE_REG &&
			root_agrees(l, le32_to_cpu(l->buf.hdr.bh_generation), &root);
	if (!wrong && !l->hint->certain && type_known(mine) &&
	    !(sum_wrong && !l->hint->weak))
		return;
	l->buf.inode.i_mode = cpu_to_le32((u32)named << 12 | (mode & 07777));
	report(l, P_INODE_FIELD, "file type");
}

/* Fields --------------------------------------------------------------------------------------- */

static void fix_time(struct loading *l, struct cohfs_time *t)
{
	if (le32_to_cpu(t->t_nsec) < 1000000000)
		return;
	t->t_nsec = 0;
	report(l, P_INODE_FIELD, "nanoseconds of a time");
}

static bool symlink_sound(const struct cohfs_dinode *di)
{
	u64 size = le64_to_cpu(di->i_size);

	return size >= 1 && size <= COHFS_INLINE_MAX && !memchr(di->i_inline, 0, size);
}

/* The target as far as it goes; false if there is nothing of it */
static bool fix_symlink(struct loading *l)
{
	struct cohfs_dinode *di = &l->buf.inode;
	size_t len = strnlen((const char *)di->i_inline, COHFS_INLINE_MAX);

	if (symlink_sound(di))
		return true;
	if (!len)
		return false;
	di->i_size = cpu_to_le64(len);
	report(l, P_INODE_FIELD, "length of the symbolic link");
	return true;
}

static void fix_size(struct loading *l)
{
	struct cohfs_dinode *di = &l->buf.inode;
	u64 size = le64_to_cpu(di->i_size);
	u8 type = type_of(&l->buf);
	struct tree t = { 0 };
	struct owner own;

	/* of directories it is counted, of symbolic links it was looked at */
	if (type == TYPE_DIR || type == TYPE_LNK || !size)
		return;
	if (type == TYPE_REG && size <= (u64)S64_MAX)
		return;
	size = 0;
	if (type == TYPE_REG) {
		own = owner_of(&l->buf);
		tree_read(l->f, &own, &t, TREE_AGAIN);
		size = min_t(u64, end_of_map(&t), S64_MAX);
		tree_free(&t);
	}
	di->i_size = cpu_to_le64(size);
	report(l, P_INODE_FIELD, "file size");
}

static void fix_blocks(struct loading *l)
{
	u8 type = type_of(&l->buf);

	if (type == TYPE_DIR || type == TYPE_REG ||
	    le64_to_cpu(l->buf.inode.i_blocks) == 2)
		return;
	l->buf.inode.i_blocks = cpu_to_le64(2);
	report(l, P_INODE_BLOCKS, "block count");
}

/* False if what there is makes no inode */
static bool fix_fields(struct loading *l)
{
	struct cohfs_dinode *di = &l->buf.inode;
	u32 mode = le32_to_cpu(di->i_mode);

	if (mode > 0xffff) {
		di->i_mode = cpu_to_le32(mode & 0xffff);
		report(l, P_INODE_FIELD, "file mode");
	}
	if (!type_known(type_of(&l->buf)))
		return false;
	if (type_of(&l->buf) == TYPE_LNK && !fix_symlink(l))
		return false;
	fix_size(l);
	fix_blocks(l);
	if (di->i_xattr) {
		di->i_xattr = 0;
		report(l, P_INODE_FIELD, "attribute block, of a feature that is not there");
	}
	fix_time(l, &di->i_atime);
	fix_time(l, &di->i_mtime);
	fix_time(l, &di->i_ctime);
	fix_time(l, &di->i_btime);
	return true;
}

/* Anything may be wrong that the checks did not find: at least not with privileges */
static void distrust(struct loading *l)
{
	u32 mode = le32_to_cpu(l->buf.inode.i_mode);

	if (type_of(&l->buf) == TYPE_REG && (mode & MODE_SET_ID))
		l->buf.inode.i_mode = cpu_to_le32(mode & ~MODE_SET_ID);
}

/* Contents --------------------------------------------------------------------------------------- */

static void load_file(struct fsck *f, union block *buf)
{
	struct owner own = owner_of(buf);
	struct tree t = { 0 };
	u64 blocks;
	size_t i;

	tree_read(f, &own, &t, TREE_CHECK);
	for (i = 0; i < t.count; i++)
		claim_data(&f->claims, t.recs[i].blk, t.recs[i].len);
	tree_fix_count(f, &own, &t);
	blocks = tree_blocks(&t) + 2;
	if (!t.damaged && own.blocks != blocks) {
		problem(&f->problems, P_INODE_HINT, "inode %llu: block count %llu, has %llu",
			own.ino, own.blocks, blocks);
		inode_set_blocks(f, own.ino, blocks);
	}
	if (t.damaged)
		jobs_take(&f->jobs, &own, &t);
	tree_free(&t);
}

static struct node *add_node(struct fsck *f, const union block *buf)
{
	struct node *node = nodes_add(&f->nodes, le64_to_cpu(buf->hdr.bh_blkno));

	node->generation = le32_to_cpu(buf->hdr.bh_generation);
	node->type = type_of(buf);
	node->disk_links = le32_to_cpu(buf->inode.i_nlink);
	node->disk_orphan = (u8)min_t(u32, le32_to_cpu(buf->inode.i_orphan_slot), U8_MAX);
	if (node->type == TYPE_DIR)
		node->disk_parent = le64_to_cpu(buf->inode.i_parent);
	return node;
}

/* Loading ------------------------------------------------------------------------------------------ */

static struct expect inode_expect(u64 ino, u32 generation)
{
	return (struct expect) {
		.type = COHFS_BT_INODE, .blkno = ino, .owner = ino,
		.generation = generation,
	};
}

/*
 * Is the block an inode, and the one that is meant?  The generation that the name says
 * may help to prove that only the header is damaged; else it is compared later.
 */
static enum ident identify(struct loading *l, struct expect *ex, const char **why)
{
	enum ident id;

	*ex = inode_expect(l->ino, l->hint->generation);
	*why = "cannot be read";
	if (!read_inode(l->f, l->ino, &l->buf))
		return IDENT_NONE;
	id = ident_block(&l->f->vol, &l->buf, ex, why);
	if (id == IDENT_SURE || id == IDENT_HEADER)
		return id;
	ex->generation = 0;
	return ident_block(&l->f->vol, &l->buf, ex, why);
}

/* Repairs the block as far as it goes */
static enum loaded examine(struct loading *l)
{
	struct expect ex;
	const char *why;
	enum ident id = identify(l, &ex, &why);

	if (id == IDENT_NONE)
		return rebuild(l) ? INODE_OK : INODE_GONE;
	if (!type_of(&l->buf) && !l->buf.inode.i_nlink && id == IDENT_SURE)
		return INODE_GONE;	/* freed */
	if (id == IDENT_HEADER || id == IDENT_FIELD) {
		ident_restore(&l->f->vol, &l->buf, &ex);
		report(l, P_INODE_BLOCK, why);
	}
	if (!settle_generation(l, id == IDENT_SUM))
		return INODE_OTHER;
	settle_type(l, id == IDENT_SUM);
	if (!fix_fields(l))
		return rebuild(l) ? INODE_OK : INODE_GONE;
	if (id == IDENT_SUM) {
		report(l, P_INODE_SUM, "checksum");
		distrust(l);
	}
	return INODE_OK;
}

/* Deleted inodes keep their block; a name that is left over does not bring them back */
static bool is_deleted(const struct loading *l)
{
	return !l->hint->orphan && !l->buf.inode.i_nlink && l->buf.inode.i_orphan_slot;
}

enum loaded inode_load(struct fsck *f, u64 ino, const struct hint *hint,
		       struct node **node)
{
	struct loading l = { .f = f, .ino = ino, .hint = hint };
	enum loaded what;

	if (!volume_extent_ok(&f->vol, ino, 2) || is_claimed_meta(&f->claims, ino) ||
	    is_claimed_meta(&f->claims, ino + 1))
		return INODE_GONE;
	what = examine(&l);
	if (what == INODE_OK && is_deleted(&l))
		what = INODE_GONE;
	if (what != INODE_OK)
		return what;
	claim_meta(&f->claims, ino, 2);
	if (l.changed)
		write_inode(f, &l.buf);
	*node = add_node(f, &l.buf);
	if ((*node)->type == TYPE_REG)
		load_file(f, &l.buf);
	return INODE_OK;
}

struct node *inode_create_dir(struct fsck *f, u64 ino, u32 mode, u64 parent)
{
	struct owner own = { .ino = ino, .generation = new_generation(), .dir = true };
	struct tree empty = { 0 };
	struct node *node;
	union block buf;

	memset(&buf, 0, sizeof(buf));
	cohfs_header_init(&buf.hdr, COHFS_BT_INODE, ino, f->vol.info.fsid, ino,
			  own.generation);
	buf.inode.i_mode = cpu_to_le32(0040000 | mode);
	buf.inode.i_nlink = cpu_to_le32(2);
	buf.inode.i_blocks = cpu_to_le64(2);
	buf.inode.i_parent = cpu_to_le64(parent);
	buf.inode.i_atime = inode_now();
	buf.inode.i_mtime = buf.inode.i_atime;
	buf.inode.i_ctime = buf.inode.i_atime;
	buf.inode.i_btime = buf.inode.i_atime;
	write_inode(f, &buf);
	tree_write(f, &own, &empty);
	node = add_node(f, &buf);
	node->flags |= NODE_WALKED;
	return node;
}

/* Changes later on ------------------------------------------------------------------------------------ */

void inode_owner(struct fsck *f, const struct node *node, struct owner *own)
{
	union block buf;

	memset(&buf, 0, sizeof(buf));
	read_inode(f, node->ino, &buf);
	*own = owner_of(&buf);
	own->ino = node->ino;
	own->generation = node->generation;
	own->dir = node->type == TYPE_DIR;
}

void inode_set_blocks(struct fsck *f, u64 ino, u64 blocks)
{
	union block buf;

	if (!read_inode(f, ino, &buf))
		return;
	buf.inode.i_blocks = cpu_to_le64(blocks);
	write_inode(f, &buf);
}

void inode_set_dir(struct fsck *f, u64 ino, u64 leaves, u64 blocks)
{
	union block buf;

	if (!read_inode(f, ino, &buf))
		return;
	buf.inode.i_size = cpu_to_le64(leaves << COHFS_BLOCK_SHIFT);
	buf.inode.i_blocks = cpu_to_le64(blocks);
	write_inode(f, &buf);
}

static u32 links_of(const struct node *node)
{
	if (node->flags & NODE_ORPHAN)
		return 0;
	return node->type == TYPE_DIR ? node->names + 2 : node->names;
}

void inode_settle(struct fsck *f, const struct node *node)
{
	u32 links = links_of(node);
	bool parent = node->type == TYPE_DIR && !(node->flags & NODE_ORPHAN) &&
		      node->parent != node->disk_parent;
	union block buf;

	if (links == node->disk_links && node->orphan == node->disk_orphan && !parent)
		return;
	if (links != node->disk_links)
		problem(&f->problems, P_LINKS, "inode %llu: link count %u instead of %u",
			node->ino, node->disk_links, links);
	if (node->orphan != node->disk_orphan)
		problem(&f->problems, P_ORPHAN_MARK,
			"inode %llu: marked as orphan of slot %d instead of %d (-1: of none)",
			node->ino, node->disk_orphan - 1, node->orphan - 1);
	if (parent)
		problem(&f->problems, P_PARENT,
			"directory %llu: parent %llu instead of %llu", node->ino,
			node->disk_parent, node->parent);
	if (!read_inode(f, node->ino, &buf))
		return;
	buf.inode.i_nlink = cpu_to_le32(links);
	buf.inode.i_orphan_slot = cpu_to_le32(node->orphan);
	if (parent)
		buf.inode.i_parent = cpu_to_le64(node->parent);
	write_inode(f, &buf);
}
