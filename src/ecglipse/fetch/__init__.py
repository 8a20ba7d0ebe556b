"""Fetching public corpora: pinned versions, resumable, each file held against its digest. Network, disk."""

from ecglipse.fetch.archives import ARCHIVES as ARCHIVES
from ecglipse.fetch.archives import Archive as Archive
from ecglipse.fetch.download import Line as Line
from ecglipse.fetch.listing import Listed as Listed
from ecglipse.fetch.listing import listing as listing
from ecglipse.fetch.session import Fetching as Fetching
