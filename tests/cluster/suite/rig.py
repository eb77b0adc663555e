"""The machines that tests run on: a lab, or for trying out, this machine alone.

Nodes are numbered from 0 here, as the programs number them; scripts/lab counts
from 1.
"""

import concurrent.futures
import dataclasses
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

REPO = pathlib.Path(__file__).resolve().parents[3]
LAB = REPO / "scripts" / "lab"
CHECK_LOG = REPO / "scripts" / "check-log"
MOUNT_POINT = "/mnt/cohfs"
UNREACHABLE, TIMED_OUT = 255, 124


def end_like_ctrl_c():
    """Makes a polite kill take the way of Ctrl-C, which stops the machines."""
    def interrupt(_signal, _frame):
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, interrupt)


# How soon corosync takes a silent node for dead when a test wants it to; the nodes' own
# value allows for a host that does not run them for tens of seconds.
HASTY_TOKEN_MS = {"stock": 3000, "debug": 6000}


class RigError(Exception):
    """The machines themselves failed, not what was tested on them."""


@dataclasses.dataclass
class Result:
    """How a command ended and what it said, both streams together."""

    status: int
    output: str


class LabRig:
    """A lab of virtual machines."""

    programs = "/repo/build/tests"
    is_lab = True

    def __init__(self, name, nodes, kernel, fs, options=()):
        self.name = name
        self.nodes = nodes
        self.kernel = kernel
        self.fs = fs
        self.options = list(options)
        self.consoles = []
        self.read_so_far = []

    def _lab(self, *words, **kwargs):
        return subprocess.run([LAB, *map(str, words)], check=False, text=True, **kwargs)

    def up(self):
        """Boots and mounts; what is going on goes to standard error."""
        ended = self._lab("up", "--name", self.name, "-n", self.nodes, "--kernel", self.kernel,
                          "--fs", self.fs, *self.options, stdout=sys.stderr)
        if ended.returncode != 0:
            raise RigError(f"lab {self.name} did not come up")
        self.consoles = [self._console(node) for node in range(self.nodes)]
        self.read_so_far = [0] * self.nodes

    @property
    def disk(self):
        """The image of the shared disk."""
        return self.consoles[0].parent.parent / "shared.img"

    def _console(self, node):
        found = self._lab("log", "--name", self.name, "--path", node + 1, capture_output=True)
        return pathlib.Path(found.stdout.strip())

    def down(self):
        self._lab("down", "--name", self.name, stdout=subprocess.DEVNULL)

    def spawn(self, node, argv, timeout, **kwargs):
        """Starts a command in a guest; its output is in the process's stdout."""
        return subprocess.Popen(
            [LAB, "run", "--name", self.name, "--timeout", str(timeout), str(node + 1), "--",
             *map(str, argv)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", **kwargs)

    def run(self, node, argv, timeout=120):
        with self.spawn(node, argv, timeout) as process:
            output = process.stdout.read()
        return Result(process.returncode, output)

    def feed(self, node, argv, data, timeout=120):
        """Runs a command with `data` as its input, which it need not read."""
        ended = subprocess.run(
            [LAB, "run", "--name", self.name, "--timeout", str(timeout), "--stdin",
             str(node + 1), "--", *map(str, argv)], check=False, input=data,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return Result(ended.returncode, ended.stdout.decode(errors="replace"))

    def shell(self, node, script, timeout=120):
        return self.run(node, ["sh", "-c", script], timeout)

    def step(self, node, *words):
        """A step of the guest's way into the cluster, such as `mount`."""
        return self.run(node, ["/lab/node.sh", *words], 240)

    def another(self, suffix, nodes):
        """A lab of its own beside this one, alike but for its size; not up yet."""
        rig = LabRig(f"{self.name}-{suffix}", nodes, self.kernel, self.fs, self.options)
        rig.share, rig.programs = self.share, self.programs
        return rig

    def complaints(self):
        """What the log gate finds on the consoles."""
        ended = subprocess.run([CHECK_LOG, *map(str, self.consoles)], check=False,
                               capture_output=True, text=True)
        return ended.stdout + ended.stderr if ended.returncode else ""

    def kill(self, node):
        """Power off, at once."""
        if self._lab("kill", "--name", self.name, node + 1).returncode != 0:
            raise RigError(f"node {node} could not be killed")

    def start(self, node, mount=False):
        """Boots a killed node, or "all", back into the cluster."""
        options = [] if mount else ["--no-mount"]
        which = node if node == "all" else node + 1
        ended = self._lab("start", "--name", self.name, *options, which, stdout=sys.stderr)
        if ended.returncode != 0:
            raise RigError(f"node {node} did not come up again")

    def lab(self, *words):
        """A lab command about this lab, such as `pause` or `fenced`; its output."""
        ended = self._lab(words[0], "--name", self.name, *words[1:], capture_output=True)
        if ended.returncode != 0:
            raise RigError(f"lab {' '.join(map(str, words))}: {ended.stderr.strip()}")
        return ended.stdout

    def _set_token(self, ms):
        """On all nodes that are up; 0: as configured."""
        on_each(range(self.nodes), lambda node: self.step(node, "token", str(ms)))

    def hasten(self):
        """From now on the death of a node is noticed soon."""
        self._set_token(HASTY_TOKEN_MS[self.kernel])

    def relax(self):
        self._set_token(0)

    def fenced(self):
        """[(host's time, node)] of all that were fenced so far."""
        lines = [line.split() for line in self.lab("fenced").splitlines()]
        return [(float(words[0]), int(words[1].removeprefix("node")) - 1) for words in lines]

    def sysrq(self, node, key):
        self._lab("sysrq", "--name", self.name, node + 1, key, stderr=subprocess.DEVNULL)

    def mounted(self, node):
        return self.shell(node, f"grep -q ' {MOUNT_POINT} ' /proc/mounts").status == 0

    def new_console(self, node):
        """What the node's console said since this was last asked."""
        with open(self.consoles[node], "rb") as handle:
            handle.seek(self.read_so_far[node])
            text = handle.read()
        self.read_so_far[node] += len(text)
        return text.replace(b"\r", b"")


class LocalRig:
    """Processes on this machine in the place of nodes: tries out the tests themselves."""

    programs = str(REPO / "build" / "tests")
    is_lab = False
    kernel = "own"
    fs = "local"

    def __init__(self, nodes, folder=None):
        self.nodes = nodes
        self.parent = folder
        self.folder = None

    def up(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cohfs-tests-", dir=self.parent))
        self.folder.chmod(0o755)

    def down(self):
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def spawn(self, _node, argv, timeout, **kwargs):
        process = subprocess.Popen(
            list(map(str, argv)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", **kwargs)
        threading.Thread(target=_end_later, args=(process, timeout), daemon=True).start()
        return process

    def mounted(self, _node):
        return True


def _end_later(process, timeout):
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)


def on_each(nodes, action):
    """`action(node)` for all nodes at once; their results in the order of nodes."""
    with concurrent.futures.ThreadPoolExecutor(max(1, len(nodes))) as pool:
        return list(pool.map(action, nodes))
