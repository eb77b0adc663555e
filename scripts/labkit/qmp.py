"""QEMU's control socket: pausing a guest, cutting its wire."""

import contextlib
import json
import os
import socket

from labkit.errors import LabError

TIMEOUT = 20.0


@contextlib.contextmanager
def unix_connection(path):
    """A connection to a Unix socket, however long its path.

    An address holds 107 bytes and a cache may lie deeper than that, so the
    folder is opened and named through /proc.
    """
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(TIMEOUT)
            connection.connect(f"/proc/self/fd/{folder}/{path.name}")
            yield connection
    finally:
        os.close(folder)


def _answer(stream, name):
    """The reply to a command; events on the way to it do not matter here."""
    for line in stream:
        message = json.loads(line)
        if "error" in message:
            raise LabError(f"QEMU refused {name}: {message['error']['desc']}")
        if "return" in message:
            return message["return"]
    raise LabError(f"QEMU closed its control socket during {name}")


def command(path, name, /, **arguments):
    """Runs one QMP command on the QEMU behind the socket `path`."""
    with unix_connection(path) as connection, connection.makefile("rw") as stream:
        stream.readline()   # the greeting
        for execute, parameters in (("qmp_capabilities", {}), (name, arguments)):
            stream.write(json.dumps({"execute": execute, "arguments": parameters}) + "\n")
            stream.flush()
            answer = _answer(stream, execute)
        return answer
