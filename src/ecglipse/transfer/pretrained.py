"""A pretrained encoder as a thing to use: reads a run's folder or an export, and writes the latter."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ecglipse.checkpoints import latest_checkpoint, load_weights, read_json, save_weights, write_json
from ecglipse.errors import CheckpointError, RecordError
from ecglipse.models import encode, encoder
from ecglipse.models.encoders import pooled
from ecglipse.models.layers import Encoder
from ecglipse.models.reference import attending_over_batch, min_max, taking
from ecglipse.views.scaling import SCALINGS

WEIGHTS = "encoder.safetensors"
"""Of an exported encoder, in its folder."""


@dataclass(frozen=True)
class PretrainedEncoder:
    """An encoder with what it was trained on.

    Args:
        net: in evaluation mode, (batch, lead, time) to (batch, dim); a `torch.nn.Module` like any other.
        leads: names, in the order of its input.
        fs: of its input, Hz.
        n_samples: of the records it was trained on; others are allowed from `net.shortest` on.
        run: folder it came from.
    """

    net: Encoder
    leads: tuple[str, ...]
    fs: float
    n_samples: int
    run: Path

    @torch.no_grad()
    def encode(
        self,
        x: Float[np.ndarray, "batch present time"] | Float[Tensor, "batch present time"],
        *,
        leads: tuple[str, ...] | None = None,
    ) -> Float[Tensor, "batch dim"]:
        """Give the features of records.

        Args:
            x: mV, at `fs`.
            leads: names of the leads of `x`, in its order; by default the encoder's own. Zeros stand for
                those that are not there: good features then need `encoder.lead_drop` in pretraining.

        Raises:
            RecordError: if there is no lead of such a name, or a sample is not a number.
            ValueError: if the leads or the length do not fit.
        """
        device = next(self.net.parameters()).device
        whole = x if isinstance(x, Tensor) else np.array(x, dtype=np.float32)  # strides may be negative
        signal = torch.as_tensor(whole, dtype=torch.float32, device=device)
        if signal.ndim != 3:
            raise ValueError(f"`x` must be (record, lead, sample); got the shape {tuple(signal.shape)}")
        unsound = torch.nonzero(~signal.isfinite().flatten(1).all(1)).flatten().tolist()
        if unsound:
            raise RecordError(
                f"{len(unsound)} of {len(signal)} records have samples that are not numbers; the first is "
                f"number {unsound[0]}, counted from 0",
                reason="not-finite",
                hint="leave them out, or fill the gaps",
            )
        return encode(self.net, signal, leads=self.leads if leads is None else leads, trained_on=self.leads)


def load(
    run: Path | str,
    *,
    device: torch.device | str = "cpu",
    features: Literal["last", "pooled"] = "last",
) -> PretrainedEncoder:
    """Read the encoder of a run, from its newest sound checkpoint, or an exported one. Never pickle.

    Args:
        run: folder that `ecglipse pretrain` wrote, where one that was stopped midway is read as it stands, or
            that `ecglipse export` wrote.
        device: where the encoder goes.
        features: those of the last linear layer, or what goes into it.

    Raises:
        CheckpointError: if the folder is no run, has no sound checkpoint, or does not fit its own config.

    Example:
        >>> import ecglipse                                           # doctest: +SKIP
        >>> pretrained = ecglipse.load("study/runs/simclr-s0-0123456789abcdef")  # doctest: +SKIP
        >>> pretrained.encode(x, leads=("I", "II"))                   # doctest: +SKIP
    """
    run = Path(run)
    facts = read_json(run / "config.json")
    try:
        rule, given = facts["encoder"], facts["input"]
        net = encoder(
            rule["name"],
            leads=len(given["leads"]),
            width=rule["width"],
            dim=rule["dim"],
            generator=torch.Generator().manual_seed(0),
        )
        about = {"leads": tuple(given["leads"]), "fs": given["fs"], "n_samples": given["n_samples"]}
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{run / 'config.json'}: does not describe an encoder ({error})") from None
    put_weights(net, _tensors(run, facts), where=str(run), prefix="")
    published = facts.get("published", {})
    if published.get("attention", "record") == "batch":
        attending_over_batch(net)
    if features == "pooled":
        pooled(net)
    taking(net, SCALINGS.get(rule.get("input", "mv")))
    if published.get("scaling", "none") != "none":
        taking(net, partial(min_max, whole_batch=False))
    return PretrainedEncoder(net.eval().to(device), **about, run=run)


def export(run: Path | str, out: Path | str) -> None:
    """Write a run's encoder alone: `encoder.safetensors` and, beside it, the `config.json` that `load` needs.

    Args:
        run: folder that `ecglipse pretrain` wrote.
        out: folder to write; made if it is not there.

    Raises:
        CheckpointError: as `load`.
    """
    run, out = Path(run), Path(out)
    load(run)
    facts = read_json(run / "config.json")
    about = ("encoder", "input", "published", "method", "seed", "store")
    kept = {key: facts[key] for key in about if key in facts}
    out.mkdir(parents=True, exist_ok=True)
    save_weights(out / WEIGHTS, _tensors(run, facts))
    write_json(out / "config.json", {"format": "ecglipse-encoder", "run": run.name, **kept})


def _tensors(run: Path, facts: dict[str, Any]) -> dict[str, Tensor]:
    """The encoder's tensors by their names in it: of an export, or of a run's newest sound checkpoint."""
    if (run / WEIGHTS).is_file():
        return load_weights(run / WEIGHTS)
    found = latest_checkpoint(run)
    if found is None:
        raise CheckpointError(f"{run}: has no checkpoint", hint="finish it with `ecglipse pretrain`")
    prefix = "average." if facts.get("pretrain", {}).get("ema") else "game.encoder."
    return {name.removeprefix(prefix): t for name, t in found.tensors.items() if name.startswith(prefix)}


def put_weights(
    net: Encoder, tensors: dict[str, Tensor], *, where: str, prefix: str = "game.encoder."
) -> None:
    """Put a checkpoint's encoder into a module of the same architecture.

    Raises:
        CheckpointError: naming the first tensor that does not fit.
    """
    found = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    for name, tensor in net.state_dict().items():
        if name not in found or found[name].shape != tensor.shape:
            got = tuple(found[name].shape) if name in found else "nothing"
            raise CheckpointError(
                f"{where}: holds another encoder: {name} should be {tuple(tensor.shape)}, is {got}",
                hint="give the config that the run was pretrained with",
            )
    strange = sorted(found.keys() - net.state_dict().keys())
    if strange:
        raise CheckpointError(f"{where}: holds another encoder: it has {strange[0]} as well")
    net.load_state_dict(found)
