"""The QEMU command line of a node, and which accelerator it gets.

Topology, for every lab:

    +--------+  eth0  multicast socket (the cluster; can be cut)  eth0  +--------+
    | node 1 |----------------------------------------------------------| node 2 |
    |        |  eth1  user network: host 127.0.0.1:port -> agent        |        |
    +--------+                                                          +--------+
        |  virtio-blk: shared.img, read and written by all, no host caching  |
        +--------------------------------------------------------------------+
        root.img (and modules.img), read-only, one copy for all labs
"""

import json
import os

from labkit import cache, fence, images, kernels, ports, progress, trial

PROGRAM = "qemu-system-x86_64"
AGENT_PORT = 4455
# What is wanted, crc32 and rdrand, without SMAP or five-level paging to emulate.
TCG_CPU = "Nehalem,+rdrand"
KVM_TRIAL_SECONDS = 15
HELLO = "lab: this guest runs"

KERNEL_COMMAND_LINE = [
    "console=ttyS0", "earlyprintk=serial,ttyS0,115200", "rdinit=/init",
    # An oops ends the node at once, with the evidence already on the console:
    # what runs on after one is neither the kernel under test nor a crashed node.
    "oops=panic", "panic=-1",
    # an emulated timer on a busy host fails the test that this skips
    "no_timer_check",
    "nokaslr", "mitigations=off", "random.trust_cpu=on", "tsc=reliable",
    "watchdog_thresh=60", "sysrq_always_enabled",
]


def _drive(name, path, *, shared=False, readonly=False):
    """A disk with serial number `name`, by which the guest finds it."""
    options = ["if=none", f"id={name}", f"file={path}", "format=raw", "file.locking=off"]
    if readonly:
        options.append("readonly=on")
    else:
        options += ["cache=none", "discard=unmap", "detect-zeroes=off"]
    device = f"virtio-blk-pci,drive={name},serial={name},discard=on,write-zeroes=on"
    if shared:
        device += ",share-rw=on"
    return ["-drive", ",".join(options), "-device", device]


def _logged_drive(name, path, log):
    """The same for the shared disk; writes and flushes are recorded in the order they came."""
    log.touch()
    base = {"driver": "raw", "node-name": f"{name}-raw", "file": {
        "driver": "file", "filename": str(path), "locking": "off", "discard": "unmap",
        "cache": {"direct": True}}}
    return ["-blockdev", json.dumps(base), "-blockdev", json.dumps({
        "driver": "blklogwrites", "node-name": name, "file": f"{name}-raw",
        "log": {"driver": "file", "filename": str(log), "locking": "off"}}),
            "-device", f"virtio-blk-pci,drive={name},serial={name},write-cache=on,"
                       "discard=on,write-zeroes=on,share-rw=on"]


def _share(name, path, readonly):
    """A folder of the host, for the guest to mount as /`name`."""
    fsdev = f"local,id={name},path={path},security_model=none,multidevs=remap"
    return ["-fsdev", fsdev + (",readonly=on" if readonly else ""),
            "-device", f"virtio-9p-pci,fsdev={name},mount_tag={name}"]


def machine(accel):
    """The kind of computer, for QEMU's command line."""
    return ["-machine", f"q35,accel={accel}", "-cpu", "host" if accel == "kvm" else TCG_CPU]


def accelerator():
    """`kvm` if a guest really boots under it, else `tcg`; tried once per machine.

    /dev/kvm being there says little: in a nested machine it may accept
    everything and then never get a guest through its first page of code.
    """
    forced = os.environ.get("COHFS_ACCEL")
    if forced:
        return forced
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    record = cache.base() / f"accelerator-{os.uname().release}-{kernels.release()}"
    with cache.locked("accelerator", "trying KVM"):
        if not record.exists():
            record.write_text(_try_kvm() + "\n", encoding="ascii")
    return record.read_text(encoding="ascii").strip()


def _try_kvm():
    with progress.step("trying whether guests boot under KVM (once)"):
        said = trial.run("stock", machine("kvm"), f"echo {HELLO}\n",
                         append="console=ttyS0 panic=-1", until=HELLO, limit=KVM_TRIAL_SECONDS)
    verdict = "kvm" if HELLO in said else "tcg"
    progress.say(f"guests will run under {verdict}")
    return verdict


def command(node):
    """The command line that boots `node`; sockets and console are in its folder."""
    lab = node.lab
    mac = f"52:54:{lab.spec.ring_port >> 8:02x}:{lab.spec.ring_port & 255:02x}"
    line = [
        PROGRAM, "-name", f"cohfs-{lab.name}-{node.number}",
        "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        *machine(accelerator()), "-smp", str(lab.spec.cpus), "-m", str(lab.spec.memory),
        "-kernel", str(kernels.vmlinux(lab.spec.kernel)), "-initrd", "initrd",
        "-append", " ".join(KERNEL_COMMAND_LINE + lab.spec.append.split()),
        # A socket, so that a sysrq can be typed; what comes out goes to the file.
        "-chardev", "socket,id=console,path=console.sock,server=on,wait=off,"
                    "logfile=console.log,logappend=on",
        "-serial", "chardev:console",
        "-chardev", "socket,id=qmp,path=qmp.sock,server=on,wait=off",
        "-mon", "chardev=qmp,mode=control",
        "-netdev", f"socket,id=ring,mcast={ports.GROUP}:{lab.spec.ring_port},localaddr=127.0.0.1",
        "-device", f"virtio-net-pci,netdev=ring,mac={mac}:00:{node.number:02x},romfile=",
        "-netdev", "user,id=control,restrict=on,ipv6=off,"
                   f"hostfwd=tcp:127.0.0.1:{node.port}-:{AGENT_PORT},{fence.forward(node)}",
        "-device", f"virtio-net-pci,netdev=control,mac={mac}:01:{node.number:02x},romfile=",
    ]
    line += _drive("root", images.root().get() / "root.img", readonly=True)
    if lab.spec.kernel == "stock":
        line += _drive("modules", kernels.stock().get() / "modules.img", readonly=True)
    if lab.spec.write_log:
        line += _logged_drive("shared", lab.disk, lab.folder / f"writes.{node.number}.log")
    else:
        line += _drive("shared", lab.disk, shared=True)
    for number, path in enumerate(node.private_disks(), 1):
        line += _drive(f"private{number}", path)
    line += _share("repo", cache.REPO, True)
    if lab.spec.share:
        line += _share("share", lab.spec.share, False)
    return line
