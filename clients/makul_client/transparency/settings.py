"""The table [ledger] of a profile: the operator's log, and the keys trusted for it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from makul_client.toml_table import Table
from makul_client.transparency.log_source import is_address
from makul_client.transparency.signed_note import VKEY

MERGE_DELAY: Final = 60.0
"""The merge delay that an installation promises by default, in seconds."""

_LINE: Final = r"\S(.*\S)?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The operator's log and its witnesses.

    Like a pin, these values must be handed over in person.
    """

    key: str
    """The verifier key of the log (C2SP signed-note)."""
    witnesses: tuple[str, ...] = ()
    """The verifier keys of the witnesses that cosign the log."""
    quorum: int = 0
    """The minimum number of witnesses that must cosign a checkpoint."""
    max_merge_delay: float = MERGE_DELAY
    """The seconds within which the operator promises a proof, as GetStatus reports."""
    state: Path | None = None
    """The file in which the checkpoints seen are stored."""
    log: str | None = None
    """The location at which the log is published: an https address, or a directory."""


def ledger_from(table: Table) -> Ledger:
    """Return the settings in the table. Raises `ProfileError`."""
    witnesses = table.texts("witnesses", VKEY, default=())
    most = len(witnesses) // 2 + 1 if witnesses else 0
    ledger = Ledger(
        key=table.text("key", VKEY),
        witnesses=witnesses,
        quorum=table.count("quorum", default=most, at_most=len(witnesses)),
        max_merge_delay=table.number("max_merge_delay", default=MERGE_DELAY, at_most=86_400),
        state=table.optional_place("state"),
        log=_published(table) if table.has("log") else None,
    )
    if len(set(witnesses)) != len(witnesses):
        raise table.wrong("witnesses", "each key once: who is named twice would count twice")
    table.all_read()
    return ledger


def _published(table: Table) -> str:
    """Return an address, or a directory relative to the profile."""
    place = table.text("log", _LINE)
    if is_address(place):
        return table.url("log", plain_http=False)
    return str(table.place("log"))
