"""Names, attributes and contents as POSIX has them, on one node and on several."""

from suite.case import COHFS, case


@case("101", "name-races", nodes=3, limit=150)
def name_races(trial):
    """Three nodes create, rename, link and unlink the same names: races have one
    winner, and afterwards all nodes list the same."""
    trial.program("names", count=trial.size(110, 4000),
                  mode="lenient" if trial.rig.fs in ("gfs2", "ocfs2") else "")


@case("102", "open-unlinked", nodes=3, limit=150, rest=True)
def open_unlinked(trial):
    """A file unlinked on one node lives until its last close on the others; then its
    space comes back everywhere."""
    trial.program("openunlink", count=trial.size(1, 10))


@case("108", "stale-attributes", nodes=2, limit=120, filesystems=COHFS)
def stale_attributes(trial):
    """set-user-ID, sticky directories and times go by what another node has made of a file,
    not by what was in core."""
    trial.program("stale")


@case("109", "nested-directories", nodes=3, limit=480, filesystems=COHFS, rest=True)
def nested_directories(trial):
    """Three nodes move directories into and out of each other: nothing waits for ever, no
    loop comes to be."""
    trial.program("nested", count=trial.size(300, 10_000))


@case("103", "names-and-attributes", nodes=1, limit=120)
def names_and_attributes(trial):
    """Names, links, renames, special files, modes, owners, times, readdir cookies."""
    trial.program("meta", mode="narrow" if trial.rig.fs == "ocfs2" else "")


@case("104", "big-directory", nodes=1, limit=240)
def big_directory(trial):
    """A directory of many names stays fast."""
    data = trial.program("meta", mode="bigdir", count=trial.size(2_000, 100_000))
    trial.note(f"{data[0]['first_us']:.0f} us per name at first, "
               f"{data[0]['last_us']:.0f} us at last")


@case("105", "contents", nodes=1, limit=120)
def contents(trial):
    """Truncation, holes, fragments, append, odd buffers, synchronisation, space."""
    trial.program("fileio")


@case("106", "large-offsets", nodes=1, limit=60, filesystems=COHFS)
def large_offsets(trial):
    """Files reach beyond 16 TiB, up to 2^60 bytes."""
    trial.program("fileio", mode="big")
