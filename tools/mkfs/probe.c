// SPDX-License-Identifier: GPL-2.0-only
/* What is on the device already, by libblkid; and cohfs, which it does not know. */
#include <blkid/blkid.h>
#include "../../fs/core/check.h"
#include "mkfs.h"

static blkid_probe open_probe(struct dev *dev)
{
	blkid_probe pr = blkid_new_probe();

	if (!pr || blkid_probe_set_device(pr, dev->fd, 0, 0)) {
		blkid_free_probe(pr);
		tool_error("cannot examine %s", dev->path);
		return NULL;
	}
	blkid_probe_enable_superblocks(pr, 1);
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_MAGIC);
	blkid_probe_enable_partitions(pr, 1);
	blkid_probe_set_partitions_flags(pr, BLKID_PARTS_MAGIC);
	return pr;
}

static bool holds_cohfs(struct dev *dev)
{
	struct cohfs_block_header hdr;
	const u64 off = (u64)COHFS_SUPER_BLKNO << COHFS_BLOCK_SHIFT;

	if (dev->bytes < off + COHFS_BLOCK_SIZE || dev_read(dev, off, &hdr, sizeof(hdr)))
		return false;
	return le32_to_cpu(hdr.bh_magic) == COHFS_MAGIC &&
	       le16_to_cpu(hdr.bh_type) == COHFS_BT_SUPER;
}

bool probe_refuses(struct dev *dev)
{
	const char *type = NULL;
	blkid_probe pr;
	bool found = true;
	int ret;

	if (holds_cohfs(dev)) {
		tool_error("%s holds a cohfs filesystem; use -f to overwrite it", dev->path);
		return true;
	}
	pr = open_probe(dev);
	if (!pr)
		return true;
	ret = blkid_do_fullprobe(pr);
	if (!ret && !blkid_probe_lookup_value(pr, "TYPE", &type, NULL))
		tool_error("%s holds a filesystem or the like of type %s; use -f to overwrite it",
			   dev->path, type);
	else if (!ret && !blkid_probe_lookup_value(pr, "PTTYPE", &type, NULL))
		tool_error("%s holds a partition table of type %s; use -f to overwrite it",
			   dev->path, type);
	else if (ret < 0)
		tool_error("cannot find out what is on %s; use -f to overwrite it",
			   dev->path);
	else
		found = false;
	blkid_free_probe(pr);
	return found;
}

int probe_wipe(struct dev *dev)
{
	blkid_probe pr = open_probe(dev);
	int ret = 0;

	if (!pr)
		return -1;
	while (!ret && !blkid_do_probe(pr))
		ret = blkid_do_wipe(pr, 0);
	blkid_free_probe(pr);
	if (ret)
		tool_error("cannot erase the old signatures of %s", dev->path);
	return ret ? -1 : 0;
}
