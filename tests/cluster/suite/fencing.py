"""Nodes that are to be fenced and are not yet: what they may do, and what the others wait for."""

import time

from suite.case import COHFS, case
from suite.death import (GONE_SECONDS, Crowd, bury, check_resume, expect_wait, wait_fenced,
                         wait_until)
from suite.rig import on_each

# Files that /lab/fence looks for on the node that asks.
HELD, FAILS = "/tmp/fence-held", "/tmp/fence-fails"
UNFENCED_SECONDS = 15   # for what must not happen to happen


def _obstruct(trial, nodes, how):
    """From now on what these nodes want fenced runs on."""
    on_each(nodes, lambda node: (trial.mark(node), trial.shell(node, f"touch {how}")))


def _asked(trial, nodes):
    return any("is held up" in trial.messages(node) for node in nodes)


def _replayed(trial, nodes):
    """What was done for a dead node, on which nodes."""
    return [(node, line) for node in nodes for line in trial.messages(node).splitlines()
            if "cohfs" in line and ("replay" in line or "recovery" in line)]


def _expect_nothing(trial, crowd, others, victim):
    """As long as the victim is not off, nobody replays its journal, nor gets what it has."""
    until = time.monotonic() + UNFENCED_SECONDS
    while time.monotonic() < until:
        for node in others:
            expect_wait(trial, crowd, node, victim)
        replayed = _replayed(trial, others)
        trial.check(not replayed, f"without a fence: {replayed}")
    trial.check(len(trial.rig.fenced()) == crowd.fenced_before, "a node was fenced")


def _fence_at_last(trial, crowd, others, victim, how):
    """The fencing succeeds; all is as with any other dead node."""
    since = time.time()
    on_each(others, lambda node: trial.shell(node, f"rm {how}"))
    fenced = wait_fenced(trial, victim, since)
    acked = crowd.lose(victim)
    crowd.go_on()
    check_resume(trial, crowd, fenced)
    bury(trial, crowd, others[0], (victim,), {victim: acked})


def _start_again(trial, crowd):
    """The administrator turns all nodes off and on; what each had acknowledged is there."""
    nodes = range(trial.rig.nodes)
    off = {node for _, node in trial.rig.fenced()[crowd.fenced_before:]}
    on_each([node for node in nodes if node not in off], trial.rig.kill)
    acked = {node: crowd.lose(node) for node in nodes}
    trial.rig.start("all", mount=True)
    for reader in nodes:
        for writer in nodes:
            crowd.verify(reader, writer, acked[writer])


def _come_back(trial, how, cut):
    """A paused node goes on before it is fenced."""
    victim, others = 2, (0, 1)
    crowd = Crowd(trial, range(3))
    alone = Crowd(trial, (victim,))     # can go on with what it has cached
    for each in (crowd, alone):
        each.wait_for_round(3)
    trial.rig.hasten()
    _obstruct(trial, others, how)
    trial.rig.lab("pause", victim + 1)
    wait_until(trial, "the others want it fenced", lambda: _asked(trial, others), GONE_SECONDS)
    before = alone.workers[victim].acked()
    if cut:
        trial.rig.lab("cut", victim + 1)
    trial.rig.lab("resume", victim + 1)
    _expect_nothing(trial, crowd, others, victim)
    expect_wait(trial, crowd, victim, others[0])
    trial.note(f"{alone.workers[victim].acked() - before} rounds after it came back")
    if any(trial.rig.shell(node, "pidof corosync").status for node in others):
        trial.note("dlm_controld ended on both sides")
        _start_again(trial, crowd)
    else:
        _fence_at_last(trial, crowd, others, victim, how)
    acked = alone.lose(victim)
    for node in range(3):
        alone.verify(node, victim, acked)


@case("516", "late-fence", nodes=3, limit=600, filesystems=COHFS, only_long=True)
def late_fence(trial):
    """A node that was paused comes back while the others cannot get it fenced yet, be it
    that the fence agent is slow or that it fails: until it is off nothing is replayed, and
    what it acknowledges meanwhile is there afterwards, too.  If the nodes hear each other
    again, each side's dlm_controld may end the other's, and all have to be started again:
    that loses nothing either."""
    _come_back(trial, HELD, True)
    _come_back(trial, FAILS, True)
    _come_back(trial, HELD, False)


@case("517", "no-daemon", nodes=3, limit=600, filesystems=COHFS, only_long=True)
def no_daemon(trial):
    """dlm_controld is killed on a node, alone or together with corosync, and the fencing takes
    long: who waits there can be killed, nothing is replayed before the node is off, and then
    the others go on."""
    victim, others = 1, (0, 2)
    # Not corosync alone: dlm_controld then takes the nodes' addresses back from fs/dlm, which
    # of Linux 6.12 oopses at the next message (dlm_our_nodeid() has no local_comm).
    for daemons in (["dlm_controld"], ["dlm_controld", "corosync"]):
        crowd = Crowd(trial, range(3))
        crowd.wait_for_round(3)
        trial.rig.hasten()
        _obstruct(trial, others, HELD)
        trial.shell(victim, "kill -9 " + " ".join(f"$(pidof {daemon})" for daemon in daemons))
        wait_until(trial, f"the others want it fenced without {daemons}",
                   lambda: _asked(trial, others), GONE_SECONDS)
        for node in others:
            expect_wait(trial, crowd, victim, node)
        _expect_nothing(trial, crowd, others, victim)
        _fence_at_last(trial, crowd, others, victim, HELD)
