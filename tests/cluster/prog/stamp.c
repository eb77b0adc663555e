// SPDX-License-Identifier: GPL-2.0-only
/* Words that say which version of which word of a file they are. */
#include <sys/vfs.h>
#include "stamp.h"

static uint64_t check_of(uint64_t index, uint32_t version)
{
	return hash64(index << 32 | version) & 0xffffffff;
}

uint64_t stamp(uint64_t index, uint32_t version)
{
	return version ? (uint64_t)version << 32 | check_of(index, version) : 0;
}

uint32_t stamp_version(uint64_t index, uint64_t value)
{
	uint32_t version = value >> 32;

	CHECK(value == stamp(index, version),
	      "word %lu (page %lu, offset %lu) holds %#lx: torn, or of another place",
	      index, index * 8 / PAGE, index * 8 % PAGE, value);
	return version;
}

bool pages_are_atomic(void)
{
	/* cohfs, GFS2, OCFS2 */
	static const uint32_t clustered[] = { 0x434f4846, 0x01161970, 0x7461636f };
	struct statfs st;

	SYS(statfs(prog.dir, &st));
	for (unsigned int i = 0; i < ARRAY_SIZE(clustered); i++)
		if ((uint32_t)st.f_type == clustered[i])
			return true;
	return false;
}
