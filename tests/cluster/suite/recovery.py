"""Deaths in the middle of a replay, and what survivors take for true after one."""

import re
import subprocess
import time

from suite.case import COHFS, case
from suite.crash import DUMP
from suite.death import (GONE_SECONDS, Crowd, check_resume, inquorate, rejoin, replay_delay,
                         slot_of, slow_replay, stand_alone, wait_fenced, wait_replaying,
                         wait_until)
from suite.rig import on_each

BLOCK = 4096
WORTH = 6               # blocks that a replay must have to write
DELAY_MS = 20000        # for the disk to be split before the replay begins


# --- what a journal holds

def _journal(trial, slot):
    """The blocks that a replay of a slot's journal would write, in order."""
    said = subprocess.run([DUMP, "-t", trial.rig.disk, "journal", str(slot)], check=False,
                          capture_output=True, text=True, errors="replace")
    return sorted({int(number) for number in
                   re.findall(r"^  transaction \d+: block (\d+)$", said.stdout, re.M)})


def _contents(trial, blocks):
    found = {}
    with open(trial.rig.disk, "rb") as image:
        for block in blocks:
            image.seek(block * BLOCK)
            found[block] = image.read(BLOCK)
    return found


def _changed(trial, before):
    """Which of these blocks are not as they were."""
    now = _contents(trial, before)
    return [block for block in before if now[block] != before[block]]


def _wait_worth(trial, slots):
    """Until the journals of all slots hold something; killed at once, it stays there."""
    wait_until(trial, f"the journals of {slots} hold {WORTH} blocks each",
               lambda: all(len(_journal(trial, slot)) >= WORTH for slot in slots))


# --- a disk whose upper part stands still

# Everything that uses /dev/disk goes through a device in between from here on.
SPLIT = """
set -e
modprobe dm-mod 2>/dev/null || true
disk=$(readlink -f /dev/disk)
dmsetup create split --table "0 $(blockdev --getsz $disk) linear $disk 0"
[ -e /dev/mapper/split ] || dmsetup mknodes
echo $disk > /tmp/whole-disk
ln -sf /dev/mapper/split /dev/disk
"""
WHOLE = """
set -e
dmsetup remove split
ln -sf $(cat /tmp/whole-disk) /dev/disk
"""
# What lies from this block on is neither read nor written any more, and waited for.
STOP_FROM = """
set -e
disk=$(cat /tmp/whole-disk)
below=$((%d * 8))
above=$(($(blockdev --getsz $disk) - below))
dmsetup create upper --table "0 $above linear $disk $below"
[ -e /dev/mapper/upper ] || dmsetup mknodes
dmsetup suspend --noflush --nolockfs upper
dmsetup suspend --noflush --nolockfs split
printf '0 %%d linear %%s 0\\n%%d %%d linear /dev/mapper/upper 0\\n' \\
	$below $disk $below $above | dmsetup load split
dmsetup resume split
"""


def _is_in_replay(trial, node):
    return "jbd2_journal_recover" in trial.rig.shell(node, "cat /proc/[0-9]*/stack").output


def _die_half_way(trial, node, before, limit):
    """Kills a node whose replay gets as far as block `limit`: some of what it has to write
    is in place, and nothing from there on."""
    wait_until(trial, f"node {node} replays", lambda: _is_in_replay(trial, node))
    wait_until(trial, "some of the replay is in place", lambda: _changed(trial, before))
    time.sleep(1)
    in_place = _changed(trial, before)
    trial.rig.kill(node)
    trial.write(f"# replayed when node {node} died: {in_place} of {list(before)}")
    trial.check(max(in_place) < limit, f"all is in place: {in_place}, {limit} was the limit")
    trial.note(f"died with {len(in_place)} of {len(before)} blocks in place")


@case("518", "death-in-replay", nodes=3, limit=500, filesystems=COHFS, only_long=True)
def death_in_replay(trial):
    """The survivor that replays dies when a part of what the journal holds is in place and
    the rest is not: the last one replays all of it, and the other's journal."""
    victim = 2
    for node in (0, 1):
        trial.unmount(node)
        trial.shell(node, SPLIT)
        trial.mount(node)
    crowd, alone = Crowd(trial, (0, 1)), Crowd(trial, (victim,))
    slot = slot_of(trial, victim)
    slow_replay(trial, (0, 1), DELAY_MS)
    trial.rig.hasten()
    crowd.wait_for_round(3)
    _wait_worth(trial, [slot])
    trial.rig.kill(victim)
    acked = alone.lose(victim)
    before = _contents(trial, _journal(trial, slot))
    trial.check(len(before) >= WORTH, f"only {list(before)} to replay")
    limit = sorted(before)[len(before) // 2]
    replayer = wait_replaying(trial, (0, 1), GONE_SECONDS)
    last = 1 - replayer
    replay_delay(trial, last, 0)
    trial.shell(replayer, STOP_FROM % limit)
    _die_half_way(trial, replayer, before, limit)
    replayers = crowd.lose(replayer)
    wait_until(trial, "the loss of quorum", lambda: inquorate(trial, last), GONE_SECONDS)
    stood = time.time()
    stand_alone(trial, last)
    fenced = wait_fenced(trial, replayer, stood)
    crowd.go_on()
    check_resume(trial, crowd, fenced)
    trial.check(max(_changed(trial, before)) >= limit, "the rest was not replayed")
    crowd.stop()
    rejoin(trial, replayer)
    rejoin(trial, victim)
    for node in range(3):
        alone.verify(node, victim, acked)
        crowd.verify(node, replayer, replayers)
        crowd.verify(node, last, crowd.workers[last].acked())
    trial.unmount(last)
    trial.shell(last, WHOLE)
    trial.mount(last)


def _spawn_mount(trial, node):
    return trial.rig.spawn(node, ["/lab/node.sh", "mount", ""], trial.limit)


@case("519", "death-in-first-mount", nodes=3, limit=500, filesystems=COHFS, only_long=True)
def death_in_first_mount(trial):
    """All nodes lose their power, and the first one that mounts again dies in the middle of
    a replay: another one, whose mount waits for that, replays all journals."""
    crowds = [Crowd(trial, (node,)) for node in range(3)]
    slots = [slot_of(trial, node) for node in range(3)]
    _wait_worth(trial, slots)
    on_each(range(3), trial.rig.kill)
    acked = [crowds[node].lose(node) for node in range(3)]
    journals = [_journal(trial, slot) for slot in slots]
    before = _contents(trial, sorted({block for journal in journals for block in journal}))
    trial.check(before, "nothing to replay")
    # somewhere in the journal that reaches furthest
    longest = max(journals, key=max)
    limit = longest[len(longest) // 2]
    trial.rig.start("all")
    trial.rig.hasten()
    for node in range(3):
        trial.mark(node)
    trial.shell(0, SPLIT)
    trial.shell(0, STOP_FROM % limit)
    first = _spawn_mount(trial, 0)
    wait_until(trial, "node 0 replays", lambda: _is_in_replay(trial, 0))
    second = _spawn_mount(trial, 1)
    killed = time.time()
    _die_half_way(trial, 0, before, limit)
    first.wait()
    wait_fenced(trial, 0, killed)
    said = second.communicate()[0]
    trial.check(second.returncode == 0, f"node 1: mount failed: {said}")
    trial.mount(2)
    for reader in (1, 2):
        for writer in range(3):
            crowds[writer].verify(reader, writer, acked[writer])
    rejoin(trial, 0)
    for writer in range(3):
        crowds[writer].verify(0, writer, acked[writer])


# --- value blocks

STAT = "cd %s && stat -c '%%n %%s %%y %%a %%h' * && cat * | cksum"
# Each kind of file is changed in a way of its own, after all nodes have looked at all.
MAKE = "cd %s && for i in %s; do for how in append cut mode; do " \
       "head -c 5000 /dev/zero > %s.$how.$i; done; done && sync"
CHANGE = """
cd %s
for file in *.append.*; do
	head -c 3000 /dev/urandom | dd of=$file bs=3000 oflag=append conv=notrunc,fsync 2>/dev/null
done
for file in *.cut.*; do truncate -s 77 $file; done
for file in *.mode.*; do chmod 0600 $file; ln $file $file.too; done
sync
"""


def _look(trial, node, directory, promised):
    found = trial.shell(node, STAT % directory)
    trial.check(found == promised, f"node {node} sees old attributes, see the log")


@case("520", "old-values", nodes=3, limit=300, filesystems=COHFS, rest=True)
def old_values(trial):
    """A node dies that has changed files whose attributes the others have seen before:
    everybody sees what it had synchronised, not what the lock manager still has of the old
    attributes, whoever was the master of the locks, and also if that one leaves later."""
    victim = trial.rig.nodes - 1
    directory = trial.path("files")
    numbers = " ".join(map(str, range(trial.size(2, 20))))
    trial.shell(0, f"mkdir {directory}")
    for node in range(trial.rig.nodes):     # the first to use a lock is its master
        trial.shell(node, MAKE % (directory, numbers, f"from{node}"))
    seen = on_each(range(trial.rig.nodes), lambda node: trial.shell(node, STAT % directory))
    trial.check(len(set(seen)) == 1, "the nodes do not see the same")
    trial.rig.hasten()
    trial.shell(victim, CHANGE % directory)
    promised = trial.shell(victim, STAT % directory)
    killed = time.time()
    trial.rig.kill(victim)
    wait_fenced(trial, victim, killed)
    for node in range(victim):
        _look(trial, node, directory, promised)
    # the next master takes the value from those who hold the lock
    for node in range(victim):
        trial.unmount(node)
        trial.mount(node)
        _look(trial, node, directory, promised)
    rejoin(trial, victim)
    _look(trial, victim, directory, promised)


# --- many who create

CREATORS = 200      # more than a node has numbers for new inodes
CREATE = f"""
for i in $(seq {CREATORS}); do (touch %s/$i/file || echo failed) & done; wait
"""


@case("525", "many-creators", nodes=3, limit=400, filesystems=COHFS, only_long=True)
def many_creators(trial):
    """More tasks than there are numbers for new inodes create files while a replay lasts: all
    wait, and all are served."""
    directory = trial.path("many")
    trial.shell(2, f"mkdir {directory}; cd {directory} && mkdir $(seq {CREATORS})")
    # so that they get as far as to their number before they wait
    trial.shell(0, f"ls -l {directory}/* > /dev/null")
    # and that the numbers it has can be used up: it can have more blocks for inodes at once
    trial.shell(0, f"mkdir {directory}.own; cd {directory}.own && touch $(seq {CREATORS})")
    trial.rig.hasten()
    slow_replay(trial, (0, 1), 45000)
    killed = time.time()
    trial.rig.kill(2)
    wait_fenced(trial, 2, killed)
    wait_replaying(trial, (0, 1))
    begun = time.time()
    said = trial.shell(0, CREATE % directory, timeout=240)
    trial.check(time.time() - begun > 20, "nobody had to wait")
    trial.check("failed" not in said, f"some could not create: {said[-300:]}")
    there = int(trial.shell(1, f"ls {directory}/*/file | wc -l"))
    trial.check(there == CREATORS, f"{there} files")
    for node in (0, 1):
        replay_delay(trial, node, 0)
    rejoin(trial, 2)
