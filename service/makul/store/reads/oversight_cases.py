"""Reads of cases about recipients, and of their steps (Procedure, cl. 12)."""

from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, or_, select

from makul.domain.cases import CasePeriod, CaseScope
from makul.domain.identifiers import MemberCode
from makul.domain.oversight_cases import (
    REFERRED_STATES,
    CaseParty,
    CaseState,
    CaseStep,
    CaseStepKind,
    EvidenceFile,
    OversightCase,
)
from makul.language.translation import translate
from makul.store.db.base import Database, Row, Transaction
from makul.store.db.codecs import CodecError, instant
from makul.store.db.rows import build_row_reader
from makul.store.encryption.fields import FieldCipher, field_associated_data
from makul.store.schema.registry_tables import oversight_case, oversight_case_step

MAX_LISTED_CASES = 1000
"""Maximum number of cases in one list: the newest ones. An installation has some dozens a year."""

_DIGEST_BYTES = sha256().digest_size

_CASES = (
    select(
        oversight_case.c.case_id,
        oversight_case.c.recipient,
        oversight_case.c.first_day,
        oversight_case.c.end_day,
        oversight_case.c.scope,
        oversight_case.c.state,
        oversight_case.c.evidence,
        oversight_case.c.evidence_bytes,
        oversight_case.c.evidence_parts,
        oversight_case.c.changed_at,
    )
    .order_by(oversight_case.c.changed_at.desc(), oversight_case.c.case_id)
    .limit(MAX_LISTED_CASES)
)
_REFERRED = _CASES.where(
    or_(*(oversight_case.c.state == each.value for each in sorted(REFERRED_STATES)))
)
_ONE = _CASES.where(oversight_case.c.case_id == bindparam("case_id"))
_OF_PERIOD = _CASES.where(
    oversight_case.c.recipient == bindparam("recipient"),
    oversight_case.c.first_day == bindparam("first_day"),
    oversight_case.c.end_day == bindparam("end_day"),
)
_PROPOSED = _OF_PERIOD.where(oversight_case.c.state == CaseState.PROPOSED.value)
_NOT_DISMISSED = _OF_PERIOD.where(oversight_case.c.state != CaseState.DISMISSED.value)


class _CaseRow(NamedTuple):
    case_id: bytes
    recipient: str
    first_day: str
    end_day: str
    scope: str
    state: str
    evidence: bytes | None
    evidence_bytes: int | None
    evidence_parts: bytes | None
    changed_at: int


_read_case = build_row_reader(_CASES, _CaseRow)

_STEPS = (
    select(
        oversight_case_step.c.number,
        oversight_case_step.c.kind,
        oversight_case_step.c.party,
        oversight_case_step.c.evidence,
        oversight_case_step.c.sealed,
        oversight_case_step.c.taken_at,
    )
    .where(oversight_case_step.c.case_id == bindparam("case_id"))
    .order_by(oversight_case_step.c.number)
)


class _StepRow(NamedTuple):
    number: int
    kind: str
    party: str
    evidence: bytes | None
    sealed: bytes
    taken_at: int


_read_step = build_row_reader(_STEPS, _StepRow)


def list_cases(
    source: Database | Transaction, *, referred: bool = False
) -> Sequence[OversightCase]:
    """Return the cases, the one that changed last first; or only those that were referred."""
    rows = source.fetch_all(_REFERRED if referred else _CASES, {})
    return [_case_from_row(row) for row in rows]


def find_case(source: Database | Transaction, case_id: UUID) -> OversightCase | None:
    """Return a case; None if there is none."""
    row = source.fetch_one(_ONE, {"case_id": case_id.bytes})
    return _case_from_row(row) if row is not None else None


def find_proposed(
    source: Database | Transaction, recipient: MemberCode, period: CasePeriod
) -> OversightCase | None:
    """Return the case that is proposed for a recipient and period; None if there is none."""
    row = source.fetch_one(_PROPOSED, _period_key(recipient, period))
    return _case_from_row(row) if row is not None else None


def has_case(source: Database | Transaction, recipient: MemberCode, period: CasePeriod) -> bool:
    """Return whether a recipient's period has a case that was not dismissed."""
    return source.fetch_one(_NOT_DISMISSED, _period_key(recipient, period)) is not None


def _period_key(recipient: MemberCode, period: CasePeriod) -> dict[str, object]:
    return {
        "recipient": recipient,
        "first_day": period.first.isoformat(),
        "end_day": period.end.isoformat(),
    }


def list_steps(
    source: Database | Transaction, cipher: FieldCipher, case_id: UUID
) -> Sequence[CaseStep]:
    """Return the steps of a case, the earliest first."""
    rows = source.fetch_all(_STEPS, {"case_id": case_id.bytes})
    return [_step_from_row(cipher, case_id, row) for row in rows]


def encrypt_step_text(cipher: FieldCipher, case_id: UUID, number: int, text: str) -> bytes:
    """Return the encrypted text of a row of `oversight_case_step`."""
    return cipher.encrypt(text.encode(), _associated_data(case_id, number))


def _case_from_row(row: Row) -> OversightCase:
    found = _read_case(row)
    try:
        return OversightCase(
            case_id=UUID(bytes=found.case_id),
            recipient=MemberCode(found.recipient),
            period=CasePeriod(
                date.fromisoformat(found.first_day), date.fromisoformat(found.end_day)
            ),
            scope=CaseScope(found.scope),
            state=CaseState(found.state),
            changed_at=instant(found.changed_at),
            evidence=_evidence_from_row(found),
        )
    except ValueError:
        raise CodecError(translate("a case does not read back")) from None


def _evidence_from_row(row: _CaseRow) -> EvidenceFile | None:
    if row.evidence is None or row.evidence_bytes is None or row.evidence_parts is None:
        return None
    parts = row.evidence_parts
    return EvidenceFile(
        digest=row.evidence,
        size=row.evidence_bytes,
        part_digests=tuple(
            parts[start : start + _DIGEST_BYTES] for start in range(0, len(parts), _DIGEST_BYTES)
        ),
    )


def _step_from_row(cipher: FieldCipher, case_id: UUID, row: Row) -> CaseStep:
    step = _read_step(row)
    try:
        return CaseStep(
            kind=CaseStepKind(step.kind),
            at=instant(step.taken_at),
            party=CaseParty(step.party),
            text=cipher.decrypt(step.sealed, _associated_data(case_id, step.number)).decode(),
            evidence=step.evidence,
        )
    except ValueError:
        raise CodecError(translate("a case does not read back")) from None


def _associated_data(case_id: UUID, number: int) -> bytes:
    return field_associated_data(
        "oversight_case_step", "sealed", case_id.bytes, str(number).encode()
    )
