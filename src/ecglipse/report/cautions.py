"""What a reader must keep in mind about this very study: computed from its plan and its ledger."""

from collections.abc import Mapping, Sequence
from typing import Any

from ecglipse.report.tables import CONTROLS, Method, Summary, percent


def missing_floors(methods: Sequence[Method], done: set[str]) -> tuple[str, ...]:
    """Name the floors that no cell stands for."""
    present = [m for m in methods if m.name in done]
    wanted = {
        "a constant prediction (majority)": any(m.kind == "majority" for m in present),
        "hand-crafted features": any(m.kind == "handcrafted" for m in present),
        "a random-init frozen encoder": any(m.kind == "init" for m in present),
        "an encoder trained from scratch": any(m.kind == "scratch" for m in present),
        "contrast without masks (SimCLR)": any(
            (m.kind, m.masks, m.views) == ("pretrained", "none", "base") for m in present
        ),
        "random masks": any(m.masks == "random" for m in present),
    }
    return tuple(name for name, there in wanted.items() if not there)


def cautions(
    summary: Summary, lines: Sequence[Mapping[str, Any]], *, stale: int, replicates: int
) -> tuple[str, ...]:
    """Give the limits of a study, one sentence each, those that weigh most first."""
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
    learned = [m for m in summary.candidates() if m.masks == "adversarial"]
    for kind in CONTROLS:
        without = [m.title for m in learned if kind not in summary.controls(m.name)]
        if without:
            said.append(f"No {kind} twin ({words[kind]}, same form) in this study for: {', '.join(without)}.")
    for task in summary.tasks:
        left = sorted({str(c) for line in lines if line["task"] == task for c in line["left_out"]})
        if left:
            said.append(
                f"{task}: fewer than 10 test positives, so kept out of the macro average: {', '.join(left)}."
            )
    undefined = sorted({f"{k}: {v}" for line in lines for k, v in dict(line["undefined"]).items()})
    if undefined:
        said.append(
            f"Undefined in some cells: {'; '.join(undefined[:6])}{' ...' if len(undefined) > 6 else ''}."
        )
    if any(s.n_rotations > 1 for s in summary.scores):
        said.append(
            "Test sets of rotations are of different patients, but their training sets overlap; the "
            "intervals take the rotations' encoders as given."
        )
    said.append(
        f"Holm's correction covers the {len(summary.tasks)} task{'' if len(summary.tasks) == 1 else 's'} of "
        "one comparison, not the label fractions, probes and methods beside it; with so many numbers, some "
        "intervals leave out zero by chance."
    )
    said.append(
        f"Intervals come from {replicates:,} resamples, so no p-value is below {2 / (replicates + 1):.2g}."
    )
    said.append("One source of recordings: whether the order of methods holds elsewhere is another question.")
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
