"""The log gate: a guest whose kernel complained has failed, whatever a test said.

A lockdep report does not stop anything, a KASAN report comes once and a test
may well pass after either.  So every console is read, from its first line.
"""

import dataclasses
import re

from labkit.cache import SCRIPTS
from labkit.errors import LabError

ALLOW_FILE = SCRIPTS / "log-allow"
CONTEXT_LINES = 30

PATTERNS = [
    r"\bWARNING:",
    r"\bBUG:",
    r"\bBUG .*remaining",
    r"\bBUG .*(Tainted|Not tainted)",
    r"\bOops\b",
    r"kernel BUG at",
    r"[Gg]eneral protection fault",
    r"double fault",
    r"stack segment:",
    r"divide error:",
    r"invalid opcode:",
    r"unable to handle",
    r"Kernel panic",
    r"Call Trace",
    r"possible (circular|recursive) locking",
    r"possible (irq|reclaim|deadlock)\b.*(dependency|detected|unsafe)",
    r"inconsistent lock state",
    r"suspicious RCU usage",
    r"DEBUG_LOCKS_WARN",
    r"held lock freed",
    r"lock held when returning to user space",
    r"bad unlock balance",
    r"bad contention detected",
    r"Invalid wait context",
    r"(MAX_LOCKDEP_|MAX_LOCK_|MAX_STACK_TRACE_)\w+ too low",
    r"sleeping function called",
    r"scheduling while atomic",
    r"\b(KASAN|UBSAN|KCSAN|KMSAN|KFENCE):",
    r"kmemleak: [1-9]\d* new suspected",
    r"INFO: task .* blocked",
    r"rcu.*self-detected stall",
    r"rcu.*detected (expedited )?stalls",
    r"soft lockup",
    r"hard LOCKUP",
    r"refcount_t:",
    r"list_(add|del) corruption",
    r"Bad page (state|map)",
    r"Bad rss-counter",
    r"corrupted stack end",
    r"page allocation failure",
    r"lab: init failed",
]
COMPLAINT = re.compile("|".join(PATTERNS))


@dataclasses.dataclass
class Finding:
    """The first complaint of a console, and how many lines match in all."""

    line_number: int
    count: int
    excerpt: str


def allowed_patterns():
    """Patterns of log-allow: `REGEX  # reason` lines; the reason is not optional."""
    patterns = []
    for line in ALLOW_FILE.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        pattern, _, reason = line.partition("  # ")
        if not reason.strip():
            raise LabError(f"{ALLOW_FILE.name}: no reason given for {pattern.strip()!r}")
        patterns.append(re.compile(pattern.strip()))
    return patterns


def complaints(lines, allowed):
    """Numbers of the lines that complain.

    An allowed WARNING takes the rest of its report with it, registers and call
    trace, up to the line that ends it.
    """
    hits = []
    skipping = False
    for number, line in enumerate(lines):
        if skipping:
            skipping = "end trace" not in line
        elif COMPLAINT.search(line):
            if not any(pattern.search(line) for pattern in allowed):
                hits.append(number)
            else:
                skipping = "WARNING:" in line
    return hits


def check(text, allowed=()):
    """The Finding for a console's text, or None if it is clean."""
    lines = text.replace("\r", "").splitlines()
    if not lines:
        return Finding(0, 1, "(nothing was logged, so nothing can be said for it)")
    hits = complaints(lines, allowed)
    if not hits:
        return None
    first = hits[0]
    return Finding(first + 1, len(hits), "\n".join(lines[first:first + CONTEXT_LINES]))


def check_files(paths):
    """Prints what is wrong in each console; the number of consoles that are not clean."""
    allowed = allowed_patterns()
    dirty = 0
    for path in paths:
        with open(path, encoding="utf-8", errors="replace") as handle:
            finding = check(handle.read(), allowed)
        if finding:
            dirty += 1
            print(f"{path}:{finding.line_number}: first of {finding.count} complaints:")
            print("".join(f"    {line}\n" for line in finding.excerpt.splitlines()), end="")
    return dirty
