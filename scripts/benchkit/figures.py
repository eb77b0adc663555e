"""From the "data" lines of the nodes to the figures of a mode."""

import re
import statistics

from benchkit.modes import COUNTERS


class BenchError(Exception):
    """A measurement failed; the text is for the person at the terminal."""


def data_lines(output):
    """The key=value pairs of each "data" line, as one dict per line."""
    return [{key: float(value) for key, value in re.findall(r"(\w+)=(-?[0-9.]+)", line)}
            for line in output.splitlines() if line.startswith("data ")]


def of_single(outputs):
    """A mode with one window: what node 0 reports, all lines together."""
    found = {}
    for line in data_lines(outputs[0]):
        found.update(line)
    return found


def of_pairs(mode, outputs):
    """A mode of pairs of windows: efficiency, speeds, stalls and kernel counters."""
    nodes = [data_lines(output) for output in outputs]
    windows = [[line for line in lines if "pair" in line] for lines in nodes]
    if not windows[0]:
        raise BenchError(f"{mode.name}: no window was reported")
    found = {"efficiency": _median_of_ratios(windows, range(len(windows))),
             "ratios": _ratios(windows, range(len(windows)))}
    for shared, kind in ((0, "own"), (1, "one")):
        these = [[w for w in lines if w["shared"] == shared] for lines in windows]
        found[f"{kind}_rate"] = statistics.median(_rates(these, range(len(these))))
        found[f"{kind}_round"] = statistics.median(_longest_round(these))
        found[f"{kind}_longest"] = max(w["longest"] for lines in these for w in lines)
        found[f"{kind}_p999"] = _quantile(nodes, shared, 0.999)
        found[f"{kind}_stalled"] = _stalled(nodes, these, shared)
        found[f"{kind}_fair"] = statistics.median(_slowest(these))
    ones = [w for lines in windows for w in lines if w["shared"] == 1]
    operations = sum(w["ops"] for w in ones)
    for counter in COUNTERS:
        found[counter] = sum(w[counter] for w in ones) / operations * mode.batch
    if mode.name == "one-writer":
        found["writer"] = _median_of_ratios(windows, [0])
        found["readers"] = _median_of_ratios(windows, range(1, len(windows)))
        readers = [w for lines in windows[1:] for w in lines if w["shared"] == 1]
        found["seen"] = sum(w["seen"] for w in readers) / sum(w["seconds"] for w in readers)
    _add_losses(found, nodes[0])
    return found


def _rates(windows, which):
    """Operations per second of some nodes together, per window."""
    return [sum(windows[node][i]["ops"] / windows[node][i]["seconds"] for node in which)
            for i in range(len(windows[0]))]


def _slowest(windows):
    """The slowest node's speed as a share of the average, per window."""
    found = []
    for i in range(len(windows[0])):
        rates = [lines[i]["ops"] / lines[i]["seconds"] for lines in windows]
        found.append(min(rates) / statistics.mean(rates))
    return found


def _longest_round(windows):
    """Seconds until every node has been wherever it goes, per window."""
    return [max(lines[i]["round"] for lines in windows) for i in range(len(windows[0]))]


def _ratios(windows, which):
    own = [[w for w in lines if w["shared"] == 0] for lines in windows]
    one = [[w for w in lines if w["shared"] == 1] for lines in windows]
    return [a / b for a, b in zip(_rates(one, which), _rates(own, which))]


def _median_of_ratios(windows, which):
    return statistics.median(_ratios(windows, which))


def _classes(nodes, shared):
    """[(lower bound in s, count)], ascending, all nodes together."""
    found = sorted((line["class"], line["count"]) for lines in nodes for line in lines
                   if "class" in line and line["in"] == shared)
    return found


def _quantile(nodes, shared, share):
    classes = _classes(nodes, shared)
    left = sum(count for _, count in classes) * share
    for bound, count in classes:
        left -= count
        if left <= 0:
            break
    # The middle of the class, which is an eighth wide at most.
    return bound * 1.06


def _stalled(nodes, windows, shared):
    """The share of all time that was spent in operations of over a millisecond."""
    stalled = sum(bound * 1.06 * count for bound, count in _classes(nodes, shared)
                  if bound >= 1e-3)
    return min(1.0, stalled / sum(w["seconds"] for lines in windows for w in lines))


def _add_losses(found, lines):
    """What was appended and is not there makes the speed worthless."""
    checked = [line for line in lines if "lost" in line]
    lost = sum(line["lost"] for line in checked)
    if checked:
        found["lost"] = lost / sum(line["of"] for line in checked)
    if lost:
        found["error"] = (f"{lost:.0f} of {sum(line['of'] for line in checked):.0f} appended "
                          f"records are lost")
