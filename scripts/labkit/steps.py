"""A node's way into its cluster, step by step, and what is told when one fails.

What a step does in the guest is in guest/node.sh; how long it may take, and
what to show of a node that did not make it, is decided here.
"""

import contextlib
import time

from labkit import agent, cache, progress
from labkit.errors import LabError

READY = b"lab: node ready"
INIT_FAILED = b"lab: init failed"
POLL = 0.05
# Each is many times what it takes when two nodes have the host to themselves;
# the debug kernel gets DEBUG_FACTOR times as long.
BOOT_SECONDS = 90
STEP_SECONDS = 60
MKFS_SECONDS = 180
GONE_SECONDS = 120
DEBUG_FACTOR = 4


def join(node, members):
    """Boots a node into a cluster that will then have so many members."""
    boot(node)
    run(node, "dlm devices", "devices")
    run(node, "start corosync", "corosync")
    run(node, "corosync quorum", "quorum", members)
    run(node, "start dlm_controld", "dlm")
    run(node, "dlm_controld membership", "dlm_members", members)


def await_gone(node, number):
    """Waits until `node` has taken note of the death of another one."""
    run(node, f"node{number} gone", "gone", number, seconds=GONE_SECONDS)


def format_disk(node):
    run(node, f"mkfs of {node.lab.spec.fs}", "mkfs", seconds=MKFS_SECONDS)


def mount(node):
    run(node, f"mount {node.lab.spec.fs}", "mount", node.lab.spec.mount_options)


def boot(node):
    """Powers a node on and waits until its agent listens."""
    with _step(node, "boot") as step:
        start = node.console_size()
        node.power_on()
        deadline = time.monotonic() + _limit(node, BOOT_SECONDS)
        while True:
            running = node.pid() is not None
            console = node.console_from(start)
            if READY in console:
                return
            if INIT_FAILED in console or not running:
                raise _failure(node, "the guest did not get through its init")
            if time.monotonic() > deadline:
                raise _failure(node, "no sign of life from its agent")
            step.detail = _last_line(console)
            time.sleep(POLL)


def run(node, title, *arguments, seconds=STEP_SECONDS):
    """Runs a step of node.sh, showing what it says; LabError if it fails."""
    output = bytearray()
    limit = _limit(node, seconds)
    with _step(node, title) as step:
        def sink(_stream, data):
            output.extend(data)
            step.detail = _last_line(output)

        status = node.run(["/lab/node.sh", *map(str, arguments)], sink, timeout=limit)
        if status == agent.TIMED_OUT:
            raise _failure(node, f"not done after {limit} s", output)
        if status != 0:
            raise _failure(node, f"exit status {status}", output)


def _last_line(text):
    return bytes(text).rstrip().rpartition(b"\n")[2].decode(errors="replace").strip()


def _limit(node, seconds):
    return seconds * (DEBUG_FACTOR if node.lab.spec.kernel == "debug" else 1)


@contextlib.contextmanager
def _step(node, title):
    """A progress step of a node; what goes wrong in it is told as such."""
    with progress.step(f"{node.name}: {title}") as step:
        try:
            yield step
        except LabError as error:
            what = _failure(node, str(error)) if isinstance(error, agent.Lost) else error
            raise LabError(f"{node.name}: {title}: {what}") from error


def _failure(node, what, output=b""):
    """The error for a step, with the ends of all logs that may tell why."""
    parts = [what]
    if node.pid() is None:
        parts.append("its QEMU has ended:\n" + cache.tail(node.qemu_log, 10))
    if output:
        said = output.decode(errors="replace").rstrip().replace("\n", "\n    ")
        parts.append(f"the step said:\n    {said}")
    parts.append("the end of its console:\n" + cache.tail(node.console))
    return LabError("\n  ".join(parts))
