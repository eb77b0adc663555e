"""One guest: its folder, its QEMU, commands in it."""

import contextlib
import subprocess
import threading

from labkit import agent, fence, images, initramfs, process, qemu, qmp
from labkit.errors import LabError


class Node:
    """A node of `lab`, running or not.  Numbers start at 1, as corosync's do."""

    def __init__(self, lab, number, port):
        self.lab = lab
        self.number = number
        self.port = port
        self.folder = lab.folder / f"node{number}"
        self.console = self.folder / "console.log"
        self.qemu_log = self.folder / "qemu.log"
        self.pid_file = self.folder / "pid"
        self.cut_mark = self.folder / "cut"
        self.name = f"node{number}"
        self.address = f"10.10.0.{number}"

    # --- the machine

    def pid(self):
        return process.running(self.pid_file)

    def private_disks(self):
        return [self.folder / f"private{n}.img" for n in range(1, self.lab.spec.disks + 1)]

    def create(self):
        """Makes the node's folder and its private disks, empty."""
        self.folder.mkdir(parents=True)
        for path in self.private_disks():
            self.lab.make_disk(path)

    def _files(self):
        """What the guest finds in /lab: who it is and how it joins."""
        shares = ["repo:ro,cache=none"] + (["share:rw,cache=none"] if self.lab.spec.share else [])
        settings = {
            "NODE_NAME": self.name, "NODE": self.number, "RING_ADDRESS": self.address,
            "SHARES": " ".join(shares), "PRIVATE_DISKS":
                " ".join(str(n) for n in range(1, self.lab.spec.disks + 1)),
            "FENCE": f"{fence.ADDRESS}:{fence.PORT}",
            **self.lab.guest_settings()}
        env = "".join(f"{name}='{value}'\n" for name, value in settings.items())
        hosts = "".join(f"{node.address} {node.name}\n" for node in self.lab.nodes)
        return {"env": env.encode(), "hosts": hosts.encode(),
                "token": self.lab.spec.token.encode() + b"\n",
                "corosync.conf": self.lab.corosync_conf().encode(),
                **{name: (images.GUEST / name).read_bytes()
                   for name in ("node.sh", "fence", "dlm.conf")}}

    def power_on(self):
        """Starts QEMU; the guest's first words are still to come."""
        self.cut_mark.unlink(missing_ok=True)
        initramfs.write(self.folder / "initrd",
                        images.boot(self.lab.spec.kernel).get() / "tree", self._files())
        with open(self.qemu_log, "wb") as log:
            started = subprocess.Popen(
                qemu.command(self), cwd=self.folder, stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        process.remember(self.pid_file, started.pid)
        process.hand_on_niceness(started.pid)
        # Reaped when it dies, lest a zombie pass for a running node meanwhile.
        threading.Thread(target=started.wait, daemon=True).start()

    def power_off(self):
        """Pulls the plug; False if the node was off."""
        return process.kill(self.pid_file)

    def control(self, command, /, **arguments):
        self._require_running()
        return qmp.command(self.folder / "qmp.sock", command, **arguments)

    def sysrq(self, key):
        """Types a sysrq on the console, which works when userspace no longer does."""
        self._require_running()
        with qmp.unix_connection(self.folder / "console.sock") as line:
            self.control("chardev-send-break", id="console")
            line.sendall(key.encode())

    def set_wire(self, connected):
        """Plugs the cluster's wire in or out; QEMU cannot be asked which it is."""
        self.control("set_link", name="ring", up=connected)
        if connected:
            self.cut_mark.unlink(missing_ok=True)
        else:
            self.cut_mark.touch()

    def state(self):
        """off, running, paused, and whether cut off, for people to read."""
        if self.pid() is None:
            return "off"
        status = self.control("query-status")["status"]
        return f"{status}, cut" if self.cut_mark.exists() else status

    def reachable(self):
        """Whether other nodes can expect an answer from it."""
        return self.state() == "running"

    def console_size(self):
        return self.console.stat().st_size if self.console.exists() else 0

    def console_from(self, offset):
        """What the console has said since it had `offset` bytes."""
        with contextlib.suppress(FileNotFoundError), open(self.console, "rb") as handle:
            handle.seek(offset)
            return handle.read()
        return b""

    def _require_running(self):
        if self.pid() is None:
            raise agent.Lost(f"{self.name} is not running")

    def _last_of_qemu(self):
        """What QEMU has said, if anything: it is silent while all is well."""
        said = self.qemu_log.read_text(encoding="utf-8", errors="replace").strip()
        return f"; QEMU said: {said[-500:]}" if said else ""

    # --- commands in it

    def run(self, argv, sink, stdin=None, timeout=None):
        """Runs a command in the guest; see agent.Call."""
        self._require_running()
        try:
            return agent.Call(self.port, self.lab.spec.token, argv, sink, stdin).run(timeout)
        except agent.Lost as error:
            now = "" if self.pid() else f", and the node is off{self._last_of_qemu()}"
            raise agent.Lost(f"{self.name}: {error}{now}") from error


def numbers(nodes, which):
    """The nodes meant by `all` or a number, as given on a command line."""
    if which == "all":
        return list(nodes)
    with contextlib.suppress(ValueError):
        for node in nodes:
            if node.number == int(which):
                return [node]
    raise LabError(f"there is no node {which!r}: it is 1 to {len(nodes)}, or all")
