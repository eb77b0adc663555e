/* SPDX-License-Identifier: GPL-2.0-only */
/* Running programs, for tests of them: their names, a place for them to work, what they say. */
#ifndef _COHFS_TEST_PROGRAM_H
#define _COHFS_TEST_PROGRAM_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cohfs/core_env.h>

static char output[1 << 20];	/* of the last one */

static char dir[32];		/* a folder of the test's own */
static char image[64];		/* in it */

/* Return: false if no folder is to be had */
static inline bool make_place(void)
{
	strscpy(dir, "/tmp/cohfs-test-XXXXXX", sizeof(dir));
	if (!mkdtemp(dir))
		return false;
	snprintf(image, sizeof(image), "%s/image", dir);
	return true;
}

static inline void remove_place(void)
{
	unlink(image);
	rmdir(dir);
}

/* @path: set to @name in the folder that TOOLS names.  Return: is it there? */
static inline bool find_tool(char path[128], const char *name)
{
	const char *tools = getenv("TOOLS");

	snprintf(path, 128, "%.80s/%s", tools ? tools : "", name);
	return !access(path, R_OK);
}

/* Run a shell command; its output goes to @output.  Return: exit status, or -1 */
static int __printf(1, 2) run(const char *fmt, ...)
{
	char cmd[1024], full[1100];
	size_t n;
	va_list ap;
	FILE *p;
	int rc;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	snprintf(full, sizeof(full), "{ %s ; } 2>&1", cmd);
	p = popen(full, "r");
	if (!p)
		return -1;
	n = fread(output, 1, sizeof(output) - 1, p);
	output[n] = '\0';
	rc = pclose(p);
	return WIFEXITED(rc) ? WEXITSTATUS(rc) : -1;
}

#endif /* _COHFS_TEST_PROGRAM_H */
