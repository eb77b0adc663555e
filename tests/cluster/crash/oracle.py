"""What tests/cluster/prog/crash.c has done, and what may be found after a crash.

Its lines say what had begun and what had been acknowledged.  Names and links are changed
in one journal, so what is found of them must be the state after some operation that is
not before the last acknowledged synchronisation and has begun.  The size of a file that
is written to follows its data: at that moment it may be any that the file has had since it
was synchronised or truncated.  Data is not in the journal: each slot may be as any
operation left it since the file was last synchronised; but what a file grew by is there
as soon as its size is.  A slot that was never of this file must never be seen.
"""

import struct

MARK = b"cohfs-crash "
SLOT = 512
MAGIC = 0x746F6C736873666F
M64 = (1 << 64) - 1
ZERO = 0	# what a slot holds that nothing was written to


class Wrong(Exception):
    """A crash would have lost or invented something; the text says what."""


def hash64(x):
    """The same as in tests/cluster/prog/file.c."""
    x = (x ^ x >> 33) * 0xFF51AFD7ED558CCD & M64
    x = (x ^ x >> 33) * 0xC4CEB9FE1A85EC53 & M64
    return x ^ x >> 33


def slot_of(label, index, op):
    pattern = hash64((label << 40 ^ index << 20 ^ op) & M64)
    words = [MAGIC, label, index, op] + [(pattern + w) & M64 for w in range(SLOT // 8 - 4)]
    return struct.pack("<64Q", *words)


class File:
    """What is known of one file, whatever its names: a history of each slot."""

    def __init__(self, label, op):
        self.label = label
        self.slots = {}		# index -> [(operation, value)], ascending
        self.size = 0		# in slots
        self.floors = [(op, 0)]	# (operation, size): since then it has only grown
        self.synced = op	# data: nothing from before may be missing
        self.changed = op	# last change of its size, or its creation
        self.named = op		# last change of its names

    def put(self, first, count, op, value):
        for index in range(first, first + count):
            before = [] if index >= self.size and value != ZERO else [(0, ZERO)]
            self.slots.setdefault(index, before).append((op, value))

    def least_size(self, op):
        """What the size was at least when the names were as after `op`."""
        return [size for floor, size in self.floors if floor <= op][-1]

    def allowed(self, index):
        """The values a slot may have, the synchronised one first."""
        history = self.slots.get(index, [(0, ZERO)])
        since = [i for i, (op, _) in enumerate(history) if op <= self.synced]
        return {value for _, value in history[since[-1] if since else 0:]}


class Oracle:
    """Is told the lines in their order; judges what is found at any moment between."""

    def __init__(self):
        self.files = {}			# label -> File
        self.names = {}			# path -> label, or "d" for a directory
        self.states = [self._state()]	# after each operation
        self.begun = 0
        self.durable = 0		# no earlier state may be found
        self.pending = None
        self.acknowledged = 0

    def _state(self):
        return {path: (label if label == "d" else (label, self.files[label].size))
                for path, label in self.names.items()}

    # --- being told

    def line(self, text):
        words = text.split()
        kind, op, rest = words[2], int(words[3]), words[4:]
        if kind == "B":
            self.begun = op
            self.pending = rest
            self._apply(op, rest)
            self.states.append(self._state())
        elif kind == "A":
            self._acknowledge(op, self.pending)
            self.pending = None
            self.acknowledged += 1

    def _apply(self, op, words):
        name, *rest = words
        getattr(self, "_op_" + name)(op, *rest)

    def _op_create(self, op, label, path):
        self.files[int(label)] = File(int(label), op)
        self.names[path] = int(label)

    def _op_write(self, op, label, first, count):
        file, first, count = self.files[int(label)], int(first), int(count)
        file.put(first, count, op, op)
        if first + count > file.size:
            file.size = first + count
            file.changed = op

    _op_swrite = _op_write

    def _op_truncate(self, op, label, slots):
        file, slots = self.files[int(label)], int(slots)
        gone = range(slots, max(file.size, max(file.slots, default=0) + 1))
        for index in gone:	# those that nothing was written to, too: they were zero
            file.put(index, 1, op, ZERO)
        if slots != file.size:
            file.changed = op
            file.floors.append((op, slots))
        file.size = slots

    def _op_punch(self, op, label, first, count):
        self.files[int(label)].put(int(first), int(count), op, ZERO)

    def _op_link(self, op, old, new):
        self.names[new] = self.names[old]
        self.files[self.names[old]].named = op

    def _op_unlink(self, op, path):
        self.files[self.names.pop(path)].named = op

    def _op_rename(self, op, old, new):
        file = self.files[self.names[old]]
        if new in self.names:	# what replaces a file is there whole
            file.floors.append((op, file.size))
        self.names[new] = self.names.pop(old)
        file.named = op

    def _op_mkdir(self, _op, path):
        self.names[path] = "d"

    def _op_rmdir(self, _op, path):
        del self.names[path]

    def _op_sync(self, op, label):
        pass

    _op_allocate = _op_fsync = _op_sync

    def _op_syncfs(self, _op):
        pass

    def _acknowledge(self, op, words):
        if words[0] == "syncfs":
            self.durable = op
            for file in self.files.values():
                file.synced = op
                file.floors.append((op, file.size))
        elif words[0] in ("sync", "fsync"):
            file = self.files[int(words[1])]
            file.synced = op
            file.floors.append((op, file.size))
            self.durable = max(self.durable, file.changed)
            if words[0] == "fsync":
                self.durable = max(self.durable, file.named)
        elif words[0] == "swrite":
            file = self.files[int(words[1])]
            self.durable = max(self.durable, file.changed)
            file.floors.append((op, file.size))
            for index in range(int(words[2]), int(words[2]) + int(words[3])):
                # what was there before cannot come back
                file.slots[index] = [(0, op)]

    # --- judging

    def judge(self, found):
        """`found`: path -> "d", or the inode number and a function that gives the bytes."""
        sizes = {path: "d" if what == "d" else len(what[1]) for path, what in found.items()}
        state = self._matching_state(sizes)
        inodes = {}
        for path, what in found.items():
            if what == "d":
                continue
            label = state[path][0]
            if inodes.setdefault(label, what[0]) != what[0]:
                raise Wrong(f"{path} is a name of file {label}, but another inode")
            self._judge_data(path, self.files[label], what[1])

    def _fits(self, op, what, size):
        """Is this what a path may be, size in bytes, when names are as after `op`?"""
        if "d" in (what, size) or None in (what, size):
            return what == size
        label, slots = what
        return (size % SLOT == 0 and
                self.files[label].least_size(op) <= size // SLOT <= slots)

    def _matching_state(self, sizes):
        for op in range(self.begun, self.durable - 1, -1):
            state = self.states[op]
            if state.keys() == sizes.keys() and all(
                    self._fits(op, what, sizes[path]) for path, what in state.items()):
                return state
        raise Wrong(self._closest(sizes))

    def _closest(self, sizes):
        def differences(op):
            state = self.states[op]
            wanted = {path: what if what == "d" else what[1] * SLOT
                      for path, what in state.items()}
            return sorted(f"{path}: {sizes.get(path, 'missing')}, not {wanted.get(path, 'there')}"
                          for path in wanted.keys() | sizes.keys()
                          if not self._fits(op, state.get(path), sizes.get(path)))
        best = min(range(self.durable, self.begun + 1), key=lambda op: len(differences(op)))
        return (f"names and sizes are those of no moment between operation {self.durable}, "
                f"which was synchronised, and {self.begun}; closest is {best}: "
                + "; ".join(differences(best)[:4]))

    def _judge_data(self, path, file, data):
        for index in range(len(data) // SLOT):
            slot = data[index * SLOT:(index + 1) * SLOT]
            allowed = file.allowed(index)
            if slot == bytes(SLOT):
                if ZERO in allowed:
                    continue
                raise Wrong(f"{path}: slot {index} is empty, operation {min(allowed)} is lost")
            words = struct.unpack_from("<4Q", slot)
            if words[0] != MAGIC or words[1:3] != (file.label, index):
                raise Wrong(f"{path}: slot {index} of file {file.label} holds "
                            f"{slot[:32].hex(' ', 8)}: not of this file")
            if slot != slot_of(*words[1:4]):
                raise Wrong(f"{path}: slot {index} is torn")
            if words[3] not in allowed:
                raise Wrong(f"{path}: slot {index} is of operation {words[3]}, may be of "
                            f"{sorted(allowed)}")
