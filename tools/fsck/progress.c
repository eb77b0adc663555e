// SPDX-License-Identifier: GPL-2.0-only
/* How far the check has got.  At most once a second, so that it costs nothing. */
#include "progress.h"

#define BAR_WIDTH 40

static void show_bar(struct progress *pr)
{
	u32 filled = pr->total ? (u32)(min(pr->done, pr->total) * BAR_WIDTH / pr->total) : 0;
	u32 i;

	fprintf(pr->out, "\r%-12s [", pr->name);
	for (i = 0; i < BAR_WIDTH; i++)
		fputc(i < filled ? '=' : ' ', pr->out);
	fprintf(pr->out, "] %3u%%",
		pr->total ? (u32)(min(pr->done, pr->total) * 100 / pr->total) : 0);
	pr->on_screen = true;
}

static void show(struct progress *pr)
{
	if (!pr->out)
		return;
	if (pr->bar)
		show_bar(pr);
	else
		fprintf(pr->out, "%u %llu %llu %s\n", pr->phase,
			pr->done, pr->total,
			pr->device);
	fflush(pr->out);
	pr->shown = time(NULL);
}

void progress_phase(struct progress *pr, u32 phase, const char *name, u64 total)
{
	progress_wipe(pr);
	pr->phase = phase;
	pr->name = name;
	pr->total = total;
	pr->done = 0;
	if (!pr->bar)
		show(pr);
}

void progress_to(struct progress *pr, u64 done)
{
	pr->done = done;
	if (pr->out && time(NULL) != pr->shown)
		show(pr);
}

void progress_wipe(struct progress *pr)
{
	if (!pr->out || !pr->on_screen)
		return;
	fprintf(pr->out, "\r%*s\r", BAR_WIDTH + 20, "");
	fflush(pr->out);
	pr->on_screen = false;
}
