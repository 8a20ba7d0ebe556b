"""Writes and reads the ledger: `results.jsonl`, one line a cell, and `predictions/CELL.npz` beside it.

Lines are only ever added. Several processes may add at once; one that is killed loses its own cell and
nothing else. A line counts once its newline is there. There is no way here to change or delete a result.

identity.py names a cell, line.py is what is said of it, predictions.py what was predicted, ledger.py writes.
"""

from ecglipse.results.identity import cell_id as cell_id
from ecglipse.results.ledger import Ledger as Ledger
from ecglipse.results.line import REQUIRED as REQUIRED
from ecglipse.results.line import budget as budget
from ecglipse.results.line import headline as headline
from ecglipse.results.predictions import Predictions as Predictions
