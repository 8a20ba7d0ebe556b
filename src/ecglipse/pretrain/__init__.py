"""The game: an encoder learns to recognise a record, a mask network learns what to hide from it.

`ecglipse.masks` says what is hidden, game.py how the two players share one loss, and training.py
plays it step by step. Nothing here touches disk or screen.
"""

from ecglipse.pretrain.game import AdversarialMasking as AdversarialMasking
from ecglipse.pretrain.game import Round as Round
from ecglipse.pretrain.player import Player as Player
from ecglipse.pretrain.reports import StepReport as StepReport
from ecglipse.pretrain.training import Training as Training
