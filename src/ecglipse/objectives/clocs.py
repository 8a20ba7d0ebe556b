"""CLOCS: records of the same patient are positives too; with pairs of segments, leads, or both."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ecglipse.objectives.base import Objective, Seen, positive, several, unit_length


def patient_contrast(
    z0: Float[Tensor, "batch dim"],
    z1: Float[Tensor, "batch dim"],
    patients: Int[Tensor, " batch"],
    *,
    temperature: float = 0.1,
) -> Float[Tensor, ""]:
    """Mean contrast between two views in which each patient's records are positives of each other.

    With s the cosine similarity, for record i of view A and record j of view B,

        l(A_i, B_j) = -log( exp(s(A_i, B_j) / t) / sum_k exp(s(A_i, B_k) / t) )

    and the loss is the mean of up to four terms: l over the pairs i = j, from A to B and from B to A, and, if
    the batch holds a patient twice, l over the pairs i != j of one patient, from A to B and from B to A.
    Negatives come from the other view only.

    Args:
        z0: projections of view A; need not be normalised.
        z1: projections of view B; row n is of the same record as row n of `z0`.
        patients: a number for each record's patient.
        temperature: t above; dimensionless, > 0.

    Returns:
        A scalar in nats. log(batch) when all projections are equal.

    Raises:
        ValueError: if `temperature` is not positive or there are fewer than 2 records.

    Source:
        Kiyasseh, Zhu and Clifton 2021, arXiv:2005.13249, eq. 1-3. Departures: their code takes of the pairs
        i != j only one half in each direction; here, as in the paper, all of them in both.
    """
    positive("temperature", temperature)
    n = several(z0)
    with torch.autocast(z0.device.type, enabled=False):
        similarity = unit_length(z0) @ unit_length(z1).T / temperature
        itself = torch.eye(n, dtype=torch.bool, device=z0.device)
        others = (patients[:, None] == patients[None, :]) & ~itself
        count = others.sum()
        total = similarity.new_zeros(())
        for direction in (0, 1):
            surprise = -torch.log_softmax(similarity, dim=direction)
            total = total + surprise.diagonal().mean()
            total = total + (surprise * others).sum() / count.clamp(min=1)
        terms: Tensor = 2 + 2 * (count > 0)
        return total / terms


class PatientContrast(Objective):
    """CLOCS' contrast as an objective.

    With pairs of segments it is CMSC, with pairs of leads CMLC, with both CMSMLC. The mask network plays
    against all of it.

    Args:
        temperature: see `patient_contrast`.
    """

    needs_patients = True

    def __init__(self, temperature: float = 0.1) -> None:
        super().__init__()
        self.temperature = positive("temperature", temperature)

    def forward(self, seen: Seen) -> Float[Tensor, ""]:
        """Give the loss in nats."""
        return patient_contrast(seen.a, seen.b, seen.patients, temperature=self.temperature)
