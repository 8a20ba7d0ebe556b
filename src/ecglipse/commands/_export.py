"""`export`: writes a run's encoder alone, without optimiser, mask network and log."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Exported:
    """What `export` made.

    Args:
        folder: with `encoder.safetensors` and `config.json`.
        encoder: its name.
        parameters: how many it has.
        bytes: of its weights on disk.
    """

    folder: Path
    encoder: str
    parameters: int
    bytes: int


def export(run: Path, out: Path) -> Exported:
    """Write the encoder of a run as two files that `ecglipse.load(out)` reads.

    Args:
        run: folder that `ecglipse pretrain` wrote.
        out: folder to write; must be empty or not there.

    Raises:
        CheckpointError: if the run is missing or has no sound checkpoint.
        EcglipseError: if `out` holds something.
    """
    from ecglipse.checkpoints import read_json
    from ecglipse.errors import EcglipseError
    from ecglipse.transfer.pretrained import WEIGHTS, load
    from ecglipse.transfer.pretrained import export as write

    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise EcglipseError(f"{out}: holds something", hint="choose another folder")
    write(run, out)
    net = load(out).net
    return Exported(
        out,
        read_json(out / "config.json")["encoder"]["name"],
        sum(weight.numel() for weight in net.parameters()),
        (out / WEIGHTS).stat().st_size,
    )
