"""How much of the machine an encoder uses: rate of a training step over the rate of a matrix product.

    python benchmarks/encoder.py --json

One thread, thread CPU time, all variants interleaved in one process; medians over rounds of ratios taken
within a round. The matrix product is 1024^3 in float32 by the faster of the two libraries that torch has
(MKL, oneDNN): where MKL does not use all of the vector unit, as on AMD processors with AVX-512, its rate
would flatter. The step is forward, backward and nothing else; FLOPs are torch's own count.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from ecglipse.batches import torch_rng
from ecglipse.models import ENCODERS, convolution, resnet
from ecglipse.models.layers import Conv, Encoder
from ecglipse.models.sizes import table

BATCH, TIME, SIDE = 16, 2500, 1024
PRODUCTS = (
    ("resnet18", 64, 16, 2500),
    ("resnet18", 64, 16, 1000),
    ("resnet18", 16, 128, 250),
    ("resnet50", 64, 4, 1000),
    ("xresnet1d50", 64, 16, 1000),
    ("xresnet1d50", 64, 8, 2500),
    ("clocs-cnn", 64, 64, 1000),
)
"""Encoder, width, batch and samples of `--product`."""


def step_of(net: nn.Module, x: Tensor) -> Callable[[], None]:
    """Forward and backward, as in training."""

    def step() -> None:
        for parameter in net.parameters():
            parameter.grad = None
        net(x).square().mean().backward()

    return step


def as_conv1d(x: Tensor) -> Callable[[], None]:
    """The step of ResNet-18 in the layout of `torch.nn.Conv1d`: time last in memory."""
    net = resnet.resnet18(generator=torch_rng(0, "encoder"))
    for module in net.modules():
        if isinstance(module, Conv):
            module.weight = nn.Parameter(module.weight.detach().contiguous())
    plain = step_of(net, x)

    def step() -> None:
        fast, resnet.channels_last = resnet.channels_last, lambda x: x.unsqueeze(2)
        try:
            plain()
        finally:
            resnet.channels_last = fast

    return step


def products() -> dict[str, Callable[[], object]]:
    """Matrix products, eight each, by each library."""
    a, b = (torch.randn(SIDE, SIDE, generator=torch_rng(0, name)) for name in "ab")
    found: dict[str, Callable[[], object]] = {"mm": lambda: [a @ b for _ in range(8)]}
    if torch.backends.mkldnn.is_available():
        c, d = a.to_mkldnn(), b.to_mkldnn()
        found["mkldnn"] = lambda: [nn.functional.linear(c, d) for _ in range(8)]
    return found


def flops(step: Callable[[], None]) -> int:
    """FLOPs of a step as torch counts them."""
    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops()


def seconds(run: Callable[[], object]) -> float:
    """Thread CPU time."""
    start = time.thread_time()
    run()
    return time.thread_time() - start


def measure(steps: dict[str, Callable[[], None]], *, rounds: int) -> dict[str, dict[str, float]]:
    """For each step: its share of the matrix product's rate, and milliseconds a record."""
    work, against = {name: flops(step) for name, step in steps.items()}, products()
    for run in (*steps.values(), *against.values()):
        run()
    shares: dict[str, list[float]] = {name: [] for name in steps}
    times: dict[str, list[float]] = {name: [] for name in steps}
    rates = []
    names = list(steps)
    for index in range(rounds):
        best = 8 * 2 * SIDE**3 / min(seconds(product) for product in against.values())
        rates.append(best)
        for name in names[index % len(names) :] + names[: index % len(names)]:
            took = seconds(steps[name])
            times[name].append(took)
            shares[name].append(work[name] / took / best)
    found = {
        name: {
            "fraction": statistics.median(shares[name]),
            "ms_per_record": 1e3 * statistics.median(times[name]) / BATCH,
        }
        for name in steps
    }
    return found | {"product": {"gflops": statistics.median(rates) / 1e9}}


def compiled(name: str, x: Tensor) -> dict[str, float]:
    """Compile an encoder as one graph: relative differences of features and of gradients, in float64.

    In float32 two right answers differ by more: a ReLU near zero goes one way or the other.
    """
    nets: list[Encoder] = [ENCODERS[name](generator=torch_rng(0, "encoder")).double() for _ in range(2)]
    features, gradients = [], []
    for run, net in ((nets[0], nets[0]), (torch.compile(nets[1], fullgraph=True), nets[1])):
        y = run(x)
        y.square().mean().backward()
        features.append(y.detach())
        gradients.append(torch.cat([p.grad.flatten() for p in net.parameters() if p.grad is not None]))
    return {
        "features": float((features[0] - features[1]).abs().max() / features[0].abs().max()),
        "gradients": float((gradients[0] - gradients[1]).norm() / gradients[0].norm()),
    }


def old_over_new(name: str, *, width: int, batch: int, time_: int, rounds: int) -> float:
    """Time of a step with torch's own gradient of the weights over that with the product, in turn."""
    step = step_of(
        ENCODERS[name](width=width, generator=torch_rng(0, "encoder")),
        torch.randn(batch, 12, time_, generator=torch_rng(0, "x")),
    )

    def timed(product: bool) -> float:
        before, convolution.AVX2 = convolution.AVX2, product
        try:
            return seconds(step)
        finally:
            convolution.AVX2 = before

    both = [(timed(False), timed(True)) for _ in range(rounds + 2)][2:]
    return statistics.median(old / new for old, new in both)


def main() -> None:
    """Print one JSON line, or a few sentences."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--all", action="store_true", help="all encoders, at their own widths")
    parser.add_argument("--compile", nargs="*", metavar="NAME", help="compile these (none named: all)")
    parser.add_argument("--product", action="store_true", help="old over new gradient of the weights")
    parser.add_argument("--table", action="store_true", help="print the table of docs/encoders.md")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.table:
        print(table())
        return
    x = torch.randn(BATCH, 12, TIME, generator=torch_rng(0, "x"))
    result: dict[str, object] = {"name": "encoder", "batch": BATCH, "time": TIME}
    if arguments.product:
        for name, width, batch, time_ in PRODUCTS:
            ratio = old_over_new(name, width=width, batch=batch, time_=time_, rounds=arguments.rounds)
            result[f"{name}, {width}, {batch}, {time_}"] = round(ratio, 3)
    elif arguments.compile is not None:
        for name in arguments.compile or ENCODERS:
            result[f"compiled_{name}"] = compiled(name, x[:4].double())
    else:
        names = list(ENCODERS) if arguments.all else ["resnet18"]
        steps = {name: step_of(ENCODERS[name](generator=torch_rng(0, "encoder")), x) for name in names}
        found = measure(steps | {"conv1d": as_conv1d(x)}, rounds=arguments.rounds)
        result |= {
            "fraction_of_gemm": round(found["resnet18"]["fraction"], 3),
            "fraction_of_gemm_conv1d_layout": round(found["conv1d"]["fraction"], 3),
            "gemm_gflops": round(found["product"]["gflops"]),
            "ms_per_record": round(found["resnet18"]["ms_per_record"], 2),
        }
        for name in names[1:]:
            result[f"fraction_{name}"] = round(found[name]["fraction"], 3)
            result[f"ms_per_record_{name}"] = round(found[name]["ms_per_record"], 2)
    if arguments.json:
        print(json.dumps(result))
        return
    for key, value in result.items():
        print(f"{key}: {value}")


if __name__ == "__main__":
    main()
