"""A slow copy of a network: the target of BYOL and MoCo, and an average of weights to transfer."""

import copy

import torch
from torch import Tensor, nn


class Average(nn.Module):
    """A copy that follows a network: copy <- m copy + (1 - m) network, once a step.

    Its parameters never learn and its BatchNorm statistics never move in a pass; both follow the network's.

    Args:
        of: the network, copied as it stands.
    """

    def __init__(self, of: nn.Module) -> None:
        super().__init__()
        self.copy = copy.deepcopy(of).requires_grad_(False)
        for module in self.copy.modules():
            if getattr(module, "track_running_stats", False):
                module.track_running_stats = False  # type: ignore[assignment]

    def forward(self, x: Tensor) -> Tensor:
        """Give what the copy makes of x; the gradient reaches x."""
        made: Tensor = self.copy(x)
        return made

    @torch.no_grad()
    def follow(self, network: nn.Module, momentum: float) -> None:
        """Take a step towards the network; counters are copied.

        Args:
            network: of the same architecture.
            momentum: m above, 0 to 1.
        """
        theirs = network.state_dict()
        for name, mine in self.copy.state_dict().items():
            if mine.is_floating_point():
                mine.lerp_(theirs[name], 1 - momentum)
            else:
                mine.copy_(theirs[name])
