"""What a test is, and what it can do with the machines it runs on."""

import dataclasses
import itertools
import re
import shlex
import typing

from suite.rig import MOUNT_POINT, TIMED_OUT, UNREACHABLE, on_each

ALL = ("cohfs", "gfs2", "ocfs2", "local")
COHFS = ("cohfs",)

MARK = "cohfs-test-mark"
PATIENCE = 4

_run_numbers = itertools.count(1)
CASES = {}


class Failure(Exception):
    """The property does not hold; the text says how that was seen."""


@dataclasses.dataclass
class Case:
    """A test: one property, shown by one function."""

    number: str
    name: str
    text: str
    function: typing.Callable
    nodes: int
    limit: int
    filesystems: tuple
    part: str

    @property
    def title(self):
        return f"{self.number}-{self.name}"


def case(number, name, *, nodes, limit, filesystems=ALL, rest=False, only_long=False):
    """Registers a test.

    `limit` is in seconds, for the short mode on the debug kernel and a quiet host; what hangs
    is given up after PATIENCE times that, since a busy host is several times as slow.  A test
    of the `rest` is not in `make check`, which is for every change, but in `make check-rest`,
    before it lands.
    """
    part = "long" if only_long else "rest" if rest else "check"

    def register(function):
        assert number not in CASES, number
        text = " ".join(function.__doc__.split())
        CASES[number] = Case(number, name, text, function, nodes, limit, filesystems, part)
        return function
    return register


class Trial:
    """One run of a test: its machines, its log, its sizes."""

    def __init__(self, this, rig, folder, long, minutes=0, seed=0):
        self.case = this
        self.rig = rig
        self.folder = folder
        self.long = long
        self.minutes = minutes      # of tests that go on for as long as one likes
        self.seed = seed            # of those that choose at random; 0: any
        self.limit = this.limit * (10 if long else PATIENCE)
        self.notes = []
        self.log = open(folder / "log", "w", encoding="utf-8")
        self.run_number = next(_run_numbers)

    def size(self, short, long):
        return long if self.long else short

    def note(self, text):
        """Something worth showing next to the verdict."""
        self.notes.append(text)

    def write(self, text):
        self.log.write(text.rstrip("\n") + "\n")
        self.log.flush()

    @staticmethod
    def check(condition, text):
        if not condition:
            raise Failure(text)

    # --- programs

    def _directory(self, name):
        base = MOUNT_POINT if self.rig.is_lab else self.rig.folder
        return f"{base}/{self.case.number}-{name}-{self.run_number}"

    def path(self, name):
        """A name for a file of this test, not used by any other."""
        return self._directory(name)

    def program(self, name, *, nodes=None, directory=None, **options):
        """Runs a program on the first `nodes` nodes; its "data" of each, as dicts."""
        nodes = nodes or self.case.nodes
        directory = directory or self._directory(name + options.get("mode", ""))
        words = [f"-{letter}{options[key]}" for key, letter in
                 (("mode", "m"), ("count", "c"), ("handovers", "k"), ("seconds", "t"),
                  ("seed", "s")) if options.get(key, "") != ""]
        run = f"-r{self.run_number}{self.case.number.lstrip('0')}"

        def one(node):
            argv = [f"{self.rig.programs}/{name}", f"-i{node}", f"-n{nodes}", f"-d{directory}",
                    run, f"-l{self.limit}", *words]
            with self.rig.spawn(node, argv, self.limit + 30) as process:
                output = process.stdout.read()
            return process.returncode, output

        self.write(f"== {name} on {nodes} nodes: {' '.join(words)}")
        results = on_each(range(nodes), one)
        for node, (status, output) in enumerate(results):
            self.write(f"-- node {node}, status {status}\n{output}")
        self._judge(name, results)
        return [_data_of(output) for _, output in results]

    @staticmethod
    def _judge(name, results):
        """Raises for the failure that came first, not for those it dragged along."""
        complaints = []
        for node, (status, output) in enumerate(results):
            if status == 0:
                continue
            lines = [line for line in output.splitlines() if line.startswith("not ok")]
            own = [line for line in lines if "another node failed" not in line and
                   "waiting for the other nodes" not in line]
            ends = {UNREACHABLE: "the node cannot be reached", TIMED_OUT: "ended, out of time"}
            text = (own or lines or [ends.get(status, f"exit status {status}")])[0]
            complaints.append((not own, f"{name}: node {node}: {text}"))
        if complaints:
            raise Failure(min(complaints)[1])

    # --- commands

    def shell(self, node, script, *, fails=False, timeout=120):
        """Runs a script; it must succeed, or fail if `fails`.  Returns its output."""
        result = self.rig.shell(node, script, timeout)
        self.write(f"== node {node}: {script}\n{result.output}-- status {result.status}")
        lines = script.strip().splitlines()
        what = f"node {node}: {lines[0]}{' ...' if len(lines) > 1 else ''}"
        if result.status in (TIMED_OUT, UNREACHABLE):
            why = "out of time" if result.status == TIMED_OUT else "unreachable"
            raise Failure(f"{what}: {why}: {result.output.strip()[-300:]}")
        if bool(result.status) != fails:
            raise Failure(f"{what}: status {result.status}: {result.output.strip()[-300:]}")
        return result.output

    def step(self, node, *words, fails=False):
        """A step of /lab/node.sh, such as `mount` or `mkfs`."""
        return self.shell(node, shlex.join(["/lab/node.sh", *words]), fails=fails, timeout=240)

    def mount(self, node):
        self.step(node, "mount", "")

    def unmount(self, node):
        self.shell(node, f"umount {MOUNT_POINT}")

    def mount_all(self):
        on_each(range(self.rig.nodes), self.mount)

    def unmount_all(self):
        on_each([node for node in range(self.rig.nodes) if self.rig.mounted(node)], self.unmount)

    def disk_writes(self, node):
        """Requests to write that a node's disk has had."""
        disk = "$(basename $(readlink -f /dev/disk))"
        return int(self.shell(node, f"awk '{{ print $5 }}' /sys/class/block/{disk}/stat"))

    def mark(self, node):
        """From here on counts what messages() returns."""
        self.shell(node, f"echo {MARK} > /dev/kmsg")

    def messages(self, node):
        """What a node's kernel said since mark(), or all that it still knows."""
        return self.rig.shell(node, "dmesg").output.rpartition(MARK)[2]

    # --- what cohfs says about itself

    def lock_counts(self, lock_type):
        """Counters of a lock type, summed over the nodes of this test."""
        total = {}
        for node in range(self.case.nodes):
            table = self.rig.shell(node, "cat /sys/kernel/debug/cohfs/*/stats").output
            for key, value in parse_stats(table).get(lock_type, {}).items():
                total[key] = total.get(key, 0) + value
        return total


def parse_stats(table):
    """{type: {counter: value}} from debugfs `stats`: a header line, a line per type."""
    lines = [line.split() for line in table.splitlines() if line.strip()]
    if not lines:
        return {}
    header = lines[0][1:]
    return {words[0]: {key: int(value) for key, value in zip(header, words[1:])
                       if value.isdigit()}
            for words in lines[1:]}


def _data_of(output):
    """The key=value pairs of all "data" lines, numbers as numbers."""
    found = {}
    for line in output.splitlines():
        if line.startswith("data "):
            for key, value in re.findall(r"(\w+)=(\S+)", line):
                try:
                    found[key] = float(value) if "." in value else int(value)
                except ValueError:
                    found[key] = value
    return found
