// SPDX-License-Identifier: GPL-2.0-only
#include "lock.h"

#ifndef __CHECKER__
#define CREATE_TRACE_POINTS
#include "trace.h"
#endif
