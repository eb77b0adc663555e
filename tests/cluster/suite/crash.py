"""Every crash that a recorded run could have had: replayed on the host and by the kernel,
checked, read."""

import contextlib
import os
import pathlib
import random
import shutil
import stat
import subprocess
import tempfile

from crash import oracle, replay, writelog
from suite.case import COHFS, Failure, case
from suite.rig import MOUNT_POINT, REPO, LabRig

FS_MB = 160
MOUNT_EVERY = 10    # of the states are given to the kernel
COPY = 1 << 20      # at a time
FSCK = REPO / "tools" / "fsck" / "fsck.cohfs"
DUMP = REPO / "tools" / "dump" / "cohfs-dump"

LOAD = """
set -e
. /lab/env
for dependency in $(modinfo -F depends /repo/build/$KERNEL/cohfs.ko | tr , ' '); do
	modprobe $dependency 2>/dev/null || true
done
insmod /repo/build/$KERNEL/cohfs.ko
"""
# The filesystem leaves the end of the disk to the program's lines.
MAKE = LOAD + f"""
modprobe loop 2>/dev/null || true
device=$(losetup -f --show --sizelimit {FS_MB}M /dev/disk)
/repo/tools/mkfs/mkfs.cohfs -q -f -j 1 -J 4 $device
losetup -d $device
mount -t cohfs -o lock=local /dev/disk {MOUNT_POINT}
mkdir {MOUNT_POINT}/work
"""


@contextlib.contextmanager
def _machine(trial):
    """A node of its own, with a disk whose writes are recorded."""
    rig = LabRig(f"{trial.rig.name}-crash", 1, trial.rig.kernel, "none",
                 ["--write-log", "--share", str(trial.rig.share),
                  # the program's lines go past the filesystem that is mounted
                  "--append", "bdev_allow_write_mounted=1"])
    rig.programs = trial.rig.programs
    rig.up()
    try:
        yield rig
        trial.check(not rig.complaints(), f"a kernel complained: {rig.complaints()}")
    finally:
        console = rig.new_console(0).decode("utf-8", "replace")
        (trial.folder / "crash-console").write_text(console, encoding="utf-8")
        rig.down()


def _record(trial, rig, seed, operations):
    """Runs the program and cuts the power; the path of the record."""
    result = rig.shell(0, MAKE)
    trial.check(result.status == 0, f"no filesystem: {result.output}")
    result = rig.run(0, [f"{rig.programs}/crash", "-i0", "-n1", f"-d{MOUNT_POINT}/work",
                         "-r1", f"-s{seed}", f"-c{operations}", "-m/dev/disk",
                         f"-l{trial.limit}"], trial.limit)
    trial.write(result.output)
    trial.check(result.status == 0, result.output.strip()[-300:])
    rig.kill(0)
    record = trial.folder / "writes"
    shutil.move(rig.disk.with_name("writes.1.log"), record)
    return record


# The kernel's way to deal with a state: jbd2 replays, all is looked at.
MOUNT_STATE = f"""
set -e
blockdev --flushbufs /dev/disk
mount -t cohfs -o lock=local /dev/disk {MOUNT_POINT}
ls -lR {MOUNT_POINT} > /dev/null
umount {MOUNT_POINT}
"""


def _copy(source, target, size):
    """Reads or writes a disk that a machine has, which goes past the host's page cache."""
    with open(source, "rb") as old, open(target, "r+b") as new:
        while chunk := old.read(min(COPY, size - old.tell())):
            new.write(chunk)
        new.flush()
        os.fsync(new.fileno())


def _mount(trial, rig, image):
    """Has a state mounted and unmounted."""
    _copy(image, rig.disk, FS_MB << 20)
    result = rig.shell(0, MOUNT_STATE, trial.limit)
    if result.status != 0:
        raise oracle.Wrong(f"the kernel: {result.output.strip()[-300:]}")


def _oracle_of(lines):
    told = oracle.Oracle()
    for line in lines:
        told.line(line)
    return told


def _tool(*argv):
    return subprocess.run(list(map(str, argv)), check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace")


def _extract(image, folder):
    """What is found in an image: path -> "d", or inode number and contents."""
    result = _tool(DUMP, "-r", image, "extract", folder)
    if result.returncode != 0:
        raise oracle.Wrong(f"cannot be read: {result.stdout.strip()[-300:]}")
    found = {}
    work = folder / "work"
    for path in work.rglob("*"):
        info = path.lstat()
        name = str(path.relative_to(work))
        found[name] = "d" if stat.S_ISDIR(info.st_mode) else (info.st_ino, path.read_bytes())
    return found


def _judge(image, told, scratch):
    """Raises oracle.Wrong unless the image is what a crash then may leave."""
    result = _tool(FSCK, "-n", "-f", image)
    if result.returncode != 0:
        raise oracle.Wrong(f"fsck: {result.stdout.strip()[-600:]}")
    if told.begun == 0:
        return		# nothing has been promised
    folder = pathlib.Path(tempfile.mkdtemp(dir=scratch)) / "tree"
    try:
        told.judge(_extract(image, folder))
    finally:
        shutil.rmtree(folder.parent)


def _check_all(trial, rig, record, seed, per_window, share):
    """Every state, or a `share` of them; how many were looked at, and how many of these
    once more as the kernel has left them."""
    looked = mounted = 0
    scratch = tempfile.mkdtemp(prefix="cohfs-crash-", dir="/dev/shm")
    log = writelog.WriteLog(record)
    image = pathlib.Path(scratch) / "image"
    player = replay.Replay(log, image, FS_MB << 20)
    try:
        for what, lines in replay.states(player, per_window, share, random.Random(seed)):
            looked += 1
            told = _oracle_of(lines)
            try:
                _judge(image, told, scratch)
                if looked % MOUNT_EVERY == 0:
                    _mount(trial, rig, image)
                    _judge(rig.disk, told, scratch)
                    mounted += 1
            except oracle.Wrong as wrong:
                shutil.copy(image, trial.folder / "image")
                raise Failure(f"seed {seed}, {what}: {wrong}") from wrong
    finally:
        player.close()
        log.close()
        shutil.rmtree(scratch)
    return looked, mounted


@case("601", "any-crash", nodes=1, limit=300, filesystems=COHFS)
def any_crash(trial):
    """The power goes at every flush, and between them with any part of the writes lost:
    the tree is consistent, names are those of one moment and sizes those of one not before
    their data, what was synchronised is there, and no file shows what was never its own."""
    for seed in range(1, trial.size(1, 5) + 1):
        with _machine(trial) as rig:
            record = _record(trial, rig, seed, trial.size(500, 2000))
            rig.start(0)
            loaded = rig.shell(0, LOAD)
            trial.check(loaded.status == 0, f"no module: {loaded.output}")
            looked, mounted = _check_all(trial, rig, record, seed, trial.size(1, 4),
                                         trial.size(0.25, 1.0))
        trial.note(f"{looked} states, {mounted} replayed by the kernel, too")
        trial.check(looked > 20 and mounted > 1, f"only {looked} states in the record")
        os.unlink(record)


def check_disk(trial):
    """The shared disk, unmounted everywhere, is consistent."""
    result = _tool(FSCK, "-n", "-f", trial.rig.disk)
    trial.write(result.stdout)
    trial.check(result.returncode == 0, f"fsck: {result.stdout.strip()[-600:]}")


@case("901", "fsck", nodes=3, limit=300, filesystems=COHFS)
def fsck(trial):
    """After all that the tests before have done to it the filesystem is consistent."""
    trial.unmount_all()
    check_disk(trial)
    trial.mount_all()


REPAIR = "/repo/tools/fsck/fsck.cohfs -y"
CPGTOOL = "/usr/sbin/corosync-cpgtool"


def _repair(trial, node, status, options=""):
    """What fsck.cohfs says on a node when it ends with `status`."""
    return trial.shell(node, f"{REPAIR} {options} /dev/disk; ended=$?; echo ended $ended; "
                             f"[ $ended -eq {status} ]")


@case("902", "fsck-mounted", nodes=3, limit=200, filesystems=COHFS, rest=True)
def fsck_mounted(trial):
    """fsck.cohfs writes nothing while other nodes have the filesystem mounted, idle as they
    may be, nor where it cannot learn whether they have."""
    last = trial.rig.nodes - 1
    trial.unmount(last)
    for node in range(last):
        trial.shell(node, f"sync -f {MOUNT_POINT}")
    said = _repair(trial, last, 8)
    for node in range(last):
        trial.check(f"node {node + 1} is in lockspace" in said,
                    f"node {node} is not named: {said.strip()[-300:]}")
    trial.unmount_all()
    _repair(trial, last, 0)
    trial.shell(last, f"mount --bind /bin/false {CPGTOOL}")
    said = _repair(trial, last, 8)
    trial.check("cannot be asked" in said, f"not said why: {said.strip()[-300:]}")
    _repair(trial, last, 0, "-f")
    trial.shell(last, f"umount {CPGTOOL}")
    trial.mount_all()
