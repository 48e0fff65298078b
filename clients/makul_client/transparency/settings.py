"""The table [ledger] of a profile: the operator's log, and the keys trusted for it."""

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from makul_client.toml_table import (
    Count,
    Line,
    Location,
    Number,
    check_address,
    match_pattern,
    resolve_path,
)
from makul_client.translation import translate
from makul_client.transparency.log_source import is_address
from makul_client.transparency.signed_note import VKEY

MERGE_DELAY: Final = 60.0
"""The merge delay that an installation promises by default, in seconds."""

_Key = Annotated[str, match_pattern(VKEY)]


def _resolve_log(location: str, info: ValidationInfo) -> str:
    """Return an address, or a directory relative to the profile."""
    if not is_address(location):
        return str(resolve_path(location, info))
    check_address(location, plain_http=False)
    return location


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The operator's log and its witnesses.

    Like a pin, these values must be handed over in person.
    """

    key: _Key
    """The verifier key of the log (C2SP signed-note)."""
    witnesses: Annotated[tuple[_Key, ...], Field(min_length=1)] = ()
    """The verifier keys of the witnesses that cosign the log."""
    quorum: Count = 0
    """The minimum number of witnesses that must cosign a checkpoint."""
    max_merge_delay: Annotated[Number, Field(gt=0, le=86_400)] = MERGE_DELAY
    """The seconds within which the operator promises a proof, as GetStatus reports."""
    state: Location | None = None
    """The file in which the checkpoints seen are stored."""
    log: Annotated[Line, AfterValidator(_resolve_log)] | None = None
    """The location at which the log is published: an https address, or a directory."""


def _set_default_quorum(table: object) -> object:
    """Set the quorum to the majority of the witnesses unless the table names another."""
    witnesses = table.get("witnesses") if isinstance(table, dict) else None
    if not isinstance(table, dict) or not isinstance(witnesses, list) or not witnesses:
        return table
    return {"quorum": len(witnesses) // 2 + 1, **table}


def _check_ledger(ledger: Ledger) -> Ledger:
    if not 0 <= ledger.quorum <= len(ledger.witnesses):
        raise ValueError(
            translate("quorum: must be a whole number from 0 to {most}", most=len(ledger.witnesses))
        )
    if len(set(ledger.witnesses)) != len(ledger.witnesses):
        raise ValueError(
            translate(
                "witnesses: name each key only once; a witness that is named twice would count"
                " twice"
            )
        )
    return ledger


LedgerTable = Annotated[Ledger, BeforeValidator(_set_default_quorum), AfterValidator(_check_ledger)]
"""The table [ledger] as it is written."""
