"""The game: an encoder learns to recognise a record, a mask network learns what to hide from it.

policies.py says who decides what is hidden, game.py how the two players share one loss, and training.py
plays it step by step. Nothing here touches disk or screen.
"""

from ecglipse.pretrain.game import AdversarialMasking as AdversarialMasking
from ecglipse.pretrain.game import Round as Round
from ecglipse.pretrain.policies import LearnedMask as LearnedMask
from ecglipse.pretrain.policies import MaskPolicy as MaskPolicy
from ecglipse.pretrain.policies import MixedMask as MixedMask
from ecglipse.pretrain.policies import NoMask as NoMask
from ecglipse.pretrain.policies import RandomMask as RandomMask
from ecglipse.pretrain.training import Player as Player
from ecglipse.pretrain.training import StepReport as StepReport
from ecglipse.pretrain.training import Training as Training
