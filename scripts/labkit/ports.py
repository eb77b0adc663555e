"""Free ports on this host: one multicast group per lab, one TCP port per node."""

import socket
import zlib

from labkit.errors import LabError

GROUP = "230.0.0.1"
FIRST, COUNT = 20000, 10000


def multicast(seed, taken):
    """A port of GROUP nobody else's guests talk on.

    QEMU shares the port among a lab's nodes, so a second lab on it would not
    fail but silently join the first one's network.  Binding without sharing
    tells whether anybody, be it from another cache, has it; `taken` are those
    of labs whose nodes may all be down just now.
    """
    start = zlib.crc32(seed.encode())
    for step in range(COUNT):
        port = FIRST + (start + step) % COUNT
        if port in taken:
            continue
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((GROUP, port))
            except OSError:
                continue
            return port
    raise LabError(f"every UDP port from {FIRST} to {FIRST + COUNT - 1} is in use")


def tcp():
    """A TCP port that was free a moment ago."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
