"""What the numbers say, in sentences: computed, never typed."""

from collections.abc import Sequence

from ecglipse.report.differences import Comparison
from ecglipse.report.methods import FLOORS, Method
from ecglipse.report.scores import Group, percent
from ecglipse.report.summary import Summary

SENTENCES = 12
"""Comparisons that the page says at its top; more are behind a fold."""
FEW = 3
"""Comparisons that cannot be made which are said one by one."""


def headline_fraction(summary: Summary) -> float | None:
    """Give the label fraction that the verdict is about: the one nearest to 10 %."""
    return min(summary.fractions, key=lambda f: (f < 0, abs(f - 0.1), f), default=None)


def headline_groups(summary: Summary) -> tuple[Group, ...]:
    """Give what the verdict is about, one group a task: none while nothing has been computed."""
    fraction = headline_fraction(summary)
    if fraction is None or not summary.settings:
        return ()
    return tuple(Group(task, *summary.settings[0], fraction) for task in summary.tasks)


def shown_fractions(summary: Summary) -> tuple[float, ...]:
    """Give the label budgets that long tables and forests show: all if they are few, else fewest labels,
    the verdict's and most; the others are in the table of scores and in the CSV."""
    if len(summary.fractions) <= 4:
        return summary.fractions
    some = {headline_fraction(summary), *summary.shares[:1], *summary.shares[-1:]}
    return tuple(f for f in summary.fractions if f in some)


def signed(value: float) -> str:
    """Give a difference with its sign, "+0.012" or "−0.003"."""
    return f"{value:+.3f}".replace("-", "−")


def _of(count: int, total: int) -> str:
    return f"{'none' if count == 0 else count} of {total} task{'' if total == 1 else 's'}"


def tally(summary: Summary, method: Method, found: Sequence[Comparison]) -> str:
    """Say in one sentence on how many tasks a method beat an opponent, and what survives Holm.

    Args:
        summary: of the study.
        method: who is compared.
        found: its comparisons with one opponent, one a task.
    """
    with_numbers = [c for c in found if c.estimate is not None and c.low is not None and c.high is not None]
    opponent = f"“{summary.method(found[0].baseline).title}”"
    role = f"its {found[0].control or 'random twin'}" if found[0].twin or found[0].control else "the baseline"
    name = f"“{method.title}”"
    if not with_numbers:
        why = found[0].note or "nothing to compare yet"
        return f"{name} against {role} {opponent}: n/a ({why})."
    better = [c for c in with_numbers if _better(c)]
    worse = [c for c in with_numbers if _worse(c)]
    sure_up = [c for c in better if c.p_holm is not None and c.p_holm < 0.05]
    sure_down = [c for c in worse if c.p_holm is not None and c.p_holm < 0.05]
    total = len(with_numbers)
    text = f"{name} beat {role} {opponent} on {_of(len(better), total)}"
    text += f" and lost to it on {_of(len(worse), total)}" if worse else ""
    sure = len(sure_up) + len(sure_down)
    if not better and not worse:
        text += ": every interval includes zero"
    elif sure == 0:
        text += "; none of these differences survives Holm's correction over the tasks"
    elif sure == len(better) + len(worse):
        text += f"; {'it survives' if sure == 1 else 'all survive'} Holm's correction over the tasks"
    else:
        text += f"; {sure} of these differences survive{'s' if sure == 1 else ''} Holm's correction"
    extreme = max(with_numbers, key=lambda c: abs(c.estimate or 0))
    numbers = [signed(x or 0.0) for x in (extreme.estimate, extreme.low, extreme.high)]
    text += f" (largest difference: {numbers[0]}, {numbers[1]} to {numbers[2]}, on {extreme.group.task})."
    missing = len(found) - total
    return text + (f" On {missing} more task{'' if missing == 1 else 's'}: n/a." if missing else "")


def verdict(summary: Summary) -> tuple[str, list[str]]:
    """Give one sentence on whether learning what to hide helped, and more: each candidate, each opponent."""
    groups = headline_groups(summary)
    if not groups:
        return "No cell has been computed yet, so nothing can be said.", []
    if not summary.ranked:
        return (
            f"No ranking: {', '.join(summary.missing_floors)} not in this study; without "
            f"{'this floor' if len(summary.missing_floors) == 1 else 'these floors'} nobody can tell what "
            "pretraining is worth. The numbers are below; `--without-floors` ranks them all the same.",
            [],
        )
    here = [c for c in summary.comparisons if c.group in groups]
    sentences: list[str] = []
    idle: list[str] = []
    judged: list[Comparison] = []
    for twin in (True, False):
        for method in summary.candidates():
            mine = [c for c in here if c.method == method.name and c.twin == twin]
            for baseline in dict.fromkeys(c.baseline for c in mine):
                found = [c for c in mine if c.baseline == baseline]
                able = any(c.low is not None for c in found)
                (sentences if able else idle).append(tally(summary, method, found))
                judged += found if twin else []
    if len(idle) > FEW:
        idle = [f"{len(idle)} more comparisons are n/a: cells are missing, or resamples lack a class."]
    sentences += idle
    if not sentences:
        return (
            "No pretrained method stands beside a baseline in this study, so masks cannot be judged by it.",
            [],
        )
    if len({c.method for c in judged}) > 1:
        return _overview(judged), sentences
    return sentences[0], sentences[1:]


def _overview(judged: Sequence[Comparison]) -> str:
    """Say over all learned masks and tasks how often learning what to hide helped."""
    done = [c for c in judged if c.estimate is not None and c.low is not None and c.high is not None]
    if not done:
        return "Learned masks cannot be compared with their random twins yet: cells are missing."
    up, down = ([c for c in done if side(c)] for side in (_better, _worse))
    sure = [sum(c.p_holm is not None and c.p_holm < 0.05 for c in some) for some in (up, down)]
    many = len({c.method for c in done})
    text = f"Learning what to hide beat hiding at random in {len(up)} of {len(done)} comparisons "
    text += f"({many} learned mask{'' if many == 1 else 's'}, {len({c.group.task for c in done})} tasks)"
    text += f" and lost in {len(down)}" if down else " and lost in none"
    if up or down:
        kept = (
            f"{sure[0]} of the gains and {sure[1]} of the losses survive"
            if down
            else f"{sure[0]} survive{'s' if sure[0] == 1 else ''}"
        )
        kept = "none survives" if sum(sure) == 0 else kept
        text += f"; {kept} Holm's correction over the tasks"
    missing = len(judged) - len(done)
    return text + (f"; {missing} n/a." if missing else ".")


def _better(c: Comparison) -> bool:
    return c.low is not None and c.low > 0


def _worse(c: Comparison) -> bool:
    return c.high is not None and c.high < 0


def floors_on_top(summary: Summary) -> list[str]:
    """Name the tasks on which a floor has the best mean, at the headline's probe and label fraction."""
    sentences = []
    for group in headline_groups(summary) if summary.ranked else ():
        scores = [s for m in summary.methods if (s := summary.floor(group, m.name)).mean is not None]
        best = max(scores, key=lambda s: s.mean or 0.0, default=None)
        if best is not None and summary.method(best.method).kind in FLOORS and len(scores) > 1:
            title = summary.method(best.method).title
            sentences.append(
                f"On {group.task}, no pretrained encoder reaches the floor “{title}” ({best.mean:.3f})"
                + ("." if best.group == group else f", {setting_title(best.group.probe, 'matched').lower()}.")
            )
    return sentences


def setting_title(probe: str, validation: str) -> str:
    """Give a probe as readers say it, with what is unusual about its validation set."""
    names = {
        "linear": "Linear probe",
        "knn": "Nearest neighbours",
        "finetune": "Fine-tuned",
        "majority": "Majority",
    }
    text = names.get(probe, probe)
    return text if validation == "matched" else f"{text}, validation set in full"


def at_what(summary: Summary) -> str:
    """Say where the verdict looks: label fraction and probe."""
    fraction = headline_fraction(summary)
    if fraction is None or not summary.settings:
        return ""
    labels = f"{percent(fraction)} of the labels" if fraction > 0 else f"{percent(fraction)} labelled"
    return f"At {labels}, {setting_title(*summary.settings[0]).lower()}"
