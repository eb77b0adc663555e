// SPDX-License-Identifier: GPL-2.0-only
/* The journals. */
#include "recover.h"

u32 recovery_open(struct recovery *rec, struct volume *vol)
{
	u32 slot, used = 0;

	memset(rec, 0, sizeof(*rec));
	rec->vol = vol;
	for (slot = 0; slot < vol->info.slots; slot++) {
		rec->why[slot] = journal_open(&rec->journal[slot], vol->img,
					      volume_journal_blkno(vol, slot),
					      vol->info.journal_blocks);
		used += !rec->why[slot] && rec->journal[slot].start;
	}
	return used;
}

static void report(const struct journal_summary *sum, const char *refusal, u32 slot,
		   struct problems *problems)
{
	if (sum->damaged)
		problem(problems, P_JOURNAL_BLOCK,
			"journal of slot %u: %u logged blocks are damaged", slot, sum->damaged);
	if (sum->outside)
		problem(problems, P_JOURNAL_BLOCK,
			"journal of slot %u: %u logged blocks are of no place for metadata",
			slot, sum->outside);
	if (sum->beyond)
		problem(problems, P_JOURNAL_LOST,
			"journal of slot %u: transaction %u is damaged; it and later ones are lost",
			slot, sum->end);
	/* the same may have been said of a transaction that is complete */
	if (refusal && !sum->outside && !sum->beyond)
		problem(problems, P_JOURNAL_LOST,
			"journal of slot %u: %s; nothing from transaction %u on is replayed",
			slot, refusal, sum->end);
}

static void replay(struct recovery *rec, u32 slot, struct problems *problems, bool silent)
{
	struct journal *j = &rec->journal[slot];
	struct journal_summary *sum = &rec->sum[slot];
	const struct cohfs_log_places places = volume_log_places(rec->vol);

	if (rec->why[slot]) {
		problem(problems, P_JOURNAL_SUPER, "journal of slot %u: superblock: %s; emptied",
			slot, rec->why[slot]);
		return;
	}
	journal_scan(j, sum);
	if (j->error && !silent)
		printf("journal of slot %u: its last owner stopped with error %d\n", slot,
		       -j->error);
	if (!j->start)
		return;
	journal_replay(j, sum, &places);
	if (!silent)
		printf("journal of slot %u: %u transactions replayed, %u blocks\n", slot,
		       sum->transactions, sum->replayed);
	report(sum, journal_refusal(j, &places), slot, problems);
}

void recovery_replay(struct recovery *rec, struct problems *problems, bool silent)
{
	u32 slot;

	for (slot = 0; slot < rec->vol->info.slots; slot++)
		replay(rec, slot, problems, silent);
}

void recovery_finish(struct recovery *rec)
{
	u32 slot;

	for (slot = 0; slot < rec->vol->info.slots; slot++) {
		struct journal *j = &rec->journal[slot];

		if (rec->why[slot])
			journal_reset(j);
		else if (j->start || j->error)
			journal_finish(j, &rec->sum[slot]);
	}
}

bool recovery_disturbed(struct recovery *rec)
{
	struct image bare = { .dev = rec->vol->img->dev, .blocks = rec->vol->img->blocks };
	struct journal now;
	const char *why;
	u32 slot;

	for (slot = 0; slot < rec->vol->info.slots; slot++) {
		const struct journal *j = &rec->journal[slot];

		why = journal_open(&now, &bare, j->first, j->blocks);
		if (!why != !rec->why[slot])
			return true;
		if (!why && (now.start != j->start || now.sequence != j->sequence ||
			     now.error != j->error))
			return true;
	}
	return false;
}
