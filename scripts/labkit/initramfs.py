"""Writes an initramfs: a cpio archive of a folder and a few generated files.

The kernel's own format ("newc") is a fixed header per file and padding to four
bytes, which is less than calling cpio and staging what differs per node.
"""

import os
import stat


def _pad(data):
    return data + b"\0" * (-len(data) % 4)


def _entry(name, mode, data=b""):
    fields = [0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return _pad(header + name.encode() + b"\0") + _pad(data)


def _folder(path, prefix=""):
    """The entries of everything below `path`."""
    for item in sorted(os.scandir(path), key=lambda item: item.name):
        name = prefix + item.name
        mode = item.stat(follow_symlinks=False).st_mode
        if item.is_dir(follow_symlinks=False):
            yield _entry(name, mode)
            yield from _folder(item.path, name + "/")
        else:
            with open(item.path, "rb") as handle:
                yield _entry(name, mode, handle.read())


def write(path, tree, node_files):
    """An initramfs of `tree` with `node_files`, a {name: bytes}, below /node."""
    directory = stat.S_IFDIR | 0o755
    with open(path, "wb") as out:
        out.writelines(_folder(tree))
        out.write(_entry("node", directory))
        for name, data in node_files.items():
            mode = 0o755 if data.startswith(b"#!") else 0o600
            out.write(_entry(f"node/{name}", stat.S_IFREG | mode, data))
        out.write(_entry("TRAILER!!!", 0))
