// SPDX-License-Identifier: GPL-2.0-only
/*
 * DLM messages are counted by a trace instance of our own, with the one event
 * dlm:dlm_send_message switched on: its per-CPU statistics say how many entries
 * were ever made, so that nothing needs to be read or parsed while counting.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "measure.h"
#include "prog.h"

#define TRACEFS "/sys/kernel/tracing"
#define INSTANCE TRACEFS "/instances/cohfs-measure"
#define EVENT INSTANCE "/events/dlm/dlm_send_message/enable"

const char * const measure_names[NR_COUNTERS] = {
	[DLM_MESSAGES] = "messages",
	[DISK_READS] = "reads",
	[DISK_WRITES] = "writes",
	[DISK_FLUSHES] = "flushes",
};

static char disk[64];

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = -1;

	if (fd >= 0) {
		ret = write(fd, text, strlen(text)) < 0 ? -1 : 0;
		close(fd);
	}
	return ret;
}

void measure_open(const char *path)
{
	struct stat st;

	SYS(stat(path, &st));
	snprintf(disk, sizeof(disk), "/sys/dev/block/%u:%u/stat", major(st.st_dev),
		 minor(st.st_dev));
	CHECK(!access(disk, R_OK), "%s: %m: not a filesystem on a disk?", disk);
	if (access(TRACEFS "/instances", F_OK))
		SYS(mount("tracefs", TRACEFS, "tracefs", 0, NULL));
	if (mkdir(INSTANCE, 0755) && errno != EEXIST)
		fail("mkdir " INSTANCE ": %m");
	put(INSTANCE "/buffer_size_kb", "64");
	/* Not there with lock=local: then there are no messages to count. */
	put(EVENT, "1");
}

static uint64_t trace_entries(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	uint64_t sum = 0;

	for (long cpu = 0; cpu < cpus; cpu++) {
		char path[128], line[128];
		unsigned long n;
		FILE *f;

		snprintf(path, sizeof(path), INSTANCE "/per_cpu/cpu%ld/stats", cpu);
		f = fopen(path, "r");
		CHECK(f, "%s: %m", path);
		while (fgets(line, sizeof(line), f))
			if (sscanf(line, "entries: %lu", &n) == 1 ||
			    sscanf(line, "overrun: %lu", &n) == 1 ||
			    sscanf(line, "dropped events: %lu", &n) == 1)
				sum += n;
		fclose(f);
	}
	return sum;
}

/* Documentation/admin-guide/iostats.rst: fields 1, 5 and 16 */
static void read_disk(uint64_t *counters)
{
	unsigned long v[17] = { 0 };
	FILE *f = fopen(disk, "r");

	CHECK(f, "%s: %m", disk);
	for (size_t i = 0; i < ARRAY_SIZE(v); i++)
		if (fscanf(f, "%lu", &v[i]) != 1)
			break;
	fclose(f);
	counters[DISK_READS] = v[0];
	counters[DISK_WRITES] = v[4];
	counters[DISK_FLUSHES] = v[15];
}

void measure_read(uint64_t *counters)
{
	counters[DLM_MESSAGES] = trace_entries();
	read_disk(counters);
}

void measure_close(void)
{
	put(EVENT, "0");
	rmdir(INSTANCE);
}
