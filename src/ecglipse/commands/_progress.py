"""`with_bar`: a bar, a speed and the time left on stderr. Writes to the screen."""

import sys
from collections.abc import Iterator
from typing import TypeVar

T = TypeVar("T")


def with_bar(results: Iterator[T], *, done: int, total: int, progress: bool) -> Iterator[T]:
    """Go through the results; with a bar, a speed and the time left where stderr is a terminal."""
    if not (progress and sys.stderr.isatty()):
        yield from results
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Speed(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text("" if task.speed is None else f"{task.speed:.0f} records/s")

    columns = BarColumn(), MofNCompleteColumn(), Speed(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield from bar.track(results, total=total, completed=done)
