"""What is hidden: policies that draw masks, by chance, by a network that learns, or by a guide.

policy.py is the contract, forms.py says which leads are hidden together, segments.py makes masks of scores.
chance.py and block.py hide by chance, learned.py by the network of the game, predicted.py by one that
regresses, guides.py aims without learning, marked.py hides what is marked, spectral.py hides bands of
frequency by the transform of transform.py, published.py and published_spectral.py keep the published masks.
pressure.py is what a network pays, fills.py what stands in hidden places.
"""

from ecglipse.masks.block import BlockMask as BlockMask
from ecglipse.masks.chance import NoiseMask as NoiseMask
from ecglipse.masks.chance import RandomMask as RandomMask
from ecglipse.masks.fills import BaselineFill as BaselineFill
from ecglipse.masks.fills import BridgeFill as BridgeFill
from ecglipse.masks.fills import Fill as Fill
from ecglipse.masks.fills import MatchedNoiseFill as MatchedNoiseFill
from ecglipse.masks.fills import MinimumFill as MinimumFill
from ecglipse.masks.fills import TokenFill as TokenFill
from ecglipse.masks.fills import ZeroFill as ZeroFill
from ecglipse.masks.forms import FORMS as FORMS
from ecglipse.masks.forms import Form as Form
from ecglipse.masks.forms import bands as bands
from ecglipse.masks.forms import form_of as form_of
from ecglipse.masks.guides import Guide as Guide
from ecglipse.masks.guides import GuidedMask as GuidedMask
from ecglipse.masks.guides import SaliencyGuide as SaliencyGuide
from ecglipse.masks.guides import WaveGuide as WaveGuide
from ecglipse.masks.learned import LearnedMask as LearnedMask
from ecglipse.masks.marked import MarkedMask as MarkedMask
from ecglipse.masks.marked import Marks as Marks
from ecglipse.masks.policy import Drawn as Drawn
from ecglipse.masks.policy import MaskPolicy as MaskPolicy
from ecglipse.masks.policy import MixedMask as MixedMask
from ecglipse.masks.policy import NoMask as NoMask
from ecglipse.masks.policy import Ramp as Ramp
from ecglipse.masks.policy import ShuffledMask as ShuffledMask
from ecglipse.masks.predicted import PredictedMask as PredictedMask
from ecglipse.masks.pressure import Pressure as Pressure
from ecglipse.masks.published import PublishedMask as PublishedMask
from ecglipse.masks.published_spectral import PublishedSpectralMask as PublishedSpectralMask
from ecglipse.masks.spectral import SpectralMask as SpectralMask
