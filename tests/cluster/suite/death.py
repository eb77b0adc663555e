"""The death of nodes under load, and what the others make of it."""

import copy
import itertools
import re
import threading
import time

from suite.case import COHFS, Failure, case
from suite.lifecycle import check_unload
from suite.rig import MOUNT_POINT, on_each

# From the fence being confirmed to the survivors' work going on.  Of it a second is
# dlm_controld's, which looks once per second.
RESUME_SECONDS = {"stock": 2.0, "debug": 15.0}
GONE_SECONDS = 120


_crowds = itertools.count(1)


class Worker:
    """A program that works on one node until it is stopped, `survive` unless said otherwise,
    and what it has said so far, with the times."""

    def __init__(self, trial, node, directory, command="", seed=0):
        self.node = node
        self.lines = []
        command = command or f"{trial.rig.programs}/survive -mwork"
        self.process = trial.rig.spawn(
            node, [*command.split(), "-i0", "-n1", f"-s{seed or node + 1}", f"-d{directory}",
                   f"-l{trial.limit}"], trial.limit)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append((time.time(), line.rstrip("\n")))

    def acks(self):
        return [(when, int(line.split()[1])) for when, line in self.lines
                if re.fullmatch(r"ack \d+", line)]

    def acked(self):
        acks = self.acks()
        return acks[-1][1] if acks else 0

    def wait_for_round(self, number, seconds=60):
        deadline = time.monotonic() + seconds
        while self.acked() < number:
            if self.process.poll() is not None:
                raise Failure(f"node {self.node}: the worker ended: {self.text()[-300:]}")
            if time.monotonic() > deadline:
                raise Failure(f"node {self.node}: no round {number} after {seconds} s")
            time.sleep(0.02)

    def end(self):
        self.process.wait()
        self.reader.join()
        return self.process.returncode

    def text(self):
        return "\n".join(line for _, line in self.lines)

    def _waits(self):
        return [(when, float(line.split()[1])) for when, line in self.lines
                if line.startswith("waited ")]

    def resumed(self, since):
        """Seconds from `since` to the end of the operation that was waiting then."""
        return max((end - since for end, took in self._waits() if end - took < since < end),
                   default=0.0)

    def longest(self, since):
        """Seconds that an operation took at most since then, 0 if none took long."""
        return max((took for end, took in self._waits() if end > since), default=0.0)


class Crowd:
    """Workers on all nodes of a trial, in one directory."""

    def __init__(self, trial, nodes):
        self.trial = trial
        self.fenced_before = len(trial.rig.fenced())
        self.directory = trial.path(f"work{next(_crowds)}")
        on_each(nodes, lambda node: trial.shell(node, "rm -f /tmp/stop"))
        trial.shell(nodes[0], f"mkdir -p {self.directory}")
        self.workers = {node: Worker(trial, node, self.directory) for node in nodes}

    def wait_for_round(self, number):
        for worker in self.workers.values():
            worker.wait_for_round(number)

    def lose(self, node):
        """Its node is dead: what it had acknowledged by then."""
        worker = self.workers.pop(node)
        worker.end()
        self.trial.write(f"== worker of node {node}, dead\n{worker.text()}")
        return worker.acked()

    def go_on(self, rounds=3):
        """Every worker that is left does some more, soon."""
        for worker in self.workers.values():
            worker.wait_for_round(worker.acked() + rounds)

    def stop(self):
        """Ends the rest; all must have found what they check in order."""
        on_each(self.workers, lambda node: self.trial.shell(node, "touch /tmp/stop"))
        for node, worker in self.workers.items():
            status = worker.end()
            self.trial.write(f"== worker of node {node}, status {status}\n{worker.text()}")
            self.trial.check(status == 0, f"node {node}: {worker.text()[-300:]}")

    def verify(self, node, writer, acked):
        self.trial.shell(node, f"{self.trial.rig.programs}/survive -i0 -n1 -m verify "
                               f"-s{writer + 1} -c{acked} -d{self.directory}")


def wait_fenced(trial, node, since):
    """The host's time at which `node` was confirmed to be off."""
    deadline = time.monotonic() + GONE_SECONDS
    while time.monotonic() < deadline:
        for when, victim in trial.rig.fenced():
            if victim == node and when > since:
                return when
        time.sleep(0.2)
    raise Failure(f"node {node} was not fenced within {GONE_SECONDS} s")


def wait_until(trial, what, condition, seconds=60):
    """Waits for something that is to happen by itself."""
    deadline = time.monotonic() + seconds
    while not condition():
        trial.check(time.monotonic() < deadline, f"{what}: not within {seconds} s")
        time.sleep(0.2)


def rejoin(trial, node):
    """Boots a dead node back; corosync is patient again."""
    trial.rig.start(node)
    trial.rig.relax()
    trial.mount(node)


def hold_files(trial, node, directory):
    """Open files without names on `node`; they end with it."""
    process = trial.rig.spawn(node, [f"{trial.rig.programs}/survive", "-i0", "-n1", "-mhold",
                                     f"-d{directory}", f"-l{trial.limit}"], trial.limit)
    for line in process.stdout:
        if line.startswith("data held="):
            return process
    raise Failure(f"node {node}: the files were not made")


def used_kib(trial, node):
    return int(trial.shell(node, f"df -k --output=used {MOUNT_POINT} | tail -1"))


def resumed(trial, crowd, fenced):
    """How soon after the fence the survivors went on; ask some seconds after it."""
    seconds = max(worker.resumed(fenced) for worker in crowd.workers.values())
    limit = RESUME_SECONDS[trial.rig.kernel]
    if trial.rig.fs == "cohfs":
        trial.check(seconds <= limit, f"work went on {seconds:.1f} s after the fence, "
                                      f"{limit:.0f} s are allowed")
    return seconds


def check_resume(trial, crowd, fenced):
    """The same, told beside the verdict."""
    trial.note(f"work went on {resumed(trial, crowd, fenced):.1f} s after the fence")


@case("501", "death-of-one", nodes=3, limit=300, filesystems=("cohfs", "gfs2", "ocfs2"))
def death_of_one(trial):
    """One of three working nodes dies: it is fenced, its journal replayed, what it had
    acknowledged is there, the others go on by themselves, its open unlinked files are
    deleted, and it comes back."""
    victim = trial.rig.nodes - 1
    before = used_kib(trial, 0)
    holder = hold_files(trial, victim, trial.path("held"))
    held = used_kib(trial, victim) - before
    crowd = Crowd(trial, range(trial.rig.nodes))
    trial.rig.hasten()
    crowd.wait_for_round(5)
    killed = time.time()
    trial.rig.kill(victim)
    acked = crowd.lose(victim)
    holder.wait()
    fenced = wait_fenced(trial, victim, killed)
    trial.note(f"fenced after {fenced - killed:.0f} s")
    crowd.go_on()
    if trial.rig.fs == "cohfs":     # the others have time
        wait_until(trial, "the space of the dead node's open files comes back",
                   lambda: used_kib(trial, 0) < before + held / 2)
    crowd.go_on()
    check_resume(trial, crowd, fenced)
    crowd.stop()
    for node in range(victim):
        crowd.verify(node, victim, acked)
        crowd.verify(node, node, crowd.workers[node].acked())
    rejoin(trial, victim)
    crowd.verify(victim, victim, acked)
    crowd.verify(victim, 0, crowd.workers[0].acked())


# --- a node that cannot go on, and still runs

# linux/cohfs_ioctl.h
GOING_DEFAULT, GOING_LOGFLUSH, GOING_NOLOGFLUSH = 0, 1, 2


def survive(trial, node, mode, directory, count=0, seed=1):
    """Runs `survive` in a mode that ends by itself."""
    return trial.shell(node, f"{trial.rig.programs}/survive -i0 -n1 -m{mode} -s{seed} "
                             f"-c{count} -d{directory}")


def lose_withdrawn(trial, crowd, victim, since):
    """After `victim` has withdrawn: the others go on, unfenced; what it had promised."""
    acked = crowd.lose(victim)
    crowd.go_on()
    waited = max(worker.longest(since) for worker in crowd.workers.values())
    trial.note(f"the others waited {waited:.1f} s")
    crowd.verify(min(crowd.workers), victim, acked)
    trial.check("withdrawn: the locks are given up" in trial.messages(victim),
                f"node {victim} did not hand over its locks")
    trial.check(len(trial.rig.fenced()) == crowd.fenced_before, "a node was fenced")
    return acked


@case("502", "shutdown", nodes=3, limit=240, filesystems=COHFS, rest=True)
def shutdown(trial):
    """The shutdown ioctl (long mode: with each of its flags): the node stops, its mappings
    raise SIGBUS, the others replay its journal and go on, nothing is fenced, it unmounts
    and mounts again."""
    victim = trial.rig.nodes - 1
    for how in trial.size((GOING_NOLOGFLUSH,),
                          (GOING_DEFAULT, GOING_LOGFLUSH, GOING_NOLOGFLUSH) * 3):
        crowd = Crowd(trial, range(trial.rig.nodes))
        directory = f"{crowd.directory}.down"
        crowd.wait_for_round(3)
        trial.mark(victim)
        begun = time.time()
        survive(trial, victim, "down", directory, how)
        acked = lose_withdrawn(trial, crowd, victim, begun)
        survive(trial, 0, "downed", directory, how)
        crowd.stop()
        trial.unmount(victim)
        trial.mount(victim)
        crowd.verify(victim, victim, acked)
        survive(trial, victim, "downed", directory, how)


@case("526", "all-withdraw", nodes=3, limit=240, filesystems=COHFS, rest=True)
def all_withdraw(trial):
    """All nodes withdraw at the same time: nobody is left to replay their journals, so they
    leave without, unmount, and the next mounts replay them all."""
    nodes = range(trial.rig.nodes)
    crowd = Crowd(trial, nodes)
    crowd.wait_for_round(3)
    # so that none is helped before it withdraws itself
    slow_replay(trial, nodes, 20000)
    down = f"{crowd.directory}.down"
    trial.program("survive", mode="down", count=GOING_NOLOGFLUSH, directory=down)
    acked = {node: crowd.lose(node) for node in nodes}
    trial.check(len(trial.rig.fenced()) == crowd.fenced_before, "a node was fenced")
    trial.unmount_all()
    for node in nodes:
        trial.check("no node is left" in trial.messages(node), f"node {node} was helped")
    trial.mount_all()
    for node in nodes:
        for writer in nodes:
            crowd.verify(node, writer, acked[writer])
    trial.program("survive", mode="downed", count=GOING_NOLOGFLUSH, directory=down)


# The node's disk with a device in between that can be made to fail.
FAULTY = """
modprobe dm-mod 2>/dev/null || true
dmsetup create faulty --table "0 $(blockdev --getsz /dev/disk) linear /dev/disk 0"
[ -e /dev/mapper/faulty ] || dmsetup mknodes
mount -t cohfs -o lock=dlm /dev/mapper/faulty /mnt/cohfs
"""
FAIL = """
dmsetup suspend --noflush --nolockfs faulty
dmsetup load faulty --table "0 $(blockdev --getsz /dev/disk) error"
dmsetup resume faulty
"""


@case("503", "dead-disk", nodes=3, limit=240, filesystems=COHFS, rest=True)
def dead_disk(trial):
    """A node loses its way to the disk: it withdraws, the others replay its journal and go
    on, and it unmounts."""
    victim = trial.rig.nodes - 1
    trial.unmount(victim)
    trial.shell(victim, FAULTY)
    crowd = Crowd(trial, range(trial.rig.nodes))
    crowd.wait_for_round(3)
    trial.mark(victim)
    begun = time.time()
    trial.shell(victim, FAIL)
    acked = lose_withdrawn(trial, crowd, victim, begun)
    crowd.stop()
    trial.unmount(victim)
    trial.shell(victim, "dmsetup remove faulty")
    trial.mount(victim)
    crowd.verify(victim, victim, acked)


# --- more than one at a time

def stand_alone(trial, node):
    """Makes a lone survivor quorate, as an administrator would who knows that the
    others are off; before that nothing may be fenced, hence nothing replayed."""
    trial.shell(node, "corosync-quorumtool -e 1")


def replay_delay(trial, node, ms):
    trial.shell(node, f"echo {ms} > /sys/kernel/debug/cohfs/$(ls /sys/kernel/debug/cohfs | "
                      "head -1)/replay_delay_ms")


def slow_replay(trial, nodes, ms):
    """From now on whoever of `nodes` replays a journal waits before that."""
    for node in nodes:
        trial.mark(node)
        replay_delay(trial, node, ms)


def wait_replaying(trial, nodes, seconds=60):
    """Until one of `nodes`, which slow_replay() has slowed, has a replay before it: which."""
    def replaying():
        return [node for node in nodes if "replay waits" in trial.messages(node)]
    wait_until(trial, "a replay begins", replaying, seconds)
    return replaying()[0]


def slot_of(trial, node):
    return int(trial.shell(node, "sed -n 's/^slot \\([0-9]*\\) of.*/\\1/p' "
                                 "/sys/kernel/debug/cohfs/*/info"))


def expect_wait(trial, crowd, node, writer):
    """What `writer`'s node has locked cannot be had, and whoever waits for it be killed."""
    script = f"timeout -s KILL 2 ls {crowd.directory}/names.{writer + 1}"
    result = trial.rig.shell(node, f"{script}; echo status $?", 30)
    trial.write(f"== node {node}: {script}\n{result.output}")
    trial.check("status" in result.output, f"node {node}: a waiting task cannot be killed")
    trial.check("status 137" in result.output,
                f"node {node} got what was node {writer}'s: {result.output[-100:]}")


def bury(trial, crowd, survivor, dead, acked):
    """What the dead had promised, and what the survivor did; all come back."""
    crowd.go_on()
    crowd.stop()
    for node in dead:
        crowd.verify(survivor, node, acked[node])
    for node, worker in crowd.workers.items():
        crowd.verify(survivor, node, worker.acked())
    for node in dead:
        rejoin(trial, node)
        crowd.verify(node, node, acked[node])


def inquorate(trial, node):
    return "Quorate:          No" in trial.rig.shell(node, "corosync-quorumtool -s").output


@case("504", "death-in-recovery", nodes=3, limit=400, filesystems=COHFS, only_long=True)
def death_in_recovery(trial):
    """The survivor that replays a dead node's journal dies while it does: nothing goes on
    without quorum, and with it the last one replays both."""
    crowd = Crowd(trial, range(3))
    crowd.wait_for_round(3)
    trial.rig.hasten()
    slow_replay(trial, (0, 1), 60000)
    killed = time.time()
    trial.rig.kill(2)
    acked = {2: crowd.lose(2)}
    wait_fenced(trial, 2, killed)
    replayer = wait_replaying(trial, (0, 1))
    last = 1 - replayer
    expect_wait(trial, crowd, last, 2)
    replay_delay(trial, last, 0)
    trial.rig.kill(replayer)
    acked[replayer] = crowd.lose(replayer)
    wait_until(trial, "the loss of quorum", lambda: inquorate(trial, last), GONE_SECONDS)
    expect_wait(trial, crowd, last, replayer)
    trial.check("journal replayed" not in trial.messages(last),
                "a journal was replayed without quorum")
    stood = time.time()
    stand_alone(trial, last)
    fenced = wait_fenced(trial, replayer, stood)
    crowd.go_on()
    check_resume(trial, crowd, fenced)
    bury(trial, crowd, last, (2, replayer), acked)


@case("505", "two-at-once", nodes=3, limit=400, filesystems=COHFS, only_long=True)
def two_at_once(trial):
    """Two of three die together; the third goes on when it is told that it may."""
    crowd = Crowd(trial, range(3))
    crowd.wait_for_round(3)
    trial.rig.hasten()
    on_each((1, 2), trial.rig.kill)
    acked = {node: crowd.lose(node) for node in (1, 2)}
    wait_until(trial, "the loss of quorum", lambda: inquorate(trial, 0), GONE_SECONDS)
    stood = time.time()
    stand_alone(trial, 0)
    fenced = max(wait_fenced(trial, node, stood) for node in (1, 2))
    crowd.go_on()
    check_resume(trial, crowd, fenced)
    bury(trial, crowd, 0, (1, 2), acked)


@case("506", "all-at-once", nodes=3, limit=400, filesystems=COHFS, only_long=True)
def all_at_once(trial):
    """All nodes lose their power; mounting again replays all journals."""
    crowd = Crowd(trial, range(3))
    crowd.wait_for_round(5)
    on_each(range(3), trial.rig.kill)
    acked = {node: crowd.lose(node) for node in range(3)}
    trial.rig.start("all", mount=True)
    for node in range(3):
        for writer in range(3):
            crowd.verify(node, writer, acked[writer])


@case("507", "paused", nodes=3, limit=300, filesystems=COHFS, only_long=True)
def paused(trial):
    """A node that is only paused, with dirty pages, counts as dead: it is fenced before its
    journal is replayed, and never writes again."""
    victim = 2
    crowd = Crowd(trial, range(3))
    crowd.wait_for_round(3)
    trial.rig.hasten()
    stopped = time.time()
    trial.rig.lab("pause", victim + 1)
    fenced = wait_fenced(trial, victim, stopped)
    acked = crowd.lose(victim)
    crowd.go_on()
    check_resume(trial, crowd, fenced)
    trial.check("off" in trial.rig.lab("status").splitlines()[victim + 1],
                "the fenced node still runs")
    bury(trial, crowd, 0, (victim,), {victim: acked})


@case("508", "cut", nodes=3, limit=300, filesystems=COHFS, only_long=True)
def cut(trial):
    """A node loses the network: the two that hear each other have the quorum, fence it and
    go on; what it wrote before is there."""
    victim = 0
    crowd = Crowd(trial, range(3))
    crowd.wait_for_round(3)
    trial.rig.hasten()
    stopped = time.time()
    trial.rig.lab("cut", victim + 1)
    fenced = wait_fenced(trial, victim, stopped)
    acked = crowd.lose(victim)
    crowd.go_on()
    check_resume(trial, crowd, fenced)
    bury(trial, crowd, 1, (victim,), {victim: acked})


MERGE_SECONDS = 30  # for dlm_controld to go on from there by itself


def _merging(trial):
    """Each node's dlm_controld waits for the others to be turned off."""
    return all("wait to clear merge" in trial.rig.shell(node, "dlm_tool dump").output
               for node in range(3))


def lose_quorum(trial):
    """Three nodes at work that do not hear each other any more: each waits for another."""
    crowd = Crowd(trial, range(3))
    crowd.wait_for_round(3)
    trial.rig.hasten()
    for node in (1, 2):
        trial.rig.lab("cut", node + 1)
    for node in range(3):
        wait_until(trial, "the loss of quorum", lambda n=node: inquorate(trial, n),
                   GONE_SECONDS)
        expect_wait(trial, crowd, node, (node + 1) % 3)
    return crowd


@case("513", "cut-all", nodes=3, limit=400, filesystems=COHFS, only_long=True)
def cut_all(trial):
    """No node hears another: nobody has the quorum, nobody is fenced, nothing is replayed.
    When the network is whole again dlm_controld lets one side live, as it cannot know what
    the others did meanwhile, and that goes on, after a word of the administrator if it is
    one node.  If all three have met at once, none is the larger side, and dlm_controld waits
    for the administrator to turn nodes off."""
    crowd = lose_quorum(trial)
    trial.check(len(trial.rig.fenced()) == crowd.fenced_before, "a node was fenced")
    stood = {node: worker.acked() for node, worker in crowd.workers.items()}
    for node in (1, 2):
        trial.rig.lab("heal", node + 1)

    def going_on():
        return any(worker.acked() > stood[node] + 3 for node, worker in crowd.workers.items())

    def left():
        return [node for node in range(3) if not trial.rig.shell(node, "pidof corosync").status]

    def settled():
        return going_on() or len(left()) == 1
    wait_until(trial, "dlm_controld decides", lambda: settled() or _merging(trial), GONE_SECONDS)
    until = time.monotonic() + MERGE_SECONDS
    while not settled() and time.monotonic() < until:
        time.sleep(1)
    if not settled():
        trial.note("no side was let live")
        trial.check(len(trial.rig.fenced()) == crowd.fenced_before, "a node was fenced")
        on_each((1, 2), trial.rig.kill)
        wait_until(trial, "node 0 is alone", lambda: inquorate(trial, 0), GONE_SECONDS)
    if len(left()) == 1:
        stand_alone(trial, left()[0])
    wait_until(trial, "it goes on", going_on, GONE_SECONDS)
    dead = {node for _, node in trial.rig.fenced()[crowd.fenced_before:]}
    trial.note(f"fenced: {sorted(dead) or 'none'}")
    acked = {node: crowd.lose(node) for node in dead}
    bury(trial, crowd, min(crowd.workers), dead, acked)


@case("512", "daemon-dies", nodes=3, limit=300, filesystems=COHFS, only_long=True)
def daemon_dies(trial):
    """A node whose dlm_controld dies cannot take part any more: it is fenced, the others go
    on, as soon as corosync, which still ran there, has noticed that, too."""
    victim = 1
    crowd = Crowd(trial, range(3))
    crowd.wait_for_round(3)
    trial.rig.hasten()
    since = time.time()
    trial.shell(victim, "kill -9 $(pidof dlm_controld)")
    wait_fenced(trial, victim, since)
    acked = crowd.lose(victim)
    crowd.go_on()
    bury(trial, crowd, 0, (victim,), {victim: acked})


# --- unmounting without the cluster

def end_work(trial, crowd, node):
    """Kills the worker of a node, be it waiting; what it had acknowledged."""
    trial.shell(node, "kill -9 $(pidof survive)")
    return crowd.lose(node)


def unmount_killed(trial, node):
    """An unmount that waits for the cluster, until it is killed."""
    trial.mark(node)
    process = trial.rig.spawn(node, ["umount", MOUNT_POINT], trial.limit)
    time.sleep(5)
    trial.check(process.poll() is None, f"node {node}: the unmount did not wait")
    trial.shell(node, "kill -9 $(pidof umount)")
    wait_until(trial, f"node {node}: the killed unmount ends",
               lambda: process.poll() is not None)


def unmount_dying(trial, node):
    """The last user of the mount is a task that is dying, which nobody can kill."""
    holder = trial.rig.spawn(node, ["unshare", "-m", "sleep", "100000"], trial.limit)
    wait_until(trial, "another mount namespace",
               lambda: not trial.rig.shell(node, "pidof sleep").status)
    trial.unmount(node)
    trial.mark(node)
    trial.shell(node, "kill -9 $(pidof sleep)")
    wait_until(trial, f"node {node}: the unmount ends by itself",
               lambda: holder.poll() is not None, GONE_SECONDS)


@case("521", "unmount-alone", nodes=3, limit=400, filesystems=COHFS, only_long=True)
def unmount_alone(trial):
    """Without quorum an unmount waits until it is killed, or, if it cannot be, for a minute;
    then it ends without the cluster: the module unloads, the journal is empty, and what was
    synchronised is there when all are back."""
    crowd = lose_quorum(trial)
    acked = {node: end_work(trial, crowd, node) for node in range(3)}
    for node, unmount in ((0, unmount_killed), (1, unmount_dying)):
        unmount(trial, node)
        said = trial.messages(node)
        trial.check("goes on without the cluster" in said and "unmounted" in said,
                    f"node {node} did not unmount alone: {said[-300:]}")
        trial.check("withdrawn" not in said, f"node {node} withdrew")
        check_unload(trial, node)
    trial.check(len(trial.rig.fenced()) == crowd.fenced_before, "a node was fenced")
    on_each(range(3), trial.rig.kill)
    trial.rig.start("all", mount=True)
    said = "".join(trial.messages(node) for node in range(3))
    replayed = re.findall(r"journal of slot \d+ replayed", said)
    trial.check(len(replayed) <= 1, f"a node left its journal as it was: {replayed}")
    for node in range(3):
        for writer in range(3):
            crowd.verify(node, writer, acked[writer])


# --- frozen

def expect_stillness(trial, crowd):
    """Nobody gets anywhere, and nothing is written, on any node."""
    def look():
        writes = on_each(range(trial.rig.nodes), trial.disk_writes)
        return writes, [worker.acked() for worker in crowd.workers.values()]
    time.sleep(1)
    before = look()
    time.sleep(3)
    after = look()
    trial.check(before == after, f"not frozen: {before} then, {after} now")


@case("509", "cluster-freeze", nodes=3, limit=240, filesystems=COHFS, rest=True)
def cluster_freeze(trial):
    """fsfreeze on one node stops the writers of all, not the readers; thawing lets them go
    on, and so does the death of the node that froze (long mode)."""
    crowd = Crowd(trial, range(3))
    for node in (0, 1):
        crowd.wait_for_round(3)
        begun = time.time()
        trial.shell(node, f"fsfreeze -f {MOUNT_POINT}")
        trial.note(f"frozen in {time.time() - begun:.1f} s")
        expect_stillness(trial, crowd)
        on_each(range(3), lambda reader: trial.shell(reader, f"ls {crowd.directory}/names.1"))
        trial.shell(node, f"fsfreeze -u {MOUNT_POINT}")
        crowd.go_on()
    if trial.long:
        trial.rig.hasten()
        trial.shell(2, f"fsfreeze -f {MOUNT_POINT}")
        expect_stillness(trial, crowd)
        trial.rig.kill(2)
        bury(trial, crowd, 0, (2,), {2: crowd.lose(2)})
    else:
        crowd.stop()


# --- other settings

@case("510", "pair-cut", nodes=2, limit=400, filesystems=COHFS, only_long=True)
def pair_cut(trial):
    """Two nodes lose each other, and each alone is quorate: one of them, and only one, is
    fenced, and the other goes on."""
    pair = copy.copy(trial)
    pair.rig = trial.rig.another("pair", 2)
    pair.rig.up()
    try:
        crowd = Crowd(pair, range(2))
        crowd.wait_for_round(3)
        pair.rig.hasten()
        pair.rig.lab("cut", 1)
        wait_until(pair, "one is fenced", pair.rig.fenced, GONE_SECONDS)
        fenced, dead = pair.rig.fenced()[0]
        acked = crowd.lose(dead)
        crowd.go_on()
        check_resume(pair, crowd, fenced)
        trial.check(len(pair.rig.fenced()) == 1, "both were fenced")
        pair.rig.lab("heal", 2 - dead)
        bury(pair, crowd, 1 - dead, (dead,), {dead: acked})
        trial.check(not pair.rig.complaints(), "a kernel complained, see the pair's consoles")
    finally:
        pair.rig.down()


@case("511", "death-in-mount", nodes=3, limit=300, filesystems=COHFS, only_long=True)
def death_in_mount(trial):
    """A node dies while all of them mount: the others' mounts succeed."""
    for number in range(3):
        trial.shell(0, f"echo {number} > {MOUNT_POINT}/mounted.{number}")
        trial.unmount_all()
        trial.rig.hasten()
        mounts = [trial.rig.spawn(node, ["/lab/node.sh", "mount", ""], trial.limit)
                  for node in range(3)]
        # some moment within a mount, another one each time
        time.sleep(0.2 + 0.4 * number)
        trial.rig.kill(number)
        for node, mount in enumerate(mounts):
            said = mount.communicate()[0]
            trial.check(mount.returncode == 0 or node == number,
                        f"node {node}: mount failed: {said}")
        for node in range(3):
            if node != number:
                found = trial.shell(node, f"cat {MOUNT_POINT}/mounted.{number}").strip()
                trial.check(found == str(number), f"node {node} reads {found!r}")
        rejoin(trial, number)
