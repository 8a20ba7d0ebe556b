"""What disturbances of the test recordings cost each method: differences to the same probe undisturbed."""

from collections.abc import Mapping, Sequence

from ecglipse.report.bench import Bench
from ecglipse.report.cells import Cells, Key, Line, group_of, key_of
from ecglipse.report.differences import Disturbed
from ecglipse.report.methods import Method
from ecglipse.report.scores import Group


def robustness(
    methods: Sequence[Method],
    cells: Cells,
    lines: Sequence[Line],
    bench: Bench,
) -> tuple[Disturbed, ...]:
    """Compare each disturbance with the undisturbed cells of the same probe, seeds and label draws.

    Args:
        methods: of the study.
        cells: undisturbed, by group and method.
        lines: of the ledger, those with a disturbance.
        bench: computes estimates; its bootstrap need not be long, as these are many.
    """
    under: dict[tuple[Group, str, str], dict[Key, Line]] = {}
    for line in lines:
        name = str(line["disturbance"])
        under.setdefault((group_of(line), str(line["method"]), name), {})[key_of(line)] = line
    names = {m.name for m in methods}
    pairs = []
    for (group, method, name), mine in under.items():
        clean = cells.get((group, method), {})
        same = {key: clean[key] for key in mine if key in clean}
        if method in names and same and len(same) == len(mine) and _full(mine):
            pairs.append(((group, method, name), mine, same))
    once = {(group, method, *same): same for (group, method, _), _, same in pairs}
    undisturbed = dict(zip(once, bench.estimates(list(once.values())), strict=True))
    disturbed = bench.estimates([mine for _, mine, _ in pairs])
    made = []
    for ((group, method, name), _, same), a in zip(pairs, disturbed, strict=True):
        b = undisturbed[group, method, *same]
        change = a.minus(b)
        made.append(Disturbed(group, method, name, b.mean, change.estimate, change.low, change.high))
    return tuple(made)


def _full(mine: Mapping[Key, Line]) -> bool:
    """Whether every rotation has every seed and draw."""
    rotations, seeds, draws = (len({key[i] for key in mine}) for i in range(3))
    return len(mine) == rotations * seeds * draws
