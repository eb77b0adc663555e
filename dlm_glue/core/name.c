// SPDX-License-Identifier: GPL-2.0-only
#include "name.h"

static const struct {
	char letter;
	const char *name;
} types[COHFS_NR_LOCK_TYPES] = {
	[COHFS_LT_MOUNT] = { 'C', "mount" },
	[COHFS_LT_SLOT] = { 'S', "slot" },
	[COHFS_LT_RENAME] = { 'R', "rename" },
	[COHFS_LT_OPEN] = { 'O', "open" },
	[COHFS_LT_INODE] = { 'I', "inode" },
	[COHFS_LT_RANGE] = { 'D', "range" },
	[COHFS_LT_REGION] = { 'E', "region" },
	[COHFS_LT_PAGE] = { 'P', "page" },
	[COHFS_LT_MAP] = { 'M', "map" },
	[COHFS_LT_GROUP] = { 'G', "group" },
};

#define NUMBER_DIGITS	16

static char hex_digit(unsigned int v)
{
	return "0123456789abcdef"[v & 0xf];
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static unsigned int put_hex(char *p, u64 v, unsigned int digits)
{
	unsigned int i;

	for (i = 0; i < digits; i++)
		p[i] = hex_digit(v >> (4 * (digits - 1 - i)));
	return digits;
}

static bool get_hex(const char *p, unsigned int digits, u64 *v)
{
	unsigned int i;
	int d;

	*v = 0;
	for (i = 0; i < digits; i++) {
		d = hex_value(p[i]);
		if (d < 0)
			return false;
		*v = *v << 4 | (unsigned int)d;
	}
	return true;
}

static unsigned int hex_len(u64 v)
{
	unsigned int digits = 1;

	while (digits < NUMBER_DIGITS && v >> (4 * digits))
		digits++;
	return digits;
}

unsigned int cohfs_name_format(const struct cohfs_lock_name *name, char *buf)
{
	unsigned int len = 0;

	buf[0] = '\0';
	if (name->type >= COHFS_NR_LOCK_TYPES)
		return 0;
	buf[len++] = types[name->type].letter;
	len += put_hex(buf + len, name->number, NUMBER_DIGITS);
	if (name->index) {
		buf[len++] = '.';
		len += put_hex(buf + len, name->index, hex_len(name->index));
	}
	buf[len] = '\0';
	return len;
}

int cohfs_name_parse(const char *buf, unsigned int len,
		     struct cohfs_lock_name *name)
{
	unsigned int head = 1 + NUMBER_DIGITS;
	unsigned int type;

	if (len < head || len > COHFS_RES_NAME_MAX)
		return -EINVAL;
	for (type = 0; type < COHFS_NR_LOCK_TYPES; type++)
		if (types[type].letter == buf[0])
			break;
	if (type == COHFS_NR_LOCK_TYPES ||
	    !get_hex(buf + 1, NUMBER_DIGITS, &name->number))
		return -EINVAL;
	name->type = type;
	name->index = 0;
	if (len == head)
		return 0;
	/* canonical: a dot, no leading zero, hence no index 0 either */
	if (buf[head] != '.' || len == head + 1 || buf[head + 1] == '0' ||
	    !get_hex(buf + head + 1, len - head - 1, &name->index))
		return -EINVAL;
	return 0;
}

static int cmp_u64(u64 a, u64 b)
{
	return a < b ? -1 : a > b;
}

/* The types of a range tree are one rank: a file's tree comes before the next file's. */
static unsigned int rank_of(unsigned int type)
{
	return type == COHFS_LT_REGION || type == COHFS_LT_PAGE ? COHFS_LT_RANGE : type;
}

int cohfs_name_cmp(const struct cohfs_lock_name *a,
		   const struct cohfs_lock_name *b)
{
	if (rank_of(a->type) != rank_of(b->type))
		return cmp_u64(rank_of(a->type), rank_of(b->type));
	if (a->number != b->number)
		return cmp_u64(a->number, b->number);
	if (a->type != b->type)
		return cmp_u64(a->type, b->type);
	return cmp_u64(a->index, b->index);
}

char cohfs_type_letter(unsigned int type)
{
	return type < COHFS_NR_LOCK_TYPES ? types[type].letter : '?';
}

const char *cohfs_type_name(unsigned int type)
{
	return type < COHFS_NR_LOCK_TYPES ? types[type].name : "?";
}
