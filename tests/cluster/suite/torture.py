"""Nodes die at random under load, over and over."""

import random
import time

from suite.case import COHFS, case
from suite.death import (GOING_NOLOGFLUSH, Crowd, lose_withdrawn, rejoin, resumed, survive,
                         wait_fenced)

MINUTES = 5


# What happens to a node.  Each returns what it had acknowledged, and when it was fenced.

def power_cut(trial, crowd, victim):
    """The power goes."""
    since = time.time()
    trial.rig.kill(victim)
    acked = crowd.lose(victim)
    return acked, wait_fenced(trial, victim, since)


def _silence(trial, crowd, victim, how):
    """It is not heard of any more and will be fenced."""
    since = time.time()
    trial.rig.lab(how, victim + 1)
    fenced = wait_fenced(trial, victim, since)
    return crowd.lose(victim), fenced


def pause(trial, crowd, victim):
    """It stops for too long."""
    return _silence(trial, crowd, victim, "pause")


def cut_off(trial, crowd, victim):
    """It loses the network."""
    return _silence(trial, crowd, victim, "cut")


def withdraw(trial, crowd, victim):
    """It withdraws, and stays up."""
    since = time.time()
    trial.mark(victim)
    survive(trial, victim, "down", f"{crowd.directory}.down", GOING_NOLOGFLUSH)
    return lose_withdrawn(trial, crowd, victim, since), None


EVENTS = (power_cut, power_cut, pause, cut_off, withdraw)


def _one_round(trial, rng, number):
    """All work, one goes, what it had promised is there, it comes back."""
    nodes = list(range(trial.rig.nodes))
    event, victim = rng.choice(EVENTS), rng.choice(nodes)
    trial.write(f"# round {number}: {event.__name__} of node {victim}")
    crowd = Crowd(trial, nodes)
    trial.rig.hasten()
    crowd.wait_for_round(rng.randrange(1, 6))
    time.sleep(rng.random())		# any moment within a round of theirs
    promised, fenced = event(trial, crowd, victim)
    crowd.go_on(rng.randrange(1, 4))
    waited = resumed(trial, crowd, fenced) if fenced else 0
    acked = {victim: promised}
    crowd.stop()
    acked.update((node, worker.acked()) for node, worker in crowd.workers.items())
    reader = rng.choice([node for node in nodes if node != victim])
    for writer in nodes:
        crowd.verify(reader, writer, acked[writer])
    if event is withdraw:
        trial.unmount(victim)
        trial.mount(victim)
    else:
        rejoin(trial, victim)
    writer = rng.choice(nodes)
    crowd.verify(victim, writer, acked[writer])
    return event.__name__, waited


@case("701", "torture", nodes=3, limit=600, filesystems=COHFS)
def torture(trial):
    """For some minutes nodes lose their power or network, pause, and withdraw, at random,
    under load: whatever they had acknowledged is there, nothing is invented, the others go
    on and the dead come back."""
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
