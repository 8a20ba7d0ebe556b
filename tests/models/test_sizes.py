"""The table of sizes against counts by hand, and against the page that shows it."""

import math
from pathlib import Path

import torch

from ecglipse.models.patches import patch_transformer
from ecglipse.models.resnet import resnet18
from ecglipse.models.s4d import s4d
from ecglipse.models.sizes import size, table
from ecglipse.models.xresnet import xresnet1d50


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_flops_of_resnet18_are_those_of_its_layer_table() -> None:
    """0.866 GMAC a record of 5,000 samples is published; by hand at 2,500 samples."""
    lengths, widths = (625, 313, 157, 79), (64, 128, 256, 512)
    macs = 1250 * 64 * 12 * 7 + 512 * 512
    for stage, (length, width) in enumerate(zip(lengths, widths, strict=True)):
        into = width if stage == 0 else width // 2
        macs += length * width * 3 * (into + 3 * width) + (length * width * into if stage else 0)
    assert size(resnet18(generator=rng()), samples=2500).flops == 2 * macs
    assert round(size(resnet18(generator=rng()), samples=5000).flops / 2e9, 3) == 0.866


def test_flops_of_the_transformer_hold_its_attention() -> None:
    tokens, width, depth, dim = 100, 192, 6, 512
    layer = tokens * width * 3 * width + 2 * tokens**2 * width + tokens * width * (1 + 4 + 4) * width
    macs = tokens * 12 * 25 * width + depth * layer + width * dim
    assert size(patch_transformer(generator=rng()), samples=2500).flops == 2 * macs


def test_flops_of_s4d_hold_its_ffts() -> None:
    samples, time, width, depth, modes, dim = 1000, 250, 128, 4, 8, 512
    fft = round(2.5 * 2 * time * math.log2(2 * time))
    kernels = 2 * 2 * 2 * width * modes * time
    layer = 3 * width * fft + kernels + 2 * time * width * 2 * width
    assert size(s4d(generator=rng()), samples=samples).flops == (
        2 * samples * 12 * width + depth * layer + 2 * width * dim
    )


def test_counting_leaves_the_weights() -> None:
    net = xresnet1d50(width=8, dim=4, generator=rng())
    before = [weight.clone() for weight in net.parameters()]
    found = size(net, samples=500)
    assert found.parameters == sum(weight.numel() for weight in before)
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))


def test_the_page_shows_the_table_as_counted() -> None:
    """Made by `python benchmarks/encoder.py --table`."""
    page = Path(__file__).parents[2] / "docs" / "encoders.md"
    assert table() in page.read_text(encoding="utf-8")
