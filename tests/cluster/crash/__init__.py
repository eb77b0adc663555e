"""A recorded disk, replayed up to any write, against what had been acknowledged then."""
