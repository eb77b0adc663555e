"""How much else this machine did while something was measured."""

import os
import re
import subprocess

from suite.rig import LAB


def guest_pids(name):
    """The QEMU processes of a lab."""
    said = subprocess.run([LAB, "status", "--name", name], check=False, capture_output=True,
                          text=True).stdout
    return [int(pid) for pid in re.findall(r"\bpid (\d+)", said)]


def _busy_and_all():
    with open("/proc/stat", encoding="ascii") as handle:
        times = [int(word) for word in handle.readline().split()[1:9]]
    idle = times[3] + times[4]
    return sum(times) - idle, sum(times)


def _used(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as handle:
        fields = handle.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


class Others:
    """The share of all cores' time that went to others than a lab's guests."""

    def __init__(self, name):
        self.pids = guest_pids(name)
        self.begun = self._now()

    def _now(self):
        busy, total = _busy_and_all()
        return busy, total, sum(_used(pid) for pid in self.pids)

    def share(self):
        busy, total, guests = (after - before for before, after in zip(self.begun, self._now()))
        return max(0.0, (busy - guests) / max(1, total))


def cores():
    return len(os.sched_getaffinity(0))
