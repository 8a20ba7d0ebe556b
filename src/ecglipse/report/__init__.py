"""What a study found: pictures of ECGs, curves, forests and tables, and one page with them all. No torch.

From the ledger up: study.py and cells.py read, bench.py scores test sets and resamples them, summarise.py has
everything made and puts it into a `Summary` (summary.py), whose parts have their shapes in methods.py,
scores.py, differences.py and hidden.py. Of these scoring.py, class_scores.py, measures.py, seeds.py,
intervals.py and reliability.py make scores, comparisons.py, needed.py, subgroups.py and robustness.py
differences, waves.py and matched.py what is hidden. verdict.py and cautions.py say it in sentences.

page.py writes: content.py, details.py and mask_tables.py fill its template, figures.py and
calibration_figures.py draw, grids.py and more_grids.py make the tables that latex*.py and markdown*.py set,
export.py the CSV. Pages of their own: occlusion*.py of `ecglipse masks`, rejects.py of `ecglipse prepare`.
ECG paper is in paper*.py and sheet.py.
"""
