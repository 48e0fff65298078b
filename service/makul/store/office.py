"""What every change at the operator's desk needs."""

from dataclasses import dataclass

from makul.store.crypto import Sealer
from makul.store.desk_log import DeskLog
from makul.store.engine import Database


@dataclass(frozen=True, slots=True)
class Office:
    """The store, what seals its fields, and the log of who did what."""

    database: Database
    sealer: Sealer
    log: DeskLog
