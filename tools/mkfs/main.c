// SPDX-License-Identifier: GPL-2.0-only
/* mkfs.cohfs: options, the order of things, the summary. */
#include <argp.h>
#include <uuid/uuid.h>
#include "../../fs/core/check.h"
#include "mkfs.h"

#ifndef COHFS_VERSION
#define COHFS_VERSION "0.1"
#endif

#define DEFAULT_SLOTS	4
#define MAX_JOURNAL_MIB	1024
#define MIN_JOURNAL_MIB	(COHFS_MIN_JOURNAL_BLOCKS >> (20 - COHFS_BLOCK_SHIFT))

const char *argp_program_version = "mkfs.cohfs " COHFS_VERSION;

static const struct argp_option options[] = {
	{ "lock-table", 't', "CLUSTER:FSNAME", 0,
	  "name of the cluster and of this filesystem in it; without it only mount -o lock=local works", 0 },
	{ "nodes", 'j', "N", 0,
	  "most nodes that mount it at once: one journal each (default 4, at most 64)", 0 },
	{ "label", 'L', "LABEL", 0, "volume label, at most 31 bytes", 0 },
	{ "uuid", 'U', "UUID", 0, "instead of a random one", 0 },
	{ "journal-size", 'J', "MIB", 0,
	  "size of each journal, 4 to 1024 (default: by the size of the device, at most 32)", 0 },
	{ "force", 'f', NULL, 0, "overwrite what is on the device", 0 },
	{ "quiet", 'q', NULL, 0, "say nothing unless something fails", 0 },
	{ 0 }
};

/* @arg as a number in [@lo, @hi], else argp's error exit */
static u32 parse_number(struct argp_state *state, const char *arg, const char *what,
			unsigned long lo, unsigned long hi)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(arg, &end, 10);
	if (errno || end == arg || *end || *arg < '0' || *arg > '9' || n < lo || n > hi)
		argp_error(state, "%s must be a number from %lu to %lu, not \"%s\"", what,
			   lo, hi, arg);
	return (u32)n;
}

static void parse_lock_table(struct argp_state *state, const char *arg,
			     struct mkfs_options *opts)
{
	char cluster[COHFS_LOCK_TABLE_LEN], fsname[COHFS_LOCK_TABLE_LEN];
	size_t len = strlen(arg);
	const char *why;

	memset(opts->lock_table, 0, sizeof(opts->lock_table));
	if (!len || len >= sizeof(opts->lock_table))
		argp_error(state, "lock table must be CLUSTER:FSNAME, at most %u bytes",
			   COHFS_CLUSTER_MAX + 1 + COHFS_FSNAME_MAX);
	memcpy(opts->lock_table, arg, len);
	why = cohfs_lock_table_split(opts->lock_table, cluster, fsname);
	if (why)
		argp_error(state, "%s (in \"%s\")", why, arg);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct mkfs_options *opts = state->input;

	switch (key) {
	case 't':
		parse_lock_table(state, arg, opts);
		break;
	case 'j':
		opts->slots = parse_number(state, arg, "number of nodes", 1,
					   COHFS_MAX_SLOTS);
		break;
	case 'J':
		opts->journal_mib = parse_number(state, arg, "journal size", MIN_JOURNAL_MIB,
						 MAX_JOURNAL_MIB);
		break;
	case 'L':
		if (strlen(arg) >= sizeof(opts->label))
			argp_error(state, "label must have at most %zu bytes",
				   sizeof(opts->label) - 1);
		memset(opts->label, 0, sizeof(opts->label));
		memcpy(opts->label, arg, strlen(arg));
		break;
	case 'U':
		if (uuid_parse(arg, opts->uuid) || uuid_is_null(opts->uuid))
			argp_error(state, "not a UUID: \"%s\"", arg);
		break;
	case 'f':
		opts->force = true;
		break;
	case 'q':
		opts->quiet = true;
		break;
	case ARGP_KEY_ARG:
		if (opts->path)
			argp_error(state, "more than one device");
		opts->path = arg;
		break;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no device given");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.args_doc = "DEV",
	.doc = "Make a cohfs filesystem on DEV, a block device shared by all nodes or an image file.\vDEV must not be mounted on any node; only this one can be checked.",
};

/* Decide the layout.  Return: 0, or -1 with a message */
static int plan(const struct dev *dev, const struct mkfs_options *opts, struct layout *l)
{
	u64 need;

	memset(l, 0, sizeof(*l));
	l->slots = opts->slots;
	l->journal_blocks = opts->journal_mib << (20 - COHFS_BLOCK_SHIFT);
	need = layout_compute(l, dev->bytes);
	if (!need)
		return 0;
	if (need == U64_MAX)
		tool_error("%s is too big", dev->path);
	else
		tool_error("%s is too small: it has %.1f MiB, %u node%s with a journal of %u MiB each need %llu MiB",
			   dev->path, (double)dev->bytes / (1 << 20), opts->slots,
			   opts->slots == 1 ? "" : "s",
			   l->journal_blocks >> (20 - COHFS_BLOCK_SHIFT),
			   (unsigned long long)(need >> 20));
	return -1;
}

static void summary(const struct dev *dev, const struct mkfs_options *opts,
		    const struct layout *l)
{
	char uuid[37];

	uuid_unparse(opts->uuid, uuid);
	printf("%s: cohfs, %.1f MiB, of these free %.1f MiB\n", dev->path,
	       (double)l->blocks / 256, (double)l->free / 256);
	printf("  UUID        %s\n", uuid);
	if (opts->label[0])
		printf("  label       %.*s\n", COHFS_LABEL_LEN, opts->label);
	if (opts->lock_table[0])
		printf("  lock table  %.*s\n", COHFS_LOCK_TABLE_LEN, opts->lock_table);
	else
		printf("  lock table  none: for mount -o lock=local only\n");
	printf("  nodes       %u, with a journal of %u MiB each\n", l->slots,
	       l->journal_blocks / 256);
	printf("  groups      %u\n", l->groups);
}

static int make(struct dev *dev, const struct mkfs_options *opts)
{
	struct layout l;

	if (plan(dev, opts, &l))
		return -1;
	if (!opts->force && probe_refuses(dev))
		return -1;
	if (opts->force && probe_wipe(dev))
		return -1;
	dev_discard(dev);
	if (write_filesystem(dev, opts, &l))
		return -1;
	if (!opts->quiet)
		summary(dev, opts, &l);
	return 0;
}

int main(int argc, char **argv)
{
	struct mkfs_options opts = { .slots = DEFAULT_SLOTS };
	struct dev dev;
	int err;

	argp_err_exit_status = 1;
	argp_parse(&argp, argc, argv, 0, NULL, &opts);
	if (uuid_is_null(opts.uuid))
		uuid_generate(opts.uuid);
	if (dev_open(&dev, opts.path, DEV_WRITE))
		return 1;
	err = make(&dev, &opts);
	if (dev_close(&dev))
		err = -1;
	return err ? 1 : 0;
}
