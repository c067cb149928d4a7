"""What a run says to a person, on stderr: lines, and a progress bar that is silent without a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Talk:
    """Talk goes to stderr; data goes to stdout and is no concern of this."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self._start = time.perf_counter()

    def say(self, line: str) -> None:
        """Print one line with the seconds since the start."""
        if not self.quiet:
            print(f"{time.perf_counter() - self._start:7.1f} s  {line}", file=sys.stderr, flush=True)

    def warn(self, line: str) -> None:
        """Print one line that a person must see, quiet or not."""
        print(f"warning: {line}", file=sys.stderr, flush=True)

    @contextmanager
    def progress(self, description: str, total: int) -> Iterator[Callable[[int], None]]:
        """Show a bar while the body runs; it yields a function that takes the number done."""
        if self.quiet or not sys.stderr.isatty():
            yield lambda _: None
            return
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(description, total=total)
            yield lambda done: bar.update(task, completed=done)
