"""The images that fsck is tried on, damaged at random, given to the module."""

import os
import pathlib
import subprocess

from suite.case import COHFS, case
from suite.rig import REPO, on_each

IMAGES = REPO / "build" / "host" / "fsck_images"
DIRECTORY = "/tmp/fuzzed"
SHORT, LONG = 9, 2000      # cases of each fuzzer


@case("308", "fuzzed-images", nodes=3, limit=1500, filesystems=COHFS, rest=True)
def fuzzed_images(trial):
    """Images damaged at random, blindly or with right checksums, give errors: no oops, no
    hang, and no use that an unmount does not end."""
    trial.check(IMAGES.exists(), f"no {IMAGES.name}: `make images` builds it")
    environment = dict(os.environ)
    if trial.seed:
        environment["COHFS_SEED"] = str(trial.seed)
    nodes = trial.case.nodes
    runs = os.environ.get("COHFS_RUNS") or trial.size(SHORT, LONG)

    def make(node):
        # built into the debug kernel
        trial.shell(node, "modprobe loop 2>/dev/null || test -e /dev/loop-control")
        stream = pathlib.Path(trial.rig.share) / f"fuzzed.{node}"
        made = subprocess.run(
            [IMAGES, stream, str(node), str(nodes), str(runs)],
            check=False, capture_output=True, text=True, env=environment)
        trial.check(made.returncode == 0, f"{IMAGES.name}: {made.stderr.strip()}")
        return stream

    streams = on_each(range(nodes), make)
    results = trial.program("fuzzed", directory=DIRECTORY)
    for stream in streams:
        stream.unlink()
    images = sum(result["images"] for result in results)
    mounted = sum(result["mounted"] for result in results)
    trial.note(f"{images} images, {mounted} mounted all the same")
