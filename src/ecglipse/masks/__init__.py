"""What is hidden: policies that draw masks, by chance, by a network that learns, or by a guide.

policy.py is the contract, forms.py says which leads are hidden together, segments.py, block.py and
spectral.py draw, guides.py aims without learning, marked.py hides what is marked, published.py and
published_spectral.py keep the published masks, transform.py is the transform of the spectral ones,
pressure.py is what a network pays, fills.py what stands in hidden places.
"""

from ecglipse.masks.block import BlockMask as BlockMask
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
from ecglipse.masks.guides import SaliencyGuide as SaliencyGuide
from ecglipse.masks.guides import WaveGuide as WaveGuide
from ecglipse.masks.marked import MarkedMask as MarkedMask
from ecglipse.masks.marked import Marks as Marks
from ecglipse.masks.policy import Drawn as Drawn
from ecglipse.masks.policy import MaskPolicy as MaskPolicy
from ecglipse.masks.policy import MixedMask as MixedMask
from ecglipse.masks.policy import NoMask as NoMask
from ecglipse.masks.policy import Ramp as Ramp
from ecglipse.masks.policy import ShuffledMask as ShuffledMask
from ecglipse.masks.pressure import Pressure as Pressure
from ecglipse.masks.published import PublishedMask as PublishedMask
from ecglipse.masks.published_spectral import PublishedSpectralMask as PublishedSpectralMask
from ecglipse.masks.segments import GuidedMask as GuidedMask
from ecglipse.masks.segments import LearnedMask as LearnedMask
from ecglipse.masks.segments import NoiseMask as NoiseMask
from ecglipse.masks.segments import PredictedMask as PredictedMask
from ecglipse.masks.segments import RandomMask as RandomMask
from ecglipse.masks.spectral import SpectralMask as SpectralMask
