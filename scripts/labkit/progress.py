"""One line per step: what is being waited for, for how long, how it ended.

On a terminal the line is rewritten in place; in a log file a long step gets a
new line now and then instead, so that neither a person nor a CI log is left
wondering.  Several threads may report: each node has a line of its own.
"""

import contextlib
import sys
import threading
import time

LOG_INTERVAL = 15.0     # seconds between signs of life when not on a terminal
TERMINAL_INTERVAL = 0.2
SHORT_STEP = 1.0        # steps quicker than this are not worth announcing

_lock = threading.Lock()
_width = 0


def _show(text, final):
    """Writes one line; on a terminal an unfinished one is overwritten later."""
    global _width
    terminal = sys.stderr.isatty()
    if terminal:
        if not final:
            text = text[:100]
        sys.stderr.write("\r" + text.ljust(_width))
        _width = 0 if final else len(text)
        sys.stderr.write("\n" if final else "")
    else:
        sys.stderr.write(text + "\n")
    sys.stderr.flush()


def say(text):
    """A line that stays."""
    with _lock:
        _show(text, True)


class Step:
    """A step under way; setting `detail` says how far it has got."""

    def __init__(self, text):
        self.text = text
        self.detail = ""
        self.started = time.monotonic()
        self.over = threading.Event()

    def elapsed(self):
        return time.monotonic() - self.started

    def tick(self):
        """Gives signs of life until the step is over."""
        interval = TERMINAL_INTERVAL if sys.stderr.isatty() else LOG_INTERVAL
        while not self.over.wait(interval):
            with _lock:
                _show(f"{self.text} ... {self.elapsed():.0f} s  {self.detail}".rstrip(), False)

    def finish(self, verdict):
        """Closes the line, unless the step was over before anyone could wait."""
        self.over.set()
        if verdict == "failed" or self.elapsed() >= SHORT_STEP:
            say(f"{self.text}: {verdict}, {self.elapsed():.1f} s")


@contextlib.contextmanager
def step(text):
    """Runs the block as a step; an exception closes its line as failed."""
    this = Step(text)
    threading.Thread(target=this.tick, daemon=True).start()
    verdict = "failed"
    try:
        yield this
        verdict = "done"
    finally:
        this.finish(verdict)
