"""States of a disk that a crash could have left, made from a record of its writes.

Between two flushes a disk may keep any of the writes it was given, and lose the others.
So besides the state at each flush, with everything that was written before it, states
are tried in which some moment between two flushes is chosen, and any part of what was
written since the first of them is lost.
"""

import os

from crash.oracle import MARK
from crash.writelog import DISCARD, FLUSH, FUA

# What the disk holds where nothing was ever written: nobody may see it.
STALE = b"\xdb"
CHUNK = 1 << 20


class Replay:
    """An image that goes from flush to flush, with excursions."""

    def __init__(self, log, image, size):
        self.log = log
        self.size = size
        self.fd = os.open(image, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        for offset in range(0, size, CHUNK):
            os.pwrite(self.fd, STALE * min(CHUNK, size - offset), offset)

    def close(self):
        os.close(self.fd)

    def windows(self):
        """Lists of the entries between two flushes; the flush is the last of each."""
        window = []
        for entry in self.log:
            window.append(entry)
            if entry.flags & FLUSH:
                yield window
                window = []
        if window:
            yield window

    def apply(self, entries):
        for entry in entries:
            if entry.offset >= self.size:
                continue
            if entry.flags & DISCARD:
                data = STALE * entry.length
            else:
                data = self.log.data(entry)
            os.pwrite(self.fd, data[:self.size - entry.offset], entry.offset)

    def save(self, entries):
        """What is there now, for restore()."""
        return [(entry.offset, os.pread(self.fd, entry.length, entry.offset))
                for entry in entries if entry.offset < self.size and entry.length]

    def restore(self, saved):
        for offset, data in reversed(saved):
            os.pwrite(self.fd, data, offset)

    def line(self, entry):
        """The line of crash.c that an entry writes, or None."""
        if entry.offset < self.size or not entry.length:
            return None
        data = self.log.data(entry)
        if not data.startswith(MARK):
            return None
        return data[:data.index(b"\n")].decode("ascii")


def lose(entries, rng):
    """A part of `entries` that a disk may have kept: what it was told to keep, for sure."""
    share = rng.choice((0.2, 0.5, 0.9))
    return [entry for entry in entries if entry.flags & FUA or rng.random() < share]


def cut(window, rng):
    """The entries up to some moment in a window."""
    return window[:rng.randrange(len(window) + 1)]


def states(replay, per_window, share, rng):
    """Yields (what, lines) for each state of a `share` of the flushes.

    The image is in that state meanwhile; `lines` are those of the program that had come
    by then.  Nothing is yielded before its first.
    """
    told = []
    for number, window in enumerate(replay.windows()):
        wanted = told and rng.random() < share
        for _ in range(per_window if wanted else 0):
            until = cut(window, rng)
            kept = lose(until, rng)
            saved = replay.save(kept)
            replay.apply(kept)
            lines = [line for line in map(replay.line, until) if line]
            yield f"flush {number} + {len(until)}, {len(kept)} kept", told + lines
            replay.restore(saved)
        replay.apply(window)
        told += [line for line in map(replay.line, window) if line]
        if wanted:
            yield f"flush {number}", told
