/* SPDX-License-Identifier: GPL-2.0-only */
/* Running programs, for tests of them. */
#ifndef _COHFS_TEST_PROGRAM_H
#define _COHFS_TEST_PROGRAM_H

#include <stdarg.h>
#include <sys/wait.h>
#include <cohfs/core_env.h>

static char output[1 << 20];	/* of the last one */

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
