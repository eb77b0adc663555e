"""The record of a disk: format of dm-log-writes, as QEMU's blklogwrites makes it."""

import dataclasses
import struct

MAGIC = 0x6A736677736872
SUPER = struct.Struct("<QQQI")
ENTRY = struct.Struct("<QQQQ")
FLUSH, FUA, DISCARD = 1, 2, 4


class LogError(Exception):
    """The record is not what it should be."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """A request: `length` bytes at `offset` of the disk; data is at `where` in the log."""

    number: int
    flags: int
    offset: int
    length: int
    where: int


class WriteLog:
    """Reads a record from the start to what its first sector says is the end."""

    def __init__(self, path):
        self.file = open(path, "rb")
        magic, version, self.count, self.sector = SUPER.unpack(self.file.read(SUPER.size))
        if magic != MAGIC or version != 1:
            raise LogError(f"{path} is no record of writes")

    def close(self):
        self.file.close()

    def __iter__(self):
        position = self.sector
        for number in range(self.count):
            self.file.seek(position)
            header = self.file.read(ENTRY.size)
            if len(header) < ENTRY.size:
                raise LogError(f"the record ends before entry {number} of {self.count}")
            sector, sectors, flags, _ = ENTRY.unpack(header)
            length = sectors * self.sector
            position += self.sector
            yield Entry(number, flags, sector * self.sector, length, position)
            if not flags & DISCARD:
                position += length

    def data(self, entry):
        """What was written; nothing for a discard, which leaves anything at all behind."""
        if entry.flags & DISCARD:
            return b""
        self.file.seek(entry.where)
        data = self.file.read(entry.length)
        if len(data) < entry.length:
            raise LogError(f"the record ends within entry {entry.number}")
        return data
