"""Masks laid on marked waves, and the marks of a batch as signals: an oracle that is told where to hide.

Nothing is learned and nothing is guessed: what a wave is has been marked, by hand or by a delineator. Where
it is guessed from the signal see guides.py.
"""

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ecglipse.draws import Draws
from ecglipse.masks.forms import Form
from ecglipse.masks.policy import Drawn, MaskPolicy, Ramp
from ecglipse.masks.segments import count_segments
from ecglipse.views.masking import exact_mask, summed
from ecglipse.waves.spans import ALL_LEADS, spans


class MarkedMask(MaskPolicy):
    """Hides the segments that touch a marked wave, in random order, and other ones once these are used up.

    It looks at marks in place of signals. A group of leads is touched where one of its leads is. In a record
    without the wave, such as P in fibrillation, every segment is as likely as any other.

    Args:
        form: which leads are hidden together.
        coverage: share hidden.
        segment_s: length of a segment, s.
        fs: Hz.
    """

    looks_at = "marks"

    def __init__(self, *, form: Form, coverage: float | Ramp, segment_s: float, fs: float) -> None:
        super().__init__()
        self.form, self.coverage, self.segment_s, self.fs = form, Ramp.of(coverage), segment_s, fs

    @torch.no_grad()
    def draw(self, x: Float[Tensor, "batch lead time"], draws: Draws) -> Drawn:
        """Draw segments.

        Args:
            x: above 0 within the marked waves, 0 elsewhere.
            draws: of the order of the segments.
        """
        segments = count_segments(x.shape[-1], segment_s=self.segment_s, fs=self.fs, form=self.form)
        touched = self.form.over_groups(summed(x, segments)) > 0
        order = draws.uniform(self.form.groups, segments).to(x.device)  # below 1: touched segments come first
        mask = exact_mask(
            touched + order,
            time=x.shape[-1],
            coverage=self.coverage.at(self.progress),
            joint=self.form.joint,
        )
        return Drawn(self.form.over_leads(mask.to(x.dtype)))


class Marks:
    """The marked waves of one kind of a store's records, given by row as signals.

    Args:
        waves: in the form of a store's `waves.parquet`.
        aim: "p", "qrs", "r" (the peak of QRS alone) or "t".
        n_records: of the store.
        leads: names, in the order of the signals.
        n_samples: length of each record.
        fs: Hz.
        device: where the signals go.

    Attributes:
        marked: whether any wave of any kind is marked in each record.
    """

    def __init__(
        self,
        waves: pd.DataFrame,
        aim: str,
        *,
        n_records: int,
        leads: tuple[str, ...],
        n_samples: int,
        fs: float,
        device: torch.device | str = "cpu",
    ) -> None:
        self._spans = spans(waves, aim, leads=leads, n_samples=n_samples, fs=fs)
        self._first = np.searchsorted(self._spans.row, np.arange(n_records + 1))
        self._shape, self._device = (len(leads), n_samples), torch.device(device)
        self.marked: Bool[np.ndarray, " record"] = np.isin(np.arange(n_records), waves["row"])

    def __call__(self, rows: Int[np.ndarray, " batch"]) -> Float[Tensor, "batch lead time"]:
        """Give 1 within the waves of these records and 0 elsewhere."""
        counts = self._first[rows + 1] - self._first[rows]
        record = np.repeat(np.arange(len(rows)), counts)
        wave = np.arange(counts.sum()) + np.repeat(self._first[rows] - (counts.cumsum() - counts), counts)
        lead, start, stop = (part[wave] for part in (self._spans.lead, self._spans.start, self._spans.stop))
        n_leads, time = self._shape
        edges = np.zeros((len(rows), n_leads + 1, time + 1), dtype=np.float32)  # the last row: of all leads
        place = np.where(lead == ALL_LEADS, n_leads, lead)
        np.add.at(edges, (record, place, start), 1)
        np.add.at(edges, (record, place, stop), -1)
        inside = edges.cumsum(axis=-1)[..., :-1]
        made = (inside[:, :-1] + inside[:, -1:] > 0).astype(np.float32)
        return torch.from_numpy(made).to(self._device, non_blocking=True)
