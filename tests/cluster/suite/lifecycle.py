"""Mounting, unmounting, unloading, and losing power."""

import itertools
import re
import time

from suite.case import COHFS, Failure, case
from suite.rig import MOUNT_POINT, on_each


def _stamp(trial, node, text):
    trial.shell(node, f"echo {text} > {MOUNT_POINT}/stamp.{node}")


def _expect_stamps(trial, node, text):
    for other in range(trial.rig.nodes):
        found = trial.shell(node, f"cat {MOUNT_POINT}/stamp.{other}").strip()
        trial.check(found == text, f"node {node} reads {found!r} in node {other}'s file, "
                                   f"{text!r} was written")


@case("201", "remount-orders", nodes=3, limit=300)
def remount_orders(trial):
    """Three nodes unmount and mount again in all orders; each time all see what all
    wrote before."""
    orders = list(itertools.permutations(range(trial.rig.nodes)))
    tried = orders[::trial.size(2, 1)]
    for number, order in enumerate(tried):
        # Another order for mounting, so that over the rounds all pairs come.
        back = orders[(number * 5 + 2) % len(orders)]
        trial.write(f"# unmount in order {order}, mount in order {back}")
        on_each(range(trial.rig.nodes), lambda node, n=number: _stamp(trial, node, f"round{n}"))
        for node in order:
            trial.unmount(node)
        for node in back:
            trial.mount(node)
        on_each(range(trial.rig.nodes),
                lambda node, n=number: _expect_stamps(trial, node, f"round{n}"))
    trial.note(f"{len(tried)} orders")


@case("202", "remount-busy", nodes=3, limit=180, rest=True)
def remount_busy(trial):
    """Nodes come and go while others work on the same files."""
    worker = trial.rig.spawn(0, [f"{trial.rig.programs}/names", "-i0", "-n1",
                                 f"-d{MOUNT_POINT}/busy", "-r77",
                                 f"-c{trial.size(1500, 20000)}"], trial.limit)
    rounds = 0
    while worker.poll() is None and rounds < trial.size(3, 30):
        for node in range(1, trial.rig.nodes):
            trial.unmount(node)
        for node in range(1, trial.rig.nodes):
            trial.mount(node)
            trial.shell(node, f"ls -lR {MOUNT_POINT}/busy > /dev/null 2>&1 || true")
        rounds += 1
    output = worker.communicate()[0]
    trial.write(output)
    trial.check(worker.returncode == 0, f"the worker failed: {output.strip()[-300:]}")
    trial.note(f"{rounds} rounds")


def _storm(trial, node, number, count):
    """The racing names of 202, alone in a directory that others look at."""
    return (f"{trial.rig.programs}/names -i0 -n1 -d{MOUNT_POINT}/slow.{node}.{number}"
            f" -r{205 + node} -c{count}")


CONTROLLER_PAUSE = 8    # seconds; longer than anything that is tried for a while


@case("205", "slow-controller", nodes=3, limit=180, filesystems=COHFS, only_long=True)
def slow_controller(trial):
    """A node leaves while another one's dlm_controld gets no processor: locks that its
    kernel can do nothing with for so long are no reason to give up."""
    # Long mode: fs/dlm has a warning of its own for nodes that leave so slowly, now and
    # then (midcomms, a message in a state that it does not expect).
    trial.shell(0, "rm -f /tmp/enough")
    worker = trial.rig.spawn(0, ["sh", "-c", "i=0; while [ ! -e /tmp/enough ]; do "
                                 f"{_storm(trial, 0, '$i', 100)} || exit 1; i=$((i + 1)); "
                                 "done"], trial.limit)
    for number, node in enumerate(list(range(1, trial.rig.nodes)) * trial.size(1, 5)):
        trial.shell(node, _storm(trial, node, number, trial.size(100, 1000)))
        trial.shell(node, f"ls -lR {MOUNT_POINT}/slow.* > /dev/null 2>&1 || true")
        trial.shell(0, "kill -STOP $(pidof dlm_controld)")
        try:
            trial.unmount(node)
            time.sleep(CONTROLLER_PAUSE)
        finally:
            trial.shell(0, "kill -CONT $(pidof dlm_controld)")
        trial.mount(node)
    trial.shell(0, "touch /tmp/enough")
    output = worker.communicate()[0]
    trial.write(output)
    trial.check(worker.returncode == 0, f"the worker failed: {output.strip()[-300:]}")


def _objects(text):
    """The pairs of created and destroyed objects in the module's last words."""
    found = re.findall(r"(\d+) (\w+) created, (\d+) destroyed", text)
    return [(name, int(created), int(destroyed)) for created, name, destroyed in found]


def check_unload(trial, node):
    """Unloads the module on a node that has unmounted: every object is destroyed."""
    trial.shell(node, "rmmod cohfs")
    said = trial.messages(node)
    trial.write(f"-- node {node} said at unload:\n{said}")
    objects = _objects(said)
    trial.check(objects, f"node {node}: no count of objects in the kernel log at unload")
    for name, created, destroyed in objects:
        if created != destroyed:
            raise Failure(f"node {node}: {name}: {created} created, {destroyed} destroyed")
        trial.check(created, f"node {node}: {name}: none was ever created")
    left = trial.rig.shell(node, "grep -E '^cohfs' /proc/slabinfo").output.strip()
    trial.check(not left, f"node {node}: slab caches left behind: {left}")
    trial.check(trial.rig.shell(node, "ls /sys/kernel/debug/cohfs").status != 0,
                f"node {node}: debugfs directory left behind")


@case("203", "unload", nodes=3, limit=180, filesystems=COHFS)
def unload(trial):
    """Unmounted everywhere, the module unloads and has destroyed every object that it
    created."""
    for node in range(trial.rig.nodes):
        trial.mark(node)
    trial.unmount_all()
    for node in range(trial.rig.nodes):
        check_unload(trial, node)
    trial.mount_all()


def _write_until_ready(trial, node, directory):
    """Runs `durable` until what it promises is on disk; it goes on writing then."""
    process = trial.rig.spawn(node, [f"{trial.rig.programs}/durable", f"-d{directory}",
                                     "-mwrite", f"-l{trial.limit}"], trial.limit)
    for line in process.stdout:
        trial.write(line)
        if line.startswith("data ready=1"):
            return process
    raise Failure("the writer ended before what it promises was on disk")


@case("204", "power-cut", nodes=1, limit=300, rest=True)
def power_cut(trial):
    """A single node loses its power; after the next mount replayed its journal, all
    that was synchronised is there and the rest is consistent."""
    victim = trial.rig.nodes - 1
    for node in range(trial.rig.nodes):
        if node != victim:
            trial.unmount(node)
    trial.rig.hasten()
    for number in range(trial.size(1, 5)):
        directory = f"{MOUNT_POINT}/durable.{number}"
        process = _write_until_ready(trial, victim, directory)
        # Any moment will do; a different one each time is better.
        time.sleep(0.5 + number * 0.7)
        trial.rig.kill(victim)
        process.wait()
        trial.rig.start(victim)
        trial.mount(victim)
        output = trial.shell(victim, f"{trial.rig.programs}/durable -m verify -d {directory}")
        trial.write(output)
    if trial.rig.fs == "cohfs":
        trial.check("replay" in trial.messages(victim), "the kernel log speaks of no replay")
    trial.rig.relax()
    for node in range(trial.rig.nodes):
        if node != victim:
            trial.mount(node)
            trial.shell(node, f"ls -lR {MOUNT_POINT} > /dev/null")
