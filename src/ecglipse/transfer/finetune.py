"""Fine-tuning: encoder and head both move; the best epoch by validation is restored before the test."""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float, Int, Num
from torch import Tensor, nn
from torch.nn import functional

from ecglipse.batches import torch_rng
from ecglipse.draws import Draws
from ecglipse.models.heads import Projection
from ecglipse.seeding import numpy_rng
from ecglipse.transfer.unfreezing import hold, moving, paced

Kind = Literal["multilabel", "multiclass", "binary", "regression"]
Signals = Callable[[Int[np.ndarray, " batch"]], Tensor]


@dataclass(frozen=True)
class FinetuneResult:
    """What fine-tuning gives.

    Args:
        test_scores: probabilities, or numbers of a regression; of the best epoch.
        validation_scores: likewise.
        chosen: the best epoch (counted from 1; of equals the latest) and the number of epochs run.
        history: validation loss of each epoch, nats.
        encoder: the moved encoder, of the best epoch.
        head: likewise.
    """

    test_scores: Float[np.ndarray, "test class"]
    validation_scores: Float[np.ndarray, "validation class"]
    chosen: dict[str, Any]
    history: tuple[float, ...]
    encoder: nn.Module
    head: nn.Module


def finetune(
    encoder: nn.Module,
    signals: Signals,
    *,
    train: tuple[Int[np.ndarray, " train"], Num[np.ndarray, "train class"]],
    validation: tuple[Int[np.ndarray, " validation"], Num[np.ndarray, "validation class"]],
    test_rows: Int[np.ndarray, " test"],
    kind: Kind,
    epochs: int,
    batch: int,
    learning_rate: float,
    encoder_scale: float,
    seed: int,
    rate_decay: float = 1.0,
    unfrozen: int | None = None,
    weight_decay: float = 1e-4,
    head_hidden: int | None = None,
    augment: Callable[[Tensor, Draws], Tensor] | None = None,
    keep: Literal["best", "last"] = "best",
) -> FinetuneResult:
    """Fine-tune a copy of an encoder with a new head; the caller's encoder is left as it was.

    Args:
        encoder: has `dim`, maps (batch, lead, time) to (batch, dim).
        signals: gives the records of rows of the store in mV on the encoder's device.
        train: rows and labels to learn from, at least two.
        validation: rows and labels that choose the epoch.
        test_rows: rows to score, once, with the best epoch.
        kind: of the task: softmax and cross-entropy for multi-class, squared error of the standardised
            number for a regression, a sigmoid a class else.
        epochs: to run.
        batch: records a step; a last batch of one joins the one before.
        learning_rate: peak rate of the head; warm-up over a tenth of all steps, then a cosine to zero.
        encoder_scale: rate of the encoder over that of the head.
        seed: of head, order and augmentation.
        rate_decay: rate of each stage of the encoder over that of the next; see `unfreezing.paced`.
        unfrozen: last stages of the encoder that move, fewer than it has; None: all. The others keep weights
            and statistics to the bit.
        weight_decay: decoupled.
        head_hidden: size of the head's hidden layer; None: it is linear.
        augment: applied to training batches.
        keep: the epoch that is tested: the best by validation or, as published, the last.

    Raises:
        ValueError: if there are fewer than two training records, or no such stages.
    """
    rows, y = train
    if len(rows) < 2:
        raise ValueError(f"`train` must hold at least 2 records; got {len(rows)}")
    encoder = copy.deepcopy(encoder)
    device = next(encoder.parameters()).device
    head = _head(encoder, y.shape[1], seed, hidden=head_hidden).to(device)
    weights = [*encoder.parameters(), *head.parameters()]
    kept, moved = moving(encoder, unfrozen=unfrozen)
    optimiser = torch.optim.AdamW(
        [
            *paced(moved, peak=learning_rate * encoder_scale, decay=rate_decay),
            {"params": list(head.parameters()), "peak": learning_rate},
        ],
        weight_decay=weight_decay,
    )
    middle, spread = (float(y.mean()), float(y.std()) or 1.0) if kind == "regression" else (0.0, 1.0)
    labels = (torch.from_numpy(y).to(device, torch.float32) - middle) / spread
    steps, step = epochs * len(_cuts(len(rows), batch)), 0
    history: list[float] = []
    best: tuple[dict[str, Tensor], dict[str, Tensor]] | None = None
    tested = epochs
    for epoch in range(epochs):
        encoder.train()
        hold(kept)
        order = numpy_rng(seed, "finetune", epoch).permutation(len(rows))
        for start, stop in _cuts(len(rows), batch):
            chosen = order[start:stop]
            x = signals(rows[chosen])
            if augment is not None:
                x = augment(x, Draws.of(seed, "augment", epoch, rows=rows[chosen], device=device))
            for group in optimiser.param_groups:
                group["lr"] = group["peak"] * _rate(step, steps)
            loss = _loss(head(encoder(x)), labels[torch.from_numpy(chosen).to(device)], kind)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(weights, 1.0)
            optimiser.step()
            step += 1
        logits = _logits(encoder, head, signals, validation[0])
        wanted = (torch.from_numpy(validation[1]).to(logits.device, torch.float32) - middle) / spread
        history.append(_loss(logits, wanted, kind).item())
        if (keep == "last" or history[-1] == min(history)) and math.isfinite(history[-1]):
            best, tested = (_copied(encoder), _copied(head)), epoch + 1
    if best is not None:
        encoder.load_state_dict(best[0])
        head.load_state_dict(best[1])
    encoder.requires_grad_(requires_grad=True).eval()
    return FinetuneResult(
        test_scores=_scores(_logits(encoder, head, signals, test_rows), kind) * spread + middle,
        validation_scores=_scores(_logits(encoder, head, signals, validation[0]), kind) * spread + middle,
        chosen={"epoch": tested, "epochs": epochs},
        history=tuple(history),
        encoder=encoder,
        head=head,
    )


def _head(encoder: nn.Module, classes: int, seed: int, *, hidden: int | None) -> Projection:
    """A head whose last layer starts near zero: probabilities of a half."""
    dim, layers = int(encoder.dim), 1 if hidden is None else 2  # type: ignore[arg-type]
    drawn = torch_rng(seed, "head", "hidden")
    head = Projection(dim, hidden or dim, classes, layers=layers, generator=drawn)
    last = head[-1]
    assert isinstance(last, nn.Linear)
    with torch.no_grad():
        last.weight.normal_(0.0, 0.01, generator=torch_rng(seed, "head"))
        last.bias.zero_()
    return head


def _cuts(n: int, batch: int) -> list[tuple[int, int]]:
    """Where batches begin and end; a last one of a single record joins the one before."""
    starts = list(range(0, n, batch))
    if len(starts) > 1 and n - starts[-1] == 1:
        starts.pop()
    return list(zip(starts, [*starts[1:], n], strict=True))


def _rate(step: int, steps: int) -> float:
    warm = max(steps // 10, 1)
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(steps - warm, 1)))


def _loss(logits: Tensor, y: Tensor, kind: Kind) -> Tensor:
    if kind == "regression":
        return functional.mse_loss(logits, y)
    if kind == "multiclass":
        return functional.cross_entropy(logits, y)
    return functional.binary_cross_entropy_with_logits(logits, y)


@torch.no_grad()
def _logits(encoder: nn.Module, head: nn.Module, signals: Signals, rows: np.ndarray) -> Tensor:
    """Logits in evaluation mode, 256 records at once."""
    encoder.eval()
    return torch.cat([head(encoder(signals(rows[s : s + 256]))) for s in range(0, len(rows), 256)]).float()


def _scores(logits: Tensor, kind: Kind) -> np.ndarray:
    if kind == "regression":
        return np.asarray(logits.double().cpu().numpy())
    scores = logits.double().softmax(1) if kind == "multiclass" else logits.double().sigmoid()
    return np.asarray(scores.cpu().numpy())


def _copied(module: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}
