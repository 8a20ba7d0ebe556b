"""ecglipse: learn what to hide in an ECG.

Adversarial-masking pretraining of 12-lead ECG encoders, transfer with few labels, and an honest
comparison. Importing this package loads neither torch nor pandas nor matplotlib: import the room
you need (`ecglipse.commands`, `ecglipse.models`, ...). The map of the house is docs/architecture.md.
"""

__version__ = "0.1.0"
