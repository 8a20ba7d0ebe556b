"""What a reader must keep in mind about this very study: computed from its plan and its ledger."""

from collections.abc import Mapping, Sequence
from typing import Any

from ecglipse.report.kept import EACH, LEAST, left_out, positives
from ecglipse.report.methods import CONTROLS, Method
from ecglipse.report.scores import percent
from ecglipse.report.summary import Summary
from ecglipse.report.verdict import headline_groups

FEW = 3
"""Twins of a kind that are named one by one where they are missing."""


def missing_floors(summary: Summary) -> tuple[str, ...]:
    """Name the floors that have no number on some task at the verdict's budget, as read for the headline.

    Beside those of every study, each learned mask needs its own: its random, frozen and shuffled twin.
    """
    groups = headline_groups(summary)
    if not groups:
        return ()
    there = {
        g: {m.name for m in summary.methods if summary.floor(g, m.name).mean is not None} for g in groups
    }
    wanted: dict[str, list[Method]] = {
        "a constant prediction (majority)": [m for m in summary.methods if m.kind == "majority"],
        "hand-crafted features": [m for m in summary.methods if m.kind == "handcrafted"],
        "a random-init frozen encoder": [m for m in summary.methods if m.kind == "init"],
        "an encoder trained from scratch": [m for m in summary.methods if m.kind == "scratch"],
        "contrast without masks (SimCLR)": [
            m
            for m in summary.methods
            if (m.kind, m.masks, m.views, m.plays) == ("pretrained", "none", "base", ("", ""))
        ],
    }
    learned = [m for m in summary.candidates() if m.masks == "adversarial" and m.network == "learning"]
    for mine in learned:
        twin, controls = summary.twin(mine.name), summary.controls(mine.name)
        wanted[f"the random twin of “{mine.title}”"] = [twin] if twin else []
        for kind in CONTROLS:
            wanted[f"the {kind} twin of “{mine.title}”"] = [controls[kind]] if kind in controls else []
    if not learned:
        wanted["random masks"] = [m for m in summary.methods if m.masks == "random"]
    said = []
    for name, able in wanted.items():
        without = [g.task for g in groups if there[g] and there[g].isdisjoint(m.name for m in able)]
        if without:
            said.append(name + ("" if len(without) == len(groups) else f" (on {', '.join(without)})"))
    return tuple(said)


def in_few_words(floors: Sequence[str]) -> str:
    """Give missing floors as a list; the twins of many learned masks as so many of each kind."""
    words = list(floors)
    for kind in ("random", *CONTROLS):
        twins = [name for name in words if name.startswith(f"the {kind} twin of ")]
        if len(twins) > FEW:
            words = [name for name in words if name not in twins]
            words.append(f"the {kind} twins of {len(twins)} learned masks")
    return ", ".join(words)


def cautions(
    summary: Summary,
    lines: Sequence[Mapping[str, Any]],
    *,
    shared: Sequence[str],
    stale: int,
    replicates: int,
) -> tuple[str, ...]:
    """Give the limits of a study, one sentence each, those that weigh most first.

    Args:
        summary: of the study.
        lines: of the ledger.
        shared: tasks some of whose patients are tested in several rotations.
        stale: lines that belong to other settings.
        replicates: of the bootstrap.
    """
    said: list[str] = []
    seeds = {int(line["seed"]) for line in lines}
    if summary.synthetic:
        said.append("The recordings are simulated; nothing here holds for patients.")
    if len(seeds) == 1:
        said.append(
            "One pretraining seed: the intervals do not cover what changes when pretraining is repeated."
        )
    elif len(seeds) == 2:
        said.append("Two pretraining seeds: their spread is known only roughly; the protocol asks for three.")
    said += _draws(summary)
    commits = {str(line["commit"]) for line in lines}
    if len(commits) > 1:
        said.append(f"The cells were computed by {len(commits)} versions of the code; see the provenance.")
    leaks = summary.facts.get("leaks")
    if isinstance(leaks, list) and leaks:
        said.insert(0, f"{len(leaks)} recordings were trained on and tested; first of them: {leaks[0]}.")
    missing = [s for s in summary.scores if s.mean is None]
    if missing:
        said.append(
            f"{len(missing)} of {len(summary.scores)} numbers are n/a, mostly because cells are missing."
        )
    lonely = [m for m in summary.candidates() if m.masks == "adversarial" and summary.twin(m.name) is None]
    if lonely:
        names = ", ".join(m.title for m in lonely)
        said.append(f"No random twin (same leads, same mixture) in this study for: {names}.")
    words = {"frozen": "a frozen mask network", "shuffled": "masks shuffled over the batch"}
    learned = [m for m in summary.candidates() if m.masks == "adversarial" and m.network == "learning"]
    for kind in CONTROLS:
        without = [m.title for m in learned if kind not in summary.controls(m.name)]
        if without:
            said.append(f"No {kind} twin ({words[kind]}, same form) in this study for: {', '.join(without)}.")
    said += _rare(summary, lines)
    undefined = sorted({f"{k}: {v}" for line in lines for k, v in dict(line["undefined"]).items()})
    if undefined:
        said.append(
            f"Undefined in some cells: {'; '.join(undefined[:6])}{' ...' if len(undefined) > 6 else ''}."
        )
    if any(s.n_rotations > 1 for s in summary.scores):
        said += _rotations(shared, all_of_them=len(shared) == len(summary.tasks))
    said.append(
        f"Holm's correction covers the {len(summary.tasks)} task{'' if len(summary.tasks) == 1 else 's'} of "
        "one comparison, not the label fractions, probes and methods beside it; with so many numbers, some "
        "intervals leave out zero by chance."
    )
    said.append(
        f"Intervals come from {replicates:,} resamples, so no p-value is below {2 / (replicates + 1):.2g}."
    )
    said.append(_databases(summary, lines))
    if stale:
        said.append(
            f"{stale:,} older line{'' if stale == 1 else 's'} of the ledger belong to other "
            "settings and were left out."
        )
    return tuple(said)


def _draws(summary: Summary) -> list[str]:
    few: dict[tuple[int, str], list[float]] = {}
    for s in summary.scores:
        if s.group.fraction <= 0.1 and 0 < s.n_draws < 5:
            how = " when fine-tuning" if s.group.probe == "finetune" else ""
            few.setdefault((s.n_draws, how), []).append(s.group.fraction)
    return [
        f"{n} label draw{'' if n == 1 else 's'}{how} at "
        f"{', '.join(percent(f) for f in sorted(set(fractions)))}; the protocol asks for five."
        for (n, how), fractions in sorted(few.items())
    ]


def _rare(summary: Summary, lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name the classes of no macro average, with their positives in each test set."""
    said, out = [], left_out(lines)
    for task in summary.tasks:
        counts = positives(lines, task)
        if out.get(task):
            names = (f"{name} ({', '.join(map(str, counts.get(name, [])))})" for name in sorted(out[task]))
            said.append(
                f"{task}: fewer than {LEAST} test positives or negatives, or fewer than {EACH} in one "
                f"rotation, so kept out of every macro average (test positives by rotation): "
                f"{', '.join(names)}."
            )
    return said


def _rotations(shared: Sequence[str], *, all_of_them: bool) -> list[str]:
    """Say who is tested in several rotations, and what the intervals take as given."""
    given = "training sets overlap; the intervals take the rotations' encoders as given."
    said = [] if all_of_them else ["Test sets of rotations are of different patients, but their " + given]
    if shared:
        said.append(
            f"{', '.join(shared)}: some patients are tested in several rotations; they are resampled as one "
            "and counted once, so that these rotations add less than their number."
        )
        said += ["The rotations' " + given] if all_of_them else []
    return said


def _databases(summary: Summary, lines: Sequence[Mapping[str, Any]]) -> str:
    """Say on how many databases the order of the methods was seen."""
    store, targets = summary.facts.get("store"), summary.facts.get("targets")
    own = store.get("corpus", "unknown") if isinstance(store, dict) else "unknown"
    read = {str(line["task"]).partition(":")[0] for line in lines if ":" in str(line["task"])}
    others = sorted(read & set(targets)) if isinstance(targets, dict) else []
    if not others:
        return f"One database ({own}): whether the order of methods holds elsewhere is another question."
    return (
        f"{1 + len(others)} databases ({', '.join([own, *others])}), each with its own labels and test sets; "
        "whether the order of methods holds on others is another question."
    )
