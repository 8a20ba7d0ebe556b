"""What `ecglipse study --plan` says beside its cells: labels, doubts, leaks, time and memory."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ecglipse.commands._study import Studied
    from ecglipse.config import Config


def plan_lines(made: "Studied") -> list[str]:
    """Say in lines what a plan found beside its cells: labels, leaks, time and memory."""
    said = []
    said += [str(counts) for counts in made.labels]
    said += [f"warning: {sentence}" for sentence in made.warnings]
    said += [f"leak: {sentence}" for sentence in made.leaks]
    if made.cost is not None:
        cost = made.cost
        said += [f"{name}: {n}, {_duration(s)} of one core" for name, n, s in cost.parts]
        said.append(
            f"about {_duration(cost.seconds)} with {cost.workers} worker{'' if cost.workers == 1 else 's'}, "
            f"and {cost.memory_mib / 1024:.1f} GiB of memory"
        )
    return said


def _duration(seconds: float) -> str:
    """Give a time as people say it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def doubtful(config: "Config") -> Iterator[str]:
    """Say what of a config may not be what is meant: views that change labels, batches of all records."""
    yield from _changed_labels(config)
    yield from _whole_batches(config)


def _changed_labels(config: "Config") -> Iterator[str]:
    """Say which of the config's extra views may change what a task's labels are read from."""
    from ecglipse.commands._places import where
    from ecglipse.study.plan import tasks
    from ecglipse.tasks import READS
    from ecglipse.views.catalogue import may_change

    by_view: dict[tuple[str, frozenset[str]], dict[str, None]] = {}
    for name, method in config.methods.items():
        for view in config.of(name).views.extra if method.kind == "pretrained" else ():
            kinds = may_change(view.name, view.model_dump())
            by_view.setdefault((view.name, kinds), {})[name] = None
    for (name, kinds), methods in by_view.items():
        for task in tasks(config):
            changed = READS.get(where(task)[1], frozenset()) & kinds
            if changed:
                what = f"the view {name} (of {', '.join(methods)}) may change {', '.join(sorted(changed))}"
                yield f"{what}, by which {task} is labelled"


def _whole_batches(config: "Config") -> Iterator[str]:
    """Say which methods ask for a batch of more records than they are pretrained on."""
    from ecglipse.commands._fitting import count_training
    from ecglipse.store import Store

    by_size: dict[tuple[int, int], list[str]] = {}
    for name, records in count_training(config, Store.open(Path(config.store))).items():
        batch = config.of(name).pretrain.batch
        if batch > records:
            by_size.setdefault((batch, records), []).append(name)
    for (batch, records), methods in by_size.items():
        yield f"batch of {batch}, but {records} records: each step takes them all (of {', '.join(methods)})"
