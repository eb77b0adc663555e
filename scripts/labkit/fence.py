"""Fencing: how a node has another one's power cut, and hears that it is off.

A guest's connection to ADDRESS is answered by QEMU with a `lab fence` of its own
(guestfwd), which reads one request and answers when the victim's QEMU is gone.  No
daemon, and nothing of the guests' network but the way to this host.
"""

import fcntl
import json
import shlex
import sys
import time

from labkit.cache import SCRIPTS
from labkit.errors import LabError

ADDRESS, PORT = "10.0.2.100", 4456
REQUEST, DONE = "off", "off"


def forward(node):
    """The part of QEMU's -netdev user that answers the fence requests of `node`."""
    command = shlex.join([str(SCRIPTS / "lab"), "fence", "--name", node.lab.name,
                          "--by", str(node.number)])
    return f"guestfwd=tcp:{ADDRESS}:{PORT}-cmd:{command.replace(',', ',,')}"


def _record_file(lab):
    return lab.folder / "fenced"


def serve(lab, by):
    """Answers one request on the standard streams: `off NUMBER`.

    Requests are served one after the other, and none of a node that is off itself:
    of two that want each other's end, one survives.
    """
    words = sys.stdin.readline().split()
    if len(words) != 2 or words[0] != REQUEST or not words[1].isdigit():
        raise LabError("not a request to fence a node")
    victim = next((node for node in lab.nodes if node.number == int(words[1])), None)
    if victim is None:
        raise LabError(f"there is no node {words[1]}")
    with open(lab.folder / "fence.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if lab.nodes[by - 1].pid() is None:
            raise LabError(f"node{by} is off itself")
        ran = victim.power_off()
        with open(_record_file(lab), "a", encoding="ascii") as record:
            record.write(json.dumps({"time": time.time(), "node": victim.number, "by": by,
                                     "ran": ran}) + "\n")
    print(DONE, flush=True)


def records(lab):
    """What was fenced since the lab was made: time, node, by whom, did it still run."""
    try:
        text = _record_file(lab).read_text(encoding="ascii")
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in text.splitlines()]
