// SPDX-License-Identifier: GPL-2.0-only
#include "mode.h"

/* clang-format off */
static const bool compat[COHFS_NR_MODES][COHFS_NR_MODES] = {
	/*          NL CR CW PR PW EX */
	/* NL */  { 1, 1, 1, 1, 1, 1 },
	/* CR */  { 1, 1, 1, 1, 1, 0 },
	/* CW */  { 1, 1, 1, 0, 0, 0 },
	/* PR */  { 1, 1, 0, 1, 0, 0 },
	/* PW */  { 1, 1, 0, 0, 0, 0 },
	/* EX */  { 1, 0, 0, 0, 0, 0 },
};

/* what stays, [granted][demanded] */
static const u8 keep[COHFS_NR_MODES][COHFS_NR_MODES] = {
	/*          NL        CR        CW        PR        PW        EX */
	/* NL */  { COHFS_NL, COHFS_NL, COHFS_NL, COHFS_NL, COHFS_NL, COHFS_NL },
	/* CR */  { COHFS_CR, COHFS_CR, COHFS_CR, COHFS_CR, COHFS_CR, COHFS_NL },
	/* CW */  { COHFS_CW, COHFS_CW, COHFS_CW, COHFS_CR, COHFS_CR, COHFS_NL },
	/* PR */  { COHFS_PR, COHFS_PR, COHFS_CR, COHFS_PR, COHFS_CR, COHFS_NL },
	/* PW */  { COHFS_PW, COHFS_PW, COHFS_CW, COHFS_PR, COHFS_CR, COHFS_NL },
	/* EX */  { COHFS_EX, COHFS_CW, COHFS_CW, COHFS_PR, COHFS_CR, COHFS_NL },
};
/* clang-format on */

static const char *const names[COHFS_NR_MODES] = {
	"NL", "CR", "CW", "PR", "PW", "EX",
};

bool cohfs_mode_compat(enum cohfs_mode a, enum cohfs_mode b)
{
	return compat[a][b];
}

bool cohfs_mode_covers(enum cohfs_mode have, enum cohfs_mode need)
{
	unsigned int m;

	for (m = COHFS_NL; m < COHFS_NR_MODES; m++)
		if (compat[have][m] && !compat[need][m])
			return false;
	return true;
}

enum cohfs_mode cohfs_mode_join(enum cohfs_mode a, enum cohfs_mode b)
{
	enum cohfs_mode m = COHFS_NL;

	/* numbers rise with strength, so the first that covers is the weakest */
	while (!cohfs_mode_covers(m, a) || !cohfs_mode_covers(m, b))
		m++;
	return m;
}

enum cohfs_mode cohfs_mode_keep(enum cohfs_mode granted, enum cohfs_mode demand)
{
	return keep[granted][demand];
}

bool cohfs_mode_can_raise(enum cohfs_mode from, enum cohfs_mode to)
{
	switch (from) {
	case COHFS_NL:
		return to != COHFS_NL;
	case COHFS_CR:
		return to == COHFS_CW;
	case COHFS_PR:
		return to == COHFS_EX;
	default:
		return false;
	}
}

const char *cohfs_mode_name(unsigned int mode)
{
	return mode < COHFS_NR_MODES ? names[mode] : "??";
}
