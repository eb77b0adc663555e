// SPDX-License-Identifier: GPL-2.0-only
/* The one place that instantiates the events of fs/trace.h. */
#define CREATE_TRACE_POINTS
#include "trace.h"
