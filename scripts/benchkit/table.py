"""The results as text: a row per figure, a column per filesystem."""

from benchkit import host
from benchkit.modes import COUNTERS, FILESYSTEMS, MODES, PAIRS, SETTLING

CELL = 12
# So much other work on the host is worth a warning.
BUSY = 0.1


def number(value):
    """Three significant digits, without an exponent."""
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) >= 100:
        return f"{value:.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    if abs(value) >= 0.01:
        return f"{value:.2f}"
    return "<0.01"


def percent(value):
    return f"{100 * value:.1f} %" if value < 0.1 else f"{100 * value:.0f} %"


def scaled(factor):
    return lambda value: number(value * factor)


def _counter_rows(mode):
    per = f"per {mode.batch:,} " if mode.batch > 1 else "per "
    plural = "s" if mode.batch > 1 and " " not in mode.op else ""
    return [(key, f"  {text} {per}{mode.op}{plural}", number) for key, text in COUNTERS.items()]


def _pair_rows(mode):
    if mode.size >= 4096:
        rate, show = "MB/s", scaled(mode.size / 1e6)
    else:
        rate, show = f"operations/s ({mode.op})" if mode.size == 0 else f"{mode.op}s/s", number
    rows = [("efficiency", "  one file / own files, median of pairs", percent)]
    if mode.name == "one-writer":
        rows += [("writer", "    of this the writer", percent),
                 ("readers", "    of this the readers", percent),
                 ("seen", "  changes a reader sees, /s", number)]
    else:
        rows += [("one_fair", "  one file, slowest node / average node", percent)]
    rows += [("one_rate", f"  one file, {rate}", show),
             ("own_rate", f"  own files, {rate}", show),
             ("one_p999", "  one file, 99.9th percentile, us", scaled(1e6)),
             ("own_p999", "  own files, 99.9th percentile, us", scaled(1e6)),
             ("one_longest", "  one file, longest, ms", scaled(1e3)),
             ("own_longest", "  own files, longest, ms", scaled(1e3)),
             ("one_stalled", "  one file, time in stalls of over 1 ms", percent),
             ("own_stalled", "  own files, time in stalls of over 1 ms", percent),
             ("one_round", "  one file, first round (not counted), ms", scaled(1e3)),
             ("own_round", "  own files, first round (not counted), ms", scaled(1e3))]
    return rows + _counter_rows(mode)


def rows_of(mode):
    """(key, text with its unit, how to show it)"""
    if mode.pairs:
        rows = _pair_rows(mode)
    elif mode.op == "hand-over":
        rows = [("rate", "  hand-overs/s", number), *_counter_rows(mode)]
    elif mode.name == "follow":
        rows = [("seen", "  of all values", percent)]
    else:
        rows = [("rate", "  pairs/s, all nodes together", number)]
    return [*rows, ("others", "  other work on this host meanwhile, of its time", percent)]


def _section(nodes, results, columns, width, reasons):
    lines = []
    for mode in MODES.values():
        cells = [results[fs].get(str(nodes), {}).get(mode.name) for fs in columns]
        if all(cell is None for cell in cells):
            continue
        lines.append(mode.title)
        for key, text, show in rows_of(mode):
            shown = "".join(f"{_cell(cell, key, show):>{CELL}}" for cell in cells)
            lines.append(f"{text:{width}}{shown}")
        for fs, cell in zip(columns, cells):
            if cell and "error" in cell:
                reasons.append(f"{fs}, {nodes} nodes, {mode.name}: {cell['error']}")
    return lines


def _cell(figures, key, show):
    if figures is None or "error" in figures or key not in figures:
        return "-"
    return show(figures[key])


def _warnings(results, counts):
    """What a reader has to know before quoting a figure."""
    lines = []
    if counts and counts[-1] > host.cores():
        lines += [f"This host has {host.cores()} cores.  With more nodes than that, a node that "
                  "waits lends its core to",
                  "the others, so that the speed in one file looks better than it is: see the "
                  "slowest node."]
    busy = max((found.get("others", 0) for by_nodes in results.values()
                for by_mode in by_nodes.values() for found in by_mode.values()), default=0)
    if busy > BUSY:
        lines += [f"Other work took up to {busy:.0%} of this host's time meanwhile: measure again "
                  "on a quiet one."]
    return lines


def table(results):
    """Everything in `results`, {filesystem: {nodes: {mode: figures}}}."""
    columns = [fs for fs in FILESYSTEMS if fs in results]
    width = 2 + max(len(text) for mode in MODES.values() for _, text, _ in rows_of(mode))
    counts = sorted({int(nodes) for fs in columns for nodes in results[fs]})
    reasons = []
    lines = []
    for nodes in counts:
        heading = f"{nodes} node{'s' if nodes > 1 else ''}"
        lines += ["", f"{heading:{width}}" + "".join(f"{fs:>{CELL}}" for fs in columns),
                  "-" * (width + CELL * len(columns))]
        lines += _section(nodes, results, columns, width, reasons)
    lines += ["", f"Pairs: {PAIRS} times a window on own files and one on one file.  The first round "
              f"of each node and {SETTLING:.0%} of",
              "a window are not counted.  Kernel counters are those of the windows on one file."]
    lines += _warnings(results, counts)
    if reasons:
        lines += ["", "-, because:", *(f"  {reason}" for reason in reasons)]
    return "\n".join(lines).lstrip("\n")
