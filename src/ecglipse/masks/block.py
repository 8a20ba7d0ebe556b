"""One block of each record hidden, at a uniform place."""

import torch
from jaxtyping import Float
from torch import Tensor

from ecglipse.draws import Draws
from ecglipse.masks.forms import Form
from ecglipse.masks.policy import Drawn, MaskPolicy, Ramp


class BlockMask(MaskPolicy):
    """Hides one block of exactly round(coverage x time) samples, every place where it fits equally likely.

    So the middle of a record is hidden more often than its ends.

    Args:
        form: which leads are hidden together; each group has a block of its own.
        coverage: share hidden.

    Raises:
        ValueError: if the groups compete for one coverage.
    """

    def __init__(self, *, form: Form, coverage: float | Ramp) -> None:
        super().__init__()
        if form.joint:
            raise ValueError("`form` must not let groups compete: each has one block")
        self.form, self.coverage = form, Ramp.of(coverage)

    def draw(self, x: Float[Tensor, "batch lead time"], draws: Draws) -> Drawn:
        """Draw where blocks begin without looking at the records."""
        time = x.shape[-1]
        length = round(self.coverage.at(self.progress) * time)
        start = draws.integers(time - length + 1, self.form.groups, 1).to(x.device)
        place = torch.arange(time, device=x.device)
        inside = (place >= start) & (place < start + length)
        return Drawn(self.form.over_leads(inside.to(x.dtype)))
