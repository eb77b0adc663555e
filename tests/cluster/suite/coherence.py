"""Mapped memory, read() and write() agree on all nodes."""

from suite.case import COHFS, Failure, case

ADDS = 200_000
HANDOVERS = 5_000
KEPT = 20       # by the way, to open and look at the file and what is around it


def _range_grants(trial):
    """Grants of range locks on all nodes, of any level of the tree."""
    return sum(trial.lock_counts(level)["grants"] for level in ("range", "region", "page"))


def _counter(trial):
    """Adds until the page has changed hands often enough, traced by the filesystem too.

    Times are published meanwhile, with I; that must not become a lock that nodes keep from
    each other: pages are granted under it.
    """
    is_cohfs = trial.rig.fs == "cohfs"
    before = _range_grants(trial) if is_cohfs else 0
    kept = trial.lock_counts("inode")["kept"] if is_cohfs else 0
    data = trial.program("counter", count=ADDS, handovers=HANDOVERS)
    trial.check(data[0]["adds"] >= ADDS, f"only {data[0]['adds']} adds")
    trial.note(f"{data[0]['handovers']} hand-overs in {data[0]['seconds']:.0f} s")
    if is_cohfs:
        traced = _range_grants(trial) - before
        if traced < HANDOVERS:
            raise Failure(f"{data[0]['handovers']} hand-overs seen by the programs, but only "
                          f"{traced} grants of range locks counted")
        trial.note(f"{traced} range grants")
        kept = trial.lock_counts("inode")["kept"] - kept
        trial.note(f"I kept {kept} times")
        trial.check(kept <= KEPT, f"I was kept from others {kept} times")


@case("001", "counter-two", nodes=2, limit=900)
def counter_two(trial):
    """Two nodes add to one mapped word with atomic instructions: the sum is exact."""
    _counter(trial)


@case("002", "counter-three", nodes=3, limit=1200)
def counter_three(trial):
    """Three nodes add to one mapped word with atomic instructions: the sum is exact."""
    _counter(trial)


@case("003", "pattern", nodes=2, limit=180)
def pattern(trial):
    """What one node stores the other read()s, and the reverse, also with holes and
    growing files: never torn, never older than seen before, and the last version in
    the end."""
    trial.program("pattern", count=trial.size(8, 200))


@case("004", "pattern-three", nodes=3, limit=240, only_long=True)
def pattern_three(trial):
    """The same with two readers."""
    trial.program("pattern", count=100)


@case("005", "crossed-buffers", nodes=2, limit=240)
def crossed_buffers(trial):
    """A read()s file 1 into its mapping of file 2 while B read()s file 2 into its
    mapping of file 1, likewise write(): everything completes, no call takes over
    10 s, and the bytes are right."""
    data = trial.program("abba", count=trial.size(200, 1000))
    trial.note(f"longest call {max(d['longest'] for d in data):.2f} s")


@case("006", "crossed-buffers-three", nodes=3, limit=400, only_long=True)
def crossed_buffers_three(trial):
    """The same in a circle of three files and three nodes."""
    trial.program("abba", count=300)


@case("007", "two-words", nodes=3, limit=90)
def two_words(trial):
    """Words of one page stored to by several nodes: no store is lost."""
    trial.program("words", mode="one", handovers=trial.size(60, 2000))


@case("008", "neighbours", nodes=3, limit=90, rest=True)
def neighbours(trial):
    """Neighbouring pages of one file stored to by several nodes: no store is lost."""
    trial.program("words", mode="next", handovers=trial.size(60, 2000))


@case("009", "private", nodes=2, limit=90)
def private(trial):
    """MAP_PRIVATE: copied pages keep their bytes, others follow the file."""
    trial.program("private", count=trial.size(16, 200))


@case("010", "sigbus", nodes=3, limit=90, rest=True)
def sigbus(trial):
    """Beyond the end of a file is SIGBUS, wherever it was truncated; what it grows by
    is accessible and zero."""
    trial.program("sigbus", count=trial.size(15, 500),
                  mode="tail" if trial.rig.fs == "cohfs" else "plain")


@case("011", "mapping-calls", nodes=2, limit=120, rest=True)
def mapping_calls(trial):
    """mremap, msync, madvise, mprotect, fork, and execution of a program from the
    filesystem, each with what it promises across nodes."""
    trial.program("mapops", count=trial.size(4, 100))


@case("012", "litmus", nodes=3, limit=150, rest=True)
def litmus(trial):
    """Outcomes that the x86 memory model forbids are not seen between nodes."""
    trial.program("litmus", count=trial.size(4, 1000))


@case("013", "model", nodes=3, limit=120, rest=True)
def model(trial):
    """Random writes, stores, truncations and copies by all nodes in turn give the file
    that a model in memory predicts, for read() and mapping on every node."""
    trial.program("model", count=trial.size(70, 5000), seed=trial.size(1, 7))


@case("014", "demo", nodes=2, limit=60, filesystems=COHFS, only_long=True)
def demo(trial):
    """The program of `make demo` finds no violation."""
    trial.program("demo", seconds=10)
