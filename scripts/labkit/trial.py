"""A guest without disks or network that runs one small script and is watched.

For questions about the machine itself: does KVM work, does the log gate see
what a kernel prints.
"""

import contextlib
import pathlib
import subprocess
import tempfile
import time

from labkit import images, initramfs, kernels

POLL = 0.05
MEMORY = 512
PREAMBLE = """\
#!/bin/busybox sh
/bin/busybox mkdir -p /dev /proc /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
"""


def run(kernel, machine, init, *, append, until, limit, files=None):
    """Boots `kernel` into the busybox script `init`; returns what its console said.

    Ends when the console says `until`, when QEMU ends, or after `limit` seconds.
    `machine` is QEMU's -machine and -cpu; `files` go into the initramfs.
    """
    with tempfile.TemporaryDirectory(prefix="cohfs-trial-") as folder:
        initrd, console = pathlib.Path(folder, "initrd"), pathlib.Path(folder, "console")
        script = (PREAMBLE + init).encode()
        initramfs.write(initrd, images.boot(kernel).get() / "tree",
                        {"init": script, **(files or {})})
        command = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none",
                   "-no-reboot", *machine, "-m", str(MEMORY),
                   "-kernel", str(kernels.vmlinux(kernel)), "-initrd", str(initrd),
                   "-append", f"{append} rdinit=/node/init", "-serial", f"file:{console}"]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as guest:
            try:
                _watch(guest, console, until, limit)
            finally:
                guest.kill()
        return _read(console)


def _watch(guest, console, until, limit):
    deadline = time.monotonic() + limit
    while guest.poll() is None and time.monotonic() < deadline and until not in _read(console):
        time.sleep(POLL)


def _read(console):
    with contextlib.suppress(FileNotFoundError):
        return console.read_text(encoding="utf-8", errors="replace")
    return ""
