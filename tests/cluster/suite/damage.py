"""Damaged images: which bytes to change so that the block's checksum is right again.

Offsets are those of include/uapi/linux/cohfs_ondisk.h.  A wrong value behind a
right checksum is what a bug, another implementation or an attacker leaves.
"""

import dataclasses
import struct

BLOCK = 4096
MAGIC = 0x46484F43
CRC_OFFSET = 0x2C
SUPER, SLOT, GROUP, INODE, MAP, LEAF = range(1, 7)
TYPES = {SUPER: "super", SLOT: "slot", GROUP: "group", INODE: "inode", MAP: "map",
         LEAF: "leaf"}
HUGE = 0xFFFFFFFFFFFFFFF0

# type: (what, offset, size, value)
FIELDS = {
    SUPER: [
        ("block size", 0x4C, 4, 1024), ("no blocks", 0x50, 8, 0),
        ("more blocks than the device", 0x50, 8, 1 << 40), ("root ino 0", 0x58, 8, 0),
        ("root ino beyond the end", 0x58, 8, HUGE), ("slots at 0", 0x60, 8, 0),
        ("slots beyond the end", 0x60, 8, HUGE), ("journals at 0", 0x68, 8, 0),
        ("journals beyond the end", 0x68, 8, HUGE), ("groups at 0", 0x70, 8, 0),
        ("groups beyond the end", 0x70, 8, HUGE), ("no slots", 0x78, 4, 0),
        ("1000 slots", 0x78, 4, 1000), ("no groups", 0x7C, 4, 0),
        ("too many groups", 0x7C, 4, 0xFFFFFFF0), ("empty journals", 0x80, 4, 0),
        ("huge journals", 0x80, 4, 0xFFFFFFF0), ("unknown incompat feature", 0x48, 4, 1 << 30),
        ("not our magic", 0, 4, 0x12345678), ("not a superblock", 4, 2, GROUP),
        ("other block number", 8, 8, 2), ("lock table without end", 0xE0, 128, b"x" * 128),
        ("lock table without colon", 0xE0, 8, b"nocolon\0"),
    ],
    SLOT: [
        ("pool too large", 0x50, 4, 10000), ("pool of zeroes", 0x60, 16, bytes(16)),
        ("pool beyond the end", 0x60, 8, HUGE), ("no orphan directory", 0x48, 8, 0),
        ("orphan directory beyond the end", 0x48, 8, HUGE),
        ("other block number", 8, 8, 1), ("free delta", 0x40, 8, 1 << 62),
    ],
    GROUP: [
        ("more free than blocks", 0x40, 4, 0x7FFFFFFF), ("too many blocks", 0x44, 4, 0xFFFFFFFF),
        ("no blocks", 0x44, 4, 0), ("bitmap clear", 0x80, 1024, bytes(1024)),
        ("bitmap full", 0x80, 1024, b"\xff" * 1024), ("other group", 0x20, 8, 77),
    ],
    INODE: [
        ("no mode", 0x40, 4, 0), ("mode of nothing", 0x40, 4, 0xFFFF),
        ("directory becomes file", 0x40, 4, 0o100644), ("file becomes directory", 0x40, 4, 0o40755),
        ("becomes a symlink", 0x40, 4, 0o120777), ("becomes a device", 0x40, 4, 0o20666),
        ("no links", 0x4C, 4, 0), ("size", 0x50, 8, HUGE), ("nanoseconds", 0x78, 4, 0xFFFFFFFF),
        ("orphan slot", 0xB0, 4, 1000), ("generation", 0x28, 4, 0x7777),
        ("other block number", 8, 8, 12345), ("other owner", 0x20, 8, 12345),
        ("parent", 0xA8, 8, HUGE), ("other filesystem", 0x10, 16, b"s" * 16),
    ],
    MAP: [
        ("level", 0x40, 2, 200), ("level of a node", 0x40, 2, 1), ("count", 0x42, 2, 60000),
        ("no records", 0x42, 2, 0), ("first block 0", 0x68, 8, 0),
        ("first block beyond the end", 0x68, 8, HUGE), ("first block is the superblock", 0x68, 8, 1),
        ("length 0", 0x70, 4, 0), ("huge length", 0x70, 4, 0xFFFFFFFF),
        ("key", 0x60, 8, HUGE), ("flags", 0x74, 4, 0xFFFF), ("other generation", 0x28, 4, 0x7777),
        ("points to itself", 0x68, 8, "own number"),
    ],
    LEAF: [
        ("count", 0x40, 2, 60000), ("used", 0x42, 2, 60000), ("record length 0", 0x64, 2, 0),
        ("odd record length", 0x64, 2, 7), ("huge record length", 0x64, 2, 0xFFF8),
        ("name length 0", 0x66, 1, 0), ("name length", 0x66, 1, 255), ("inode 0", 0x50 + 8, 8, 0),
        ("inode beyond the end", 0x50 + 8, 8, HUGE), ("inode is the superblock", 0x50 + 8, 8, 1),
        ("type", 0x67, 1, 99), ("key", 0x50, 8, HUGE), ("slash in the name", 0x68, 1, b"/"),
        ("other owner", 0x20, 8, 12345), ("generation", 0x60, 4, 0x7777),
    ],
}


def _table():
    entries = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        entries.append(byte)
    return entries


_TABLE = _table()


def crc32c(data, value=0xFFFFFFFF):
    """As the kernel's crc32c(value, ...): no final inversion."""
    for byte in data:
        value = value >> 8 ^ _TABLE[(value ^ byte) & 0xFF]
    return value


def sealed(block):
    """The block with its checksum made right."""
    zeroed = block[:CRC_OFFSET] + bytes(4) + block[CRC_OFFSET + 4:]
    return block[:CRC_OFFSET] + struct.pack("<I", crc32c(zeroed)) + block[CRC_OFFSET + 4:]


@dataclasses.dataclass
class Damage:
    """One block to replace in the image."""

    name: str
    number: int
    block: bytes

    @property
    def of_super(self):
        return self.name.startswith("super")


def blocks_of(image):
    """{type: [block number, ...]} of the metadata blocks in an image file."""
    found = {kind: [] for kind in TYPES}
    with open(image, "rb") as handle:
        number = 0
        while head := handle.read(BLOCK):
            magic, kind, _, own = struct.unpack_from("<IHHQ", head)
            if magic == MAGIC and kind in found and own == number:
                found[kind].append(number)
            number += 1
    return found


def read_block(image, number):
    with open(image, "rb") as handle:
        handle.seek(number * BLOCK)
        return handle.read(BLOCK)


def check_image(image):
    """Does crc32c() here agree with mkfs?  If not, no damage would be what it says."""
    block = read_block(image, 1)
    return sealed(block) == block


def damages(image, per_type):
    """All damages, each to the first `per_type` blocks of its type."""
    every = []
    for kind, numbers in blocks_of(image).items():
        for number in numbers[:per_type if kind != SUPER else 1]:
            block = read_block(image, number)
            every += _of_block(kind, number, block)
    return every


def _of_block(kind, number, block):
    where = f"{TYPES[kind]} {number}"
    flipped = block[:0x100] + bytes([block[0x100] ^ 0x10]) + block[0x101:]
    yield Damage(f"{where}: flipped bit", number, flipped)
    yield Damage(f"{where}: zeroes", number, bytes(BLOCK))
    for what, offset, size, value in FIELDS[kind]:
        if value == "own number":
            value = number
        raw = value if isinstance(value, bytes) else value.to_bytes(size, "little")
        yield Damage(f"{where}: {what}", number,
                     sealed(block[:offset] + raw + block[offset + size:]))
