// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tree of an image as files of this machine: to save what can be saved, and for tests
 * that want to look at an image without mounting it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../lib/mem.h"
#include "../lib/reader.h"
#include "extract.h"

#define MOST_LEVELS	1000	/* of directories: an image may say anything */

/** struct link - where the first name of an inode with several went */
struct link {
	struct link *next;
	u64 ino;
	int dirfd;		/* kept open until the end */
	char name[COHFS_NAME_MAX + 1];
};

struct extract {
	struct volume *vol;
	struct link *links;
	unsigned int level;
	int dirfd;		/* of this machine, of the directory that is copied */
	int status;
};

static void left_out(struct extract *ex, const char *name, const char *why)
{
	tool_error("%s: %s", name, why);
	ex->status = 1;
}

static void found_damage(struct reader *rd, u64 blkno, const char *why)
{
	struct extract *ex = rd->arg;

	tool_error("block %llu is damaged: %s", blkno, why);
	ex->status = 1;
}

/* Files ----------------------------------------------------------------------------- */

/** struct target - a file that is written */
struct target {
	struct extract *ex;
	int fd;
	u64 size;
};

static void copy_block(struct target *to, u64 lblk, u64 blkno)
{
	u64 pos = lblk * COHFS_BLOCK_SIZE;
	size_t len = min_t(u64, COHFS_BLOCK_SIZE, to->size - pos);
	char buf[COHFS_BLOCK_SIZE];

	if (image_read(to->ex->vol->img, blkno, buf) ||
	    pwrite(to->fd, buf, len, (off_t)pos) != (ssize_t)len)
		to->ex->status = 1;
}

/* Blocks beyond the end are no data. */
static void copy_extent(struct reader *rd, const struct cohfs_extent *ext)
{
	struct target *to = rd->arg;
	u64 i;

	for (i = 0; i < ext->len; i++)
		if ((ext->key + i) * COHFS_BLOCK_SIZE < to->size)
			copy_block(to, ext->key + i, ext->blk + i);
}

static void damaged_map(struct reader *rd, u64 blkno, const char *why)
{
	struct target *to = rd->arg;
	struct reader outer = { .arg = to->ex };

	found_damage(&outer, blkno, why);
}

static void copy_file(struct extract *ex, const struct cohfs_dinode *di, u64 ino,
		      const char *name)
{
	struct target to = { .ex = ex, .size = le64_to_cpu(di->i_size) };
	struct reader rd = {
		.vol = ex->vol, .arg = &to, .extent = copy_extent, .damage = damaged_map,
	};

	to.fd = openat(ex->dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (to.fd < 0 || ftruncate(to.fd, (off_t)to.size))
		left_out(ex, name, strerror(errno));
	else
		reader_map(&rd, ino, le32_to_cpu(di->i_hdr.bh_generation));
	if (to.fd >= 0 && close(to.fd))
		left_out(ex, name, strerror(errno));
}

static void copy_symlink(struct extract *ex, const struct cohfs_dinode *di, const char *name)
{
	char target[COHFS_INLINE_MAX + 1];
	u64 len = le64_to_cpu(di->i_size);

	if (len > COHFS_INLINE_MAX) {
		left_out(ex, name, "its target is too long");
		return;
	}
	memcpy(target, di->i_inline, len);
	target[len] = 0;
	if (symlinkat(target, ex->dirfd, name))
		left_out(ex, name, strerror(errno));
}

/* Links ----------------------------------------------------------------------------- */

/* Return: true if @name is made, as a link to an earlier one. */
static bool link_earlier(struct extract *ex, u64 ino, const char *name)
{
	struct link *link = ex->links;

	while (link && link->ino != ino)
		link = link->next;
	if (!link)
		return false;
	if (linkat(link->dirfd, link->name, ex->dirfd, name, 0))
		left_out(ex, name, strerror(errno));
	return true;
}

static void remember_link(struct extract *ex, u64 ino, const char *name)
{
	struct link *link = mem_zalloc(sizeof(*link));

	link->ino = ino;
	link->dirfd = dup(ex->dirfd);
	memcpy(link->name, name, strlen(name) + 1);
	link->next = ex->links;
	ex->links = link;
}

static void forget_links(struct extract *ex)
{
	struct link *link;

	while ((link = ex->links)) {
		ex->links = link->next;
		close(link->dirfd);
		free(link);
	}
}

/* Directories ----------------------------------------------------------------------- */

static void copy_dir(struct extract *ex, const struct cohfs_dinode *di, u64 ino,
		     const char *name);

static void copy_inode(struct extract *ex, u64 ino, const char *name)
{
	union block buf;
	const char *why = volume_read(ex->vol, ino, COHFS_BT_INODE, ino, &buf);

	if (why) {
		left_out(ex, name, why);
		return;
	}
	switch (le32_to_cpu(buf.inode.i_mode) & S_IFMT) {
	case S_IFDIR:
		copy_dir(ex, &buf.inode, ino, name);
		return;
	case S_IFREG:
		if (le32_to_cpu(buf.inode.i_nlink) > 1 && link_earlier(ex, ino, name))
			return;
		copy_file(ex, &buf.inode, ino, name);
		if (le32_to_cpu(buf.inode.i_nlink) > 1)
			remember_link(ex, ino, name);
		return;
	case S_IFLNK:
		copy_symlink(ex, &buf.inode, name);
	}
}

static void copy_name(struct reader *rd, const struct cohfs_dirview *view)
{
	char name[COHFS_NAME_MAX + 1];

	memcpy(name, view->name, view->name_len);
	name[view->name_len] = 0;
	/* nothing of an image gets out of @dir */
	if (strlen(name) != view->name_len || strchr(name, '/') || !strcmp(name, ".") ||
	    !strcmp(name, ".."))
		left_out(rd->arg, name, "not a name");
	else
		copy_inode(rd->arg, view->target.ino, name);
}

static void copy_dir(struct extract *ex, const struct cohfs_dinode *di, u64 ino,
		     const char *name)
{
	struct reader rd = {
		.vol = ex->vol, .arg = ex, .name = copy_name, .damage = found_damage,
	};
	int above = ex->dirfd;

	if (ex->level == MOST_LEVELS) {
		left_out(ex, name, "too many directories within each other");
		return;
	}
	if (mkdirat(above, name, 0700)) {
		left_out(ex, name, strerror(errno));
		return;
	}
	ex->dirfd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	if (ex->dirfd < 0) {
		left_out(ex, name, strerror(errno));
	} else {
		ex->level++;
		reader_dir(&rd, ino, le32_to_cpu(di->i_hdr.bh_generation));
		ex->level--;
		close(ex->dirfd);
	}
	ex->dirfd = above;
}

int extract_tree(struct volume *vol, const char *dir)
{
	struct extract ex = { .vol = vol, .dirfd = AT_FDCWD };

	copy_inode(&ex, vol->info.root_ino, dir);
	forget_links(&ex);
	return ex.status;
}
