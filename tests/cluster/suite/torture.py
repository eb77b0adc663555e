"""Nodes die at random under load, over and over."""

import random
import time

from suite.case import COHFS, case
from suite.death import (GONE_SECONDS, GOING_NOLOGFLUSH, Crowd, inquorate, lose_withdrawn,
                         rejoin, resumed, stand_alone, survive, wait_fenced, wait_until)
from suite.rig import MOUNT_POINT, on_each

MINUTES = 5


# What happens to nodes, the first ones of `order`.  Each returns what those who are gone by
# then had acknowledged, and when the last of them was fenced.

def power_cut(trial, crowd, order):
    """The power goes."""
    victim, since = order[0], time.time()
    trial.rig.kill(victim)
    acked = crowd.lose(victim)
    return {victim: acked}, wait_fenced(trial, victim, since)


def two_power_cuts(trial, crowd, order):
    """It goes on two at once; whoever is left is told that it may go on."""
    victims, since = order[:2], time.time()
    on_each(victims, trial.rig.kill)
    acked = {victim: crowd.lose(victim) for victim in victims}
    if 2 * len(crowd.workers) <= len(order):
        wait_until(trial, "the loss of quorum", lambda: inquorate(trial, order[2]), GONE_SECONDS)
        stand_alone(trial, order[2])
    return acked, max(wait_fenced(trial, victim, since) for victim in victims)


def pause(trial, crowd, order):
    """It stops for too long."""
    victim, since = order[0], time.time()
    trial.rig.lab("pause", victim + 1)
    fenced = wait_fenced(trial, victim, since)
    return {victim: crowd.lose(victim)}, fenced


def cut_off(trial, crowd, order):
    """It loses the network.  Of two nodes each may take the other one for dead."""
    trial.rig.lab("cut", order[0] + 1)

    def fenced():
        return trial.rig.fenced()[crowd.fenced_before:]
    wait_until(trial, "one is fenced", fenced, GONE_SECONDS)
    when, dead = fenced()[0]
    trial.check(dead == order[0] or len(order) == 2, f"node {dead} was fenced")
    acked = crowd.lose(dead)
    if dead != order[0]:
        trial.rig.lab("heal", order[0] + 1)
    return {dead: acked}, when


def withdraw(trial, crowd, order):
    """It withdraws, and stays up."""
    victim, since = order[0], time.time()
    trial.mark(victim)
    survive(trial, victim, "down", f"{crowd.directory}.down", GOING_NOLOGFLUSH)
    return {victim: lose_withdrawn(trial, crowd, victim, since)}, None


# As an administrator shuts a node down.
LEAVE = f"""
set -e
umount {MOUNT_POINT}
kill $(pidof dlm_controld)
while pidof dlm_controld; do sleep 0.1; done
corosync-cfgtool -H
while pidof corosync; do sleep 0.1; done
"""


def reboot(trial, crowd, order):
    """It is shut down in order: nobody is fenced for that."""
    victim = order[0]
    worker = crowd.workers[victim]
    trial.shell(victim, "touch /tmp/stop")
    acked = crowd.lose(victim)
    trial.check(worker.end() == 0, f"node {victim}: {worker.text()[-300:]}")
    trial.shell(victim, LEAVE)
    trial.rig.kill(victim)
    crowd.go_on()
    trial.check(len(trial.rig.fenced()) == crowd.fenced_before, "a node was fenced")
    return {victim: acked}, None


EVENTS = (power_cut, power_cut, two_power_cuts, pause, cut_off, withdraw, reboot)


def _one_round(trial, rng, number):
    """All work, one goes or two, what they had promised is there, they come back."""
    nodes = list(range(trial.rig.nodes))
    event = rng.choice([event for event in EVENTS
                        if event is not two_power_cuts or len(nodes) > 2])
    order = rng.sample(nodes, len(nodes))
    trial.write(f"# round {number}: {event.__name__} of nodes in the order {order}")
    crowd = Crowd(trial, nodes)
    trial.rig.hasten()
    crowd.wait_for_round(rng.randrange(1, 6))
    time.sleep(rng.random())		# any moment within a round of theirs
    acked, fenced = event(trial, crowd, order)
    gone = list(acked)
    crowd.go_on(rng.randrange(1, 4))
    waited = resumed(trial, crowd, fenced) if fenced else 0
    crowd.stop()
    acked.update((node, worker.acked()) for node, worker in crowd.workers.items())
    reader = rng.choice(sorted(crowd.workers))
    for writer in nodes:
        crowd.verify(reader, writer, acked[writer])
    for node in gone:
        if event is withdraw:
            trial.unmount(node)
            trial.mount(node)
        else:
            rejoin(trial, node)
        writer = rng.choice(nodes)
        crowd.verify(node, writer, acked[writer])
    return event.__name__, waited


@case("701", "torture", nodes=3, limit=600, filesystems=COHFS)
def torture(trial):
    """For some minutes nodes lose their power or network, pause, withdraw, and reboot, at
    random, under load: whatever they had acknowledged is there, nothing is invented, the
    others go on and the dead come back."""
    seed = trial.seed or random.SystemRandom().randrange(1, 1 << 31)
    minutes = trial.minutes or trial.size(MINUTES, 60)
    trial.note(f"seed {seed}")
    trial.write(f"# seed {seed}")
    rng = random.Random(seed)
    done = {}
    waits = []
    end = time.monotonic() + minutes * 60
    number = 0
    while time.monotonic() < end:
        number += 1
        what, waited = _one_round(trial, rng, number)
        done[what] = done.get(what, 0) + 1
        waits.append(waited)
    trial.note(", ".join(f"{count} {what}" for what, count in sorted(done.items())))
    trial.note(f"work went on {max(waits):.1f} s after a fence at the latest")
