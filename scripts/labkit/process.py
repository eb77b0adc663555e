"""Processes we started, remembered across commands without mistaking them.

A pid alone may have been reused since; with the start time it names one
process for as long as the machine is up.
"""

import contextlib
import os
import select
import signal


def _start_time(pid):
    """Clock ticks since boot, or None if there is no such process (any more)."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as handle:
            fields = handle.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else fields[19]


def remember(path, pid):
    path.write_text(f"{pid} {_start_time(pid)}\n", encoding="ascii")


def running(path):
    """The pid remembered in `path` if that very process still runs, else None."""
    try:
        pid, started = path.read_text(encoding="ascii").split()
    except FileNotFoundError:
        return None
    return int(pid) if _start_time(pid) == started else None


def hand_on_niceness(leader):
    """Gives the session led by `leader` our niceness.

    The kernel may share the processors among sessions first (sched(7), autogroup); a process's
    own niceness then counts only against others of its session.  A courtesy: a kernel without
    autogroups, or one that wants to be root for it, is not a reason to go without the session.
    """
    niceness = os.nice(0)
    if niceness:
        with contextlib.suppress(OSError), \
                open(f"/proc/{leader}/autogroup", "w", encoding="ascii") as group:
            group.write(str(niceness))


def kill(path):
    """Kills the process remembered in `path`; False if it was gone already."""
    pid = running(path)
    if pid is None:
        return False
    handle = os.pidfd_open(pid)
    try:
        # Asked again now that the pid cannot be reused any more.
        if running(path) is not None:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            select.select([handle], [], [])
    finally:
        os.close(handle)
    return True
