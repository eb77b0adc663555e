"""Memory and a disk that fail at random, by the fault injection of the debug kernel."""

import random
import re
import time

from suite.case import COHFS, Failure, case
from suite.crash import check_disk
from suite.death import Crowd, Worker, rejoin, wait_fenced, wait_until
from suite.lifecycle import check_unload
from suite.rig import MOUNT_POINT, on_each

# A copy in memory: 9p, where the programs come from, takes no failure well.
PROGRAM = "/tmp/faults"
PER_NODE = 2    # workers
REPLAY_PERCENT = 3  # some tries of a replay fail, and some do not
MOST_DEATHS = 8     # until one does
ROUNDS = 2      # of each, in a phase of the short mode

# Everything but what is not ours to try: fs/dlm allocates its messages and callbacks with
# GFP_ATOMIC and loses a blocking callback or a grant if that fails, which nobody can make
# up for; nor would the network under it be the same.  jbd2 removes names in /proc that it
# had no memory for, with a warning.  Hence the slab caches one by one, and no single
# pages while there is a cluster or something is mounted.
PREPARE = """
for cache in /sys/kernel/slab/*; do
	case ${cache##*/} in
	dlm_*|skbuff_*|sock_inode_cache|TCP*|request_sock*|proc_dir_entry) ;;
	*) echo 1 > $cache/failslab || true ;;
	esac
done 2>/dev/null
for attr in failslab fail_page_alloc; do
	cd /sys/kernel/debug/$attr || exit 1
	echo 0 > probability
	echo -1 > times
	echo 0 > verbose
	echo Y > task-filter
	echo N > ignore-gfp-wait
done
echo Y > /sys/kernel/debug/failslab/cache-filter
echo N > ignore-gfp-highmem
"""

# The workers of the kernel that cohfs runs in, besides those that carry the program
# themselves: lock revocation, write-back, deletion, the journal.
WORKERS = """
for task in /proc/[0-9]*; do
	read -r name < $task/comm || continue
	case $name in
	kworker/u*|kworker/R-cohfs*|jbd2/*) echo %d > $task/make-it-fail || true ;;
	esac
done 2>/dev/null
"""


def _prepare(trial):
    on_each(range(trial.rig.nodes),
            lambda node: trial.shell(node, f"cp {trial.rig.programs}/faults {PROGRAM}"))


def _lack(trial, node, percent, order=1):
    """So many of a hundred allocations fail, pages from this order on."""
    trial.shell(node, f"echo {order} > /sys/kernel/debug/fail_page_alloc/min-order\n" +
                "\n".join(f"echo {percent} > /sys/kernel/debug/{attr}/probability"
                          for attr in ("failslab", "fail_page_alloc")))


class FaultCrowd:
    """Some workers of `faults` on each node."""

    def __init__(self, trial, nodes, mode, directory):
        self.trial = trial
        self.nodes = list(nodes)
        self.directory = directory
        on_each(self.nodes, lambda node: trial.shell(node, "rm -f /tmp/stop"))
        trial.shell(self.nodes[0], f"mkdir -p {directory}")
        run = trial.seed or random.randrange(1, 10000)
        trial.note(f"seed {run}")
        seeds = [(node, node * PER_NODE + number + 1)
                 for node in self.nodes for number in range(PER_NODE)]
        self.workers = {seed: Worker(trial, node, directory, f"{PROGRAM} -m{mode} -r{run}",
                                     seed)
                        for node, seed in seeds}

    def go_on(self, rounds):
        goals = {seed: worker.acked() + rounds for seed, worker in self.workers.items()}
        for seed, goal in goals.items():
            self.workers[seed].wait_for_round(goal, self.trial.limit)

    def stop(self):
        """Ends them; all must have found everything in order.  What they say of it."""
        on_each(self.nodes, lambda node: self.trial.shell(node, "touch /tmp/stop"))
        told = {}
        for seed, worker in self.workers.items():
            status = worker.end()
            self.trial.write(f"== worker {seed}, node {worker.node}, status {status}\n"
                             f"{worker.text()}")
            self.trial.check(status == 0, f"node {worker.node}: {worker.text()[-300:]}")
            told[seed] = dict(re.findall(r"(\w+)=(\d+)", worker.text()))
        return told

    def expect(self, node, seed, wanted):
        """A node finds what a worker has left."""
        output = self.trial.shell(node, f"{PROGRAM} -i0 -n1 -msum -s{seed} -d{self.directory}")
        self.trial.check(f"sum={wanted}\n" in output,
                         f"node {node} finds something else of worker {seed}: {output[-200:]}")


def _count(trial, told):
    calls, failed, injected = (sum(int(each[key]) for each in told.values())
                               for key in ("calls", "failed", "injected"))
    trial.check(failed > 0, "nothing failed at all")
    trial.note(f"{failed} of {calls} calls failed, {injected} single allocations")


def _unload_and_check(trial):
    for node in range(trial.rig.nodes):
        trial.mark(node)
    trial.unmount_all()
    on_each(range(trial.rig.nodes), lambda node: check_unload(trial, node))
    check_disk(trial)


def _lack_in_cluster(trial):
    nodes = range(trial.rig.nodes)
    crowd = FaultCrowd(trial, nodes, "memory", trial.path("cluster"))
    rounds = trial.size(ROUNDS, 40 * ROUNDS)
    crowd.go_on(1)
    for workers, percent in ((0, 2), (1, 2), (1, 5)):
        on_each(nodes, lambda node, w=workers: trial.shell(node, WORKERS % w))
        on_each(nodes, lambda node, p=percent: _lack(trial, node, p))
        crowd.go_on(rounds)
        on_each(nodes, lambda node: _lack(trial, node, 0))
    on_each(nodes, lambda node: trial.shell(node, WORKERS % 0))
    crowd.go_on(1)
    told = crowd.stop()
    _count(trial, told)
    for seed, values in told.items():
        crowd.expect((crowd.workers[seed].node + 1) % trial.rig.nodes, seed, values["sum"])
    return crowd, told


def _lack_alone(trial):
    """Single pages, too, where no lock manager is."""
    trial.shell(0, ". /lab/env; insmod /repo/build/$KERNEL/cohfs.ko")
    trial.shell(0, PREPARE)
    output = trial.shell(0, f"{PROGRAM} -i0 -n1 -mmount -c{trial.size(30, 1)} -d{MOUNT_POINT}")
    trial.check(re.search(r"failed=[1-9]", output), "no mount has failed")
    trial.shell(0, f"mount -t cohfs -o lock=local /dev/disk {MOUNT_POINT}")
    crowd = FaultCrowd(trial, (0,), "memory", trial.path("alone"))
    trial.shell(0, WORKERS % 1)
    for percent in (1, 5):
        _lack(trial, 0, percent, order=0)
        crowd.go_on(trial.size(2 * ROUNDS, 80 * ROUNDS))
    _lack(trial, 0, 0)
    trial.shell(0, WORKERS % 0)
    crowd.go_on(1)
    told = crowd.stop()
    _count(trial, told)
    trial.shell(0, f"umount {MOUNT_POINT}")
    return crowd, told


@case("514", "lack-of-memory", nodes=3, limit=600, filesystems=COHFS, rest=True)
def lack_of_memory(trial):
    """Allocations fail at random on all nodes under load: calls fail cleanly or not at all,
    no node withdraws, all is there afterwards, nothing is left in memory or on the disk."""
    nodes = range(trial.rig.nodes)
    _prepare(trial)
    on_each(nodes, lambda node: trial.shell(node, PREPARE))
    for node in nodes:
        trial.mark(node)
    found = [_lack_in_cluster(trial)]
    withdrawn = [node for node in nodes if "withdrawn" in trial.messages(node)]
    trial.check(not withdrawn, f"nodes {withdrawn} withdrew")
    _unload_and_check(trial)
    found.append(_lack_alone(trial))
    check_disk(trial)
    trial.mount_all()
    for crowd, told in found:
        for seed, values in told.items():
            crowd.expect(seed % trial.rig.nodes, seed, values["sum"])


def _replay_in_need(trial, victim, survivors):
    """A death while the others lack memory; how often a replay had to be tried again."""
    crowd = Crowd(trial, survivors)
    # in a directory of its own: nobody asks for it, so its journal is seldom flushed
    alone = Crowd(trial, (victim,))
    crowd.wait_for_round(3)
    trial.rig.hasten()
    for node in survivors:
        trial.mark(node)
        trial.shell(node, WORKERS % 1)
        _lack(trial, node, REPLAY_PERCENT)
    alone.go_on()
    killed = time.time()
    trial.rig.kill(victim)
    acked = alone.lose(victim)
    wait_fenced(trial, victim, killed)
    crowd.go_on()
    for node in survivors:
        _lack(trial, node, 0)
        trial.shell(node, WORKERS % 0)
        trial.check(not _withdrawn(trial, node), f"node {node} withdrew")
    said = "".join(trial.messages(node) for node in survivors)
    crowd.stop()
    alone.verify(survivors[0], victim, acked)
    rejoin(trial, victim)
    trial.check("journal replayed here" in said, "no journal was replayed")
    return said.count(": replay lacks memory")


@case("522", "replay-without-memory", nodes=3, limit=900, filesystems=COHFS, only_long=True)
def replay_without_memory(trial):
    """A node dies while allocations fail at random in the workers of the others: its journal
    is replayed, at the second try if need be, what it had synchronised is there, and none of
    the others withdraws."""
    victim, survivors = 2, (0, 1)
    on_each(survivors, lambda node: trial.shell(node, PREPARE))
    for death in range(1, MOST_DEATHS + 1):
        tries = _replay_in_need(trial, victim, survivors)
        if tries:
            trial.note(f"{tries} tries in vain, {death} deaths")
            return
    raise Failure(f"none of {MOST_DEATHS} replays lacked memory")


DISK = "/sys/class/block/$(basename $(readlink -f /dev/disk))/make-it-fail"


def _bad_disk(trial, node, percent, times=-1):
    trial.shell(node, f"""
cd /sys/kernel/debug/fail_make_request || exit 1
echo N > task-filter
echo 0 > verbose
echo {times} > times
echo {percent} > probability
echo {int(percent > 0)} > {DISK}
""")


def _withdrawn(trial, node):
    return "withdrawn" in trial.messages(node)


def _ruin(trial, crowd, victim, percent):
    """Has the victim's disk fail until it has withdrawn; what it had acknowledged."""
    mounted_work = FaultCrowd(trial, (victim,), "disk", trial.path(f"ruined{percent}"))
    mounted_work.go_on(1)
    trial.mark(victim)
    begun = time.time()
    _bad_disk(trial, victim, percent)
    wait_until(trial, "the node withdraws", lambda: _withdrawn(trial, victim), 120)
    acked = crowd.lose(victim)
    crowd.go_on()
    mounted_work.stop()
    waited = max(worker.longest(begun) for worker in crowd.workers.values())
    trial.note(f"{percent} %: the others waited {waited:.1f} s")
    trial.check(len(trial.rig.fenced()) == crowd.fenced_before, "a node was fenced")
    return acked


@case("515", "bad-disk", nodes=3, limit=600, filesystems=COHFS, rest=True)
def bad_disk(trial):
    """Requests to the disk fail at random on one node: it withdraws sooner or later, the
    others go on, nothing that was synchronised is lost, and the node mounts again when the
    disk is well."""
    victim = trial.rig.nodes - 1
    _prepare(trial)
    for percent in trial.size((5,), (1, 2, 5, 10, 30, 50) * 3):
        crowd = Crowd(trial, range(trial.rig.nodes))
        crowd.wait_for_round(3)
        acked = _ruin(trial, crowd, victim, percent)
        _bad_disk(trial, victim, 0)
        crowd.verify(0, victim, acked)
        trial.unmount(victim)
        trial.mount(victim)
        crowd.go_on()
        crowd.stop()
        crowd.verify(victim, victim, acked)
    trial.unmount_all()
    check_disk(trial)
    trial.mount_all()
