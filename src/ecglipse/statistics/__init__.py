"""How sure a number is: patient and hierarchical bootstrap, paired differences, Holm, DeLong. Pure NumPy.

A study's comparison, once a task and test set:

    resampling = resample(truth, patients, replicates=1000, seed=0)
    a = bootstrap_macro_auroc(scores_a, truth, resampling, keep=keep)
    b = bootstrap_macro_auroc(scores_b, truth, resampling, keep=keep)
    paired_difference(a, b, macro_auroc(scores_a, truth, keep=keep), macro_auroc(scores_b, truth, keep=keep))

Replicates of several test sets (rotations) are averaged by the caller before the difference is taken.
"""

from ecglipse.statistics.bootstrap import bootstrap_macro_auroc, macro_auroc, weighted_auroc
from ecglipse.statistics.comparison import Difference, holm, interval, paired_difference
from ecglipse.statistics.delong import DeLong, delong
from ecglipse.statistics.explained import bootstrap_explained, explained
from ecglipse.statistics.label_efficiency import LabelRatio, label_ratio, labels_needed
from ecglipse.statistics.resampling import Resampling, resample, resample_patients

__all__ = [
    "DeLong",
    "Difference",
    "LabelRatio",
    "Resampling",
    "bootstrap_explained",
    "bootstrap_macro_auroc",
    "delong",
    "explained",
    "holm",
    "interval",
    "label_ratio",
    "labels_needed",
    "macro_auroc",
    "paired_difference",
    "resample",
    "resample_patients",
    "weighted_auroc",
]
