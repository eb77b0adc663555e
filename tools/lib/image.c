// SPDX-License-Identifier: GPL-2.0-only
/* A filesystem as blocks, with changes held back in memory. */
#include <linux/cohfs_ondisk.h>
#include "image.h"
#include "mem.h"

int image_open(struct image *img, const char *path, unsigned int flags)
{
	memset(img, 0, sizeof(*img));
	if (dev_open(&img->dev, path, flags))
		return -1;
	img->blocks = img->dev.bytes >> COHFS_BLOCK_SHIFT;
	return 0;
}

int image_close(struct image *img)
{
	image_forget(img);
	return dev_close(&img->dev);
}

static void *changed_block(const struct image *img, u64 blkno)
{
	u64 value;

	return numtab_get(&img->changed, blkno, &value) ? (void *)(uintptr_t)value : NULL;
}

int image_read(struct image *img, u64 blkno, void *buf)
{
	const void *changed = changed_block(img, blkno);

	if (changed) {
		memcpy(buf, changed, COHFS_BLOCK_SIZE);
		return 0;
	}
	if (blkno >= img->blocks)
		return -1;
	return dev_read(&img->dev, blkno << COHFS_BLOCK_SHIFT, buf, COHFS_BLOCK_SIZE);
}

void image_write(struct image *img, u64 blkno, const void *buf)
{
	void *changed = changed_block(img, blkno);

	if (changed)
		memcpy(changed, buf, COHFS_BLOCK_SIZE);
	else
		numtab_put(&img->changed, blkno,
			   (uintptr_t)mem_copy(buf, COHFS_BLOCK_SIZE));
}

int image_commit(struct image *img)
{
	u64 *blknos = numtab_keys(&img->changed);
	int err = 0;
	size_t i;

	if (!blknos)
		return 0;
	for (i = 0; i < img->changed.used && !err; i++)
		err = dev_write(&img->dev, blknos[i] << COHFS_BLOCK_SHIFT,
				changed_block(img, blknos[i]), COHFS_BLOCK_SIZE);
	free(blknos);
	if (!err)
		err = dev_sync(&img->dev);
	if (!err)
		image_forget(img);
	return err;
}

void image_forget(struct image *img)
{
	const struct numtab_entry *entry;
	size_t pos = 0;

	while ((entry = numtab_next(&img->changed, &pos)))
		free((void *)(uintptr_t)entry->value);
	numtab_free(&img->changed);
}
