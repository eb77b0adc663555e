"""A lab: nodes on one shared disk and one wire, and the record of them.

Everything about the lab NAME is in run/NAME below the cache.  What was asked
for is written to lab.json before the first guest starts, so that `lab down`
finds whatever a failed or interrupted `lab up` left behind.
"""

import concurrent.futures
import dataclasses
import json
import pathlib
import re
import secrets
import shutil

from labkit import cache, corosync, ports, progress, steps
from labkit.errors import LabError
from labkit.node import Node

FILESYSTEMS = ("cohfs", "gfs2", "ocfs2", "none")
FS_NAME = "lab"
JOURNALS = 8
MAX_NODES = 16
DEFAULT_MEMORY = {"stock": 512, "debug": 1024}


@dataclasses.dataclass
class Spec:
    """What `lab up` was asked for and what the lab was given; lab.json holds just this."""

    name: str
    count: int
    kernel: str
    fs: str
    share: str
    disk_size: int
    disks: int
    memory: int
    mount_options: str
    append: str
    cpus: int = 1
    write_log: bool = False
    token: str = ""
    ring_port: int = 0
    agent_ports: list = dataclasses.field(default_factory=list)


def run_folder():
    return cache.base() / "run"


class Lab:
    """What a Spec describes, as nodes that can be started."""

    def __init__(self, spec):
        self.spec = spec
        self.name = spec.name
        self.folder = run_folder() / spec.name
        self.disk = self.folder / "shared.img"
        self.nodes = [Node(self, number, port)
                      for number, port in enumerate(spec.agent_ports, 1)]

    @classmethod
    def load(cls, name):
        try:
            text = (run_folder() / name / "lab.json").read_text(encoding="utf-8")
        except FileNotFoundError:
            raise LabError(f"there is no lab {name!r}; `lab up --name {name}` makes one") from None
        return cls(Spec(**json.loads(text)))

    def save(self):
        path = self.folder / "lab.json"
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(dataclasses.asdict(self.spec), indent=1),
                             encoding="utf-8")
        temporary.chmod(0o600)
        temporary.rename(path)

    def running(self):
        return [node for node in self.nodes if node.pid() is not None]

    def make_disk(self, path):
        """An empty sparse disk; the space is taken as it is written to."""
        with open(path, "wb") as handle:
            handle.truncate(self.spec.disk_size)

    def corosync_conf(self):
        return corosync.configuration(self)

    def guest_settings(self):
        """What node.sh has to know about the lab."""
        return {"CLUSTER": corosync.CLUSTER, "FS_NAME": FS_NAME, "FS": self.spec.fs,
                "KERNEL": self.spec.kernel, "JOURNALS": max(JOURNALS, len(self.nodes))}

    # --- up, down, and single nodes

    def create(self):
        self.folder.mkdir(parents=True)
        self.save()
        self.make_disk(self.disk)
        for node in self.nodes:
            node.create()

    def bring_up(self, mount=True):
        """From nothing to mounted everywhere; all nodes go through it side by side."""
        on_each(self.nodes, lambda node: steps.join(node, len(self.nodes)))
        if self.spec.fs != "none":
            steps.format_disk(self.nodes[0])
            if mount:
                on_each(self.nodes, steps.mount)

    def start(self, nodes, mount=True):
        """Boots nodes that are off into the cluster of those that can be reached.

        All of them together: after a power cut of the whole lab no single one
        would be quorate.
        """
        if not self.disk.exists():
            raise LabError(f"lab {self.name!r} is down and its disk gone: use lab up")
        starting = [node for node in nodes if node.pid() is None]
        if not starting:
            raise LabError(f"{' and '.join(node.name for node in nodes)}: running already")
        others = [node for node in self.nodes if node.reachable()]
        members = len(starting) + len(others)
        for node in starting:
            if others:
                on_each(others, lambda other, number=node.number: steps.await_gone(other, number))
        on_each(starting, lambda node: steps.join(node, members))
        if mount and self.spec.fs != "none":
            on_each(starting, steps.mount)

    def down(self):
        """Stops all nodes and removes the disks; consoles stay until the next up."""
        stopped = [node.name for node in self.nodes if node.power_off()]
        self.disk.unlink(missing_ok=True)
        for node in self.nodes:
            for path in node.private_disks():
                path.unlink(missing_ok=True)
        return stopped


def on_each(nodes, action):
    """Runs `action` on all nodes at once; raises the first failure when all ended."""
    with concurrent.futures.ThreadPoolExecutor(len(nodes)) as pool:
        futures = [pool.submit(action, node) for node in nodes]
        try:
            concurrent.futures.wait(futures)
        except KeyboardInterrupt:
            # Nothing ends a step sooner than its guest's end.
            for node in nodes:
                node.power_off()
            raise
    errors = [future.exception() for future in futures if future.exception()]
    if errors:
        for error in errors[1:]:
            progress.say(str(error))
        raise errors[0]


def check(spec):
    """Raises LabError for a lab that could never come up, before anything is built for it."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,40}", spec.name):
        raise LabError(f"{spec.name!r} cannot be a lab's name: letters, digits, _ . - only")
    if not 1 <= spec.count <= MAX_NODES:
        raise LabError(f"a lab has 1 to {MAX_NODES} nodes, not {spec.count}")
    if spec.kernel == "debug" and spec.fs in ("gfs2", "ocfs2"):
        raise LabError(f"the debug kernel has no {spec.fs}; compare on --kernel stock")
    if spec.share and not pathlib.Path(spec.share).is_dir():
        raise LabError(f"--share {spec.share}: not a folder")
    if spec.fs == "cohfs":
        for path in (f"build/{spec.kernel}/cohfs.ko", "tools/mkfs/mkfs.cohfs"):
            if not (cache.REPO / path).exists():
                raise LabError(f"{path} is not there: run make first")


def labs():
    """All labs there is a record of."""
    folder = run_folder()
    return [Lab.load(path.parent.name) for path in sorted(folder.glob("*/lab.json"))]


def new(spec):
    """Makes the lab asked for, in place of a stopped one of the same name."""
    folder = run_folder() / spec.name
    with cache.locked("labs", "making a lab"):
        if (folder / "lab.json").exists() and Lab.load(spec.name).running():
            raise LabError(f"lab {spec.name!r} is running; "
                           f"`lab down --name {spec.name}` stops it")
        shutil.rmtree(folder, ignore_errors=True)
        spec.ring_port = ports.multicast(str(folder), {lab.spec.ring_port for lab in labs()})
        spec.agent_ports = [ports.tcp() for _ in range(spec.count)]
        spec.token = secrets.token_hex(16)
        spec.memory = spec.memory or DEFAULT_MEMORY[spec.kernel]
        lab = Lab(spec)
        lab.create()
    return lab
