"""An experiment's config: TOML to checked, frozen tables. It knows no torch.

section.py is what every table is, game.py what pretraining looks at, published.py the published choices,
method.py one way to get an encoder, evidence.py what encoders are used for, experiment.py all of it together,
keys.py which keys a method reads, faults.py what is said of a fault, reading.py the way in.
"""

from ecglipse.config.evidence import OwnTask as OwnTask
from ecglipse.config.evidence import Transfer as Transfer
from ecglipse.config.experiment import SHORTEST_SPECTRAL_S as SHORTEST_SPECTRAL_S
from ecglipse.config.experiment import Config as Config
from ecglipse.config.experiment import digest as digest
from ecglipse.config.game import WIDTH_UNITS as WIDTH_UNITS
from ecglipse.config.game import Encoder as Encoder
from ecglipse.config.game import MaskNetwork as MaskNetwork
from ecglipse.config.game import Objective as Objective
from ecglipse.config.game import ObjectiveName as ObjectiveName
from ecglipse.config.game import PairsName as PairsName
from ecglipse.config.game import Views as Views
from ecglipse.config.method import Method as Method
from ecglipse.config.published import Published as Published
from ecglipse.config.reading import check as check
from ecglipse.config.reading import load as load
