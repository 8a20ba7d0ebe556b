"""The tables as cells: the summary's numbers, each in its place."""

from collections.abc import Iterator
from dataclasses import replace

from dummy_study import METHODS, Make
from wide_study import BUDGETS, LONG

from ecglipse.report.grids import Cell, Grid, differences, scores
from ecglipse.report.more_grids import more_grids
from ecglipse.report.scores import Group, percent
from ecglipse.report.summarise import summarise
from ecglipse.report.summary import Summary


def cells(grid: Grid) -> Iterator[tuple[str, str, str, Cell]]:
    """Give every cell with its block's title, its row's name and its column's head."""
    for block in grid.blocks:
        for name, row in block.rows:
            assert len(row) == len(grid.heads) - 1, "rows are whole"
            for head, cell in zip(grid.heads[1:], row, strict=True):
                yield block.title, name, head, cell


def every(summary: Summary) -> list[Grid]:
    more = more_grids(summary)
    return [*scores(summary), *differences(summary), *(grid for grids in more.values() for grid in grids)]


def test_every_table_is_there_and_whole(wide: Summary) -> None:
    kinds = ["floors", "labels", "classes", "measures", "calibration", "subgroups", "robustness"]
    assert list(more_grids(wide)) == kinds
    assert all(list(cells(grid)) for grid in every(wide))


def test_scores_are_those_of_the_summary(wide: Summary) -> None:
    grids = [grid for grid in scores(wide) if grid.where == "Linear probe"]
    assert len(grids) == len(wide.tasks)
    titles = {m.title: m.name for m in wide.methods} | {"From scratch (fine-tuned)": "scratch"}
    for task, grid in zip(wide.tasks, grids, strict=True):
        for _, name, head, cell in cells(grid):
            budget = next(f for f in BUDGETS if percent(f) == head)
            score = wide.floor(Group(task, "linear", "matched", budget), titles[name])
            assert cell == Cell(f"{score.mean:.3f}", (f"{score.low:.3f}", f"{score.high:.3f}"))


def test_floors_stand_in_a_block_of_their_own(wide: Summary) -> None:
    floors, others = scores(wide)[0].blocks
    names = ["Majority", "Hand-crafted", "Random-init, frozen", "From scratch (fine-tuned)"]
    assert [name for name, _ in floors.rows] == names
    assert LONG in [name for name, _ in others.rows]


def test_floors_alone_have_no_second_table(make: Make) -> None:
    def skip(line: dict[str, object]) -> bool:
        return line["probe"] == "finetune" and line["method"] != "scratch"

    grids = scores(summarise(make(probes=("linear", "finetune"), skip=skip, replicates=20)))
    assert {grid.where for grid in grids} == {"Linear probe"}
    assert "From scratch (fine-tuned)" in [name for _, name, _, _ in cells(grids[0])]


def test_differences_have_a_column_a_budget_and_holms_p_once(wide: Summary) -> None:
    grids = differences(wide)
    assert [grid.where for grid in grids] == ["Linear probe", "Fine-tuned"]
    assert grids[0].heads == ("task", *map(percent, BUDGETS), "p (Holm), 10 %")
    blocks = [block.title for block in grids[0].blocks]
    assert blocks[0] == f"Random {LONG[8:]} (its random twin)"
    found = {(title, task, head): cell for title, task, head, cell in cells(grids[0])}
    checked = 0
    for c in wide.comparisons:
        if c.method == "adversarial-per-lead" and c.group.probe == "linear" and c.estimate is not None:
            title = next(b for b in blocks if b.startswith(wide.method(c.baseline).title))
            cell = found[title, c.group.task, percent(c.group.fraction)]
            assert cell.value == f"{c.estimate:+.3f}"
            assert cell.ends == (f"{c.low:+.3f}", f"{c.high:+.3f}")
            if c.group.fraction == 0.1 and c.p_holm is not None and c.p_holm >= 0.001:
                assert found[title, c.group.task, "p (Holm), 10 %"] == Cell(f"{c.p_holm:.3f}")
            checked += 1
    assert checked == 5 * len(wide.tasks) * len(BUDGETS)


def test_the_best_is_named_only_where_methods_may_be_ranked(wide: Summary) -> None:
    (floors,) = more_grids(wide)["floors"]
    assert floors.heads[-1] == "best pretrained"
    assert floors.note.startswith("Best pretrained: ")
    (unranked,) = more_grids(replace(wide, ranked=False))["floors"]
    assert "best" not in " ".join(unranked.heads) + unranked.note


def test_the_best_is_the_best(wide: Summary) -> None:
    (floors,) = more_grids(wide)["floors"]
    for _, task, head, cell in cells(floors):
        if head == "best pretrained":
            group = Group(task, "linear", "matched", 0.1)
            others = [wide.score(group, m.name).mean or 0.0 for m in wide.methods if m.kind == "pretrained"]
            assert cell.value == f"{max(others):.3f}"


def test_labels_classes_and_errors_are_those_of_the_summary(wide: Summary) -> None:
    held = {
        name: [cell for grid in grids for *_, cell in cells(grid)] for name, grids in more_grids(wide).items()
    }
    mine = [k for k in wide.classes if k.group.fraction == 0.1 and k.group.probe == "linear"]
    assert sorted(c.value for c in held["classes"]) == sorted(
        f"{k.auroc:.3f}" for k in mine if k.auroc is not None
    )
    ece = sorted(f"{r.ece:.3f}" for r in wide.reliability if r.ece is not None)
    assert sorted(c.value for c in held["calibration"] if c.value) == ece
    ratios = [n for n in wide.needed if n.group.probe == "linear" and n.ratio]
    assert len(ratios) == len([c for c in held["labels"] if c.value]) > 0
    assert Cell("0.800, +0.100", ("+0.050", "+0.150")) in held["subgroups"]
    assert held["robustness"].count(Cell("-0.010", ("-0.020", "+0.000"))) == 13 * 9
    assert set(held["measures"]) == {Cell("0.625")}


def test_what_is_missing_says_why(make: Make) -> None:
    def skip(line: dict[str, object]) -> bool:
        return line["method"] == "3kg" and line["draw"] == 1

    grid = scores(summarise(make(methods=METHODS, skip=skip, seeds=(0,), replicates=20)))[0]
    assert Cell(why="1 of 2 draws done") in [cell for _, name, _, cell in cells(grid) if name == "3KG"]
