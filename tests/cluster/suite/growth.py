"""The size of a file follows its data, and only what is on disk."""

import re
import subprocess

from suite.case import COHFS, case
from suite.crash import DUMP
from suite.death import FAULTY, wait_until

BLOCK = 4096
KEPT, GROWN = 16, 32        # blocks


# --- a truncate in between

@case("107", "cut-while-settling", nodes=1, limit=240, filesystems=COHFS, rest=True)
def cut_while_settling(trial):
    """Files are truncated while what they have grown to is journaled: the size that is there
    after the next mount is the last one."""
    count = trial.size(40, 1000)
    directory = trial.path("files")
    trial.program("settle", mode="cut", nodes=1, count=count, directory=directory)
    trial.unmount(0)
    trial.mount(0)
    trial.program("settle", mode="verify", nodes=1, count=count, directory=directory)


# --- data that does not get there

# Of a disk that can be made to fail the blocks FIRST to END - 1 do from here on.
FAIL_PART = """
set -e
disk=$(readlink -f /dev/disk)
first=$((%d * 8)) end=$((%d * 8)) all=$(blockdev --getsz $disk)
dmsetup suspend --noflush --nolockfs faulty
printf '0 %%d linear %%s 0\\n%%d %%d error\\n%%d %%d linear %%s %%d\\n' $first $disk \\
	$first $((end - first)) $end $((all - end)) $disk $end | dmsetup load faulty
dmsetup resume faulty
"""
MEND = """
set -e
disk=$(readlink -f /dev/disk)
dmsetup suspend --noflush --nolockfs faulty
dmsetup load faulty --table "0 $(blockdev --getsz $disk) linear $disk 0"
dmsetup resume faulty
"""
GROW = f"""
dd if=/dev/urandom of=%s bs={BLOCK} count={GROWN} oflag=append conv=notrunc status=none
"""


def _blocks_behind(trial, path):
    """The first block of the disk behind the end of a file that has blocks there."""
    trial.shell(0, "sync")
    ino = int(trial.shell(0, f"stat -c %i {path}"))
    said = subprocess.run([DUMP, "-r", trial.rig.disk, "map", str(ino)], check=False, text=True,
                          capture_output=True, errors="replace").stdout
    trial.write(said)
    for key, block, length in re.findall(r"key (\d+) .*-> block (\d+) length (\d+)", said):
        behind = KEPT - int(key)
        if 0 <= behind and behind + GROWN <= int(length):
            return int(block) + behind
    trial.check(False, f"no {GROWN} blocks in a row behind the end: {said}")
    return 0


def _lose(trial, path):
    """A file that has grown by what the disk does not take."""
    trial.shell(0, f"""set -e
        dd if=/dev/urandom of={path} bs={BLOCK} count={KEPT} conv=fsync status=none
        head -c {KEPT * BLOCK} {path} > /tmp/kept
        fallocate -n -o {KEPT * BLOCK} -l {2 * GROWN * BLOCK} {path}""")
    first = _blocks_behind(trial, path)
    trial.shell(0, FAIL_PART % (first, first + GROWN))
    trial.shell(0, GROW % path)
    said = trial.shell(0, f"sync {path}", fails=True)
    trial.check("Input/output error" in said, f"fsync: {said}")


def _expect(trial, node, path, size, contents):
    found = int(trial.shell(node, f"stat -c %s {path}"))
    trial.check(found == size, f"node {node}: size {found} instead of {size}")
    trial.shell(node, f"cmp {path} {contents}")


@case("523", "lost-growth", nodes=2, limit=120, filesystems=COHFS, rest=True)
def lost_growth(trial):
    """The disk refuses what a file has grown by: fsync() says so, a rename does not put the
    file in another one's place, nobody reads what is not there, and a truncate makes the
    file usable again.  When another node asks for its size the node withdraws, and the file
    is as it was before."""
    lost, old = trial.path("lost"), trial.path("old")
    trial.unmount(0)
    trial.shell(0, FAULTY)
    trial.shell(0, f"echo old > {old}; sync {old}")

    _lose(trial, lost)
    said = trial.shell(0, f"mv -T {lost} {old}", fails=True)
    trial.check("Input/output error" in said, f"rename: {said}")
    trial.check(trial.shell(0, f"cat {old}") == "old\n", "the file was replaced")
    trial.shell(0, "echo 3 > /proc/sys/vm/drop_caches")
    said = trial.shell(0, f"cat {lost} > /tmp/found", fails=True)
    trial.check("Input/output error" in said, f"read: {said}")
    trial.shell(0, "cmp /tmp/found /tmp/kept")
    trial.shell(0, MEND + f"truncate -s {KEPT * BLOCK} {lost}\n" + GROW % lost +
                f"sync {lost}; cp {lost} /tmp/grown; cat {lost} > /share/grown")
    for node in (0, 1):
        _expect(trial, node, lost, (KEPT + GROWN) * BLOCK, "/share/grown")

    again = trial.path("again")
    _lose(trial, again)
    trial.shell(0, "cat /tmp/kept > /share/kept")
    trial.mark(0)
    _expect(trial, 1, again, KEPT * BLOCK, "/share/kept")
    wait_until(trial, "node 0 withdraws", lambda: "withdrawn" in trial.messages(0))
    trial.unmount(0)
    trial.shell(0, "dmsetup remove faulty")
    trial.mount(0)
    _expect(trial, 0, again, KEPT * BLOCK, "/share/kept")
