"""Nodes that use different parts of one file: nothing is lost, torn or stale."""

from suite.case import COHFS, case


def _by_two_and_three(trial, program, **options):
    """With three nodes; in the long mode also with two, which divide the file differently."""
    for nodes in trial.size((3,), (2, 3)):
        trial.program(program, nodes=nodes, **options)


@case("401", "strided-stores", nodes=3, limit=360, rest=True)
def strided_stores(trial):
    """Every n-th page of a file is one node's to store to, across the border of two
    regions, in a full file and in a hole: no store is lost or torn."""
    _by_two_and_three(trial, "shares", mode="strided-stores", count=trial.size(3, 100))


@case("402", "strided-calls", nodes=3, limit=360, rest=True)
def strided_calls(trial):
    """Every n-th record is one node's to write(): 4 KiB, 64 KiB, and records that lie
    across the borders of pages and regions, so that nodes share pages."""
    _by_two_and_three(trial, "shares", mode="strided-calls", count=trial.size(2, 50),
                      handovers=trial.size(4, 50))


@case("403", "segmented", nodes=3, limit=360, rest=True)
def segmented(trial):
    """Each node writes or stores to its own contiguous part of a file, the parts
    meeting inside pages: no byte of a neighbour is touched."""
    _by_two_and_three(trial, "shares", mode="segmented", count=trial.size(3, 50),
                      handovers=trial.size(6, 50))


@case("404", "mixed-ways", nodes=3, limit=360, rest=True)
def mixed_ways(trial):
    """Nodes store to and write() to neighbouring pages in turn, and read them both ways."""
    _by_two_and_three(trial, "shares", mode="mixed", count=trial.size(4, 100))


@case("405", "populate", nodes=3, limit=360, rest=True)
def populate(trial):
    """MADV_POPULATE_READ and _WRITE, read-ahead and sequential reads across the border
    of two regions, while other nodes write next to it, change nothing and leave
    nothing stale."""
    _by_two_and_three(trial, "shares", mode="populate", count=trial.size(8, 100))


@case("406", "one-writer", nodes=3, limit=360, rest=True)
def one_writer(trial):
    """One writer, many readers in the opposite direction, with read-ahead and through
    mappings: nobody sees an older version after a newer one, in the whole file."""
    _by_two_and_three(trial, "readers", count=trial.size(2, 30))


@case("407", "scans", nodes=3, limit=360, rest=True)
def scans(trial):
    """All nodes read a file from start to end while all write to pages of it."""
    trial.program("readers", mode="all-scan", count=trial.size(3, 50))


# Not on the peers: both may choose the place of a record before they have the lock
# under which they write it, and then records lie on each other.
@case("408", "append", nodes=3, limit=360, filesystems=("cohfs", "local"), rest=True)
def append(trial):
    """All nodes append to one file: every record is there once, whole, and in order."""
    _by_two_and_three(trial, "append", count=trial.size(200, 3000))


@case("409", "cuts", nodes=3, limit=360, rest=True)
def cuts(trial):
    """One node truncates a file while others write to it: what was cut off is gone on
    all nodes, and stays so when the file grows again."""
    _by_two_and_three(trial, "cuts", count=trial.size(5, 100))


@case("410", "crossed-regions", nodes=3, limit=360, rest=True)
def crossed_regions(trial):
    """read() and write() whose buffers are mappings of each other's files, with every
    area across the border of regions of its own."""
    data = trial.program("abba", mode="regions", count=trial.size(100, 1000))
    trial.note(f"longest call {max(d['longest'] for d in data):.2f} s")


@case("411", "punches", nodes=3, limit=360, rest=True)
def punches(trial):
    """One node punches holes and zeroes into the end of a file while others write to
    it: what was there is gone on all nodes."""
    _by_two_and_three(trial, "cuts", mode="punch", count=trial.size(5, 100))


@case("412", "growth", nodes=3, limit=360, rest=True)
def growth(trial):
    """Every n-th record of a new file is one node's to write(): the file grows on all of
    them at once, and everything is there in the end."""
    _by_two_and_three(trial, "grow", count=trial.size(60, 2000))


@case("413", "gaps", nodes=3, limit=360, rest=True)
def gaps(trial):
    """Records at regular distances of which nodes leave some out, on blocks that were in use:
    what was written is there, and the rest is zero."""
    for nodes in (1, 3):
        trial.program("gaps", nodes=nodes, count=trial.size(300, 3000))


@case("415", "holes", nodes=3, limit=240, rest=True)
def holes(trial):
    """Small pieces are written to the holes of a file, on blocks that were in use, while its
    pages go to the disk and out of core and transactions commit: what was written is there,
    and the rest of the blocks is zero, for who writes and in the end for all."""
    for nodes in (1, 3):
        trial.program("holes", nodes=nodes, count=trial.size(400, 4000))


@case("414", "records-together", nodes=1, limit=120, filesystems=COHFS, rest=True)
def records_together(trial):
    """What a node writes at regular distances to a new file reaches the disk in few requests."""
    count = 500
    before = trial.disk_writes(0)
    trial.program("gaps", nodes=1, mode="all", count=count)
    written = trial.disk_writes(0) - before
    # of three sizes
    trial.check(written < 3 * count / 4, f"{3 * count} records took {written} requests")
