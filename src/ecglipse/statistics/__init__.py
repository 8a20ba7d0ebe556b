"""How sure a number is: patient and hierarchical bootstrap, paired differences, permutations. No torch.

A study's comparison, once a task and test set:

    resampling = resample(truth, patients, replicates=1000, seed=0)
    a = bootstrap_macro_auroc(scores_a, truth, resampling, keep=keep)
    b = bootstrap_macro_auroc(scores_b, truth, resampling, keep=keep)
    of_a, of_b = macro_by_cell(scores_a, truth, keep=keep), macro_by_cell(scores_b, truth, keep=keep)
    levels = [(one.mean(axis=1), one.mean(axis=0)) for one in (of_a, of_b)]
    paired_difference(a, b, of_a.mean(), of_b.mean(), levels_a=levels[0], levels_b=levels[1])

Replicates of several test sets (rotations) are averaged by the caller before the difference is taken; the
sets are resampled by `resample_rotations`, which draws a patient who is tested in two of them once.
"""

from ecglipse.statistics.bootstrap import (
    bootstrap_macro_auroc,
    macro_auroc,
    macro_by_cell,
    over_patients,
    weighted_auroc,
)
from ecglipse.statistics.comparison import Difference, freedom, holm, interval, paired_difference
from ecglipse.statistics.delong import DeLong, delong
from ecglipse.statistics.explained import bootstrap_explained, explained, explained_by_cell
from ecglipse.statistics.label_efficiency import LabelRatio, label_ratio, labels_needed
from ecglipse.statistics.permutation import (
    Permutation,
    contributions,
    contributions_explained,
    permutation_test,
)
from ecglipse.statistics.resampling import Resampling, resample, resample_patients
from ecglipse.statistics.rotations import people, resample_rotations, sharing
from ecglipse.statistics.subgroups import Sides, sides

__all__ = [
    "DeLong",
    "Difference",
    "LabelRatio",
    "Permutation",
    "Resampling",
    "Sides",
    "bootstrap_explained",
    "bootstrap_macro_auroc",
    "contributions",
    "contributions_explained",
    "delong",
    "explained",
    "explained_by_cell",
    "freedom",
    "holm",
    "interval",
    "label_ratio",
    "labels_needed",
    "macro_auroc",
    "macro_by_cell",
    "over_patients",
    "paired_difference",
    "people",
    "permutation_test",
    "resample",
    "resample_patients",
    "resample_rotations",
    "sharing",
    "sides",
    "weighted_auroc",
]
