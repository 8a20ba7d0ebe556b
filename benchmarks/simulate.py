"""How fast recordings are simulated, ten seconds at 100 Hz: whole, and the drawing against a plain loop.

    OMP_NUM_THREADS=1 python benchmarks/simulate.py --json

`records_per_cpu_s*`: 1,024 recordings by `simulate_arrays` over the process's own CPU clock, median of seven
rounds after one to warm up; `records_per_wall_s` by the wall's, which other jobs on the machine slow down.
`all`: every rhythm, and each form with a share of 0.2. `records`: as `Record`s, one after the other.

`drawing_ratio`: the same waves of 64 recordings, as the block draws them, against a loop over recordings,
waves and components that follows the equation over all samples; the two dipoles differ by at most
`largest_difference_mv`. Interleaved rounds on one clock, so the ratio holds on a busy machine. About 20 s.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ecglipse.corpora.simulation import beat
from ecglipse.corpora.simulation.conditions import FORMS, RHYTHMS
from ecglipse.corpora.simulator import simulate, simulate_arrays

N, ROUNDS, FS = 1024, 7, 100.0


def per_second(make: Callable[[], object]) -> tuple[float, float]:
    """Recordings per second of CPU and of the wall's clock, medians over rounds."""
    make()
    cpu, wall = [], []
    for _ in range(ROUNDS):
        start, start_wall = time.process_time(), time.perf_counter()
        make()
        cpu.append(N / (time.process_time() - start))
        wall.append(N / (time.perf_counter() - start_wall))
    return statistics.median(cpu), statistics.median(wall)


def strokes() -> list[dict[str, Any]]:
    """What the simulator asks `add_wave` to draw for 64 recordings."""
    asked: list[dict[str, Any]] = []
    real = beat.add_wave

    def listen(dipole: np.ndarray, wave: beat.Template, **rest: Any) -> None:
        asked.append({"wave": wave, **rest})

    beat.add_wave = listen
    try:
        simulate_arrays(64, noise=0.0)
    finally:
        beat.add_wave = real
    return asked


def by_block(asked: list[dict[str, Any]]) -> np.ndarray:
    """Draw all, as the simulator does."""
    dipole = np.zeros((64, 3, round(10 * FS)))
    for stroke in asked:
        beat.add_wave(dipole, **stroke)
    return dipole


def by_loop(asked: list[dict[str, Any]]) -> np.ndarray:
    """Draw all by the equation, one component of one wave of one recording after the other."""
    t = np.arange(round(10 * FS)) / FS
    dipole = np.zeros((64, 3, len(t)))
    for stroke in asked:
        wave = stroke["wave"]
        for row, at, scale, vectors in zip(
            stroke["row"], stroke["at_s"], stroke["scale"], stroke["vectors"], strict=True
        ):
            since = (t - at) / scale
            for centre, left, right, vector in zip(wave.centre, wave.left, wave.right, vectors, strict=True):
                away = since - centre
                bump = np.exp(-((away / np.where(away < 0, left, right)) ** 2) / 2)
                dipole[row] += vector[:, None] * bump
    return dipole


def timed(draw: Callable[[list[dict[str, Any]]], np.ndarray], asked: list[dict[str, Any]]) -> float:
    """CPU seconds of one drawing."""
    start = time.process_time()
    draw(asked)
    return time.process_time() - start


def compare() -> dict[str, float]:
    """The speeds and the ratio."""
    forms = dict.fromkeys(FORMS, 0.2)
    cpu, wall = per_second(lambda: simulate_arrays(N))
    every, _ = per_second(lambda: simulate_arrays(N, rhythms=tuple(RHYTHMS), forms=forms))
    records, _ = per_second(lambda: list(simulate(N)))
    asked = strokes()
    difference = float(np.abs(by_block(asked) - by_loop(asked)).max())
    ratio = statistics.median(timed(by_loop, asked) / timed(by_block, asked) for _ in range(ROUNDS))
    return {
        "n": N,
        "records_per_cpu_s": round(cpu),
        "records_per_cpu_s_all": round(every),
        "records_per_cpu_s_as_records": round(records),
        "records_per_wall_s": round(wall),
        "drawing_ratio": round(ratio, 1),
        "largest_difference_mv": round(difference, 5),
    }


def main() -> None:
    """Print one JSON line, or one value a line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    result = {"name": "simulate", **compare()}
    if arguments.json:
        print(json.dumps(result))
        return
    for key, value in result.items():
        print(f"{key}: {value}")


if __name__ == "__main__":
    main()
