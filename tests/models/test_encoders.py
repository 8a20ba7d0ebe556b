"""Laws of every encoder: sizes, seeds, lengths, no leak between records, autocast, missing leads."""

import hashlib
from itertools import pairwise
from typing import get_args

import pytest
import torch
from torch import Tensor, nn

from ecglipse.config import WIDTH_UNITS
from ecglipse.config import Encoder as EncoderRule
from ecglipse.errors import RecordError
from ecglipse.leads import LEADS
from ecglipse.models import ENCODERS, encode, encoder
from ecglipse.models.clocs import ClocsCnn
from ecglipse.models.encoders import place, pooled
from ecglipse.models.layers import Conv, Encoder, channels_last
from ecglipse.models.patches import PatchTransformer
from ecglipse.models.resnet import resnet18, resnet34, resnet50
from ecglipse.models.xresnet import halved, xresnet1d50

BY_THE_BATCH = {"resnet18", "resnet34", "resnet50", "xresnet1d50", "clocs-cnn"}
"""Encoders with BatchNorm: in training a record's features depend on its neighbours."""
every = pytest.mark.parametrize("name", list(ENCODERS))


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def small(name: str, *, leads: int = 12, seed: int = 0) -> Encoder:
    net = encoder(name, leads=leads, width=8, dim=6, generator=rng(seed))
    for module in net.modules():  # where a residual branch starts at zero, nothing of it would be tested
        if isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
    return net


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def jacobian(net: Encoder, x: Tensor) -> Tensor:
    """Mean size of d features of record i / d signal of record j, (i, j)."""
    x = x.clone().requires_grad_()
    features = net(x)
    rows = [
        torch.autograd.grad(features[i].square().sum(), x, retain_graph=True)[0].abs().mean(dim=(1, 2))
        for i in range(len(x))
    ]
    return torch.stack(rows)


def test_the_config_names_the_same_encoders_and_refuses_the_same_widths() -> None:
    assert get_args(EncoderRule.model_fields["name"].annotation) == tuple(ENCODERS)
    for name in ENCODERS:
        unit = WIDTH_UNITS.get(name, 1)
        encoder(name, leads=2, width=unit * 3, dim=4, generator=rng())
        if unit > 1:
            with pytest.raises(ValueError, match="`width` must be"):
                encoder(name, leads=2, width=unit * 3 + unit // 2, dim=4, generator=rng())


def test_parameters_are_those_of_the_published_networks() -> None:
    """Counts of the published code, layer by layer; sources in docs/encoders.md."""
    assert count(resnet18(generator=rng())) == 4_111_488
    assert count(resnet34(generator=rng())) == 7_485_824
    assert count(resnet50(generator=rng())) == 17_008_256
    net = xresnet1d50(generator=rng())
    assert count(net) - count(net.features) == 886_400
    assert count(ClocsCnn(leads=1, width=32, dim=256, generator=rng())) == 86_392
    assert count(ClocsCnn(leads=12, width=32, dim=512, frames=22, generator=rng())) == 365_484
    sizes = {"leads": 12, "width": 32, "dim": 512, "patch": 50, "depth": 2, "heads": 4, "hidden": 64}
    norm_after_the_last_layer = 64
    assert count(PatchTransformer(**sizes, generator=rng())) == 53_216 + norm_after_the_last_layer


def test_initial_weights_of_resnet18_are_those_of_the_first_version() -> None:
    """Digest made at commit beb6e55, before the layout of the convolutions changed."""
    found = hashlib.sha256()
    for tensor in resnet18(width=8, dim=16, generator=rng()).state_dict().values():
        found.update(tensor.contiguous().numpy().tobytes())
    assert found.hexdigest() == "b298b1180ac5dc5b538dfa0ab18b684d1e6032a091180492446eb94d3dc28aed"


@every
def test_every_weight_comes_from_the_generator_and_the_global_state_stays(name: str) -> None:
    before = torch.random.get_rng_state()
    one, same, other = (small(name, seed=seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(one[key], same[key]) for key in one)
    drawn = [key for key in one if one[key].dim() > 1 and "log_decay" not in key and "frequency" not in key]
    assert drawn
    assert not any(torch.equal(one[key], other[key]) for key in drawn)
    assert all(tensor.isfinite().all() for tensor in one.values())


@every
def test_takes_any_length_from_its_shortest_on(name: str) -> None:
    net = small(name).eval()
    for time in (net.shortest, 250, 388, 389, 1000):
        features = net(torch.randn(2, 12, time, generator=rng()))
        assert features.shape == (2, net.dim)
        assert features.isfinite().all()
        assert not torch.allclose(features[0], features[1])
    with pytest.raises(ValueError, match=f"at least {net.shortest} samples; got {net.shortest - 1}"):
        net(torch.zeros(2, 12, net.shortest - 1))
    with pytest.raises(ValueError, match="12 leads; got 11"):
        net(torch.zeros(2, 11, 1000))


@every
@pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])
def test_no_record_sees_another(name: str, training: bool) -> None:
    """In evaluation for all; in training for those without BatchNorm, and not for the others."""
    sizes = jacobian(small(name).train(training), torch.randn(4, 12, 400, generator=rng()))
    across = sizes[~torch.eye(4, dtype=torch.bool)]
    assert (sizes.diagonal() > 0).all()
    if training and name in BY_THE_BATCH:
        assert (across > 0).all()
    else:
        assert (across == 0).all()


def test_a_transformer_over_the_batch_is_found_out() -> None:
    """The published fault: layers that take the batch for the sentence."""
    net = small("patch-transformer").eval()
    for layer in net.layers:
        layer.self_attn.batch_first = False
    net.train()
    sizes = jacobian(net, torch.randn(4, 12, 400, generator=rng()))
    assert (sizes[~torch.eye(4, dtype=torch.bool)] > 0).any()


@every
def test_evaluation_and_one_record_at_a_time_agree(name: str) -> None:
    net, x = small(name).eval(), torch.randn(3, 12, 500, generator=rng())
    with torch.no_grad():
        alone = torch.cat([net(x[i : i + 1]) for i in range(3)])
        torch.testing.assert_close(net(x), alone, rtol=1e-4, atol=1e-5)


@every
def test_bf16_autocast_gives_about_the_same_and_finite_gradients(name: str) -> None:
    net, x = small(name).train(), torch.randn(4, 12, 400, generator=rng())
    with torch.no_grad():
        exact = net(x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = net(x)
        # 8 bits of mantissa through up to 53 layers of 8 channels
        assert torch.cosine_similarity(rough.float(), exact).min() > 0.95
        rough.float().square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())


@every
def test_a_step_of_an_optimiser_moves_every_weight(name: str) -> None:
    net = small(name).train()
    before = {key: value.clone() for key, value in net.named_parameters()}
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-2)
    for step in range(2):
        optimiser.zero_grad()
        net(torch.randn(4, 12, 400, generator=rng(step))).square().mean().backward()
        optimiser.step()
    still = {key for key, value in net.named_parameters() if torch.equal(value, before[key])}
    assert still == set()


def test_a_convolution_is_torchs_own() -> None:
    x = torch.randn(3, 5, 40, generator=rng())
    for kernel, stride, padding in ((7, 2, None), (3, 1, None), (1, 2, None), (7, 3, 0)):
        conv = Conv(5, 4, kernel, stride=stride, padding=padding, bias=True)
        nn.init.normal_(conv.weight, generator=rng())
        nn.init.normal_(conv.bias, generator=rng())
        side = kernel // 2 if padding is None else padding
        wanted = nn.functional.conv1d(x, conv.weight, conv.bias, stride=stride, padding=side)
        torch.testing.assert_close(conv(channels_last(x)).squeeze(2), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("time", [1, 8, 9])
def test_a_shortcut_halves_as_pooling_in_ceil_mode_does(time: int) -> None:
    x = torch.randn(2, 3, 1, time, dtype=torch.float64, generator=rng()).requires_grad_()
    ours, torchs = halved(x), nn.functional.avg_pool2d(x, (1, 2), ceil_mode=True)
    torch.testing.assert_close(ours, torchs)
    gradients = [torch.autograd.grad(y.square().sum(), x)[0] for y in (ours, torchs)]
    torch.testing.assert_close(*gradients)


def test_activations_and_weights_are_channels_last() -> None:
    net, seen = small("resnet18"), []
    for module in net.modules():
        if isinstance(module, Conv):
            assert module.weight.unsqueeze(2).is_contiguous(memory_format=torch.channels_last)
            module.register_forward_hook(lambda _, inputs, output: seen.extend([*inputs, output]))
    net(torch.randn(2, 12, 400, generator=rng()))
    assert len(seen) == 40
    assert all(tensor.is_contiguous(memory_format=torch.channels_last) for tensor in seen)


@every
def test_pooled_features_are_what_goes_into_the_last_layer(name: str) -> None:
    net = small(name).eval()
    x = torch.randn(3, 12, 1000, generator=rng(1))
    last, layer, stages = net(x), net.features, len(net.by_depth())
    made = pooled(net)
    assert made is net
    features = net(x)
    assert features.shape == (3, net.dim) == (3, layer.in_features)
    assert torch.equal(layer(features), last)
    assert not any(key.startswith("features") for key in net.state_dict())
    assert len(net.by_depth()) == stages
    with pytest.raises(ValueError, match="taken out already"):
        pooled(net)


def test_an_unknown_encoder_is_answered_with_what_was_meant() -> None:
    with pytest.raises(ValueError, match=r"one of resnet18, .*; got 'resnet19'; did you mean 'resnet18'"):
        encoder("resnet19", leads=12, width=8, dim=4, generator=rng())


def test_depths_and_shapes_of_the_resnets() -> None:
    for make, depth, channels in ((resnet18, 8, 64), (resnet34, 16, 64), (resnet50, 16, 256)):
        net = make(width=8, dim=4, generator=rng())
        assert len(net.stages) == depth
        assert net.features.in_features == channels
        lengths = [157]
        x = net.stem(channels_last(torch.zeros(1, 12, 625)))
        for block in net.stages:
            x = block(x)
            lengths.append(x.shape[-1])
        assert sorted(set(lengths), reverse=True) == [157, 79, 40, 20]
        assert all(a >= b for a, b in pairwise(lengths))


def test_missing_leads_are_zeros_and_names_decide_the_order() -> None:
    net = small("resnet18").eval()
    x = torch.randn(2, 12, 300, generator=rng())
    whole = net(x)
    order = [3, 0, 11, 5, 1, 2, 4, 6, 7, 8, 9, 10]
    shuffled = encode(net, x[:, order], leads=tuple(LEADS[i].lower() for i in order))
    torch.testing.assert_close(shuffled, whole, rtol=0, atol=0)
    two = torch.zeros_like(x)
    two[:, [0, 6]] = x[:, [0, 6]]
    assert torch.equal(place(x[:, [6, 0]], leads=("V1", "I")), two)
    assert torch.equal(encode(net, x[:, [6, 0]], leads=("V1", "I")), net(two))
    assert not torch.allclose(net(two), whole)


def test_leads_that_do_not_fit_are_named() -> None:
    x = torch.zeros(1, 2, 100)
    with pytest.raises(ValueError, match="each of the 2 leads"):
        place(x, leads=("I",))
    with pytest.raises(ValueError, match="once"):
        place(x, leads=("I", "i"))
    with pytest.raises(ValueError, match="no lead V2: it has I, II"):
        place(x, leads=("I", "V2"), among=("I", "II"))
    with pytest.raises(RecordError, match="V7"):
        place(x, leads=("I", "V7"))
