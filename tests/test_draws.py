"""Draws: a record's numbers depend on seed, purpose and record alone, and look like what they claim to be."""

import itertools

import numpy as np
import pytest
import torch
from scipy import stats

from ecglipse.draws import Draws, _below, _hash, _hash_there

KINDS = {
    "uniform": lambda draws: draws.uniform(3, 5),
    "normal": lambda draws: draws.normal(3, 5),
    "integers": lambda draws: draws.integers(1000, 3, 5),
}


def of(rows: object, *path: str | int, seed: int = 0) -> Draws:
    return Draws.of(seed, *(path or ("test",)), rows=rows)


@pytest.mark.parametrize("kind", KINDS)
def test_a_records_numbers_are_the_same_in_every_batch_and_order(kind: str) -> None:
    draw, rows = KINDS[kind], np.array([5, 3, 900, 0, 12])
    whole = draw(of(rows))
    for place, row in enumerate(rows):
        assert torch.equal(draw(of([int(row)]))[0], whole[place])
    assert torch.equal(draw(of(rows[::-1].copy())), whole.flip(0))


@pytest.mark.parametrize("kind", KINDS)
def test_other_seeds_purposes_epochs_records_calls_and_children_give_other_numbers(kind: str) -> None:
    draw, once = KINDS[kind], of([1], "view a", 1)
    others = [
        of([2], "view a", 1),
        of([1], "view b", 1),
        of([1], "view a", 2),
        of([1], "view a", 1, seed=1),
        of([-1], "view a", 1),
        of([2**32 + 1], "view a", 1),
        once.child("gain"),
        once.child("noise"),
        once.child(0),
        once.child("0"),
        once.child("gain").child("noise"),
        once.child("noise").child("gain"),
    ]
    tried = [draw(once), draw(once), *map(draw, others)]
    assert all(not torch.equal(a, b) for a, b in itertools.combinations(tried, 2))


def test_a_child_depends_on_its_name_and_not_on_what_was_drawn_before() -> None:
    fresh, used = of(range(4)), of(range(4))
    used.uniform(100)
    assert torch.equal(fresh.child("a").uniform(9), used.child("a").uniform(9))
    assert torch.equal(fresh.uniform(3), of(range(4)).uniform(3))


def test_children_of_a_fork_are_others_at_each_call_and_the_same_in_each_batch() -> None:
    one, whole = of(range(4)), of(range(9))
    first, second = (one.fork().child("a").uniform(9) for _ in range(2))
    assert torch.equal(first, of(range(4)).child("a").uniform(9))
    assert not torch.equal(first, second)
    assert torch.equal(second, one.part(slice(None)).fork().child("a").uniform(9)) is False
    for part in (first, second):
        assert torch.equal(part, whole.fork().child("a").uniform(9)[:4])


def test_numbers_of_a_call_do_not_depend_on_how_they_are_cut_into_calls() -> None:
    """Uniform numbers are one stream a record: 3 and then 4 are the first 7."""
    twice, once = of(range(4)), of(range(4))
    assert torch.equal(torch.cat([twice.uniform(3), twice.uniform(4)], dim=1), once.uniform(7))


def test_uniform_and_whole_numbers_stay_in_their_bounds() -> None:
    u = of(range(1000)).uniform(1000)
    assert u.min() >= 0
    assert u.max() < 1
    assert torch.equal(u * 2**24, (u * 2**24).floor())
    for below in (1, 2, 7, 1000, 2**24):
        n = of(range(1000)).integers(below, 100)
        assert n.min() >= 0
        assert n.max() < below
    counts = torch.bincount(of(range(1000)).integers(7, 100).flatten(), minlength=7)
    assert stats.chisquare(counts.numpy()).pvalue > 1e-4


def test_uniform_numbers_are_uniform_and_normal_ones_normal() -> None:
    """Kolmogorov-Smirnov over a million numbers, along records and along counters."""
    for rows, count in ((1000, 1000), (10000, 100), (2, 500000)):
        u = of(range(rows)).uniform(count).flatten().double().numpy()
        z = of(range(rows)).normal(count).flatten().double().numpy()
        assert stats.kstest(u, "uniform").pvalue > 1e-4, rows
        assert stats.kstest(z, "norm").pvalue > 1e-4, rows
        assert 4.2 < np.abs(z).max() < 4.86


def test_the_test_of_the_distribution_can_fail() -> None:
    z = of(range(2000)).normal(500).flatten().double().numpy()
    assert stats.kstest(1.01 * z, "norm").pvalue < 1e-4


@pytest.mark.parametrize("kind", ["uniform", "normal"])
def test_neighbouring_records_counters_epochs_and_purposes_are_independent(kind: str) -> None:
    """Correlation of values and of squares, 4 million pairs each: within 4.5 standard errors of none."""
    rows, count = 2000, 2000

    def standard(*path: str | int) -> np.ndarray:
        a = getattr(of(range(rows), *path), kind)(count).double().numpy()
        return (a - a.mean()) / a.std()

    a = standard("view a", 0)
    pairs = {
        "records": (a[1:], a[:-1]),
        "records, five apart": (a[5:], a[:-5]),
        "counters": (a[:, 1:], a[:, :-1]),
        "halves": (a[:, : count // 2], a[:, count // 2 :]),
        "epochs": (a, standard("view a", 1)),
        "views": (a, standard("view b", 0)),
        "records and counters": (a[1:, 1:], a[:-1, :-1]),
    }
    for name, (one, other) in pairs.items():
        for power in (1, 2):
            p, q = one**power - (one**power).mean(), other**power - (other**power).mean()
            z = (p * q).mean() / (p.std() * q.std()) * np.sqrt(p.size)
            assert abs(z) < 4.5, (name, power)


def test_every_bit_of_the_hash_is_even_and_owes_nothing_to_its_neighbours() -> None:
    """Each of 32 bits, against every bit of the next counter and of the next record: 2,080 counts."""
    x = of(range(1000))._bits(500).view(np.uint32)
    bits = ((x[None] >> np.arange(32, dtype=np.uint32)[:, None, None]) & 1).astype(np.float32) - 0.5
    assert np.abs(bits.mean((1, 2))).max() * 2 * np.sqrt(x.size) < 4.5
    for one, other in ((bits[:, 1:], bits[:, :-1]), (bits[..., 1:], bits[..., :-1])):
        flat, shifted = one.reshape(32, -1), other.reshape(32, -1)
        alike = flat @ shifted.T / flat.shape[1] * 4
        assert np.abs(alike).max() * np.sqrt(flat.shape[1]) < 5


def test_the_hash_equals_its_formula_by_hand() -> None:
    """In Python's whole numbers, from the key on: the same on every device and version."""
    draws = of([7])
    key = int(draws.keys[0])
    first, second = key & 0xFFFFFFFF, key >> 32
    for counter, got in enumerate(draws._bits(5)[0].tolist()):
        x = (counter * 0x9E3779B9 + first) % 2**32
        x ^= x >> 16
        x = (x * 0x7FEB352D + second) % 2**32
        x ^= x >> 15
        x = x * 0x846CA68B % 2**32
        assert got % 2**32 == x ^ (x >> 16)


def test_tensors_hash_to_the_same_bits_as_arrays() -> None:
    """What a GPU runs, on the CPU, over numbers of both signs and counters far out."""
    keys = of(range(300)).keys.view(np.uint32).reshape(-1, 2)
    counter = np.concatenate([np.arange(50), 2**31 - 25 + np.arange(50)]).astype(np.uint32)
    there = torch.from_numpy(keys.view(np.int32).copy())
    hashed = _hash_there(torch.from_numpy(counter.view(np.int32)), there[:, :1], there[:, 1:])
    assert np.array_equal(hashed.numpy().view(np.uint32), _hash(counter, keys[:, :1], keys[:, 1:]))


def test_keys_stay_as_they_are_from_version_to_version() -> None:
    """Golden: `Draws.of(0, "golden", rows=[0, 1]).keys`; a change makes every run another one."""
    assert [f"{key:016x}" for key in of([0, 1], "golden").keys] == [
        "dbf59d357736101a",
        "c4c6d764aa615d3e",
    ]


def test_draws_go_on_where_they_were_on_another_device_and_as_a_part() -> None:
    ours = Draws.of(0, "test", rows=range(4))
    ours.uniform(3)
    same, some = ours.on("cpu"), ours.part(slice(1, 3))
    wanted = ours.uniform(5)
    assert torch.equal(same.uniform(5), wanted)
    assert torch.equal(some.uniform(5), wanted[1:3])
    assert not torch.equal(Draws.of(0, "test", rows=range(4)).uniform(5), wanted)


def test_numbers_below_a_limit_are_the_same_from_arrays_and_tensors() -> None:
    bits = Draws.of(0, "test", rows=range(9))._bits(2)
    for below in (7, (7, 2**24)):
        assert torch.equal(_below(bits.copy(), below), _below(torch.from_numpy(bits.copy()), below))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
@pytest.mark.parametrize("kind", KINDS)
def test_a_gpu_draws_the_same(kind: str) -> None:
    rows = np.arange(50)
    there = KINDS[kind](Draws.of(0, "test", rows=rows, device="cuda")).cpu()
    here = KINDS[kind](of(rows))
    if kind == "normal":
        torch.testing.assert_close(there, here, rtol=0, atol=1e-5)
    else:
        assert torch.equal(there, here)


def test_children_made_together_are_those_made_one_by_one() -> None:
    """Over the numbers that are hashed together, across their end, and after."""
    names = ["gaussian", "wander", 3]
    for name, child in zip(names, of(range(5)).children(names), strict=True):
        alone = of(range(5)).child(name)
        for count in (3, 4, 6, 40):
            assert torch.equal(child.uniform(count), alone.uniform(count))
        assert torch.equal(child.part(slice(1, 3)).uniform(4), alone.uniform(4)[1:3])


def test_choices_are_whole_numbers_below_each_bound() -> None:
    few, many = of(range(5000)).choices(3, 2**21)
    assert stats.chisquare(torch.bincount(few, minlength=3).numpy()).pvalue > 1e-4
    assert stats.kstest(many.numpy() / 2**21, "uniform").pvalue > 1e-4
    assert np.array_equal(few.numpy(), of(range(5000)).integers(3, 1).flatten().numpy())
