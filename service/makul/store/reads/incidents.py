"""Reads of incidents that recipients reported (Procedure, cl. 15)."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, select

from makul.app.ports.secrecy import ReportedIncident
from makul.domain.identifiers import MemberCode
from makul.domain.incidents import Incident, IncidentKind
from makul.language.translation import translate
from makul.store.db.base import Database, Row, Transaction
from makul.store.db.codecs import CodecError, instant, only, unpack
from makul.store.db.rows import build_row_reader
from makul.store.encryption.fields import FieldCipher, field_associated_data
from makul.store.schema.secrecy_tables import incident

MAX_LISTED_INCIDENTS = 1000
"""Maximum number of incidents in one list: the newest ones."""

_INCIDENTS = (
    select(
        incident.c.incident_id,
        incident.c.recipient,
        incident.c.kind,
        incident.c.case_id,
        incident.c.sealed,
        incident.c.reported_at,
    )
    .order_by(incident.c.reported_at.desc(), incident.c.incident_id)
    .limit(MAX_LISTED_INCIDENTS)
)
_OF_RECIPIENT = _INCIDENTS.where(incident.c.recipient == bindparam("recipient"))
_ONE = _INCIDENTS.where(incident.c.incident_id == bindparam("incident_id"))


class _IncidentRow(NamedTuple):
    incident_id: bytes
    recipient: str
    kind: str
    case_id: bytes
    sealed: bytes
    reported_at: int


_read_row = build_row_reader(_INCIDENTS, _IncidentRow)


def list_incidents(
    source: Database | Transaction, cipher: FieldCipher, recipient: MemberCode | None = None
) -> Sequence[ReportedIncident]:
    """Return the incidents, the newest first; or those of one recipient."""
    statement = _INCIDENTS if recipient is None else _OF_RECIPIENT
    rows = source.fetch_all(statement, {} if recipient is None else {"recipient": recipient})
    return [_incident_from_row(cipher, row) for row in rows]


def find_incident(
    source: Database | Transaction, cipher: FieldCipher, incident_id: UUID
) -> ReportedIncident | None:
    """Return an incident; None if there is none."""
    row = source.fetch_one(_ONE, {"incident_id": incident_id.bytes})
    return _incident_from_row(cipher, row) if row is not None else None


def incident_associated_data(incident_id: bytes) -> bytes:
    """Return the associated data of the encrypted part of a row of `incident`."""
    return field_associated_data("incident", "sealed", incident_id)


def _incident_from_row(cipher: FieldCipher, row: Row) -> ReportedIncident:
    found = _read_row(row)
    plain = cipher.decrypt(found.sealed, incident_associated_data(found.incident_id))
    header, _ = unpack(plain)
    fields = only(
        header,
        *("v", "happenedFrom", "happenedTo", "discoveredAt", "affected", "disclosures"),
        *("description", "measures"),
    )
    try:
        return ReportedIncident(
            incident_id=UUID(bytes=found.incident_id),
            recipient=MemberCode(found.recipient),
            case_id=UUID(bytes=found.case_id),
            reported_at=instant(found.reported_at),
            incident=Incident(
                kind=IncidentKind(found.kind),
                happened_from=instant(_number(fields["happenedFrom"])),
                happened_to=instant(_number(fields["happenedTo"])),
                discovered_at=instant(_number(fields["discoveredAt"])),
                affected=_number(fields["affected"]),
                disclosures=tuple(UUID(each) for each in _texts(fields["disclosures"])),
                description=str(fields["description"]),
                measures=str(fields["measures"]),
            ),
        )
    except ValueError:
        raise CodecError(translate("a stored record does not read back")) from None


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise CodecError(translate("a stored record has a field of another type"))
    return value


def _texts(value: object) -> Sequence[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise CodecError(translate("a stored record has a field of another type"))
    return value
