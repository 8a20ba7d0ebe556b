"""The parts of the simulator: who (patients), when (rhythm), what (beat) and what disturbs it (noise).

All are pure functions over a block of recordings; `ecglipse.corpora.simulator` is the door.
"""
