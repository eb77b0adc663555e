// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the VFS decides with attributes that are in core, when another node has changed them.
 *
 * Node 0 has seen a file, node 1 changes it, and node 0 acts on it by system calls that do
 * not ask for its attributes before.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "prog.h"

#define ALICE 1000
#define BOB 1001

static struct stat look(const char *path)
{
	struct stat st;

	SYS(stat(path, &st));
	return st;
}

static const char *file_of(const char *name, uid_t owner, mode_t mode)
{
	const char *path = at("%s", name);

	if (prog.node == 0) {
		close(make_file(path, 0, false));
		SYS(chown(path, owner, owner));
		SYS(chmod(path, mode));
	}
	barrier();
	look(path);
	barrier();
	return path;
}

/* A program that became set-user-ID elsewhere must not be given to another user like that. */
static void given_away(void)
{
	const char *path;

	prog.step = "set-user-ID when the owner changes";
	path = file_of("setuid", ALICE, 0755);
	if (prog.node)
		SYS(chmod(path, 06755));
	barrier();
	if (prog.node == 0)
		SYS(chown(path, 0, 0));
	barrier();
	CHECK((look(path).st_mode & 07777) == 0755, "mode %o", look(path).st_mode & 07777);
	CHECK(look(path).st_uid == 0, "owner %u", look(path).st_uid);
}

static void taken_back(void)
{
	const char *path;

	prog.step = "a mode that was made stricter";
	path = file_of("strict", ALICE, 04755);
	if (prog.node)
		SYS(chmod(path, 0600));
	barrier();
	if (prog.node == 0)
		SYS(chown(path, BOB, BOB));
	barrier();
	CHECK((look(path).st_mode & 07777) == 0600, "mode %o", look(path).st_mode & 07777);
}

/* By a user who may write to the file, but may not keep its bits */
static void truncated(void)
{
	const char *path;

	prog.step = "set-user-ID when the file is cut";
	path = file_of("cut", ALICE, 0777);
	if (prog.node == 0)
		SYS(truncate(path, 100));
	barrier();
	if (prog.node)
		SYS(chmod(path, 04777));
	barrier();
	if (prog.node == 0) {
		SYS(seteuid(BOB));
		SYS(truncate(path, 50));
		SYS(seteuid(0));
	}
	barrier();
	CHECK((look(path).st_mode & 07777) == 0777, "mode %o", look(path).st_mode & 07777);
}

static void removed(void)
{
	const char *dir = at("sticky"), *path;

	prog.step = "names in a sticky directory";
	if (prog.node == 0) {
		SYS(mkdir(dir, 0700));
		SYS(chmod(dir, 01777));
	}
	barrier();
	path = file_of("sticky/file", ALICE, 0644);
	if (prog.node)
		SYS(chown(path, BOB, BOB));
	barrier();
	if (prog.node == 0) {
		SYS(seteuid(ALICE));
		SYS_FAILS(unlink(path), EPERM);
		SYS_FAILS(rename(path, at("sticky/other")), EPERM);
		SYS(seteuid(0));
		SYS(seteuid(BOB));
		SYS(rename(path, at("sticky/other")));
		SYS(seteuid(0));
	}
	barrier();
	if (prog.node) {
		SYS(seteuid(BOB));
		SYS(unlink(at("sticky/other")));
		SYS(seteuid(0));
	}
	barrier();
}

/* Data is written before its time is published, and the mode changes in between. */
static void written_then_changed(void)
{
	const struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	const char *path;
	int fd;

	prog.step = "the time of data, after a change of the mode";
	path = file_of("written", ALICE, 0644);
	if (prog.node == 0) {
		fd = open_file(path, O_RDWR);
		pwrite_all(fd, "old", 3, 0);
		SYS(fsync(fd));
		SYS(futimens(fd, old));
		pwrite_all(fd, "new", 3, 0);
		usleep(20000);
		SYS(fchmod(fd, 0600));
		close(fd);
	}
	barrier();
	CHECK(look(path).st_mtime > 1000, "mtime is %ld", (long)look(path).st_mtime);
}

int main(int argc, char **argv)
{
	prog_init(argc, argv, "stale");
	umask(0);
	given_away();
	taken_back();
	truncated();
	removed();
	written_then_changed();
	return prog_end("5 decisions are those of what is true");
}
