"""VICReg: views of a record agree, while the batch keeps its variance and its features stay uncorrelated."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from ecglipse.objectives.base import Objective, Seen, in_float32, positive, several


def variance_term(z: Float[Tensor, "batch dim"]) -> Float[Tensor, ""]:
    """Mean over the features of max(0, 1 - sqrt(var + 1e-4)); var with n - 1 below."""
    return functional.relu(1 - torch.sqrt(z.var(dim=0) + 1e-4)).mean()


def covariance_term(z: Float[Tensor, "batch dim"]) -> Float[Tensor, ""]:
    """Sum of the squared covariances of different features, over the number of features."""
    centred = z - z.mean(dim=0)
    covariance = centred.T @ centred / (z.shape[0] - 1)
    return (covariance.square().sum() - covariance.diagonal().square().sum()) / z.shape[1]


def vicreg(
    z0: Float[Tensor, "batch dim"],
    z1: Float[Tensor, "batch dim"],
    *,
    invariance: float = 25.0,
    variance: float = 25.0,
    covariance: float = 1.0,
    regularised: Literal["first", "both"] = "both",
) -> Float[Tensor, ""]:
    """Invariance between two views, with variance and covariance of one or both of them.

        L = invariance * s(A, B) + variance * (v(A) + v(B)) / 2 + covariance * (c(A) + c(B))

    with s the mean squared difference, v `variance_term` and c `covariance_term`. With `regularised` "first",
    A stands for B in v and c: the same weights on the first view alone.

    Args:
        z0: projections of view A.
        z1: projections of view B; row n is of the same record as row n of `z0`.
        invariance: weight of s.
        variance: weight of v.
        covariance: weight of c.
        regularised: which views v and c look at.

    Returns:
        A scalar without a unit. 0.99 * `variance` when all projections are equal (v = 1 - sqrt(1e-4)).

    Raises:
        ValueError: if there are fewer than 2 records.

    Source:
        Bardes, Ponce and LeCun 2022, arXiv:2105.04906, eq. 1-6, scaled as in the authors' code, for which the
        default weights were found: s is divided by the number of features and v is halved.
    """
    several(z0)
    with torch.autocast(z0.device.type, enabled=False):
        a, b = in_float32(z0), in_float32(z1)
        c = a if regularised == "first" else b
        spread = (variance_term(a) + variance_term(c)) / 2
        redundancy = covariance_term(a) + covariance_term(c)
        return invariance * functional.mse_loss(a, b) + variance * spread + covariance * redundancy


class VICReg(Objective):
    """VICReg as an objective; by default the mask network plays against the invariance alone.

    Variance and covariance keep the encoder from giving every record the same features. They are no task to
    be made hard: a mask network that may raise them is paid for making the *batch* alike or correlated,
    whatever the encoder recognises. One backward cannot give the encoder the gradient of all terms of the
    hidden view and the mask network that of one. So by default both terms look at the first view only, which
    the mask does not touch: both players then share one number exactly, and of it only the invariance depends
    on the mask. The hidden view cannot collapse without leaving the first one.

    Args:
        invariance: see `vicreg`.
        variance: see `vicreg`.
        covariance: see `vicreg`.
        regularised: "first" as said above; "both" as published, and the mask network plays against all of it.
    """

    unit = ""

    def __init__(
        self,
        *,
        invariance: float = 25.0,
        variance: float = 25.0,
        covariance: float = 1.0,
        regularised: Literal["first", "both"] = "first",
    ) -> None:
        super().__init__()
        self.invariance = positive("invariance", invariance)
        self.variance, self.covariance, self.regularised = variance, covariance, regularised

    def forward(self, seen: Seen) -> Float[Tensor, ""]:
        """Give the loss, which has no unit."""
        return vicreg(
            seen.a,
            seen.b,
            invariance=self.invariance,
            variance=self.variance,
            covariance=self.covariance,
            regularised=self.regularised,
        )
