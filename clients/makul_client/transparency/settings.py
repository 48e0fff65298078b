"""The table [ledger] of a profile: the operator's log, and whom to believe about it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from makul_client.toml_table import Table
from makul_client.transparency.log_source import is_address
from makul_client.transparency.signed_note import VKEY

MERGE_DELAY: Final = 60.0
"""Seconds: what an installation promises unless it says otherwise."""

_LINE: Final = r"\S(.*\S)?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The operator's log, and who watches it for others: all handed over in person, as is a pin."""

    key: str
    """The log's verifier key (C2SP signed-note)."""
    witnesses: tuple[str, ...] = ()
    """Verifier keys of those who cosign it."""
    quorum: int = 0
    """How many of them must vouch for a checkpoint."""
    max_merge_delay: float = MERGE_DELAY
    """Seconds within which the operator promises a proof; GetStatus tells it."""
    state: Path | None = None
    """Where the checkpoints seen are remembered."""
    log: str | None = None
    """Where the log is published: an https address, or a directory."""


def ledger_from(table: Table) -> Ledger:
    """Read the table; raises `ProfileError`."""
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
    """An address, or a directory beside the profile."""
    place = table.text("log", _LINE)
    if is_address(place):
        return table.url("log", plain_http=False)
    return str(table.place("log"))
