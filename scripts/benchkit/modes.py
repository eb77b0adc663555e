"""What is measured: the modes of tests/cluster/prog/bench.c and how to show them."""

import dataclasses

FILESYSTEMS = ("cohfs", "gfs2", "ocfs2")

PAIRS = 5
# Seconds: a window of a pair, and a mode that has but one window.
FULL = {"pairs": 4.0, "single": 30.0}
QUICK = {"pairs": 1.0, "single": 5.0}
# Of each window of a pair; SETTLING in bench.h.
SETTLING = 0.2


@dataclasses.dataclass(frozen=True)
class Mode:
    """One thing to measure.

    `op` is what one operation is called; in `pairs`, nodes use one file and files
    of their own in turn.  `size` is the bytes of an operation, where that matters.
    Kernel counters are shown per `batch` operations.
    """

    name: str
    title: str
    op: str = ""
    size: int = 0
    batch: int = 1
    least_nodes: int = 1
    pairs: bool = False


def _stores(name, title, op="store"):
    return Mode(name, title, op, 0, 1000, pairs=True)


def _calls(name, title, size, op="write()", batch=1):
    return Mode(name, title, op, size, batch, pairs=True)


# The order is that of the table.
MODES = {mode.name: mode for mode in (
    Mode("alternate", "one word handed over, waiting with stores", "hand-over", least_nodes=2),
    Mode("polling", "one word handed over, waiting with loads", "hand-over", least_nodes=2),
    Mode("follow", "a 100 Hz writer's values that a reader sees", least_nodes=2),
    _stores("neighbours", "each node stores to a page, side by side"),
    _stores("regions", "each node stores in 2 MiB regions of its own"),
    _stores("mixed", "stores and pread/pwrite in turn, every n-th page",
            "store + pread or pwrite + load"),
    Mode("one-writer", "one node stores, the others load", "store or load", 0, 1000,
         least_nodes=2, pairs=True),
    _calls("strided-4k", "write() of every n-th 4 KiB", 4 << 10, batch=1000),
    _calls("strided-64k", "write() of every n-th 64 KiB", 64 << 10),
    _calls("strided-1m", "write() of every n-th 1 MiB", 1 << 20),
    _calls("strided-4k-new", "write() of every n-th 4 KiB of a new file", 4 << 10, batch=1000),
    _calls("strided-64k-new", "write() of every n-th 64 KiB of a new file", 64 << 10),
    _calls("strided-1m-new", "write() of every n-th 1 MiB of a new file", 1 << 20),
    _calls("segmented", "write() of 64 KiB to a contiguous part each", 64 << 10),
    _calls("append", "all append records of 256 bytes", 256, "append", 1000),
    _calls("scan", "all read 64 KiB at a time, and store at times", 64 << 10, "read()"),
    Mode("alone", "create+unlink, one node alone"),
    Mode("own", "create+unlink, nodes in directories of their own"),
    Mode("shared", "create+unlink, nodes in one directory"),
)}

COUNTERS = {"messages": "DLM messages", "reads": "disk reads", "writes": "disk writes",
            "flushes": "disk flushes"}
