// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is a block the one that was expected?
 *
 * Six fields of a header say what a block is, and the checksum covers them.  Damage
 * that only hit the header can be proved: put in what is expected and the old checksum
 * comes right again.  (The checksum of an undamaged block that is something else does
 * not.)
 */
#include "ident.h"

static bool generation_is(const struct cohfs_block_header *hdr, const struct expect *ex)
{
	return !ex->generation || le32_to_cpu(hdr->bh_generation) == ex->generation;
}

void ident_restore(const struct volume *vol, union block *buf, const struct expect *ex)
{
	struct cohfs_block_header old = buf->hdr;

	cohfs_header_init(&buf->hdr, ex->type, ex->blkno, vol->info.fsid, ex->owner,
			  ex->generation ? ex->generation :
					   le32_to_cpu(old.bh_generation));
	buf->hdr.bh_version = old.bh_version;
	buf->hdr.bh_crc = old.bh_crc;
}

static bool restores(const struct volume *vol, const union block *buf,
		     const struct expect *ex)
{
	union block copy = *buf;

	ident_restore(vol, &copy, ex);
	return le32_to_cpu(copy.hdr.bh_crc) == cohfs_block_crc(&copy);
}

static u32 wrong_fields(const struct volume *vol, const struct cohfs_block_header *hdr,
			const struct expect *ex)
{
	return (le32_to_cpu(hdr->bh_magic) != COHFS_MAGIC) +
	       (le16_to_cpu(hdr->bh_type) != ex->type) +
	       (le64_to_cpu(hdr->bh_blkno) != ex->blkno) +
	       (le64_to_cpu(hdr->bh_owner) != ex->owner) +
	       !generation_is(hdr, ex) +
	       !!memcmp(hdr->bh_fsid, vol->info.fsid, sizeof(hdr->bh_fsid));
}

enum ident ident_block(const struct volume *vol, const union block *buf,
		       const struct expect *ex, const char **why)
{
	u32 wrong = wrong_fields(vol, &buf->hdr, ex);

	*why = cohfs_check_header(buf, ex->type, ex->blkno, vol->info.fsid, ex->owner);
	if (!*why && generation_is(&buf->hdr, ex))
		return IDENT_SURE;
	if (!*why)
		*why = "generation";
	if (restores(vol, buf, ex))
		return IDENT_HEADER;
	if (!wrong)
		return IDENT_SUM;
	if (wrong == 1 && le32_to_cpu(buf->hdr.bh_crc) == cohfs_block_crc(buf))
		return IDENT_FIELD;
	return IDENT_NONE;
}
