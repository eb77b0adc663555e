/* SPDX-License-Identifier: GPL-2.0-only */
/* Strict alternation of one mapped word between the nodes. */
#ifndef _COHFS_TEST_TURNS_H
#define _COHFS_TEST_TURNS_H

#include <stdint.h>

enum turns_how {
	TURNS_STORE,	/* wait by storing to the page: asks to write at once */
	TURNS_LOAD,	/* wait with plain loads, then store */
};

/**
 * turns_take() - take turns for prog.seconds
 * @took: seconds that it really took
 * Return: hand-overs, both directions counted.
 */
uint64_t turns_take(enum turns_how how, double *took);

/* Called by turns_take() right before and after the window, if set. */
extern void (*turns_window)(int ends);

#endif /* _COHFS_TEST_TURNS_H */
