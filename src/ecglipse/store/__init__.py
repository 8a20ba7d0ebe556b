"""The array store: recordings as int16 shards with their tables, checked by digests. Reads and writes disk.

`StoreWriter` makes one, `Store` opens it, `problems` looks for damage; a store is never changed.
"""

from ecglipse.store._folder import sha256_of as sha256_of
from ecglipse.store._tables import read_waves as read_waves
from ecglipse.store._tables import write_waves as write_waves
from ecglipse.store.check import problems as problems
from ecglipse.store.manifest import Manifest as Manifest
from ecglipse.store.packing import Packed as Packed
from ecglipse.store.packing import Window as Window
from ecglipse.store.reader import Store as Store
from ecglipse.store.writer import StoreWriter as StoreWriter
