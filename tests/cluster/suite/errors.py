"""What must be refused, and how: images, options, devices, clusters."""

import pathlib

from suite import damage
from suite.case import COHFS, Failure, case
from suite.rig import MOUNT_POINT, on_each

IMAGES = "/tmp/images"
IMAGE_MB = 64
MKFS = "/repo/tools/mkfs/mkfs.cohfs"

# A loop device of our own: `mount -o loop` keeps it open for writing meanwhile,
# which a kernel may take for a reason to refuse.
FUNCTIONS = f"""# an image in {IMAGES}
mount_image() {{ # OPTIONS FILE
	device=$(losetup -f --show $2) || return
	mount -t cohfs -o $1 $device /mnt/image
	result=$?
	losetup -d $device # at the unmount, if it is mounted
	return $result
}}
mkdir -p {IMAGES}
cd {IMAGES}
"""

# Images are in memory.
PLACE = FUNCTIONS + f"""
set -e
modprobe loop 2>/dev/null || true
mkdir -p /mnt/image
cd /
grep -q ' {IMAGES} ' /proc/mounts || mount -t tmpfs tmpfs {IMAGES}
cd {IMAGES}
"""

PREPARE = PLACE + f"""
rm -f base
truncate -s {IMAGE_MB}M base
{MKFS} -j 1 -f base
"""

# Something of everything, and a directory and a file that need more than one block.
POPULATE = """
mount_image lock=local base
cd /mnt/image
mkdir names
i=0; while [ $i -lt 150 ]; do : > names/a-rather-long-name-to-fill-blocks-$i; i=$((i+1)); done
i=0; while [ $i -lt 20 ]; do
	dd if=/dev/zero of=extents bs=4096 seek=$((i*3)) count=1 conv=notrunc 2>/dev/null; i=$((i+1))
done
ln -s names link
mknod null c 1 3
cd /
umount /mnt/image
"""

# Tries one damaged image with everything that could trip over it.  Only hanging
# is wrong here; the log gate sees the rest.
TRY = FUNCTIONS + """
cp --sparse=always base image
dd if=/share/block.$NODE of=image bs=4096 seek=$NUMBER count=1 conv=notrunc 2>/dev/null
said=$(mount_image lock=local image 2>&1)
status=$?
if [ $status = 0 ]; then
	cd /mnt/image
	for try in 'ls -lR . >/dev/null' 'cat extents >/dev/null' 'cat link/* >/dev/null' \\
		'echo x >> extents' ': > new' 'mkdir newdir' 'mv new names/' \\
		'truncate -s 5 extents' 'rm -rf names newdir extents link null' 'sync' 'df .'; do
		timeout 60 sh -c "$try" >/dev/null 2>&1
		[ $? != 124 ] || echo "hung: $try"
	done
	cd /
	timeout 60 umount /mnt/image || echo "hung: umount"
fi
echo "mount status $status: $said"
"""


def _prepare(trial, node=0):
    trial.shell(node, PREPARE + POPULATE)


@case("301", "damaged-images", nodes=3, limit=300, filesystems=COHFS, rest=True)
def damaged_images(trial):
    """Damaged images, with wrong and with right checksums, give errors: no oops, no
    hang, and no mount when it is the superblock."""
    share = pathlib.Path(trial.rig.share)
    _prepare(trial)
    trial.shell(0, f"cp --sparse=always {IMAGES}/base /share/base")
    trial.check(damage.check_image(share / "base"),
                "the checksum of the superblock is not the one this test computes")
    for node in range(1, trial.rig.nodes):
        trial.shell(node, f"{PREPARE}cp --sparse=always /share/base base")
    every = damage.damages(share / "base", trial.size(1, 3))
    if not trial.long:
        # All of the superblock, which are quick, and every fifth of the rest.
        rest = [one for one in every if not one.of_super]
        every = [one for one in every if one.of_super] + rest[::5]
    # Each node tries its part, with copies of its own.
    mounted = sum(on_each(range(trial.rig.nodes), lambda node: _try_damages(
        trial, node, every[node::trial.rig.nodes])))
    trial.note(f"{len(every)} damages, {mounted} mounted all the same")


def _try_damages(trial, node, damages):
    """How many of them could be mounted all the same."""
    mounted = 0
    for one in damages:
        (pathlib.Path(trial.rig.share) / f"block.{node}").write_bytes(one.block)
        output = trial.rig.shell(node, f"NODE={node} NUMBER={one.number}\n{TRY}",
                                 timeout=trial.limit)
        trial.write(f"== node {node}: {one.name}\n{output.output}")
        if "hung:" in output.output or output.status != 0:
            raise Failure(f"{one.name}: {output.output.strip()[-200:]}")
        if "mount status 0" in output.output:
            mounted += 1
            trial.check(not one.of_super, f"{one.name}: mounted")
    return mounted


def _refused(trial, script, *words, node=0):
    """The script fails, and all of `words` are in what it or the kernel said."""
    trial.mark(node)
    output = trial.shell(node, script, fails=True)
    said = output + trial.messages(node)
    for word in words:
        trial.check(word.lower() in said.lower(),
                    f"{script}: nothing about {word!r} in: {said.strip()[-300:]}")


@case("302", "wrong-mounts", nodes=1, limit=90, filesystems=COHFS)
def wrong_mounts(trial):
    """Foreign images, wrong options, wrong lock tables: a clear message each."""
    _prepare(trial)
    def refuse(options, *words, first=""):
        _refused(trial, f"{FUNCTIONS}{first}\nmount_image {options} base", *words)

    refuse("lock=wrong", "lock")
    refuse("nosuchoption", "nosuchoption")
    refuse("lock=dlm", "lock table")
    refuse("lock=dlm", "other:lab", first=f"{MKFS} -f -t other:lab base")
    empty = f"truncate -s 0 base; truncate -s {IMAGE_MB}M base; "
    refuse("lock=local", "not a cohfs filesystem", first=empty)
    refuse("lock=local", "not a cohfs filesystem", first="mkfs.ext4 -q -F base")
    refuse("lock=local", "cohfs", first="truncate -s 8192 base")
    refuse("lock=local", "blocks",
           first=f"{empty}{MKFS} base; truncate -s {IMAGE_MB // 2}M base")
    left = trial.shell(0, "losetup -n -l").strip()
    trial.check(not left, f"left behind: {left}")


@case("303", "mkfs-refusals", nodes=1, limit=90, filesystems=COHFS)
def mkfs_refusals(trial):
    """mkfs.cohfs refuses what is mounted, too small, or holds something, and says so."""
    _prepare(trial)
    work = f"cd {IMAGES} && "
    _refused(trial, f"{MKFS} -f -t lab:lab /dev/disk", "mounted")
    _refused(trial, f"{work}{MKFS} base", "cohfs", "-f")
    trial.shell(0, f"{work}mkfs.ext4 -q -F base")
    _refused(trial, f"{work}{MKFS} base", "ext4", "-f")
    _refused(trial, f"{work}truncate -s 100K small && {MKFS} small", "small")
    _refused(trial, f"{work}{MKFS} -f -t nocolon base", "nocolon")
    _refused(trial, f"{work}{MKFS} -f -j 0 base", "0")
    _refused(trial, f"{work}{MKFS} -f -j 1000 base", "1000")
    _refused(trial, f"{work}{MKFS} -f -U nonsense base", "nonsense")
    _refused(trial, f"{work}{MKFS} -f /does/not/exist", "/does/not/exist")
    _refused(trial, MKFS, "usage")
    trial.shell(0, f"{work}{MKFS} -f -L label -U 12345678-1234-1234-1234-123456789abc base")


@case("304", "full", nodes=1, limit=180, filesystems=COHFS, rest=True)
def full(trial):
    """A full filesystem gives ENOSPC to calls and SIGBUS to stores, loses nothing, and
    works again when there is room."""
    _prepare(trial)
    trial.shell(0, FUNCTIONS + "mount_image lock=local base")
    trial.program("fileio", mode="full", nodes=1, directory="/mnt/image/full")
    trial.shell(0, f"umount /mnt/image && /repo/tools/fsck/fsck.cohfs -n -f {IMAGES}/base")


@case("305", "local", nodes=1, limit=120, filesystems=COHFS)
def local(trial):
    """lock=local works without a cluster, and what one mount wrote the next one reads."""
    _prepare(trial)
    mount = FUNCTIONS + "mount_image lock=local base"
    trial.shell(0, mount)
    trial.program("fileio", nodes=1, directory="/mnt/image/contents")
    trial.shell(0, "echo kept > /mnt/image/kept; umount /mnt/image\n" + mount)
    trial.check("kept" in trial.shell(0, "cat /mnt/image/kept"), "what was written is gone")
    trial.program("meta", nodes=1, directory="/mnt/image/posix")
    trial.shell(0, "umount /mnt/image")


@case("307", "local-shutdown", nodes=1, limit=60, filesystems=COHFS, rest=True)
def local_shutdown(trial):
    """The shutdown ioctl with lock=local: nothing works any more, it unmounts, and the next
    mount finds what each flag promises."""
    _prepare(trial)
    survive = f"{trial.rig.programs}/survive -i0 -n1 -d/mnt/image"
    for how in trial.size((2,), (0, 1, 2)):
        trial.shell(0, FUNCTIONS + "mount_image lock=local base")
        trial.shell(0, f"{survive}/{how} -mdown -c{how}")
        trial.shell(0, "umount /mnt/image")
        trial.shell(0, FUNCTIONS + "mount_image lock=local base")
        trial.shell(0, f"{survive}/{how} -mdowned -c{how}")
        trial.shell(0, "umount /mnt/image")


@case("306", "too-many-nodes", nodes=3, limit=240, filesystems=COHFS, rest=True)
def too_many_nodes(trial):
    """More nodes than journals: the last one is refused, the others do not notice."""
    trial.unmount_all()
    trial.shell(0, f"{MKFS} -f -j 2 -t $(. /lab/env; echo $CLUSTER:$FS_NAME) /dev/disk")
    trial.mount(0)
    trial.mount(1)
    trial.shell(0, f"echo x > {MOUNT_POINT}/file")
    _refused(trial, "/lab/node.sh mount ''", "more nodes than journals", node=2)
    trial.check("x" in trial.shell(1, f"cat {MOUNT_POINT}/file"), "node 1 cannot read")
    trial.unmount(1)
    trial.mount(2)
    trial.check("x" in trial.shell(2, f"cat {MOUNT_POINT}/file"), "node 2 cannot read")
    trial.unmount_all()
    trial.step(0, "mkfs")
    on_each(range(trial.rig.nodes), trial.mount)
