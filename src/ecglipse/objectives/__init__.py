"""What a pair of views is asked to fulfil, one objective a file, and what a pair is (pairs.py)."""

from ecglipse.objectives.agreement import BYOL as BYOL
from ecglipse.objectives.agreement import SimSiam as SimSiam
from ecglipse.objectives.base import Objective as Objective
from ecglipse.objectives.base import Seen as Seen
from ecglipse.objectives.clocs import PatientContrast as PatientContrast
from ecglipse.objectives.clocs import patient_contrast as patient_contrast
from ecglipse.objectives.moco import MoCo as MoCo
from ecglipse.objectives.nt_xent import NTXent as NTXent
from ecglipse.objectives.nt_xent import nt_xent as nt_xent
from ecglipse.objectives.pairs import Pairs as Pairs
from ecglipse.objectives.vicreg import VICReg as VICReg
from ecglipse.objectives.vicreg import vicreg as vicreg
