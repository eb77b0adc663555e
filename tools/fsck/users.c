// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who else may have the filesystem mounted?
 *
 * The disk does not say who owns a slot: that is a lock.  A journal that is not empty was
 * left by a node that died, or is being written by one that lives; an empty one may
 * belong to a node that is idle.  So the disk can only warn.
 *
 * A host in the cluster can ask more: who has a filesystem mounted is in its lockspace,
 * and dlm_controld has a process group in corosync for each lockspace.
 */
#include <stdio.h>
#include "users.h"

#define CLUSTER_NAME	"/usr/sbin/corosync-cmapctl -g totem.cluster_name 2>/dev/null"
#define GROUP_MEMBERS	"/usr/sbin/corosync-cpgtool -d ';' 2>/dev/null"

/* Calls back for each line that a program prints; false if it failed, or is not there */
static bool each_line(const char *command, void (*line)(char *text, void *arg), void *arg)
{
	FILE *f = popen(command, "re");
	size_t size = 0;
	char *text = NULL;

	if (!f)
		return false;
	while (getline(&text, &size, f) > 0) {
		text[strcspn(text, "\n")] = '\0';
		line(text, arg);
	}
	free(text);
	return !pclose(f);
}

/** struct members - of the lockspace of a filesystem */
struct members {
	const struct volume *vol;
	bool our_cluster;
	u32 count;
};

/* "totem.cluster_name (str) = NAME" */
static void compare_cluster(char *text, void *arg)
{
	struct members *m = arg;
	const char *name = strstr(text, "= ");

	m->our_cluster = name && !strcmp(name + 2, m->vol->info.cluster);
}

/* "dlm:ls:FSNAME\x00;PID;NODE" */
static void note_member(char *text, void *arg)
{
	struct members *m = arg;
	char *name = strsep(&text, ";"), *pid = strsep(&text, ";");
	size_t len = strlen(m->vol->info.fsname);

	if (!pid || !text || strncmp(name, "dlm:ls:", 7) ||
	    strncmp(name + 7, m->vol->info.fsname, len) ||
	    (name[7 + len] && strcmp(name + 7 + len, "\\x00")))
		return;
	m->count++;
	tool_error("%s is mounted: node %s is in lockspace %s of cluster %s",
		   m->vol->img->dev.path, text, m->vol->info.fsname, m->vol->info.cluster);
}

enum users users_ask(const struct volume *vol)
{
	struct members m = { .vol = vol };
	bool asked;

	/* an image file is somebody's copy */
	if (!vol->info.fsname[0] || !vol->img->dev.is_block)
		return USERS_NONE;
	asked = each_line(CLUSTER_NAME, compare_cluster, &m) && m.our_cluster &&
		each_line(GROUP_MEMBERS, note_member, &m);
	if (m.count)
		return USERS_KNOWN;
	return asked ? USERS_NONE : USERS_UNKNOWN;
}

void users_unknown(const struct volume *vol)
{
	tool_error("%s: which nodes of cluster %s have it mounted cannot be asked here: this host is not in that cluster, or corosync does not answer.  When none has, use -f.",
		   vol->img->dev.path, vol->info.cluster);
}

bool users_possible(struct recovery *rec)
{
	const struct cohfs_super_info *info = &rec->vol->info;
	const char *path = rec->vol->img->dev.path;
	u32 slot;

	/* without a lock table only this host can have mounted it, and it has not */
	if (!info->fsname[0])
		return false;
	for (slot = 0; slot < info->slots; slot++)
		if (!rec->why[slot] && rec->journal[slot].start)
			tool_error("%s: the journal of slot %u is not empty: a node died, or has it mounted",
				   path, slot);
	tool_error("%s: the disk cannot tell which.  When no node of cluster %s has %s mounted, use -f.",
		   path, info->cluster, info->fsname);
	return true;
}
