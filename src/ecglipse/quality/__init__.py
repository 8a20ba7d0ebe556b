"""The quality gate: which recordings no encoder should learn from, and of which one should know. Pure."""

from ecglipse.quality.agreement import badness as badness
from ecglipse.quality.agreement import beat_agreement as beat_agreement
from ecglipse.quality.gate import Finding as Finding
from ecglipse.quality.gate import check as check
from ecglipse.quality.gate import findings as findings
from ecglipse.quality.limits import REASONS as REASONS
from ecglipse.quality.limits import Limits as Limits
from ecglipse.quality.limits import limits_from as limits_from
