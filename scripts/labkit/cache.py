"""The cache outside the checkout: things built once, keyed by their inputs.

An item lives in `items/<name>-<key>`, where the key is a hash of everything
that decides what is in it: its recipe, its input files, its settings and the
keys of the items it is made from.  Nothing is ever updated in place.  A change
gives another key, so exactly the items it touches are built anew, and a lab
that still runs from the old ones is not disturbed.

A recipe fills a temporary directory which is renamed at the end, so an item
either is complete or is not there; a lock per item makes concurrent commands
wait for the one build instead of starting another.
"""

import contextlib
import fcntl
import functools
import hashlib
import os
import pathlib
import shutil
import subprocess

from labkit import progress
from labkit.errors import LabError

SCRIPTS = pathlib.Path(__file__).resolve().parent.parent
REPO = SCRIPTS.parent
RECIPES = SCRIPTS / "labkit" / "recipes"
LOG_TAIL = 25


def base():
    """The cache directory: $COHFS_CACHE, or the usual place for this user."""
    chosen = os.environ.get("COHFS_CACHE")
    if chosen:
        return pathlib.Path(chosen).resolve()
    if os.geteuid() == 0:
        return pathlib.Path("/var/cache/cohfs")
    return pathlib.Path.home() / ".cache" / "cohfs"


@contextlib.contextmanager
def locked(name, waiting_for=None):
    """Holds the cache-wide lock `name`; says so when somebody else has it."""
    folder = base() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / name, "w", encoding="ascii") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say(f"waiting for another command: {waiting_for or name}")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def tail(path, lines=LOG_TAIL):
    """The end of a log, indented, for an error message."""
    try:
        text = pathlib.Path(path).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return f"    ({path} does not exist)"
    kept = text.replace("\r", "").splitlines()[-lines:]
    return "\n".join(["    " + line for line in kept] + [f"  (all of it: {path})"])


class Item:
    """Something a recipe builds once per set of inputs."""

    def __init__(self, name, *, settings=None, files=(), needs=None):
        self.name = name
        self.recipe = RECIPES / f"{name.split('-')[0]}.sh"
        self.settings = dict(settings or {})
        self.files = [pathlib.Path(f) for f in files]
        self.needs = dict(needs or {})

    @functools.cached_property
    def key(self):
        """A hash of all inputs; two items with equal keys are the same item.

        Read once: editing an input during a long build must not change the
        name under which what was really built is stored.
        """
        digest = hashlib.sha256()
        for name, value in sorted(self.settings.items()):
            digest.update(f"{name}={value}\n".encode())
        for name, item in sorted(self.needs.items()):
            digest.update(f"{name}={item.key}\n".encode())
        for path in [self.recipe, *self.files]:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()[:12]

    def path(self):
        return base() / "items" / f"{self.name}-{self.key}"

    def log(self):
        return base() / "logs" / f"{self.name}-{self.key}.log"

    def get(self):
        """The item's directory, built first if it is not there."""
        if not self.path().exists():
            for item in self.needs.values():
                item.get()
            with locked(self.path().name, f"building {self.name}"):
                if not self.path().exists():
                    self._build()
        return self.path()

    def _build(self):
        temporary = self.path().with_name(self.path().name + ".tmp")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        self.log().parent.mkdir(parents=True, exist_ok=True)
        with progress.step(f"building {self.name} for the cache (once)") as step:
            if self._run_recipe(temporary, step) != 0:
                raise LabError(f"building {self.name} failed; the end of its log:\n"
                               + tail(self.log()))
        temporary.rename(self.path())

    def _run_recipe(self, out, step):
        """Runs the recipe, its output going to the log and, line by line, to `step`."""
        # The sbin folders, as mke2fs and depmod are not on every user's path.
        environment = dict(os.environ, LC_ALL="C", **self.settings,
                           PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
        environment.update((name, str(item.path())) for name, item in self.needs.items())
        command = ["sh", str(self.recipe), str(out), str(SCRIPTS)]
        with open(self.log(), "w", encoding="utf-8") as log, subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, errors="replace") as process:
            for count, line in enumerate(process.stdout, 1):
                log.write(line)
                step.detail = f"[{count}] {line.strip()[:60]}"
            return process.wait()


def sweep(wanted):
    """Removes every item not among `wanted`; returns the names removed."""
    keep = {item.path().name for item in wanted}
    removed = []
    folder = base() / "items"
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.name in keep:
            continue
        # What is being built is not rubbish; it has its final name by the time we get the lock.
        with locked(path.name.removesuffix(".tmp"), f"building {path.name}"):
            if path.exists():
                shutil.rmtree(path)
                removed.append(path.name)
    return removed
