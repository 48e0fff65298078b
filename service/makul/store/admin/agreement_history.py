"""The versions of agreements that were in force, for statements of past months (cl. 7 and 11).

The registry has one row for each number, and a new draft replaces its terms. The drafts, their
documents and the signatures stay, so the terms of a past instant can be found from them.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, select

from makul.app.ports import AgreementVersion
from makul.domain.agreements import AgreementRole, AgreementState
from makul.domain.identifiers import MemberCode
from makul.store.admin import signatories
from makul.store.admin.unit_of_work import RegistryUnitOfWork
from makul.store.db.base import Row
from makul.store.db.codecs import instant
from makul.store.reads.agreement_signatures import SIGNATURES
from makul.store.schema.registry_tables import agreement, agreement_draft

_DRAFTS = (
    select(
        agreement_draft.c.number,
        agreement_draft.c.terms_digest,
        agreement_draft.c.drafted_at,
        agreement.c.state,
        agreement.c.changed_at,
    )
    .select_from(agreement_draft.join(agreement, agreement.c.number == agreement_draft.c.number))
    .where(agreement.c.recipient == bindparam("recipient"))
    .order_by(agreement_draft.c.number, agreement_draft.c.drafted_at)
)


def list_versions(
    unit_of_work: RegistryUnitOfWork, recipient: MemberCode
) -> Mapping[str, Sequence[AgreementVersion]]:
    """Return each version of a recipient's agreements that was in force, the earliest first."""
    drafts: dict[str, list[Row]] = defaultdict(list)
    for row in unit_of_work.database.fetch_all(_DRAFTS, {"recipient": recipient}):
        drafts[row[0]].append(row)
    return {
        number: [
            version
            for row, following in zip(rows, [*rows[1:], None], strict=True)
            if (version := _read_version(unit_of_work, row, following)) is not None
        ]
        for number, rows in drafts.items()
    }


def _read_version(
    unit_of_work: RegistryUnitOfWork, row: Row, following: Row | None
) -> AgreementVersion | None:
    number, digest, _, state, changed_at = row
    signatures = unit_of_work.database.fetch_all(
        SIGNATURES, {"number": number, "terms_digest": digest}
    )
    begins = _find_third_signature(signatures)
    stored = signatories.read_document(unit_of_work, digest)
    if begins is None or stored is None:
        return None
    ends = None
    if following is not None:
        ends = following[2]
    elif state == AgreementState.TERMINATED.value:
        ends = changed_at
    return AgreementVersion(
        document=stored.document,
        begins=instant(begins),
        ends=None if ends is None else instant(ends),
    )


def _find_third_signature(signatures: Sequence[Row]) -> int | None:
    """Return when all three roles had signed. Signatories who were withdrawn by then do not count.

    It is None if that was never so.
    """
    for _, _, _, at, _ in signatures:
        roles = {
            AgreementRole(role)
            for role, _, _, signed_at, withdrawn_at in signatures
            if signed_at <= at and (withdrawn_at is None or withdrawn_at > at)
        }
        if roles == frozenset(AgreementRole):
            return int(at)
    return None
