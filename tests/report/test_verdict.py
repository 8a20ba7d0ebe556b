"""The verdict's sentences follow from the numbers, for better, for worse and for none."""

from dataclasses import replace

import pytest

from ecglipse.report.cautions import in_few_words
from ecglipse.report.differences import Comparison
from ecglipse.report.looks import looks
from ecglipse.report.methods import Method
from ecglipse.report.scores import Group, Score
from ecglipse.report.summary import Summary
from ecglipse.report.verdict import floors_on_top, headline_fraction, signed, verdict

INIT = Method("init", "Random init", "init")
RANDOM = Method("random", "Random masks", "pretrained", masks="random")
LEARNED = Method("learned", "Learned masks", "pretrained", masks="adversarial")


def group(task: str, fraction: float = 0.1) -> Group:
    return Group(task, "linear", "matched", fraction)


def difference(task: str, low: float, high: float, p_holm: float) -> Comparison:
    middle = (low + high) / 2
    return Comparison(group(task), "learned", "random", True, middle, low, high, p_holm / 2, p_holm, 0.5, 9)


def study(*comparisons: Comparison, scores: tuple[Score, ...] = ()) -> Summary:
    return Summary(
        name="s",
        methods=(INIT, RANDOM, LEARNED),
        baselines=(),
        tasks=("rhythm", "sex"),
        settings=(("linear", "matched"),),
        fractions=(0.05, 0.1, 1.0),
        scores=scores,
        comparisons=comparisons,
        classes=(),
        synthetic=False,
        cautions=(),
        missing_floors=(),
        facts={},
    )


def test_a_method_is_compared_with_its_own_baseline_before_those_of_all() -> None:
    halved = Method("halved", "Half of it", "pretrained", masks="published", baseline="whole")
    whole = Method("whole", "All of it", "pretrained", masks="published")
    found = replace(study(), methods=(INIT, RANDOM, whole, halved), baselines=("random", "whole"))
    assert list(found.opponents("halved")) == ["whole", "random"]
    assert list(found.opponents("random")) == ["whole"]
    assert [m.name for m in found.candidates()] == ["halved"]
    ours = replace(found, methods=(INIT, RANDOM, LEARNED, whole, halved))
    assert [m.name for m in ours.candidates()] == ["learned", "halved"]
    assert next(iter(ours.opponents("learned").items())) == ("random", "random twin")


def test_many_comparisons_that_cannot_be_made_are_one_sentence() -> None:
    others = tuple(Method(f"m{k}", f"Method {k}", "pretrained", baseline="init") for k in range(5))
    gone = [Comparison(group("sex"), m.name, "init", False, None, note="no cell") for m in others]
    sure = Comparison(group("sex"), "m0", "random", False, 0.02, 0.01, 0.03, 0.01, 0.01, 0.9, 9)
    found = replace(study(sure, *gone), methods=(INIT, RANDOM, *others), ranked=True)
    said = [verdict(found)[0], *verdict(found)[1]]
    assert "“Method 0” beat the baseline “Random masks”" in said[0]
    assert said[1:] == ["5 more comparisons are n/a: cells are missing, or resamples lack a class."]
    few = replace(found, comparisons=(sure, *gone[:2]))
    assert len(verdict(few)[1]) == 2
    assert all("n/a (no cell)" in sentence for sentence in verdict(few)[1])


def test_missing_twins_of_many_masks_are_counted() -> None:
    names = [f"the {kind} twin of “{n}”" for n in range(5) for kind in ("random", "frozen")]
    said = in_few_words(["hand-crafted features", *names])
    assert said == (
        "hand-crafted features, the random twins of 5 learned masks, the frozen twins of 5 learned masks"
    )
    assert in_few_words(names[:4]) == ", ".join(names[:4])


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        (
            ((0.01, 0.03, 0.01), (-0.01, 0.02, 0.6)),
            "beat its random twin “Random masks” on 1 of 2 tasks; it survives Holm's correction",
        ),
        (
            ((0.01, 0.03, 0.08), (-0.01, 0.02, 0.6)),
            "on 1 of 2 tasks; none of these differences survives Holm's correction over the tasks",
        ),
        (((-0.01, 0.03, 0.4), (-0.01, 0.02, 0.6)), "on none of 2 tasks: every interval includes zero"),
        (
            ((0.01, 0.03, 0.01), (-0.05, -0.02, 0.01)),
            "on 1 of 2 tasks and lost to it on 1 of 2 tasks; all survive Holm's correction over the tasks "
            "(largest difference: −0.035, −0.050 to −0.020, on sex)",
        ),
    ],
)
def test_gains_losses_and_holm_are_told(numbers: tuple[tuple[float, float, float], ...], words: str) -> None:
    found = [difference(task, *n) for task, n in zip(("rhythm", "sex"), numbers, strict=True)]
    main, more = verdict(study(*found))
    assert main.startswith("“Learned masks” beat")
    assert words in main
    assert more == []


def test_missing_numbers_are_told() -> None:
    lost = replace(difference("sex", 0.0, 0.0, 1.0), estimate=None, note="Random masks: no cell")
    assert verdict(study(lost))[0] == (
        "“Learned masks” against its random twin “Random masks”: n/a (Random masks: no cell)."
    )
    assert verdict(study(difference("rhythm", 0.01, 0.03, 0.01), lost))[0].endswith("On 1 more task: n/a.")


def test_two_learned_masks_are_summed_up_first() -> None:
    other = Method("other", "Other masks", "pretrained", masks="adversarial", leads="per-lead")
    one = [difference("rhythm", 0.01, 0.03, 0.01), difference("sex", -0.01, 0.03, 0.4)]
    two = [replace(c, method="other") for c in (one[1], difference("sex", -0.03, -0.01, 0.2))]
    summary = replace(study(*one, *two), methods=(INIT, RANDOM, LEARNED, other))
    main, more = verdict(summary)
    assert main == (
        "Learning what to hide beat hiding at random in 1 of 4 comparisons (2 learned masks, 2 tasks) "
        "and lost in 1; 1 of the gains and 0 of the losses survive Holm's correction over the tasks."
    )
    assert len(more) == 2


def test_a_floor_on_top_is_said_aloud() -> None:
    scores = tuple(Score(group("sex"), m, v, n_cells=1) for m, v in (("init", 0.7), ("learned", 0.6)))
    assert floors_on_top(study(scores=scores)) == [
        "On sex, no pretrained encoder reaches the floor “Random init” (0.700)."
    ]
    assert floors_on_top(study(scores=(replace(scores[0], mean=0.5), scores[1]))) == []
    assert floors_on_top(replace(study(scores=scores), ranked=False)) == []


def test_the_headline_is_nearest_to_ten_per_cent() -> None:
    assert headline_fraction(study()) == 0.1
    assert headline_fraction(replace(study(), fractions=(0.01, 1.0))) == 0.01
    assert headline_fraction(replace(study(), fractions=())) is None


def test_differences_carry_their_sign() -> None:
    assert (signed(0.0123), signed(-0.0123)) == ("+0.012", "−0.012")


def test_no_two_methods_look_alike() -> None:
    many = [replace(RANDOM, name=f"r{n}") for n in range(5)]
    many += [replace(LEARNED, name=f"l{n}") for n in range(3)]
    found = looks(replace(study(), methods=(INIT, *many)))
    assert len({(look.colour, look.marker) for look in found.values()}) == len(found)
    assert len({look.marker for look in found.values()}) == len(found)
    assert "".join(look.letter for look in found.values()) == "ABCDEFGHI"
