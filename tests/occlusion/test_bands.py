"""Masks over bands: a planted band and wave are found, random cells give uniform p and their coverage."""

import numpy as np
import pytest
import torch
from scipy.stats import kstest

from ecglipse.corpora.simulator import simulate_arrays
from ecglipse.draws import Draws
from ecglipse.masks import RandomMask, SpectralMask, bands
from ecglipse.occlusion import Enrichment, Tally, all_leads, band_enrichments, band_names, band_shares
from ecglipse.occlusion.enrichment import overlaps
from ecglipse.waves import REGIONS, region_maps

LEADS, FS, TIME = ("I", "II", "V1"), 100.0, 1000
POLICY = SpectralMask(RandomMask(form=bands(4), coverage=0.5, segment_s=0.16, fs=FS, in_segments=True), fs=FS)
NAMES = band_names(POLICY.edges_hz)


@pytest.fixture(scope="module")
def maps() -> list[np.ndarray]:
    """Region maps of 32 simulated recordings, 16 patients."""
    waves = simulate_arrays(32, seed=5, recordings_per_patient=2).waves
    return list(region_maps(waves, range(32), leads=LEADS, n_samples=TIME, fs=FS))


def chance(records: int, key: int) -> np.ndarray:
    """Random cells over samples."""
    x = torch.zeros(records, 3, TIME)
    mask = POLICY(x, Draws.of(key, "test", rows=range(records)))
    return POLICY.rows_over_time(mask, x).numpy()


def found(masks: np.ndarray, maps: list[np.ndarray], *, shifts: int = 199) -> list[Enrichment]:
    tally = Tally([], n_rows=4, shifts=shifts, seed=0, marks=all_leads)
    for n, (mask, regions) in enumerate(zip(masks, maps, strict=True)):
        tally.add(mask, regions, member=np.zeros(0, dtype=bool), patient=n // 2)
    return band_enrichments(tally, NAMES)


def test_a_band_overlaps_with_every_lead_by_hand(maps: list[np.ndarray]) -> None:
    mask, regions = np.random.default_rng(0).random((4, 200)), maps[0][:, 300:500]
    over_shifts, size = overlaps(mask, all_leads(regions))
    for shift in (0, 1, 77):
        rolled = np.roll(mask, shift, axis=1)
        by_hand = [
            [sum(rolled[band][lead == k].sum() for lead in regions) for k in range(6)] for band in range(4)
        ]
        np.testing.assert_allclose(over_shifts[..., shift], by_hand, atol=1e-9)
    np.testing.assert_array_equal(size, [[(regions == k).sum() for k in range(6)]] * 4)


def test_a_planted_band_and_wave_are_found_and_no_other(maps: list[np.ndarray]) -> None:
    masks, qrs = chance(len(maps), 1), REGIONS.index("QRS")
    for mask, regions in zip(masks, maps, strict=True):
        mask[2] = (regions == qrs).any(axis=0)
    rows = [row for row in found(masks, maps, shifts=999) if row.band is not None]
    assert all(row.lead is None for row in rows)
    more = [(row.band, row.region) for row in rows if row.p_holm < 0.05 and row.ratio > 1]
    assert more == [(NAMES[2], "QRS")]
    assert {row.band for row in rows if row.p_holm < 0.05} == {NAMES[2]}


def test_p_values_of_random_cells_are_uniform_and_can_fail(maps: list[np.ndarray]) -> None:
    def p_values(see: float, trials: int) -> list[float]:
        rng, got = np.random.default_rng(2), []
        for trial in range(trials):
            chosen = [maps[i] for i in rng.choice(len(maps), 4, replace=False)]
            masks = chance(4, 100 + trial)
            if see:
                for mask, regions in zip(masks, chosen, strict=True):
                    mask[1] = np.where((regions == 2).any(axis=0), np.maximum(mask[1], see), mask[1])
            rows = found(masks, chosen)
            got += [row.p_value for row in rows if row.band == NAMES[1] and row.region == "QRS"]
        return got

    assert kstest(p_values(0.0, 100), "uniform").pvalue > 0.01
    assert kstest(p_values(0.7, 40), "uniform").pvalue < 1e-4


def test_random_cells_hide_their_coverage_of_every_band() -> None:
    p_values = []
    for trial in range(60):
        shares = chance(40, trial).mean(axis=2).astype(np.float64)
        rows = band_shares(
            shares,
            np.arange(40) // 2,
            edges_hz=POLICY.edges_hz,
            bins=POLICY.bins,
            coverage=0.5,
            replicates=2,
        )
        p_values.append(rows[trial % 4].p_value)
        assert all(abs(row.hidden - 0.5) < 0.05 for row in rows)
    assert kstest(p_values, "uniform").pvalue > 0.01


def test_a_band_that_is_spared_is_named_with_its_share() -> None:
    shares = chance(40, 7).mean(axis=2).astype(np.float64)
    shares[:, 3] *= 0.5
    rows = band_shares(shares, np.arange(40), edges_hz=POLICY.edges_hz, bins=POLICY.bins, coverage=0.5)
    assert [row.band for row in rows if row.p_holm < 0.01] == [NAMES[3]]
    assert rows[3].hidden == pytest.approx(shares[:, 3].mean())
    assert rows[3].low < rows[3].hidden < rows[3].high < 0.3
