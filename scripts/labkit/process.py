"""Processes we started, remembered across commands without mistaking them.

A pid alone may have been reused since; with the start time it names one
process for as long as the machine is up.
"""

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
