"""Images whose journals were made to harm: a replay would write where it must not."""

import dataclasses
import pathlib
import struct
import subprocess

from suite.case import COHFS, case
from suite.crash import FSCK
from suite.damage import BLOCK, crc32c, read_block
from suite.death import GONE_SECONDS, Crowd, slot_of, slow_replay, wait_until
from suite.errors import FUNCTIONS, IMAGES, PLACE
from suite.rig import REPO

FS_MB, DEVICE_MB, JOURNAL_MB = 34, 36, 8
MKFS = REPO / "tools" / "mkfs" / "mkfs.cohfs"
SEQUENCE = 1000
MARK = b"written by a replay "

JBD2_MAGIC = 0xC03B3998
DESCRIPTOR, COMMIT, REVOKE = 1, 2, 5
SAME_UUID, LAST_TAG = 2, 8
JSB_MAXLEN, JSB_SEQUENCE, JSB_START, JSB_INCOMPAT, JSB_CHECKSUM = 0x10, 0x18, 0x1C, 0x28, 0xFC
FAST_COMMIT = 0x20

# In: PATCH, whose blocks go to the runs START:COUNT in RUNS; what fsck.cohfs has to make of
# it, FSCK, since it must call no journal good that the kernel refuses.  Behind the filesystem
# nothing is ever written, by a mount that fails nothing at all.
TRY = FUNCTIONS + f"""
behind() {{
	tail -c +$(({FS_MB << 20} + 1)) image | md5sum
}}
""" + """
cp base image
skip=0
for run in $RUNS; do
	dd if=$PATCH of=image bs=4096 skip=$skip seek=${run%:*} count=${run#*:} conv=notrunc 2>/dev/null
	skip=$((skip + ${run#*:}))
done
/repo/tools/fsck/fsck.cohfs -n -f image > fsck.log 2>&1
fsck=$?
[ $fsck = $FSCK ] || { echo "wrong: fsck.cohfs -n ended with $fsck"; cat fsck.log; }
before=$(md5sum image) behind=$(behind)
said=$(mount_image lock=local image 2>&1)
status=$?
if [ $status = 0 ]; then
	umount /mnt/image
else
	[ "$(md5sum image)" = "$before" ] || echo "wrong: a refused mount wrote"
fi
[ "$(behind)" = "$behind" ] || echo "wrong: written behind the filesystem"
echo "mount status $status: $said"
"""


@dataclasses.dataclass
class Geometry:
    """Where things are, from the superblock."""

    blocks: int
    root_ino: int
    first_slot: int
    first_journal: int
    first_group: int
    slots: int
    journal_blocks: int
    copy: int

    @classmethod
    def of(cls, image):
        block = read_block(image, 1)
        wide = struct.unpack_from("<5Q", block, 0x50)
        slots, _, journal_blocks = struct.unpack_from("<3I", block, 0x78)
        return cls(*wide, slots, journal_blocks, *struct.unpack_from("<Q", block, 0x98))

    def journal(self, slot):
        return self.first_journal + slot * self.journal_blocks


class Log:
    """The journal of a slot: transactions are appended to it, then it is a patch."""

    def __init__(self, image, geometry, slot, start):
        self.first = geometry.journal(slot)
        self.length = geometry.journal_blocks
        self.super = bytearray(read_block(image, self.first))
        self.seed = crc32c(self.super[0x30:0x40])
        self.position, self.sequence = start, SEQUENCE
        self.blocks = {}
        self.set(JSB_SEQUENCE, SEQUENCE)
        self.set(JSB_START, start)

    def set(self, offset, value):
        struct.pack_into(">I", self.super, offset, value)

    def append(self, block):
        self.blocks[self.position] = bytes(block)
        self.position = self.position + 1 if self.position + 1 < self.length else 1

    def _sealed(self, block, offset):
        struct.pack_into(">I", block, offset, crc32c(block, self.seed))
        return block

    def _control(self, kind):
        block = bytearray(BLOCK)
        struct.pack_into(">III", block, 0, JBD2_MAGIC, kind, self.sequence)
        return block

    def transaction(self, *targets):
        """Writes a marked block to each of the targets."""
        contents = [(MARK * BLOCK)[:BLOCK] for _ in targets]
        descriptor, offset = self._control(DESCRIPTOR), 12
        for i, (target, block) in enumerate(zip(targets, contents)):
            flags = (SAME_UUID if i else 0) | (LAST_TAG if i + 1 == len(targets) else 0)
            checksum = crc32c(block, crc32c(struct.pack(">I", self.sequence), self.seed))
            struct.pack_into(">IIII", descriptor, offset, target & 0xFFFFFFFF, flags,
                             target >> 32, checksum)
            offset += 16 if i else 32
        self.append(self._sealed(descriptor, BLOCK - 4))
        for block in contents:
            self.append(block)
        self.append(self._sealed(self._control(COMMIT), 0x10))
        self.sequence += 1

    def circle(self):
        """Revoke blocks of one transaction, all the way round."""
        block = self._control(REVOKE)
        struct.pack_into(">I", block, 12, 16)
        self._sealed(block, BLOCK - 4)
        for _ in range(self.length - 1):
            self.append(block)

    def patch(self):
        """[(number, block)] of the image, in order."""
        self.set(JSB_CHECKSUM, 0)
        self.set(JSB_CHECKSUM, crc32c(self.super[:1024]))
        return [(self.first, bytes(self.super))] + [
            (self.first + position, block) for position, block in sorted(self.blocks.items())]


def _runs(patch):
    """START:COUNT of neighbouring blocks."""
    runs = []
    for number, _ in patch:
        if runs and sum(runs[-1]) == number:
            runs[-1][1] += 1
        else:
            runs.append([number, 1])
    return " ".join(f"{start}:{count}" for start, count in runs)


def _hostile(image, at):
    """(name, log, what the kernel has to say about it); nothing: it is harmless."""
    outside = "which is no place for metadata"
    end = at.journal_blocks

    def log(slot, *transactions, start=1, **fields):
        made = Log(image, at, slot, start)
        for targets in transactions:
            made.transaction(*targets)
        for offset, value in fields.items():
            made.set(globals()[offset], value)
        return made

    harmless = at.blocks - 2
    for slot in range(2):
        yield f"harmless, slot {slot}", log(slot, [harmless], [harmless]), ()
        yield (f"behind the filesystem, slot {slot}", log(slot, [at.blocks + 5]),
               (f"journal of slot {slot} is not replayed", f"names block {at.blocks + 5}", outside))
    yield "harmless, wrapped around", log(1, [harmless, at.blocks - 3], start=end - 2), ()
    for name, target in (
            ("boot block", 0), ("superblock", 1), ("its copy", at.copy),
            ("own journal", at.journal(0)), ("another journal", at.journal(1) + 7),
            ("behind the device", 1 << 40), ("2^32 blocks further", (1 << 32) + harmless)):
        yield name, log(0, [target]), (f"names block {target}", outside)
    yield ("second transaction, wrapped around",
           log(1, [harmless], [harmless, at.blocks], start=end - 3),
           (f"its block {1} names block {at.blocks}", outside))
    yield "fast commits", log(0, [harmless], JSB_INCOMPAT=0x13 | FAST_COMMIT), ("features",)
    yield "short", log(0, [harmless], JSB_MAXLEN=end - 1), ("superblock: length",)
    endless = log(0)
    endless.circle()
    yield "no end", endless, ("it has no end",)


def _prepare(trial):
    """An image that is larger than the filesystem on it; its path on the host."""
    image = pathlib.Path(trial.rig.share) / "hostile"
    image.unlink(missing_ok=True)
    for size in FS_MB, DEVICE_MB:
        with open(image, "ab") as handle:
            handle.truncate(size << 20)
        if size == FS_MB:
            made = subprocess.run([MKFS, "-q", "-j2", f"-J{JOURNAL_MB}", image], check=False,
                                  capture_output=True, text=True)
            trial.check(made.returncode == 0, f"mkfs.cohfs: {made.stderr.strip()}")
    trial.shell(0, PLACE + "cp --sparse=always /share/hostile base")
    return image


def _try(trial, image, name, log, words):
    """What is wrong with the mount of that image; an empty list: nothing."""
    blocks = log.patch()
    patch = image.with_name("hostile.patch")
    patch.write_bytes(b"".join(block for _, block in blocks))
    trial.mark(0)
    output = trial.shell(0, f"# {name}\nPATCH=/share/{patch.name}\n"
                            f"RUNS='{_runs(blocks)}'\nFSCK={4 if words else 0}\n{TRY}")
    said = trial.messages(0)
    trial.write(said)
    wrong = [line for line in output.splitlines() if line.startswith("wrong: ")]
    if ("mount status 0" in output) != (not words):
        wrong.append("mounted" if words else "not mounted")
    return wrong + [f"not said: {word}" for word in words if word not in said]


def _replayed(trial, number):
    """Has the block been written by a replay?"""
    return trial.shell(0, f"cd {IMAGES}; dd if=image bs={BLOCK} skip={number} count=1 "
                          f"2>/dev/null | grep -c '{MARK.decode().strip()}' || true").strip() != "0"


@case("309", "hostile-journals", nodes=1, limit=180, filesystems=COHFS, rest=True)
def hostile_journals(trial):
    """A journal that was made to have a replay write behind the filesystem, over the
    superblock or into a journal, in our slot or in another one, is refused with a message:
    the mount fails and not one byte of the device has changed.  fsck.cohfs thinks the same
    of it."""
    image = _prepare(trial)
    at = Geometry.of(image)
    tried = failed = 0
    complaints = []
    for name, log, words in _hostile(image, at):
        wrong = _try(trial, image, name, log, words)
        if not words and not _replayed(trial, at.blocks - 2):
            wrong.append("not replayed")
        tried += 1
        failed += bool(wrong)
        complaints += [f"{name}: {text}" for text in wrong]
    trial.check(not complaints, f"{failed} of {tried}: {'; '.join(complaints)}")
    trial.note(f"{tried} journals")


# --- the journal of a node that dies

DELAY_MS = 20000        # for the journal to be replaced before the replay begins


def _replace_journal(trial, image, slot):
    """A journal that would have a replay write over the superblock."""
    log = Log(image, Geometry.of(image), slot, 1)
    log.transaction(1)
    with open(image, "r+b") as disk:
        for number, block in log.patch():
            disk.seek(number * BLOCK)
            disk.write(block)


def _fsck(trial, image, option, status):
    said = subprocess.run([FSCK, option, "-f", image], check=False, capture_output=True,
                          text=True, errors="replace")
    trial.write(f"# fsck.cohfs {option}: status {said.returncode}\n{said.stdout}{said.stderr}")
    trial.check(said.returncode == status, f"fsck.cohfs {option} ended with {said.returncode}")


@case("524", "hostile-dead", nodes=3, limit=400, filesystems=COHFS, only_long=True)
def hostile_dead(trial):
    """The journal of a node that dies would have its replay write over the superblock: no
    survivor replays it and none gets what the dead one had locked; they withdraw, their
    tasks end with errors, they unmount, and after a repair what they had synchronised is
    there."""
    victim, survivors = 2, (0, 1)
    image = trial.rig.disk
    crowd = Crowd(trial, range(3))
    crowd.wait_for_round(3)
    slot = slot_of(trial, victim)
    trial.rig.hasten()
    slow_replay(trial, survivors, DELAY_MS)
    trial.rig.kill(victim)
    crowd.lose(victim)
    superblock = read_block(image, 1)
    _replace_journal(trial, image, slot)
    wait_until(trial, "the survivors withdraw",
               lambda: all("withdrawn" in trial.messages(node) for node in survivors),
               GONE_SECONDS)
    said = "".join(trial.messages(node) for node in survivors)
    trial.check("names block 1, which is no place for metadata" in said, "not said why")
    acked = {node: crowd.lose(node) for node in survivors}
    for node in survivors:
        trial.unmount(node)
    trial.check(read_block(image, 1) == superblock, "the superblock was written")
    _fsck(trial, image, "-n", 4)
    _fsck(trial, image, "-y", 1)
    _fsck(trial, image, "-n", 0)
    trial.rig.start(victim)
    trial.rig.relax()
    trial.mount_all()
    for node in range(3):
        for writer in survivors:
            crowd.verify(node, writer, acked[writer])
