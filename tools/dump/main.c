// SPDX-License-Identifier: GPL-2.0-only
/* cohfs-dump: any structure of a filesystem, readable.  Never writes. */
#include <argp.h>
#include <ctype.h>
#include <sys/stat.h>
#include "../lib/journal.h"
#include "../lib/reader.h"
#include "extract.h"
#include "show.h"

#ifndef COHFS_VERSION
#define COHFS_VERSION "0.1"
#endif

const char *argp_program_version = "cohfs-dump " COHFS_VERSION;

/** struct options - the command line */
struct options {
	const char *path;
	const char *command;
	const char *arg;
	bool replay;
	bool transactions;
};

static const struct argp_option argp_options[] = {
	{ "replay", 'r', NULL, 0,
	  "show what a replay of the journals would make of it, in memory", 0 },
	{ "transactions", 't', NULL, 0, "with journal: the blocks of each transaction", 0 },
	{ 0 }
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *opts = state->input;

	switch (key) {
	case 'r':
		opts->replay = true;
		break;
	case 't':
		opts->transactions = true;
		break;
	case ARGP_KEY_ARG:
		if (state->arg_num == 0)
			opts->path = arg;
		else if (state->arg_num == 1)
			opts->command = arg;
		else if (state->arg_num == 2)
			opts->arg = arg;
		else
			argp_error(state, "too many arguments");
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
	.options = argp_options,
	.parser = parse_option,
	.args_doc = "DEV [COMMAND [ARGUMENT]]",
	.doc = "Print structures of the cohfs filesystem on DEV, a device or an image file.\vCommands:\n"
	       "  super           the superblock (the default)\n"
	       "  slots, slot N   what nodes own: counters, pools of inode numbers\n"
	       "  journal N       the log of slot N\n"
	       "  groups, group N allocation groups, with the free runs\n"
	       "  inode N         attributes\n"
	       "  map N           the extent tree of inode N\n"
	       "  dir N           the names in directory N, with hashes and cookies\n"
	       "  path PATH       from the root along PATH, then the inode\n"
	       "  orphans         inodes that are to be deleted\n"
	       "  block N         block N by its header\n"
	       "  extract DIR     copy all files to DIR, which must not be there\n"
	       "DEV is only read.  While it is mounted what is shown may be out of date.",
};

/* Numbers -------------------------------------------------------------------------- */

static int failed(u64 blkno, const char *why)
{
	printf("block %llu is damaged: %s\n", blkno, why);
	return 1;
}

static bool number_of(const struct options *opts, u64 limit, u64 *n)
{
	char *end;

	if (!opts->arg) {
		tool_error("%s needs a number", opts->command);
		return false;
	}
	errno = 0;
	*n = strtoull(opts->arg, &end, 0);
	if (errno || !isdigit(*opts->arg) || *end || *n >= limit) {
		tool_error("%s: a number below %llu is needed, not \"%s\"", opts->command,
			   limit, opts->arg);
		return false;
	}
	return true;
}

/* Commands ------------------------------------------------------------------------- */

static int dump_super(struct volume *vol, const struct options *opts)
{
	union block buf;

	if (image_read(vol->img, COHFS_SUPER_BLKNO, &buf))
		return 1;
	show_super(&buf.super);
	return 0;
}

static int dump_one_slot(struct volume *vol, u32 slot)
{
	u64 blkno = vol->info.first_slot + slot;
	union block buf;
	const char *why = volume_read(vol, blkno, COHFS_BT_SLOT, slot, &buf);

	if (why)
		return failed(blkno, why);
	show_slot(&buf.slot);
	return 0;
}

static int dump_slots(struct volume *vol, const struct options *opts)
{
	int status = 0;
	u32 slot;

	for (slot = 0; slot < vol->info.slots; slot++)
		status |= dump_one_slot(vol, slot);
	return status;
}

static int dump_slot(struct volume *vol, const struct options *opts)
{
	u64 n;

	return number_of(opts, vol->info.slots, &n) ? dump_one_slot(vol, (u32)n) : 1;
}

static void show_logged(u32 sequence, u64 blkno, bool revoke)
{
	printf("  transaction %u: %s %llu\n", sequence, revoke ? "revoke" : "block",
	       blkno);
}

static int dump_journal(struct volume *vol, const struct options *opts)
{
	const struct cohfs_log_places places = volume_log_places(vol);
	struct journal_summary sum;
	struct journal j;
	const char *why;
	u64 n;

	if (!number_of(opts, vol->info.slots, &n))
		return 1;
	why = journal_open(&j, vol->img, volume_journal_blkno(vol, (u32)n),
			   vol->info.journal_blocks);
	if (why)
		return failed(j.first, why);
	printf("journal of slot %llu: blocks %llu..%llu\n", n, j.first,
	       (j.first + j.blocks - 1));
	printf("  next sequence    %u\n", j.sequence);
	if (j.error)
		printf("  recorded error   %d\n", j.error);
	if (!j.start) {
		puts("  empty: nothing to replay");
		return 0;
	}
	journal_scan(&j, &sum);
	printf("  start            %u\n", j.start);
	printf("  to be replayed   %u transactions up to number %u, %u blocks, %u revokes\n",
	       sum.transactions, sum.end - 1, sum.blocks, sum.revokes);
	if (sum.beyond)
		printf("  DAMAGED          transaction %u cannot be read, later ones can\n",
		       sum.end);
	why = journal_refusal(&j, &places);
	if (why)
		printf("  DAMAGED          %s: it would not be replayed\n", why);
	if (opts->transactions)
		journal_each(&j, &sum, show_logged);
	return sum.beyond || why;
}

static int dump_one_group(struct volume *vol, u32 group, bool runs)
{
	u64 blkno = volume_group_blkno(vol, group);
	union block buf;
	const char *why = volume_read(vol, blkno, COHFS_BT_GROUP, group, &buf);

	if (why)
		return failed(blkno, why);
	show_group(&buf.group, runs);
	return 0;
}

static int dump_groups(struct volume *vol, const struct options *opts)
{
	int status = 0;
	u32 group;

	for (group = 0; group < vol->info.groups; group++)
		status |= dump_one_group(vol, group, false);
	return status;
}

static int dump_group(struct volume *vol, const struct options *opts)
{
	u64 n;

	return number_of(opts, vol->info.groups, &n) ? dump_one_group(vol, (u32)n, true) : 1;
}

static int read_inode(struct volume *vol, u64 ino, union block *buf)
{
	const char *why = volume_read(vol, ino, COHFS_BT_INODE, ino, buf);

	return why ? failed(ino, why) : 0;
}

static int dump_inode(struct volume *vol, const struct options *opts)
{
	union block buf;
	u64 n;

	if (!number_of(opts, vol->info.blocks, &n) || read_inode(vol, n, &buf))
		return 1;
	show_inode(&buf.inode);
	return 0;
}

static bool is_dir(const union block *buf, u64 ino)
{
	if (S_ISDIR(le32_to_cpu(buf->inode.i_mode)))
		return true;
	tool_error("inode %llu is no directory", ino);
	return false;
}

static void print_node(struct reader *rd, u64 blkno, const struct cohfs_map_block *mb)
{
	show_mapblock(mb);
}

static void print_leaf(struct reader *rd, const struct cohfs_extent *ext,
		       const struct cohfs_dirleaf *leaf)
{
	printf("  leaf %llu from hash %014llx: %u names, %u bytes\n", ext->blk,
	       ext->key, cohfs_dirleaf_count(leaf), le16_to_cpu(leaf->l_used));
}

static void print_name(struct reader *rd, const struct cohfs_dirview *view)
{
	show_name(view);
}

static void print_damage(struct reader *rd, u64 blkno, const char *why)
{
	*(int *)rd->arg = failed(blkno, why);
}

static int dump_map(struct volume *vol, const struct options *opts)
{
	int status = 0;
	struct reader rd = {
		.vol = vol, .arg = &status, .node = print_node, .damage = print_damage,
	};
	union block buf;
	u64 n;

	if (!number_of(opts, vol->info.blocks, &n) || read_inode(vol, n, &buf))
		return 1;
	reader_map(&rd, n, le32_to_cpu(buf.hdr.bh_generation));
	return status;
}

static int dump_names(struct volume *vol, u64 ino)
{
	int status = 0;
	struct reader rd = {
		.vol = vol, .arg = &status, .leaf = print_leaf, .name = print_name,
		.damage = print_damage,
	};
	union block buf;

	if (read_inode(vol, ino, &buf) || !is_dir(&buf, ino))
		return 1;
	printf("directory %llu, generation %u, parent %llu\n", ino,
	       le32_to_cpu(buf.hdr.bh_generation), le64_to_cpu(buf.inode.i_parent));
	reader_dir(&rd, ino, le32_to_cpu(buf.hdr.bh_generation));
	return status;
}

static int dump_dir(struct volume *vol, const struct options *opts)
{
	u64 n;

	return number_of(opts, vol->info.blocks, &n) ? dump_names(vol, n) : 1;
}

static int dump_path(struct volume *vol, const struct options *opts)
{
	const char *p = opts->arg ? opts->arg : "/";
	struct cohfs_dirtarget target = { .ino = vol->info.root_ino };
	union block buf;
	size_t len;

	for (;; p += len) {
		if (read_inode(vol, target.ino, &buf))
			return 1;
		p += strspn(p, "/");
		len = strcspn(p, "/");
		if (!len)
			break;
		if (!is_dir(&buf, target.ino))
			return 1;
		if (!reader_look_up(vol, target.ino, le32_to_cpu(buf.hdr.bh_generation), p,
				    len, &target)) {
			tool_error("there is no \"%.*s\" in directory %llu", (int)len, p,
				   target.ino);
			return 1;
		}
		printf("%.*s: inode %llu\n", (int)len, p, target.ino);
	}
	show_inode(&buf.inode);
	return 0;
}

static int dump_orphans(struct volume *vol, const struct options *opts)
{
	union block buf;
	const char *why;
	int status = 0;
	u64 blkno;
	u32 slot;

	for (slot = 0; slot < vol->info.slots; slot++) {
		blkno = vol->info.first_slot + slot;
		why = volume_read(vol, blkno, COHFS_BT_SLOT, slot, &buf);
		printf("slot %u: ", slot);
		status |= why ? failed(blkno, why) :
				dump_names(vol, le64_to_cpu(buf.slot.sl_orphan_dir));
	}
	return status;
}

static int dump_block(struct volume *vol, const struct options *opts)
{
	union block buf;
	u64 n;

	if (!number_of(opts, vol->img->blocks, &n) || image_read(vol->img, n, &buf))
		return 1;
	show_block(&buf, n);
	return 0;
}

static int dump_extract(struct volume *vol, const struct options *opts)
{
	if (opts->arg)
		return extract_tree(vol, opts->arg);
	tool_error("extract needs the name of a new directory");
	return 1;
}

/* The program ---------------------------------------------------------------------- */

static const struct command {
	const char *name;
	int (*run)(struct volume *vol, const struct options *opts);
	bool takes_argument;
} commands[] = {
	{ "super", dump_super },	{ "slots", dump_slots },
	{ "slot", dump_slot, true },	{ "journal", dump_journal, true },
	{ "groups", dump_groups },	{ "group", dump_group, true },
	{ "inode", dump_inode, true },	{ "map", dump_map, true },
	{ "dir", dump_dir, true },	{ "path", dump_path, true },
	{ "orphans", dump_orphans },	{ "block", dump_block, true },
	{ "extract", dump_extract, true },
};

static void replay_all(struct volume *vol)
{
	const struct cohfs_log_places places = volume_log_places(vol);
	struct journal_summary sum;
	struct journal j;
	u32 slot;

	for (slot = 0; slot < vol->info.slots; slot++) {
		if (journal_open(&j, vol->img, volume_journal_blkno(vol, slot),
				 vol->info.journal_blocks) || !j.start)
			continue;
		journal_scan(&j, &sum);
		journal_replay(&j, &sum, &places);
	}
}

static const struct command *find_command(const struct options *opts)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(opts->command, commands[i].name))
			continue;
		if (!opts->arg || commands[i].takes_argument)
			return &commands[i];
		tool_error("%s takes no argument", opts->command);
		return NULL;
	}
	tool_error("unknown command \"%s\", see --help", opts->command);
	return NULL;
}

static int run(struct volume *vol, const struct options *opts)
{
	const struct command *command = find_command(opts);
	int status;

	if (!command)
		return 1;
	if (opts->replay)
		replay_all(vol);
	status = command->run(vol, opts);
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	tool_error("standard output: %s", strerror(errno));
	return 1;
}

int main(int argc, char **argv)
{
	struct options opts = { .command = "super" };
	struct image img;
	struct volume vol;
	const char *why;
	int status = 1;
	u64 blkno;

	argp_err_exit_status = 1;
	argp_parse(&argp, argc, argv, 0, NULL, &opts);
	if (image_open(&img, opts.path, DEV_SHARED))
		return 1;
	if (volume_find(&vol, &img, &blkno, &why) && strcmp(opts.command, "block")) {
		tool_error("%s: no usable superblock: %s", opts.path, why);
	} else {
		if (why)
			tool_error("superblock: %s; using the copy in block %llu", why,
				   blkno);
		status = run(&vol, &opts);
	}
	image_close(&img);
	return status;
}
