"""The rows of attested deletions that acts read and add, in the act's transaction (cl. 15)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, insert, or_, select

from makul.domain.cases import CasePeriod
from makul.domain.deletions import HOLDING_STATES, GivenData
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import MemberCode
from makul.store.admin.act_rows import ActRows
from makul.store.db.codecs import instant, micros
from makul.store.db.rows import build_row_reader
from makul.store.schema.record_tables import disclosure
from makul.store.schema.registry_tables import oversight_case
from makul.store.schema.secrecy_tables import deletion_attestation

_GIVEN = (
    select(
        disclosure.c.decided_at,
        disclosure.c.outcome,
        deletion_attestation.c.attested_at,
    )
    .select_from(
        disclosure.outerjoin(
            deletion_attestation,
            deletion_attestation.c.disclosure_id == disclosure.c.disclosure_id,
        )
    )
    .where(
        disclosure.c.disclosure_id == bindparam("disclosure_id"),
        disclosure.c.recipient == bindparam("recipient"),
    )
)
_HOLDING = select(oversight_case.c.first_day, oversight_case.c.end_day).where(
    oversight_case.c.recipient == bindparam("recipient"),
    or_(*(oversight_case.c.state == each.value for each in sorted(HOLDING_STATES))),
)
_ADD = insert(deletion_attestation)


class _GivenRow(NamedTuple):
    decided_at: int
    outcome: str
    attested_at: int | None


_read_given = build_row_reader(_GIVEN, _GivenRow)


class DeletionRows(ActRows):
    """The part of an act's rows that belongs to attested deletions."""

    def given_data(self, recipient: MemberCode, ids: Collection[UUID]) -> Mapping[UUID, GivenData]:
        """Return the decisions of this recipient among these ids."""
        holding = self._holding_periods(recipient)
        found: dict[UUID, GivenData] = {}
        for each in ids:
            key = {"recipient": recipient, "disclosure_id": each.bytes}
            row = self._transaction.fetch_one(_GIVEN, key)
            if row is not None:
                found[each] = _given(_read_given(row), holding)
        return found

    def attest_deletions(self, recipient: MemberCode, ids: Sequence[UUID], erased_on: date) -> None:
        """Record that the recipient erased the data of these decisions."""
        for each in ids:
            key = {"disclosure_id": each.bytes}
            self._track("deletion_attestation", **key)
            row = {
                "recipient": recipient,
                "erased_on": erased_on.isoformat(),
                "attested_at": micros(self._at),
            }
            self._transaction.execute(_ADD, {**key, **row})

    def _holding_periods(self, recipient: MemberCode) -> Sequence[CasePeriod]:
        rows = self._transaction.fetch_all(_HOLDING, {"recipient": recipient})
        return [CasePeriod(date.fromisoformat(row[0]), date.fromisoformat(row[1])) for row in rows]


def _given(row: _GivenRow, holding: Sequence[CasePeriod]) -> GivenData:
    decided_at = instant(row.decided_at)
    return GivenData(
        decided_at=decided_at,
        released=row.outcome == Outcome.RELEASED,
        attested=row.attested_at is not None,
        held=any(_covers(each, decided_at) for each in holding),
    )


def _covers(period: CasePeriod, at: datetime) -> bool:
    return period.begins <= at < period.ends
