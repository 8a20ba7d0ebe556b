"""The contract of a mask network: it scores the segments of a record."""

from abc import ABC, abstractmethod

from jaxtyping import Float
from torch import Tensor, nn


class ScoringNet(nn.Module, ABC):
    """Scores records.

    Attributes:
        groups: scores a segment.
        frame_hz: frames a second that it sees, and scores before they are averaged over segments.
    """

    groups: int
    frame_hz: float

    @abstractmethod
    def forward(
        self, x: Float[Tensor, "batch lead time"], n_segments: int
    ) -> Float[Tensor, "batch group segment"]:
        """Give one raw score a segment.

        Args:
            x: mV.
            n_segments: how many equal segments the record is cut into.
        """
