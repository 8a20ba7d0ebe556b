"""What a study will cost, measured: the seconds of `_clock.py`, added up over its grid.

Writes only to a temporary folder.
"""

import resource
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ecglipse.commands._clock import Clock
from ecglipse.commands._stopwatch import threads
from ecglipse.commands._workers import cores
from ecglipse.config import Config
from ecglipse.study.plan import Unit


@dataclass(frozen=True)
class Estimate:
    """What a whole study costs, as if none of it were done.

    Args:
        parts: (work, how often, seconds of one core), in seconds over all of it.
        seconds: until it ends.
        workers: processes at once.
        memory_mib: of all processes.
    """

    parts: tuple[tuple[str, int, float], ...]
    seconds: float
    workers: int
    memory_mib: float

    def after_search(self, seconds: float) -> "Estimate":
        """Add the search for leaks, which a study begins with, in its own process."""
        parts = (("looking for leaks", 1, seconds), *self.parts)
        own = _peak_mib() if self.workers > 1 else max(_peak_mib() - self.memory_mib, 0.0)
        return replace(self, parts=parts, seconds=self.seconds + seconds, memory_mib=self.memory_mib + own)


def estimate(config: Config, grid: Sequence[Unit], waves: Sequence[Unit], *, workers: int) -> Estimate:
    """Time one step of each kind of work of a study, and add up; all but the search for leaks.

    Args:
        config: of the study.
        grid: its encoders.
        waves: encoders whose masks are looked at in the end.
        workers: processes.
    """
    with threads(1 if workers > 1 else None):
        clock = Clock(config, rotation=grid[0].rotation)
        seconds: dict[str, float] = defaultdict(float)
        often: Counter[str] = Counter()
        longest = 0.0
        for method, count in Counter(unit.method for unit in grid).items():
            mine = clock.unit(next(unit for unit in grid if unit.method == method))
            longest = max(longest, sum(s for _, s in mine.values()))
            for name, (n, s) in mine.items():
                often[name] += n * count
                seconds[name] += s * count
        for unit in waves:
            n, s = clock.looking(unit)
            often["records under masks"] += n
            seconds["records under masks"] += s
        for name, (n, s) in (clock.measurements() | clock.delineation()).items():
            often[name], seconds[name] = n, s
    at_once = min(workers, cores(), len(grid))
    total = sum(seconds.values())
    parts = tuple((name, often[name], s) for name, s in seconds.items() if s > 0)
    return Estimate(parts, max(total / at_once, longest), workers, _peak_mib() * min(workers, len(grid)))


def _peak_mib() -> float:
    """The most memory that this process has held, MiB: about what a worker will."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak) / (2**20 if sys.platform == "darwin" else 2**10)
