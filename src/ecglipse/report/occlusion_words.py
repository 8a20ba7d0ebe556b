"""What masks hide, in sentences computed from the numbers; none says more than its test. Pure."""

import math
from collections.abc import Sequence
from typing import Final

from ecglipse.occlusion import BandShare, Enrichment, Findings, Harm, Stability

SURE: Final = 0.05
TOLD: Final = 0.005
"""Ratios nearer to 1 than this say nothing, however sure they are."""
NAMES: Final = {
    "P": "the P wave",
    "PQ": "the PQ segment",
    "QRS": "the QRS complex",
    "ST": "the ST segment",
    "T": "the T wave",
    "TP": "the TP segment",
}


def words(findings: Findings) -> tuple[str, list[str]]:
    """Give the finding in one sentence, and what supports or limits it."""
    sure = [row for row in findings.overall() if row.p_holm < SURE]
    main = overall_sentence(findings, sure)
    more = [leads_sentence(findings), groups_sentence(findings), *stability_sentences(findings)]
    more += [harm_sentence(findings.harm)] if findings.harm else []
    if findings.bands:
        main, more = bands_sentence(findings), [main, *more]
    return main, [sentence for sentence in more if sentence]


def _who(findings: Findings) -> str:
    kind = "learned " if findings.learned else "random " if findings.control else ""
    return f"{'The' if findings.learned else 'These'} {kind}masks"


def bands_sentence(findings: Findings) -> str:
    """Say which bands are hidden more or less than random masks of the same coverage hide them."""
    sure = [row for row in findings.bands if row.p_holm < SURE]
    chance = _percent(findings.bands[0].chance)
    if not sure:
        least = min((row.p_holm for row in findings.bands if not math.isnan(row.p_holm)), default=math.nan)
        return (
            f"{_who(findings)} hide no band more or less than random masks do, "
            f"{chance} of each (smallest p after Holm: {p_text(least)})."
        )
    more = sorted((row for row in sure if row.hidden > row.chance), key=lambda row: -row.hidden)
    less = sorted((row for row in sure if row.hidden <= row.chance), key=lambda row: row.hidden)
    parts = [f"{verb} {_bands(rows)}" for verb, rows in (("hide", more), ("spare", less)) if rows]
    return f"{_who(findings)} {'; they '.join(parts)}. Random masks hide {chance} of each."


def _bands(rows: Sequence[BandShare]) -> str:
    """The first with its interval, the others with their shares."""
    first, *others = rows
    interval = f"({100 * first.low:.0f}–{100 * first.high:.0f})"
    text = f"{first.band} most: {_percent(first.hidden)} {interval} of it"
    return _joined([text, *(f"{row.band} ({_percent(row.hidden)})" for row in others)])


def _joined(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"


def overall_sentence(findings: Findings, sure: Sequence[Enrichment]) -> str:
    """Say which regions are hidden more or less often than by chance, all leads together."""
    who = _who(findings)
    if findings.bands:
        who = f"All bands together, {who[:1].lower()}{who[1:]}"
    if not sure:
        least = min(
            (row.p_holm for row in findings.overall() if not math.isnan(row.p_holm)), default=math.nan
        )
        return f"{who} hide no wave more or less often than chance (smallest p after Holm: {p_text(least)})."
    often = sorted((row for row in sure if row.ratio >= 1 + TOLD), key=lambda row: -row.ratio)
    seldom = sorted((row for row in sure if row.ratio <= 1 - TOLD), key=lambda row: row.ratio)
    if not often and not seldom:
        return f"{who} hide every wave as often as chance, to within {100 * TOLD:g} %."
    if not often:
        return f"{who} hide {_several(seldom)}."
    return f"{who} hide {_several(often)}." + (f" They spare others: {_several(seldom)}." if seldom else "")


def _several(rows: Sequence[Enrichment]) -> str:
    """The first in full, the others in short."""
    texts = [_one(row, first=n == 0) for n, row in enumerate(rows)]
    return _joined(texts)


def _one(row: Enrichment, *, first: bool) -> str:
    often = " as often as chance" if first else ""
    share = f"{_percent(row.hidden)} of it instead of {_percent(row.chance)}; 95 % interval " if first else ""
    interval = f"({share}{row.low:.2f}–{row.high:.2f}, {p_equals(row.p_holm)})"
    return f"{NAMES[row.region]} {row.ratio:.2f} times{often} {interval}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def leads_sentence(findings: Findings) -> str:
    """Say in how many leads or bands, and regions, the masks differ from chance, and where most."""
    rows = [row for row in findings.enrichments if row.group == "all" and row.row is not None]
    tested = [row for row in rows if not math.isnan(row.p_value)]
    sure = [row for row in tested if row.p_holm < SURE]
    if not tested:
        return ""
    if findings.leads_alike():
        return "Masks and marks are one for all leads, so that no lead can differ from another."
    one = findings.rows
    pairs = f"{len(sure)} of {len(tested)} pairs of {one} and region"
    text = f"{one.capitalize()} by {one}, {pairs} differ from chance"
    if not sure:
        return text + "."
    most = max(sure, key=lambda row: abs(math.log(max(row.ratio, 1e-6))))
    return f"{text}; most of all {NAMES[most.region]} in {most.row}, {most.ratio:.2f} times as often."


def groups_sentence(findings: Findings) -> str:
    """Say in which groups of records the most different region differs."""
    rows = [row for row in findings.enrichments if row.group != "all" and row.row is None]
    tested = [row for row in rows if not math.isnan(row.p_value)]
    if not tested:
        return ""
    sure = [row for row in tested if row.p_holm < SURE]
    text = f"Group by group, {len(sure)} of {len(tested)} pairs of group and region differ from chance"
    if not sure:
        return text + "."
    most = max(sure, key=lambda row: abs(math.log(max(row.ratio, 1e-6))))
    return f"{text}; most of all {NAMES[most.region]} in {most.group}, {most.ratio:.2f} times as often."


def stability_sentences(findings: Findings) -> list[str]:
    """Say how far the runs agree, between the level of chance and the run's agreement with itself."""
    if not findings.stability:
        return []
    itself, *rest, chance = findings.stability
    pairs = list(zip(rest[::2], rest[1::2], strict=True))
    return [_agrees(run, wrong, itself, chance) for run, wrong in pairs]


def _agrees(run: Stability, wrong: Stability, itself: Stability, chance: Stability) -> str:
    if run.rank_low <= chance.rank_high:
        verdict = "no more than random masks agree"
    elif run.rank_low > wrong.rank_high:
        verdict = "both hide places that depend on the record"
    else:
        verdict = "what they share needs no look at the record"
    return (
        f"Against {run.other}: rank correlation {run.rank_correlation:.2f} "
        f"({run.rank_low:.2f}–{run.rank_high:.2f}); random masks reach {chance.rank_correlation:.2f}, "
        f"the same run by other draws {itself.rank_correlation:.2f}, the other run's masks of another record "
        f"{wrong.rank_correlation:.2f}: {verdict}."
    )


def harm_sentence(harm: Harm) -> str:
    """Say whether hiding what the network likes costs a model more than random masks do."""
    arm = {arm.name: arm for arm in harm.arms}
    against = arm["random"]
    if math.isnan(against.extra_loss) or math.isnan(against.p_value):
        return f"What the masks cost a model on {harm.task} is not defined: too few records of each class."
    start = (
        f"On {harm.task}, a model ({harm.model}) falls from a macro AUROC of {arm['none'].auroc:.3f} to "
        f"{arm['learned'].auroc:.3f} under these masks and {against.auroc:.3f} under random ones"
    )
    interval = f"({against.extra_low:+.3f} to {against.extra_high:+.3f}, {p_equals(against.p_value)})"
    if against.p_value >= SURE:
        return f"{start}: no difference was found, {against.extra_loss:+.3f} {interval}."
    side = "more" if against.extra_loss > 0 else "less"
    return f"{start}: they cost {abs(against.extra_loss):.3f} {side} {interval}."


def cautions(findings: Findings) -> list[str]:
    """What a reader must know before believing a number."""
    c, longest = findings.coverage, findings.segment_s
    most = f"With {_percent(c)} hidden, nothing can be hidden more than {1 / c:.2f} times as often as chance."
    if findings.bands:
        most = "A ratio is at most 1 over the share of its band that is hidden: 2 where half of it is."
    found = [
        *findings.cautions,
        most if c > 0 else "Nothing is hidden.",
        f"Masks are made of segments of {longest:g} s. One that is meant for a QRS complex of 0.1 s hides "
        "what lies beside it too, so that neighbours share their enrichment.",
        f"Marks: {findings.marks}. Only the span between a record's first and last mark is looked at; "
        f"{findings.left_out} records were left out for want of marks.",
        "To be hidden often is not to be important: the masks show where the network found that hiding makes "
        "records hard to recognise, and the cost to a supervised model is a question of its own.",
    ]
    if "delineator" in findings.marks:
        found.append(
            "The delineator errs: docs/masks.md has its agreement with marks made by hand; P waves found in "
            "atrial fibrillation are its most frequent mistake."
        )
    return found


def p_text(p: float) -> str:
    """A p-value as readers write it."""
    return "n/a" if math.isnan(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"


def p_equals(p: float) -> str:
    """The same in a sentence: "p < 0.001", "p = 0.012"."""
    return f"p {p_text(p)}" if p < 0.001 else f"p = {p_text(p)}"
