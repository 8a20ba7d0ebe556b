"""What one device can do: records a second of the adversarial step and of SimCLR, and what they use of it.

    python benchmarks/gpu.py --json                          # on a GPU: minutes
    python benchmarks/gpu.py --json --device cpu --quick     # anywhere: seconds, to see that it runs

The training step is the real one: `Training.run`, with records held on the device as int16, both views made
there, one mask for all leads, the reference's encoder (4,111,488 parameters) at 250 Hz, 10 s a record, and
SimCLR (no masks) beside it in the same process. Wall time of whole steps after a warm-up, the device waited
for at both ends; each pair is measured in turn, and medians over rounds are given.

FLOPs are torch's own count of a step (convolutions and matrix products). Traffic is counted operation by
operation: every tensor that one reads or writes, views apart. What a cache or a fused kernel saves is not
taken off, so `share_of_bandwidth` is the share of the copy speed that the step would need if nothing were
saved, and can pass 1. `host_waits_per_step` counts what makes the host wait for the device, on a GPU only.
"""

import argparse
import json
import resource
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from ecglipse.batches import Batches, torch_rng
from ecglipse.corpora.simulator import simulate_arrays
from ecglipse.masks import LearnedMask, MaskPolicy, NoMask
from ecglipse.models.heads import Projection
from ecglipse.models.masknet import MaskNet
from ecglipse.models.resnet import resnet18
from ecglipse.pretrain import AdversarialMasking, Player, StepReport, Training
from ecglipse.views.base import BaseViews

FS, UNIT_MV = 250.0, 0.005
PRECISIONS = ("bf16", "fp32")


class Resident(Batches):
    """Simulated recordings on the device as int16, in place of a store."""

    def __init__(self, records: int, *, duration_s: float, device: torch.device) -> None:
        self.device = device
        made = simulate_arrays(min(records, 512), fs=FS, duration_s=duration_s, seed=1).signal
        units = np.clip(np.round(made / UNIT_MV), -32768, 32767).astype(np.int16)
        self._resident = torch.from_numpy(np.resize(units, (records, *units.shape[1:]))).to(device)
        self._scale = torch.full((units.shape[1], 1), UNIT_MV, device=device)

    def __len__(self) -> int:
        """Number of records."""
        assert self._resident is not None
        return len(self._resident)


def training(batches: Resident, *, masks: bool, batch: int, precision: Any, width: int) -> Training:
    """The default training, masked or not."""
    dim = 8 * width
    policy: MaskPolicy = NoMask()
    if masks:
        net = MaskNet(groups=1, width=32, fs=FS, generator=torch_rng(0, "masks"))
        policy = LearnedMask(net, coverage=0.5, segment_s=0.25, fs=FS)
    game = AdversarialMasking(
        resnet18(leads=12, width=width, dim=dim, generator=torch_rng(0, "encoder")),
        Projection(dim, 4 * dim, 128, generator=torch_rng(0, "projection")),
        policy,
    ).to(batches.device)
    view = BaseViews(sigma_mv=0.02, wander_mv=0.0, powerline_mv=0.0, emg_mv=0.0, gain=1.1, fs=FS)
    return Training(
        game,
        batches,
        np.arange(len(batches)),
        view=view,
        seed=0,
        epochs=10**6,
        batch=batch,
        encoder=Player(1e-3, 1e-4),
        masks=Player(1e-3),
        precision=precision,
        look_every=10**9,
        read_every=16 if batches.device.type == "cuda" else 1,
    )


class Traffic(TorchDispatchMode):
    """Bytes that operations read and write, each tensor of each operation once, views apart."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        aliases = [r.alias_info for r in func._schema.returns if r.alias_info is not None]
        made, read = (
            {t.data_ptr(): t for t in tree_leaves(some) if isinstance(t, Tensor)}
            for some in (out, (args, kwargs))
        )
        if any(not alias.is_write for alias in aliases) or (not aliases and made.keys() <= read.keys()):
            return out  # a view
        for tensor in (*made.values(), *read.values()):
            size = tensor.numel() * tensor.element_size()
            self.bytes += min(size, tensor.untyped_storage().nbytes())
        return out


def counted(batches: Resident, *, precision: str, width: int, batch: int) -> tuple[float, float]:
    """FLOPs and bytes of one adversarial step, a record."""
    made = training(batches, masks=True, batch=batch, precision=precision, width=width)
    made.step()
    with FlopCounterMode(display=False) as flops:
        made._play()
    with Traffic() as traffic:
        made._play()
    return flops.get_total_flops() / batch, traffic.bytes / batch


def waited(device: torch.device) -> None:
    """Wait until the device has done all that is queued."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds(run: Callable[[], object], device: torch.device) -> float:
    """Wall time, the device waited for at both ends."""
    waited(device)
    began = time.perf_counter()
    run()
    waited(device)
    return time.perf_counter() - began


def copies_and_products(device: torch.device, *, quick: bool) -> tuple[float, dict[str, float]]:
    """Bytes a second of a large copy (read and written), and FLOP/s of a matrix product in each precision."""
    a = torch.ones(2**22 if quick else 2**28, dtype=torch.float32, device=device)
    b = torch.empty_like(a)
    took = [seconds(lambda: [b.copy_(a) for _ in range(4)], device) / 4 for _ in range(6)]
    bandwidth = 2 * a.numel() * 4 / min(took[1:])
    side = 256 if quick else 8192 if device.type == "cuda" else 1024
    rates = {}
    for name, dtype in (("bf16", torch.bfloat16), ("fp32", torch.float32)):
        c = torch.ones(side, side, dtype=dtype, device=device)
        took = [seconds(partial(_products, c), device) / 4 for _ in range(6)]
        rates[name] = 2 * side**3 / min(took[1:])
    return bandwidth, rates


def _products(c: Tensor) -> None:
    for _ in range(4):
        c @ c


def peak_mib(device: torch.device) -> float:
    """Most memory that was held: on a GPU by tensors since the last reset, on a CPU by the process ever."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def host_waits(made: Training) -> list[str] | None:
    """Lines at which the host waits for the device in one step; None where that cannot be seen."""
    if made.batches.device.type != "cuda":
        return None
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            made._play()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    return [f"{Path(one.filename).name}:{one.lineno}" for one in said if "synchronizing" in str(one.message)]


def measured(
    batches: Resident, *, batch: int, precision: str, width: int, steps: int, rounds: int
) -> dict[str, Any]:
    """Both steps at a batch: records a second, the share of data and views, memory."""
    device = batches.device
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    both = {
        name: training(batches, masks=name == "adversarial", batch=batch, precision=precision, width=width)
        for name in ("adversarial", "simclr")
    }
    runs: dict[str, Iterator[StepReport]] = {name: made.run() for name, made in both.items()}
    game = both["adversarial"]
    every = game.read_every
    for run in runs.values():
        list(islice(run, every))
    waits = host_waits(game)
    took: dict[str, list[float]] = {name: [] for name in both} | {"data": []}
    for _ in range(rounds):
        for name, run in runs.items():
            took[name].append(seconds(partial(list, islice(run, steps)), device) / steps)
        took["data"].append(seconds(lambda: [game.views(game.parts()[0].rows) for _ in range(4)], device) / 4)
    step = {name: statistics.median(times) for name, times in took.items()}
    return {
        "precision": precision,
        "batch": batch,
        "records_per_s": round(batch / step["adversarial"], 1),
        "simclr_records_per_s": round(batch / step["simclr"], 1),
        "ratio_vs_simclr": round(step["adversarial"] / step["simclr"], 3),
        "data_path_share": round(step["data"] / step["adversarial"], 4),
        "host_waits_per_step": None if waits is None else len(waits),
        "host_waits_at": waits,
        "peak_mib": round(peak_mib(device)),
    }


def main() -> None:
    """Print one JSON line, or a few sentences."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--quick", action="store_true", help="a small encoder, short records, small batches")
    parser.add_argument("--batches", type=int, nargs="+", help="records a batch")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    device, quick = torch.device(arguments.device), arguments.quick
    if device.type == "cpu":
        torch.set_num_threads(1)
    sizes = arguments.batches or ([8, 16] if quick else [256, 512, 1024, 2048])
    width, duration_s = (8, 2.0) if quick else (64, 10.0)
    batches = Resident(max(2 * max(sizes), 32), duration_s=duration_s, device=device)
    bandwidth, products = copies_and_products(device, quick=quick)
    steps = 16 if device.type == "cuda" else 2  # whole readings
    runs = []
    for precision in PRECISIONS:
        for batch in sizes:
            try:
                runs.append(
                    measured(
                        batches,
                        batch=batch,
                        precision=precision,
                        width=width,
                        steps=steps,
                        rounds=arguments.rounds,
                    )
                )
            except torch.OutOfMemoryError:
                runs.append({"precision": precision, "batch": batch, "out_of_memory": True})
    encoder = training(batches, masks=False, batch=8, precision="fp32", width=width).game.encoder
    result: dict[str, Any] = {
        "name": "gpu",
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "torch": torch.__version__,
        "parameters": sum(p.numel() for p in encoder.parameters()),
        "time": round(duration_s * FS),
        "copy_gb_per_s": round(bandwidth / 1e9, 1),
    }
    for precision in PRECISIONS:
        able = [run for run in runs if run["precision"] == precision and "records_per_s" in run]
        if not able:
            continue
        best = max(able, key=lambda run: float(run["records_per_s"]))
        flops, traffic = counted(batches, precision=precision, width=width, batch=min(sizes[0], 64))
        rate = float(best["records_per_s"])
        result |= {
            f"records_per_s_{precision}": rate,
            f"batch_{precision}": best["batch"],
            f"gemm_gflops_{precision}": round(products[precision] / 1e9, 3),
            f"gflop_per_record_{precision}": round(flops / 1e9, 4),
            f"mb_per_record_{precision}": round(traffic / 1e6, 2),
            f"share_of_gemm_{precision}": round(rate * flops / products[precision], 4),
            f"share_of_bandwidth_{precision}": round(rate * traffic / bandwidth, 4),
            f"minutes_for_20000_x_100_{precision}": round(2e6 / rate / 60, 2),
        }
    result["runs"] = runs
    if arguments.json:
        print(json.dumps(result))
        return
    for key, value in result.items():
        print(f"{key}: {value}")


if __name__ == "__main__":
    main()
