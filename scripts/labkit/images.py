"""The guests' userland and the part of their initramfs that all nodes share."""

from labkit import kernels
from labkit.cache import REPO, SCRIPTS, Item

GUEST = SCRIPTS / "labkit" / "guest"


def root():
    return Item("root")


def boot(kind):
    """busybox, agent and, for the stock kernel, the modules it needs to find its root."""
    return Item(f"boot-{kind}", files=[GUEST / "agent.c", GUEST / "init"],
                needs={"STOCK": kernels.stock()} if kind == "stock" else {})


def misbehave():
    """The module with which the log gate is tested."""
    folder = REPO / "tests" / "gate"
    return Item("misbehave", files=[folder / "Kbuild", folder / "misbehave.c"],
                needs={"DEBUG": kernels.debug()})
