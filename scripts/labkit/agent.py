"""Runs commands in a guest through its agent (guest/agent.c has the protocol).

A command's life is its connection's: when this process goes away, however it
goes, the kernel closes the socket and the agent kills the command.
"""

import os
import select
import socket
import struct
import time

from labkit.errors import LabError

HEADER = struct.Struct(">cI")
CHUNK = 65536
TIMED_OUT = 124         # as timeout(1) has it
UNREACHABLE = 255       # as ssh(1) has it


class Lost(LabError):
    """The node went away, or never answered, while a command was running."""


def _frame(kind, payload=b""):
    return HEADER.pack(kind, len(payload)) + payload


class Call:
    """One command in one guest.

    `sink(stream, data)` receives the output, stream being "out" or "err".
    `stdin` is a file descriptor to pass on, or None for an empty standard input.
    """

    def __init__(self, port, token, argv, sink, stdin=None):
        self.sink = sink
        self.stdin = stdin
        self.status = None
        self.received = b""
        self.to_send = b"".join([
            _frame(b"C", b"".join(os.fsencode(word) + b"\0" for word in [token, *argv])),
            _frame(b"I") if stdin is None else b""])
        try:
            self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        except OSError as error:
            raise Lost(f"its agent cannot be reached: {error.strerror}") from error
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)

    def run(self, timeout=None):
        """The exit status; TIMED_OUT if the command was killed for taking too long."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with self.socket:
            while self.status is None:
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return TIMED_OUT
                self._pump(left)
        return self.status

    def _pump(self, timeout):
        """Waits for one of the streams to move.

        While bytes are still to be sent no more stdin is read: that is how a
        slow command slows down whoever feeds it.
        """
        reading, writing = [self.socket], []
        if self.to_send:
            writing.append(self.socket)
        elif self.stdin is not None:
            reading.append(self.stdin)
        readable, writable, _ = select.select(reading, writing, [], timeout)
        try:
            if writable:
                sent = self.socket.send(self.to_send)
                self.to_send = self.to_send[sent:]
            data = self.socket.recv(CHUNK * 4) if self.socket in readable else None
        except ConnectionError as error:
            raise Lost("the connection to its agent broke") from error
        if data is not None:
            self._receive(data)
        if self.stdin in readable:
            self._read_stdin()

    def _read_stdin(self):
        data = os.read(self.stdin, CHUNK)
        self.to_send += _frame(b"I", data)
        if not data:
            self.stdin = None

    def _receive(self, data):
        """Takes in what came from the agent, frame by frame."""
        if not data:
            raise Lost("its agent hung up")
        self.received += data
        while len(self.received) >= HEADER.size:
            kind, length = HEADER.unpack_from(self.received)
            end = HEADER.size + length
            if len(self.received) < end:
                return
            payload = self.received[HEADER.size:end]
            self.received = self.received[end:]
            if kind == b"X":
                self.status = payload[0]
            else:
                self.sink("out" if kind == b"O" else "err", payload)
