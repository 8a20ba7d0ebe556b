"""Laws of the wave statistics: uniform p-values of masks that know nothing, planted enrichment found."""

import numpy as np
import pytest
from scipy.stats import kstest

from ecglipse.corpora.simulator import simulate_arrays
from ecglipse.occlusion import Enrichment, Tally, enrichments, lead_by_lead, stability
from ecglipse.occlusion.enrichment import overlaps
from ecglipse.waves import REGIONS, region_map, region_maps

LEADS = ("I", "II", "V1")
FS, TIME, SEGMENT = 100.0, 1000, 25


@pytest.fixture(scope="module")
def maps() -> list[np.ndarray]:
    """Region maps of 48 simulated recordings, 24 patients."""
    waves = simulate_arrays(48, seed=5, recordings_per_patient=2).waves
    return list(region_maps(waves, range(48), leads=LEADS, n_samples=TIME, fs=FS))


def drawn(rng: np.random.Generator, *, per_lead: bool = True, coverage: float = 0.5) -> np.ndarray:
    """A random mask of whole segments."""
    groups, n = len(LEADS) if per_lead else 1, TIME // SEGMENT
    scores = rng.random((groups, n)).argsort(axis=1).argsort(axis=1)
    mask = np.repeat(scores < round(coverage * n), SEGMENT, axis=1).astype(np.float32)
    return np.broadcast_to(mask, (len(LEADS), TIME))


def tallied(masks: list[np.ndarray], maps: list[np.ndarray], *, shifts: int = 199, seed: int = 0) -> Tally:
    tally = Tally(["even"], n_rows=len(LEADS), shifts=shifts, seed=seed)
    for n, (mask, regions) in enumerate(zip(masks, maps, strict=True)):
        tally.add(mask, regions, member=np.array([n % 2 == 0]), patient=n // 2)
    return tally


def overall(rows: list[Enrichment]) -> dict[str, Enrichment]:
    return {row.region: row for row in rows if row.group == "all" and row.lead is None}


def test_overlaps_equal_a_loop_over_shifts(maps: list[np.ndarray]) -> None:
    rng = np.random.default_rng(0)
    mask, regions = rng.random((3, 200)), maps[0][:, 300:500]
    found, size = overlaps(mask, lead_by_lead(regions))
    for shift in (0, 1, 77, 199):
        rolled = np.roll(mask, shift, axis=1)
        by_hand = [[rolled[lead][regions[lead] == k].sum() for k in range(6)] for lead in range(3)]
        np.testing.assert_allclose(found[..., shift], by_hand, atol=1e-9)
    np.testing.assert_array_equal(size, [[(regions[lead] == k).sum() for k in range(6)] for lead in range(3)])


def test_expected_is_the_mean_over_all_shifts(maps: list[np.ndarray]) -> None:
    mask = np.random.default_rng(1).random((3, TIME)).astype(np.float32)
    tally = tallied([mask], [maps[0]])
    scored = np.flatnonzero((maps[0] >= 0).any(axis=0))
    span = slice(scored[0], scored[-1] + 1)
    np.testing.assert_allclose(
        tally.expected[0], overlaps(mask[:, span], lead_by_lead(maps[0][:, span]))[0].mean(-1)
    )


def p_values(maps: list[np.ndarray], *, see: float, trials: int) -> np.ndarray:
    """One p-value of QRS a trial of five records, of masks that prefer QRS by `see`."""
    rng = np.random.default_rng(2)
    found = []
    for trial in range(trials):
        chosen = [maps[i] for i in rng.choice(len(maps), 5, replace=False)]
        masks = [drawn(rng, per_lead=bool(trial % 2)) for _ in chosen]
        if see:
            masks = [
                np.where((r == REGIONS.index("QRS")) & (rng.random(r.shape) < see), 1, m).astype(np.float32)
                for m, r in zip(masks, chosen, strict=True)
            ]
        rows = enrichments(tallied(masks, chosen, seed=trial), LEADS, replicates=2)
        found.append(overall(rows)["QRS"].p_value)
    return np.array(found)


def test_p_values_of_random_masks_are_uniform(maps: list[np.ndarray]) -> None:
    assert kstest(p_values(maps, see=0.0, trials=150), "uniform").pvalue > 0.01


def test_the_uniformity_test_can_fail(maps: list[np.ndarray]) -> None:
    assert kstest(p_values(maps, see=0.15, trials=60), "uniform").pvalue < 1e-6


def test_a_mask_on_t_waves_is_found_there_and_missed_elsewhere(maps: list[np.ndarray]) -> None:
    rng = np.random.default_rng(3)
    t = REGIONS.index("T")
    masks = []
    for regions in maps:
        seen = (regions == t).any(axis=0).reshape(-1, SEGMENT).mean(axis=1)
        top = (seen + 0.3 * rng.random(seen.size)).argsort()[-12:]
        mask = np.zeros(TIME, np.float32).reshape(-1, SEGMENT)
        mask[top] = 1
        masks.append(np.broadcast_to(mask.reshape(-1), (3, TIME)))
    rows = enrichments(tallied(masks, maps, shifts=999), LEADS, replicates=500)
    found = overall(rows)
    assert found["T"].ratio > 1.5
    assert found["T"].low > 1.5
    assert found["T"].p_holm < 0.01
    assert found["QRS"].ratio < 0.8
    assert found["QRS"].p_holm < 0.01
    assert max(found.values(), key=lambda row: row.ratio).region == "T"
    assert {r.region for r in rows if r.group == "even" and r.lead == "V1" and r.p_holm < 0.05} >= {"T"}


def test_random_masks_enrich_nothing(maps: list[np.ndarray]) -> None:
    rng = np.random.default_rng(4)
    found = overall(enrichments(tallied([drawn(rng) for _ in maps], maps), LEADS))
    for row in found.values():
        assert row.p_holm > 0.05
        assert 0.85 < row.ratio < 1.15
    assert sum(r.hidden * r.samples for r in found.values()) == pytest.approx(
        sum(r.chance * r.samples for r in found.values()), rel=0.02
    )


def test_a_constant_mask_says_nothing(maps: list[np.ndarray]) -> None:
    rows = overall(enrichments(tallied([np.full((3, TIME), 0.5, np.float32)] * 4, maps[:4]), LEADS))
    for row in rows.values():
        assert row.p_value == 1.0
        assert row.ratio == pytest.approx(1.0)


def test_a_region_that_nowhere_is_counts_as_no_test(maps: list[np.ndarray]) -> None:
    without = [np.where(m == REGIONS.index("P"), -1, m).astype(np.int8) for m in maps[:8]]
    rng = np.random.default_rng(5)
    rows = overall(enrichments(tallied([drawn(rng) for _ in without], without), LEADS))
    assert np.isnan(rows["P"].p_holm)
    assert rows["P"].samples == 0
    smallest = min((row for row in rows.values() if row.samples), key=lambda row: row.p_value)
    assert smallest.p_holm == pytest.approx(min(1.0, 5 * smallest.p_value))


def test_records_without_marks_are_counted_and_left_out() -> None:
    import pandas as pd

    nothing = region_map(
        pd.DataFrame(columns=["kind", "lead", "onset_s", "peak_s", "offset_s"]),
        leads=LEADS,
        n_samples=TIME,
        fs=FS,
    )
    tally = tallied([np.ones((3, TIME), np.float32)], [nothing])
    assert tally.left_out == 1
    assert enrichments(tally, LEADS) == []


def test_agreement_of_equal_maps_is_one_and_of_random_ones_is_none() -> None:
    rng = np.random.default_rng(6)
    a = np.stack([np.mean([drawn(rng) for _ in range(8)], axis=0) for _ in range(20)])
    b = np.stack([np.mean([drawn(rng) for _ in range(8)], axis=0) for _ in range(20)])
    patients = np.arange(20)
    same = stability(a, a, other="itself", patients=patients, segments=TIME // SEGMENT)
    assert same.rank_correlation == pytest.approx(1.0)
    assert same.cosine == pytest.approx(1.0)
    assert same.p_value == pytest.approx(0.001)
    other = stability(a, b, other="random", patients=patients, segments=TIME // SEGMENT)
    assert other.rank_low < 0 < other.rank_high
    assert other.p_value > 0.05
    mixed = stability(a, (a + b) / 2, other="half", patients=patients, segments=TIME // SEGMENT)
    assert 0.5 < mixed.cosine < 0.9


def test_stability_p_values_of_random_masks_are_uniform() -> None:
    rng = np.random.default_rng(7)
    found = []
    for trial in range(200):
        a, b = np.repeat(rng.random((2, 5, 1, 40)), SEGMENT, axis=-1)  # no ties: those only raise p-values
        row = stability(
            a, b, other="", patients=np.arange(5), segments=40, shifts=199, replicates=2, seed=trial
        )
        found.append(row.p_value)
    assert kstest(found, "uniform").pvalue > 0.01
