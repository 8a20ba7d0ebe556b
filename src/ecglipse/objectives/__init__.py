"""What a pair of views is asked to fulfil: losses on projections, one a file."""

from ecglipse.objectives.nt_xent import nt_xent as nt_xent
