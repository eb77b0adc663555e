"""The two kernels guests boot, and what modules for them are built against.

Both are the version of the installed linux-headers-6.12-amd64: a module built
here must load there, and the debug kernel should differ from the stock one in
its configuration only.
"""

import functools
import pathlib
import subprocess

from labkit.cache import SCRIPTS, Item
from labkit.errors import LabError

KINDS = ("stock", "debug")
HEADERS = "linux-headers-6.12-amd64"


def _package_field(package, field):
    """One field of an installed package, or '' if it is not installed."""
    found = subprocess.run(
        ["dpkg-query", "-W", f"-f=${{db:Status-Abbrev}}|${{{field}}}", package],
        capture_output=True, text=True, check=False)
    status, _, value = found.stdout.partition("|")
    return value if status.startswith("ii") else ""


@functools.lru_cache(maxsize=None)
def version():
    """The Debian package version both kernels have, e.g. 6.12.117-1~deb12u1."""
    found = _package_field(HEADERS, "Version")
    if not found:
        raise LabError(f"{HEADERS} is not installed: run scripts/setup-host as root")
    return found


@functools.lru_cache(maxsize=None)
def release():
    """What `uname -r` says under the stock kernel, e.g. 6.12.117+deb12-amd64."""
    prefix = "linux-headers-"
    for dependency in _package_field(HEADERS, "Depends").split(","):
        name = dependency.split()[0]
        if name.startswith(prefix):
            return name[len(prefix):]
    raise LabError(f"{HEADERS} depends on no kernel headers; is it installed properly?")


def source():
    return Item("source", settings={"VERSION": version()})


@functools.lru_cache(maxsize=None)
def compiler():
    """The compiler's version; a module must be built with the one its kernel was."""
    try:
        return subprocess.run(["gcc", "-dumpfullversion"], capture_output=True, text=True,
                              check=True).stdout.strip()
    except FileNotFoundError:
        raise LabError("gcc is not installed: run scripts/setup-host as root") from None


def debug():
    return Item("debug", files=[SCRIPTS / "kernel-debug.config"],
                settings={"COMPILER": compiler()}, needs={"SOURCE": source()})


def stock():
    return Item("stock", settings={"VERSION": version(), "RELEASE": release()})


def vmlinux(kind):
    """The kernel image QEMU boots."""
    if kind == "debug":
        return debug().get() / "build" / "vmlinux"
    return stock().get() / "vmlinux"


def kdir(kind):
    """The directory to give to `make -C` when building a module."""
    if kind == "debug":
        return debug().get() / "build"
    return pathlib.Path("/usr/src") / f"linux-headers-{release()}"
