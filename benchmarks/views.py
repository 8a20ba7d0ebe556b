"""How fast views are made: ours in batches against the usual formulation, one record at a time in NumPy.

    python benchmarks/views.py --json

`ratio_item`: a two-view item, the first view normalised (min-max over the record), the second with 3KG,
gaussian noise, wander, mains and muscle noise and then normalised: records/s of ours over NumPy's.
`slowest_single`: the smallest ratio of any one view. The NumPy side does the formulas of the code published
with Bo et al. 2022 (sizes in mV), one record at a time, and stacks its records to a float32 batch, as ours is
one. It is written in two ways. Clean (`ratio_item`, `slowest_single`): fed float32, all leads in one call.
As published (`ratio_item_published`): fed float64, a loop over leads for wander and muscle noise, the
pseudo-inverse and the limb leads made for each record. Both draw from NumPy's legacy generator, as published,
or the clean one from PCG64, which is faster (`ratio_item_pcg64`). Ours draws on the same leads: one noise for
all twelve, or each lead its own. `ratio_item_independent`: ours as it is used, noise on the eight independent
leads and muscle noise in a band that swells, against the same NumPy.
`roofline_us`: what the item's passes over signals take at the speeds of copies and GEMM of the same run;
`plans_us`: its draws and other small things, which come on top.
`share_of_step` is the base augmentation of both views over a SimCLR step of a narrow encoder.
Interleaved in one process, one thread, on the thread's own CPU clock; a ratio is the median over rounds.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from adversarial_step import narrow, step_of
from scipy.signal import istft, stft
from scipy.spatial.transform import Rotation

from ecglipse.batches import torch_rng
from ecglipse.draws import Draws
from ecglipse.leads import EXPANSION, INDEPENDENT, INVERSE_DOWER, LEADS
from ecglipse.masks import NoMask
from ecglipse.views.base import BaseViews
from ecglipse.views.electrodes import PAIRS, _swap
from ecglipse.views.view import Pipeline, View, make

FS = 250.0
EIGHT = [LEADS.index(name) for name in INDEPENDENT]
BACK = np.linalg.pinv(INVERSE_DOWER)
SWAPS = np.stack([_swap(pair) for pair in PAIRS]).astype(np.float32)
Record = np.ndarray
Rng = np.random.RandomState | np.random.Generator


def gaussian(x: Record, rng: Rng) -> Record:
    return x + rng.normal(0, 0.05, x.shape[1])


def wander(x: Record, rng: Rng) -> Record:
    t = np.arange(x.shape[1]) / FS
    wave = np.zeros(x.shape[1])
    for _ in range(3):
        hz, size, phase = rng.uniform(0.05, 0.5), rng.uniform(0, 0.2), rng.uniform(0, 2 * np.pi)
        wave += size * np.cos(2 * np.pi * hz * t + phase)
    return x + rng.normal(1, 0.5, (12, 1)) * wave


def shift(x: Record, rng: Rng) -> Record:
    time = x.shape[1]
    length = int(np.clip(rng.normal(2 * FS, 0.4 * FS), 0, time))
    start = int(rng.uniform(0, time - length + 1))
    out = x.copy()
    out[:, start : start + length] += rng.uniform(-0.25, 0.25, (12, 1)).astype(x.dtype)
    return out


def powerline(x: Record, rng: Rng) -> Record:
    t = np.arange(x.shape[1]) / FS
    hz = 50 if rng.uniform() < 0.5 else 60
    return x + rng.uniform(0, 0.1) * np.cos(2 * np.pi * hz * t + rng.uniform(0, 2 * np.pi))


def emg(x: Record, rng: Rng) -> Record:
    return x + rng.uniform(0, 0.05, (12, 1)) * rng.normal(size=x.shape)


def gain(x: Record, rng: Rng) -> Record:
    return x * np.float32(np.exp(rng.uniform(-0.2, 0.2)))


def mask(x: Record, rng: Rng) -> Record:
    return x * (rng.uniform(size=x.shape) >= 0.2)


def block_mask(x: Record, rng: Rng) -> Record:
    time = x.shape[1]
    length, out = int(2 * FS), x.copy()
    for lead in range(12):
        start = int(rng.uniform(0, time))
        out[lead, start : start + length] = 0
        out[lead, : max(start + length - time, 0)] = 0
    return out


def block_mask_all(x: Record, rng: Rng) -> Record:
    time = x.shape[1]
    length, out = int(2 * FS), x.copy()
    start = int(rng.uniform(0, time))
    out[:, start : start + length] = 0
    out[:, : max(start + length - time, 0)] = 0
    return out


def lead_mask(x: Record, rng: Rng) -> Record:
    out = x.copy()
    out[rng.uniform(size=12) < 0.5] = 0
    return out


def lead_subset(x: Record, rng: Rng) -> Record:
    out = x.copy()
    out[rng.permutation(12)[int(rng.uniform(1, 13)) :]] = 0
    return out


def peak_mask(x: Record, rng: Rng) -> Record:
    mean = x.mean(0)
    peaks = mean > mean.mean()
    return x * (peaks if rng.uniform() < 0.5 else ~peaks)


def fourier(x: Record, rng: Rng) -> Record:
    _, _, spectrum = stft(x, FS, nperseg=500, noverlap=250)
    _, out = istft(spectrum * rng.beta(5, 2, spectrum.shape), FS, nperseg=500, noverlap=250)
    return out[:, : x.shape[1]]


def phase_surrogate(x: Record, rng: Rng) -> Record:
    spectrum = np.fft.rfft(x)
    turn = np.exp(1j * rng.uniform(-np.pi, np.pi, spectrum.shape[1]))
    return np.fft.irfft(spectrum * turn, n=x.shape[1])


def threekg(x: Record, rng: Rng) -> Record:
    turn = Rotation.from_euler("zyx", rng.uniform(-45, 45, 3), degrees=True).as_matrix()
    change = BACK @ (np.diag(rng.uniform(1, 1.5, 3)) @ turn) @ INVERSE_DOWER
    return (EXPANSION @ change).astype(x.dtype) @ x[EIGHT]


def _read(x: Record, places: np.ndarray) -> Record:
    grid = np.arange(x.shape[1])
    return np.stack([np.interp(places, grid, lead) for lead in x])


def crop_resize(x: Record, rng: Rng) -> Record:
    share = rng.uniform(0.8, 1)
    start = (1 - share) * (x.shape[1] - 1) * rng.uniform()
    return _read(x, start + share * np.arange(x.shape[1]))


def time_warp(x: Record, rng: Rng) -> Record:
    time = x.shape[1]
    knots = int(np.ceil(time / FS)) + 1
    grid = np.linspace(0, knots - 1, time)
    speed = np.exp(np.interp(grid, np.arange(knots), rng.uniform(-0.1, 0.1, knots)))
    way = np.cumsum(speed) - speed[0]
    return _read(x, way * ((time - 1) / way[-1]))


def electrode_swap(x: Record, rng: Rng) -> Record:
    return SWAPS[int(rng.uniform(0, len(SWAPS)))] @ x


def chest_shift(x: Record, rng: Rng) -> Record:
    share, out = np.float32(rng.uniform(0, 0.3)), x.copy()
    if rng.uniform() < 0.5:
        out[7:] += share * (x[6:11] - x[7:])
    else:
        out[6:11] += share * (x[7:] - x[6:11])
    return out


def min_max(x: Record, rng: Rng) -> Record:
    low, high = x.min(), x.max()
    return (x - low) / (high - low)


def z_score(x: Record, rng: Rng) -> Record:
    return (x - x.mean()) / x.std()


def robust(x: Record, rng: Rng) -> Record:
    low, middle, high = np.quantile(x, [0.25, 0.5, 0.75])
    return ((x - middle) / (high - low)).astype(np.float32)


SINGLES: dict[str, tuple[Callable[[Record, Rng], Record], View]] = {
    "gaussian": (gaussian, make("gaussian", fs=FS, sigma_mv=0.05, leads="common")),
    "wander": (wander, make("wander", fs=FS, amplitude_mv=0.2, leads="each")),
    "shift": (shift, make("shift", fs=FS, amplitude_mv=0.25, leads="each")),
    "powerline": (powerline, make("powerline", fs=FS, amplitude_mv=0.1, leads="common")),
    "emg": (emg, make("emg", fs=FS, amplitude_mv=0.05, leads="each", cut_hz=0.0, swell_s=0.0)),
    "gain": (gain, make("gain", fs=FS, largest=1.2)),
    "mask": (mask, make("mask", fs=FS, share=0.2)),
    "block-mask": (block_mask, make("block-mask", fs=FS, length_s=2.0)),
    "block-mask, all leads": (block_mask_all, make("block-mask", fs=FS, length_s=2.0, leads="all")),
    "lead-mask": (lead_mask, make("lead-mask", fs=FS, share=0.5)),
    "lead-subset": (lead_subset, make("lead-subset", fs=FS, fewest=1, most=12)),
    "peak-mask": (peak_mask, make("peak-mask", fs=FS)),
    "fourier": (fourier, make("fourier", fs=FS, leads="each")),
    "phase-surrogate": (phase_surrogate, make("phase-surrogate", fs=FS)),
    "3kg": (threekg, make("3kg", fs=FS)),
    "crop-resize": (crop_resize, make("crop-resize", fs=FS, least=0.8)),
    "time-warp": (time_warp, make("time-warp", fs=FS, fastest=1.1)),
    "electrode-swap": (electrode_swap, make("electrode-swap", fs=FS)),
    "chest-shift": (chest_shift, make("chest-shift", fs=FS, most=0.3)),
    "min-max": (min_max, make("min-max", fs=FS)),
    "z-score": (z_score, make("z-score", fs=FS)),
    "robust": (robust, make("robust", fs=FS)),
}
MEMORY_PASSES, CACHE_PASSES, GEMM_PER_SAMPLE = 5, 18.9, 2 * 12 * (12 + 7)
"""Of an item of ours, in signals read or written (48 bytes a sample). Beyond the cache: x twice, two views,
and the bank's stretch. Within it: 5 and 6 for the two min-max (min 1, max 1, difference 2 of which one is
counted beyond the cache for the first view, product 2), muscle noise times its sizes 2, 3KG added to it 2,
white noise, wander and mains 2 and the writing and reading of their 7 rows 1.9. FLOPs a sample: 12 x 12
multiply-adds for 3KG, 12 x 7 for white noise (2 rows), wander (3) and mains (2)."""
FIVE = ("3kg", "gaussian", "wander", "powerline", "emg")
AS_USED: dict[str, dict[str, float]] = {
    "3kg": {},
    "gaussian": {"sigma_mv": 0.05},
    "wander": {"amplitude_mv": 0.2},
    "powerline": {"amplitude_mv": 0.1},
    "emg": {"amplitude_mv": 0.05},
    "min-max": {},
}


def item(x: Record, rng: Rng) -> Record:
    """A two-view item, one record at a time."""
    second = x
    for name in FIVE:
        second = SINGLES[name][0](second, rng)
    return np.stack([min_max(x, rng), min_max(second, rng)])


def item_as_published(x: Record, rng: Rng) -> Record:
    """The same formulas in the published code's structure: float64, leads one by one."""
    x = x.astype(np.float64)
    time, t = x.shape[1], np.arange(x.shape[1]) / FS
    turn = Rotation.from_euler("zyx", rng.uniform(-45, 45, 3), degrees=True).as_matrix()
    heart = np.diag(rng.uniform(1, 1.5, 3)) @ turn @ (INVERSE_DOWER @ x[EIGHT])
    eight = np.linalg.pinv(INVERSE_DOWER) @ heart
    one, two = eight[:2]
    limbs = [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]
    second = np.stack([*limbs, *eight[2:]])
    second = second + rng.normal(0, 0.05, time)
    wave = np.zeros(time)
    for _ in range(3):
        hz, size, phase = rng.uniform(0.05, 0.5), rng.uniform(0, 0.2), rng.uniform(0, 2 * np.pi)
        wave = wave + size * np.cos(2 * np.pi * hz * t + phase)
    second = np.stack([lead + rng.normal(1, 0.5) * wave for lead in second])
    second = powerline(second, rng)
    second = np.stack([lead + rng.uniform(0, 0.05) * rng.normal(0, 1, time) for lead in second])
    return np.stack([min_max(x, rng), min_max(second, rng)])


def rates(
    theirs: Callable[[Record, Rng], Record],
    ours: Callable[[torch.Tensor, Draws], object],
    rng: Rng,
    *,
    batch: int,
    time_: int,
    rounds: int,
) -> dict[str, float]:
    """Records/s of both, and the median of their ratio over interleaved rounds."""
    x = np.random.default_rng(0).standard_normal((batch, 12, time_), dtype=np.float32)
    tensor, few = torch.from_numpy(x), max(batch // 4, 8)
    pairs, rows = [], np.arange(batch)
    for index in range(rounds + 1):
        some = x.take(range(index * few, (index + 1) * few), axis=0, mode="wrap")
        start = time.thread_time()
        np.stack([theirs(record, rng) for record in some], dtype=np.float32, casting="same_kind")
        middle = time.thread_time()
        ours(tensor, Draws.of(0, "view", index, rows=rows))
        pairs.append((few / (middle - start), batch / (time.thread_time() - middle)))
    pairs = pairs[1:]
    return {
        "ratio": statistics.median(b / a for a, b in pairs),
        "numpy": statistics.median(a for a, _ in pairs),
        "ours": statistics.median(b for _, b in pairs),
    }


def roofline(time_: int) -> dict[str, float | list[float]]:
    """Speeds of this machine, and what an item's passes take at them, us: memory, cache and GEMM in turn."""

    def median(run: Callable[[], object]) -> float:
        run()
        times = []
        for _ in range(15):
            start = time.thread_time()
            run()
            times.append(time.thread_time() - start)
        return statistics.median(times)

    big, small, square = torch.zeros(2, 2**24), torch.zeros(2, 2**17), torch.ones(1024, 1024)
    memory = 2 * big[0].nbytes / median(lambda: big[0].copy_(big[1]))
    cache = 2 * small[0].nbytes / median(lambda: small[0].copy_(small[1]))
    gemm = 2 * 1024**3 / median(lambda: square @ square)
    one = 48 * time_
    seconds = MEMORY_PASSES * one / memory, CACHE_PASSES * one / cache, GEMM_PER_SAMPLE * time_ / gemm
    return {
        "memory_gb_s": round(memory / 1e9, 1),
        "cache_gb_s": round(cache / 1e9, 1),
        "gemm_gflop_s": round(gemm / 1e9, 1),
        "roofline_parts_us": [round(1e6 * part, 1) for part in seconds],
        "roofline_us": round(1e6 * sum(seconds), 1),
    }


def plans(batch: int, time_: int) -> float:
    """Of an item of ours, us a record: the draws and all that is small, before any signal is touched."""
    times, rows = [], np.arange(batch)
    chain = Pipeline([SINGLES[name][1] for name in (*FIVE, "min-max")])
    for epoch in range(16):
        start = time.thread_time()
        chain.plan(Draws.of(0, "view", epoch, rows=rows), (batch, 12, time_))
        times.append(time.thread_time() - start)
    return round(1e6 * statistics.median(times[1:]) / batch, 1)


def share_of_step() -> dict[str, float]:
    """Time of the base augmentation of both views beside a narrow SimCLR step, batch 128 at 100 Hz."""
    x = torch.randn(128, 12, 1000, generator=torch_rng(0, "x"))
    base = BaseViews(sigma_mv=0.02, wander_mv=0.0, powerline_mv=0.0, emg_mv=0.0, gain=1.1, fs=100.0)
    step, times = step_of(narrow(NoMask()), x), []
    for epoch in range(6):
        start = time.thread_time()
        for name in ("view a", "view b"):
            base(x, Draws.of(0, name, epoch, rows=range(128)))
        middle = time.thread_time()
        step()
        times.append((middle - start, time.thread_time() - middle))
    views, steps = (statistics.median(side) for side in zip(*times[1:], strict=True))
    return {"base_ms": round(1e3 * views, 2), "share_of_step": round(views / steps, 4)}


def main() -> None:
    """Print one JSON line, or a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--time", type=int, default=2500, help="samples a record, at 250 Hz")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    settings = {"batch": arguments.batch, "time_": arguments.time, "rounds": arguments.rounds}
    five = Pipeline([SINGLES[name][1] for name in FIVE] + [SINGLES["min-max"][1]])
    norm = SINGLES["min-max"][1]

    def ours(x: torch.Tensor, draws: Draws) -> object:
        return norm(x, draws), five(x, draws)

    legacy = np.random.RandomState(1)
    both = rates(item, ours, legacy, **settings)
    published = rates(item_as_published, ours, legacy, **settings)
    used = Pipeline([make(name, fs=FS, **parameters) for name, parameters in AS_USED.items()])
    independent = rates(item, lambda x, draws: (norm(x, draws), used(x, draws)), legacy, **settings)
    pcg64 = rates(item, ours, np.random.default_rng(1), **settings)
    singles = {name: rates(*pair, legacy, **settings) for name, pair in SINGLES.items()}
    slowest = min(singles, key=lambda name: singles[name]["ratio"])
    result = {
        "name": "views",
        "batch": arguments.batch,
        "time": arguments.time,
        "ratio_item": round(both["ratio"], 2),
        "ratio_item_pcg64": round(pcg64["ratio"], 2),
        "ratio_item_published": round(published["ratio"], 2),
        "ratio_item_independent": round(independent["ratio"], 2),
        "items_per_s": round(both["ours"]),
        "numpy_items_per_s": round(both["numpy"]),
        "slowest_single": round(singles[slowest]["ratio"], 2),
        "slowest_single_name": slowest,
        "singles": {name: round(single["ratio"], 2) for name, single in singles.items()},
        "singles_us_per_record": {name: round(1e6 / single["ours"], 1) for name, single in singles.items()},
    }
    result["plans_us"] = plans(arguments.batch, arguments.time)
    result |= roofline(arguments.time) | share_of_step()
    if arguments.json:
        print(json.dumps(result))
        return
    for key, value in result.items():
        print(f"{key}: {value}")


if __name__ == "__main__":
    main()
