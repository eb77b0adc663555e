"""Where a guest's output goes: straight through, or by line with the node's name."""

import sys
import threading

_lock = threading.Lock()


def _stream(name):
    return sys.stdout.buffer if name == "out" else sys.stderr.buffer


def passthrough(name, data):
    stream = _stream(name)
    stream.write(data)
    stream.flush()


class Prefixed:
    """Whole lines only, so that those of different nodes never run together."""

    def __init__(self, prefix):
        self.prefix = prefix.encode() + b": "
        self.partial = {"out": b"", "err": b""}

    def __call__(self, name, data):
        complete, newline, rest = (self.partial[name] + data).rpartition(b"\n")
        self.partial[name] = rest
        if newline:
            self._write(name, complete)

    def flush(self):
        """Ends a last line that had no newline."""
        for name, rest in self.partial.items():
            if rest:
                self._write(name, rest)
                self.partial[name] = b""

    def _write(self, name, text):
        lines = b"".join(self.prefix + line + b"\n" for line in text.split(b"\n"))
        with _lock:
            passthrough(name, lines)
