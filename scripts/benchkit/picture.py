"""The results as pictures: efficiency, stalls, hand-overs."""

from benchkit.modes import FILESYSTEMS, MODES

NAMES = {"cohfs": "cohfs", "gfs2": "GFS2", "ocfs2": "OCFS2"}
# From a palette that colour-blind people can tell apart (Okabe and Ito).
COLOURS = {"cohfs": "#0072B2", "gfs2": "#E69F00", "ocfs2": "#009E73"}
MISSING = ("no pictures: Python's matplotlib is missing; as root, scripts/setup-host installs "
           "python3-matplotlib")
COLUMNS = 4
BAR = 0.8


def draw(results, folder):
    """Writes the pictures; returns their paths, or says why there are none."""
    try:
        import matplotlib  # pylint: disable=import-outside-toplevel
    except ImportError:
        return [], MISSING
    matplotlib.use("Agg")
    paths = []
    for name, make in (("efficiency", _efficiency), ("stalls", _stalls),
                       ("hand-overs", _handovers)):
        figure = make(results)
        if figure is None:
            continue
        for kind in ("svg", "png"):
            path = folder / f"{name}.{kind}"
            figure.savefig(path, dpi=110)
            paths.append(path)
    return paths, ""


def _value(results, fs, nodes, mode, key):
    figures = results.get(fs, {}).get(str(nodes), {}).get(mode.name, {})
    return None if "error" in figures else figures.get(key)


def _failed(results, fs, nodes, mode):
    return "error" in results.get(fs, {}).get(str(nodes), {}).get(mode.name, {})


def _counts(results, modes):
    return sorted({int(nodes) for fs in results for nodes, by_mode in results[fs].items()
                   if any(mode.name in by_mode for mode in modes)})


def _measured(results, wanted):
    return [mode for mode in MODES.values() if wanted(mode) and
            any(mode.name in by_mode for fs in results.values() for by_mode in fs.values())]


def _bars(axes, results, mode, key, counts, scale, text):
    """Per number of nodes a group, in it a bar per filesystem."""
    present = [fs for fs in FILESYSTEMS if fs in results]
    width = BAR / len(present)
    for i, fs in enumerate(present):
        for x, nodes in enumerate(counts):
            at = x - BAR / 2 + width * (i + 0.5)
            value = _value(results, fs, nodes, mode, key)
            if value is None:
                if _failed(results, fs, nodes, mode):
                    axes.annotate("–", (at, 0), (0, 2), xycoords=("data", "axes fraction"),
                                  textcoords="offset points", ha="center",
                                  color=COLOURS[fs], fontweight="bold")
                continue
            axes.bar(at, value * scale, width * 0.95, color=COLOURS[fs])
            axes.annotate(text(value * scale), (at, value * scale), (0, 2),
                          textcoords="offset points", ha="center", fontsize=7,
                          rotation=90 if len(counts) > 2 else 0)
    axes.set_xticks(range(len(counts)), [str(nodes) for nodes in counts])
    axes.set_xlim(-0.6, len(counts) - 0.4)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)


def _short(value):
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def _grid(results, modes, title, subtitle, ylabel, fill):
    """A small chart per mode, the same legend for all."""
    import matplotlib.pyplot as plot  # pylint: disable=import-outside-toplevel
    from matplotlib.patches import Patch  # pylint: disable=import-outside-toplevel
    columns = min(COLUMNS, len(modes))
    rows = -(-len(modes) // columns)
    height = 2.7 * rows + 1.5
    figure, grid = plot.subplots(rows, columns, figsize=(3.6 * columns + 0.6, height),
                                 squeeze=False, layout="constrained")
    for place, axes in enumerate(grid.flat):
        if place >= len(modes):
            axes.set_visible(False)
            continue
        fill(axes, modes[place])
        axes.set_title(_wrapped(modes[place].title), fontsize=9)
        if place % columns == 0:
            axes.set_ylabel(ylabel, fontsize=9)
        if place + columns >= len(modes):
            axes.set_xlabel("nodes", fontsize=9)
    figure.legend(handles=[Patch(color=COLOURS[fs], label=NAMES[fs]) for fs in FILESYSTEMS
                           if fs in results],
                  loc="lower center", ncols=3, frameon=False)
    heading = f"{_wrapped(title, 38 * columns)}\n{_wrapped(subtitle, 42 * columns)}"
    figure.suptitle(heading, fontsize=10)
    # Room for the legend: this layout does not know of it.
    figure.get_layout_engine().set(rect=(0, 0.35 / height, 1, 1 - 0.35 / height))
    return figure


def _wrapped(text, width=34):
    import textwrap  # pylint: disable=import-outside-toplevel
    return textwrap.fill(text, width)


def _efficiency(results):
    modes = _measured(results, lambda mode: mode.pairs)
    if not modes:
        return None
    counts = _counts(results, modes)

    def fill(axes, mode):
        _bars(axes, results, mode, "efficiency", counts, 100, _short)
        axes.axhline(100, color="black", linewidth=0.8, linestyle="--")
        axes.set_ylim(0, max(125, axes.get_ylim()[1] * 1.1))

    return _grid(results, modes, "What sharing a file costs: speed in one file as a share of "
                 "the speed on files of their own",
                 "The same nodes at the same time; 100 % (dashed) means that they do not "
                 "disturb each other. Median of the pairs of windows. A dash: it failed.",
                 "% of own files' speed", fill)


def _stalls(results):
    modes = _measured(results, lambda mode: mode.pairs)
    if not modes:
        return None
    counts = _counts(results, modes)

    def fill(axes, mode):
        axes.set_yscale("log")
        _bars(axes, results, mode, "one_longest", counts, 1e3, _short)
        low, high = axes.get_ylim()
        axes.set_ylim(min(low, 1), max(high * 5, 1000))

    return _grid(results, modes, "The longest that a single store or call took in one file",
                 "All nodes and windows together; a logarithmic scale, less is better.",
                 "ms", fill)


def _handovers(results):
    modes = _measured(results, lambda mode: mode.op == "hand-over")
    if not modes:
        return None
    counts = _counts(results, modes)

    def fill(axes, mode):
        _bars(axes, results, mode, "rate", counts, 1, _short)
        axes.set_ylim(0, axes.get_ylim()[1] * 1.15)

    return _grid(results, modes, "How often a word in one page changes hands",
                 "The nodes take turns at storing to it; more is better.", "hand-overs/s", fill)
