"""Which range locks are taken: as few as possible, as many as needed, and no longer."""

import base64
import contextlib
import copy
import gzip
import re
import time

from suite.case import COHFS, Failure, case

TUNABLES = "/sys/kernel/config/cohfs/range"
PARTS = ("region", "page")
PATIENCE = 90
ADDED = "events/filemap/mm_filemap_add_to_page_cache"
MANY = 8            # nodes; two processors can just carry them


def _file_line(trial, node, path):
    """What debugfs says about the range locks of a file: the line after its number."""
    ino = trial.shell(node, f"stat -c %i {path}").strip()
    for line in trial.shell(node, "cat /sys/kernel/debug/cohfs/*/ranges").splitlines():
        if line.startswith(f"ino {ino} "):
            return line.removeprefix(f"ino {ino} ")
    return ""


def _counts(trial, counter, types=PARTS):
    return sum(trial.lock_counts(kind)[counter] for kind in types)


def _until(trial, what, question):
    """Waits for something that the kernel does in its own time."""
    deadline = time.monotonic() + PATIENCE
    while not question():
        if time.monotonic() > deadline:
            raise Failure(f"still not after {PATIENCE} s: {what}")
        time.sleep(0.5)


def _quiet_count(trial):
    """Requests for parts, when files of earlier tests do not climb any more."""
    counts = [_counts(trial, "requests")]

    def quiet():
        time.sleep(3)
        counts.append(_counts(trial, "requests"))
        return counts[-1] == counts[-2]
    _until(trial, "no lock of a part is asked for", quiet)
    return counts[-1]


@contextlib.contextmanager
def _tuned(trial, **values):
    """Other tunables on all nodes, for the time of a test; gives what changes them again."""
    before = {name: trial.shell(0, f"cat {TUNABLES}/{name}").strip() for name in values}

    def tune(wanted):
        for node in range(trial.case.nodes):
            for name, value in wanted.items():
                trial.shell(node, f"echo {value} > {TUNABLES}/{name}")
    tune(values)
    try:
        yield tune
    finally:
        tune(before)


@case("421", "one-lock", nodes=2, limit=60, filesystems=COHFS)
def one_lock(trial):
    """Alone on a file a node has one range lock, whatever is done to it."""
    path = trial.path("alone")
    before = _quiet_count(trial)
    trial.shell(0, f"""set -e
        dd if=/dev/zero of={path} bs=64k count=160 status=none
        dd if=/dev/zero of={path} bs=4k seek=700 count=3 conv=notrunc status=none
        cat {path} > /dev/null
        truncate -s 3M {path}; truncate -s 30M {path}
        dd if=/dev/zero of={path} bs=1M seek=4 count=20 conv=notrunc,fsync status=none
        cmp -n 1000000 {path} /dev/zero""")
    line = _file_line(trial, 0, path)
    trial.check(line == "file EX handovers 0", f"not one lock, and always the same: {line}")
    trial.check(_counts(trial, "requests") == before, "locks of parts were asked for")


def _expect_quiet(trial):
    """All nodes of a test write to pages of their own of one file."""
    path = trial.path("neighbours")
    nodes = range(trial.case.nodes)
    trial.shell(0, f"dd if=/dev/zero of={path} bs=4k count=64 status=none")

    def write(rounds):
        for node in nodes:
            trial.shell(node, f"""for i in $(seq {rounds}); do
                dd if=/dev/zero of={path} bs=4k seek={node * 8} count=8 conv=notrunc \
                    status=none || exit; done""")
    # one node after the other: the one that waits must not look idle
    with _tuned(trial, idle_ms=600000, climb_ms=600000, climb_max_ms=600000):
        write(2)
        before = _counts(trial, "requests")
        lines = [_file_line(trial, node, path) for node in nodes]
        write(20)
        asked = _counts(trial, "requests") - before
        after = [_file_line(trial, node, path) for node in nodes]
    trial.check(asked == 0, f"{asked} requests for writes to pages of their own")
    # nothing was given up either; requests for whole files are other files' attempts
    trial.check(lines == after, f"not as before: {lines}, then {after}")
    line = after[-1]
    trial.check(re.search(r"file CW .* page .*EX:8", line), f"not held by page: {line}")


@case("422", "quiet-neighbours", nodes=2, limit=120, filesystems=COHFS)
def quiet_neighbours(trial):
    """Nodes that write to pages of their own of one file ask each other nothing."""
    _expect_quiet(trial)


@case("426", "many-nodes", nodes=MANY, limit=600, filesystems=COHFS, only_long=True)
def many_nodes(trial):
    """Eight nodes in one file: nothing is lost or torn where they store and write() side by
    side, and in pages of their own they ask each other nothing."""
    many = copy.copy(trial)
    many.rig = trial.rig.another("many", MANY)
    many.rig.up()
    try:
        _expect_quiet(many)
        many.program("shares", mode="strided-stores", count=trial.size(2, 10))
        many.program("shares", mode="strided-calls", count=trial.size(1, 5))
        trial.check(not many.rig.complaints(),
                    "a kernel complained, see the consoles of these nodes")
    finally:
        many.rig.down()


@case("423", "climb", nodes=2, limit=240, filesystems=COHFS, rest=True)
def climb(trial):
    """When the other node is done, the file is one lock again, and without a storm."""
    path = trial.path("climb")
    with _tuned(trial, idle_ms=600000, climb_ms=200, climb_max_ms=2000) as tune:
        for node in (0, 1, 0):
            trial.shell(node, f"dd if=/dev/zero of={path} bs=4k seek={node * 5} count=4 "
                              "conv=notrunc status=none")
        line = _file_line(trial, 1, path)
        trial.check("file CW" in line, f"not shared: {line}")
        before = trial.lock_counts("range")["requests"]
        tune({"idle_ms": 1000})

        def one_again():
            trial.shell(0, f"dd if=/dev/zero of={path} bs=4k count=4 conv=notrunc status=none")
            line = _file_line(trial, 0, path)
            return line.startswith("file EX ") and not re.search("region|page ", line)
        _until(trial, "one lock for the file", one_again)
        tries = trial.lock_counts("range")["requests"] - before
        trial.check(tries < 30, f"{tries} requests until the file was one lock again")
        trial.note(f"{tries} tries")


@case("424", "bounded", nodes=2, limit=240, filesystems=COHFS, rest=True)
def bounded(trial):
    """The number of cached locks is bounded, and nothing is lost when old ones go."""
    path = trial.path("bounded")
    trial.shell(0, f"dd if=/dev/zero of={path} bs=1M count=4 status=none")
    with _tuned(trial, locks_max=64):
        for node in (0, 1):
            trial.shell(node, f"""i={node}; while [ $i -lt 160 ]; do
                printf '%04d' $i | dd of={path} bs=4096 seek=$i conv=notrunc status=none || exit
                i=$((i + 2)); done""", timeout=200)

        def few():
            return all(int(re.search(r"locks of parts (\d+)", trial.shell(
                node, "cat /sys/kernel/debug/cohfs/*/ranges")).group(1)) <= 70
                       for node in range(2))
        _until(trial, "at most 70 locks", few)
    found = gzip.decompress(base64.b64decode(
        trial.shell(1, f"head -c {160 * 4096} {path} | gzip -c | base64 -w0")))
    wanted = b"".join(b"%04d" % i + bytes(4092) for i in range(160))
    trial.check(found == wanted, "not what was written")


@case("425", "scan-locks", nodes=2, limit=240, filesystems=COHFS, rest=True)
def scan_locks(trial):
    """Reading all of a large contended file takes locks by the region, not by the page."""
    path = trial.path("scan")
    size = trial.size(256, 4096)
    trial.shell(0, f"truncate -s {size}M {path}")
    for node in (0, 1, 0):
        trial.shell(node, f"dd if=/dev/zero of={path} bs=4k seek={node * 5} count=4 "
                          "conv=notrunc status=none")
    before = _counts(trial, "requests", ("range",) + PARTS)
    trial.shell(1, f"dd if={path} of=/dev/null bs=256k status=none", timeout=240)
    asked = _counts(trial, "requests", ("range",) + PARTS) - before
    regions = size // 2
    trial.note(f"{asked} requests for {regions} regions")
    # of the contended region, pages; of the rest, the region
    trial.check(asked <= 2 * regions + 1100, f"{asked} requests for {regions} regions")


def _orders(trial, path, script):
    """Orders of the folios that a script on node 0 adds to a file."""
    out = trial.shell(0, f"""set -e
        ino=$(printf '%x' $(stat -c %i {path}))
        cd /sys/kernel/tracing
        echo > trace
        echo 1 > {ADDED}/enable
        {script}
        echo 0 > {ADDED}/enable
        grep " ino $ino " trace | grep -o 'order=[0-9]*' | sort | uniq -c""")
    return {int(order) for order in re.findall(r"order=(\d+)", out)}


@case("427", "large-folios", nodes=2, limit=240, filesystems=COHFS, rest=True)
def large_folios(trial):
    """What is written at once is in core in one piece while no other node uses the file, in
    pages while one does, and in pieces again when it has gone; with the right bytes."""
    path, same = trial.path("large"), "/tmp/large"
    foreign = "yes | dd of={} bs=4k seek=5 count=1 iflag=fullblock conv=notrunc status=none"

    def write(at):
        return (f"dd if={same} of={path} bs=1M skip={at} seek={at} count=4 conv=notrunc "
                "status=none")
    trial.shell(0, f"head -c 12M /dev/urandom > {same}; touch {path}")
    with _tuned(trial, idle_ms=600000, climb_ms=200, climb_max_ms=2000) as tune:
        orders = _orders(trial, path, write(0))
        trial.check(orders and max(orders) > 0, f"alone on the file: orders {orders}")
        trial.shell(1, foreign.format(path))
        trial.shell(0, foreign.format(same))
        orders = _orders(trial, path, f"cmp -n 4M {path} {same}; {write(4)}")
        trial.check(orders == {0}, f"with another node in the file: orders {orders}")
        tune({"idle_ms": 1000})

        def alone():
            trial.shell(0, f"dd if={same} of={path} bs=4k count=1 conv=notrunc status=none")
            return _file_line(trial, 0, path).startswith("file EX ")
        _until(trial, "one lock for the file", alone)
        orders = _orders(trial, path, write(8))
        trial.check(orders and max(orders) > 0, f"alone again: orders {orders}")
    sums = [trial.shell(node, f"sha256sum < {name}") for node, name in
            ((0, same), (0, path), (1, path))]
    trial.check(len(set(sums)) == 1, f"not the same bytes: {sums}")
