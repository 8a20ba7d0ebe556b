"""A convolution's gradients by a matrix product are those of torch, to rounding, in the weights' layout."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from ecglipse.models import convolution
from ecglipse.models.convolution import FEWEST_WEIGHTS, by_product, convolved
from ecglipse.models.layers import Conv, channels_last

OUT = 6
SHAPES = [(1, 1, 0), (1, 2, 0), (3, 1, 1), (3, 2, 1), (7, 2, 3), (7, 3, 0), (4, 3, 5)]
"""Kernel, stride, padding."""


@pytest.fixture(autouse=True)
def on_avx2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolution, "AVX2", True)
    monkeypatch.setattr(convolution, "FEWEST_WEIGHTS", 1)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def conv(kernel: int, *, stride: int = 1, padding: int | None = None, bias: bool = False) -> Conv:
    made = Conv(5, OUT, kernel, stride=stride, padding=padding, bias=bias)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.normal_(generator=rng(1))
    return made


def gradients(run: Callable[[Tensor], Tensor], x: Tensor, weights: list[Tensor]) -> list[Tensor]:
    """Of input and weights, where each place of the output counts differently."""
    y = run(x)
    worth = torch.randn(y.shape, generator=rng(2)).to(y.dtype)
    return list(torch.autograd.grad((y * worth).sum(), [x, *weights]))


@pytest.mark.parametrize("at_once", [convolution._AT_ONCE, 400])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("time", [20, 21])
@pytest.mark.parametrize(("kernel", "stride", "padding"), SHAPES)
def test_gradients_are_those_of_float64(
    kernel: int,
    stride: int,
    padding: int,
    time: int,
    bias: bool,
    at_once: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(convolution, "_AT_ONCE", at_once)
    net = conv(kernel, stride=stride, padding=padding, bias=bias)
    x = channels_last(torch.randn(7, 5, time, generator=rng())).requires_grad_()
    found = gradients(net, x, list(net.parameters()))
    exact = [p.detach().double().requires_grad_() for p in (x, *net.parameters())]

    def plain(x: Tensor) -> Tensor:
        return functional.conv1d(x.squeeze(2), *exact[1:], stride=stride, padding=padding).unsqueeze(2)

    for one, other in zip(found, gradients(plain, exact[0], exact[1:]), strict=True):
        torch.testing.assert_close(one.double(), other, rtol=0, atol=2e-6 * float(other.abs().max()))


def test_output_is_torchs_to_the_bit() -> None:
    net, x = conv(3, bias=True), channels_last(torch.randn(4, 5, 30, generator=rng()))
    assert net(x).grad_fn.name() == "_ByProductBackward"
    with torch.no_grad():
        plain = net(x)
    assert torch.equal(net(x), plain)


def test_gradient_lies_in_memory_as_the_weights_do() -> None:
    net = conv(3)
    net(channels_last(torch.randn(4, 5, 30, generator=rng()))).sum().backward()
    assert net.weight.grad is not None
    assert net.weight.grad.stride() == net.weight.stride()


def test_takes_any_layout_of_the_input() -> None:
    net = conv(3)
    x = torch.randn(4, 5, 30, generator=rng())
    rows = x.unsqueeze(2)
    one = gradients(net, channels_last(x).requires_grad_(), [net.weight])
    other = gradients(net, rows.clone().requires_grad_(), [net.weight])
    torch.testing.assert_close(one, other, rtol=0, atol=1e-4)


def test_keeps_input_and_weights_and_nothing_else() -> None:
    net, x = conv(3), channels_last(torch.randn(4, 5, 30, generator=rng())).requires_grad_()
    kept: list[int] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.data_ptr()) or t, lambda t: t):
        net(x)
    assert sorted(kept) == sorted([x.data_ptr(), net.weight.data_ptr()])


def test_a_trace_holds_torchs_own_which_can_be_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    net, x = conv(3, bias=True), channels_last(torch.randn(4, 5, 30, generator=rng()))
    monkeypatch.setattr(torch.jit, "is_tracing", lambda: True)
    assert net(x).grad_fn.name() != "_ByProductBackward"


def test_each_records_own_gradient_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    net, x = conv(3), channels_last(torch.randn(4, 5, 30, generator=rng()))

    def size(weight: Tensor, one: Tensor) -> Tensor:
        made: Tensor = torch.func.functional_call(net, {"weight": weight}, (one[None],)).square().sum()
        return made

    each = torch.func.vmap(torch.func.grad(size), in_dims=(None, 0))
    found = each(net.weight.detach(), x)
    monkeypatch.setattr(convolution, "AVX2", False)
    torch.testing.assert_close(found, each(net.weight.detach(), x), rtol=1e-4, atol=1e-3)


def test_what_is_constant_gets_no_gradient() -> None:
    net, x = conv(3, bias=True), channels_last(torch.randn(4, 5, 30, generator=rng()))
    net(x).sum().backward()
    assert x.grad is None
    first, net.weight.grad = net.weight.grad, None
    net.requires_grad_(False)
    y = net(x.requires_grad_())
    assert y.grad_fn.name() != "_ByProductBackward"
    y.sum().backward()
    assert first is not None
    assert net.weight.grad is None
    assert x.grad is not None


def test_a_gradient_of_the_gradient_is_torchs(monkeypatch: pytest.MonkeyPatch) -> None:
    net, x = conv(3, bias=True), channels_last(torch.randn(4, 5, 30, generator=rng())).requires_grad_()

    def twice() -> list[Tensor]:
        once = torch.autograd.grad(net(x).square().sum(), [x, *net.parameters()], create_graph=True)
        squares = torch.stack([part.square().sum() for part in once]).sum()
        return list(torch.autograd.grad(squares, [x, *net.parameters()]))

    found = twice()
    monkeypatch.setattr(convolution, "AVX2", False)
    torch.testing.assert_close(found, twice(), rtol=1e-4, atol=1e-3)


def test_functions_of_functions_take_it(monkeypatch: pytest.MonkeyPatch) -> None:
    net, x = conv(3), channels_last(torch.randn(4, 5, 30, generator=rng()))
    weights = {"weight": net.weight.detach()}

    def size(weights: dict[str, Tensor]) -> Tensor:
        made: Tensor = torch.func.functional_call(net, weights, (x,)).square().sum()
        return made

    found = torch.func.grad(size)(weights)["weight"]
    monkeypatch.setattr(convolution, "AVX2", False)
    torch.testing.assert_close(found, torch.func.grad(size)(weights)["weight"], rtol=1e-4, atol=1e-3)


def test_is_used_in_float32_on_avx2_for_large_weights_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolution, "FEWEST_WEIGHTS", FEWEST_WEIGHTS)
    x, large, thin = torch.zeros(1, 5, 1, 30), torch.zeros(128, 128, 3), torch.zeros(64, 64, 3)
    assert by_product(x, large)
    assert not by_product(x, thin)
    assert by_product(x, torch.zeros(512, 256, 1))
    assert not by_product(x, torch.zeros(512, 128, 1))
    assert not by_product(x.to("meta"), large)
    assert not by_product(x.double(), large)
    with torch.autocast("cpu", torch.bfloat16):
        assert not by_product(x, large)
    monkeypatch.setattr(convolution, "AVX2", False)
    assert not by_product(x, large)


def test_both_ways_give_the_same_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    net, x = (
        conv(7, stride=2, bias=True),
        channels_last(torch.randn(6, 5, 50, generator=rng())).requires_grad_(),
    )
    found = gradients(net, x, list(net.parameters()))
    monkeypatch.setattr(convolution, "AVX2", False)
    assert net(x).grad_fn.name() != "_ByProductBackward"
    torch.testing.assert_close(found, gradients(net, x, list(net.parameters())), rtol=0, atol=1e-4)


def test_an_empty_batch_has_a_gradient_of_zero() -> None:
    weight = torch.ones(OUT, 5, 3, requires_grad=True)
    convolved(torch.zeros(0, 5, 1, 30), weight, None, stride=1, padding=1).sum().backward()
    assert weight.grad is not None
    assert not weight.grad.any()
