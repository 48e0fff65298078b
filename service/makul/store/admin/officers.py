"""Officers of the supervising bodies, as the operator registers them (Procedure, cl. 11, 12)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, insert, update

from makul.app.ports import OperatorRegistryError
from makul.domain.officers import Officer
from makul.language.translation import translate
from makul.store.admin import signatories
from makul.store.admin.certificates import refuse_message_certificate
from makul.store.admin.unit_of_work import RegistryUnitOfWork
from makul.store.db.codecs import micros
from makul.store.reads.officers import ALL_OFFICERS, encrypt_officer, officer_from_row
from makul.store.records.acts import RowKey
from makul.store.schema.registry_tables import officer

_ADD = insert(officer)
_WITHDRAW = (
    update(officer)
    .where(officer.c.fingerprint == bindparam("key_fingerprint"), officer.c.withdrawn_at.is_(None))
    .values(withdrawn_at=bindparam("withdrawn_at"))
)


def add(unit_of_work: RegistryUnitOfWork, new: Officer, *, at: datetime) -> None:
    """Register an officer.

    One certificate, one key and one person have one body and one role, permanently. Otherwise one
    person could count as two officers. An officer neither sends a recipient's messages nor signs
    for another party. Raises `OperatorRegistryError`.
    """
    facts = {
        "role": new.role.value,
        "fingerprint": new.fingerprint.hex(),
        "identifier": new.identifier,
        "name": new.name,
    }
    with unit_of_work.begin() as transaction:
        for row in transaction.fetch_all(ALL_OFFICERS, {}):
            _refuse_same_person(new, officer_from_row(unit_of_work.cipher, row))
        refuse_message_certificate(transaction, new.fingerprint)
        signatories.refuse_signatory_of_another(transaction, unit_of_work.cipher, new)
        act = unit_of_work.act(transaction, _row_key(new.fingerprint))
        values = {
            "fingerprint": new.fingerprint,
            "member": new.member,
            "role": new.role.value,
            "sealed": encrypt_officer(unit_of_work.cipher, new),
            "added_at": micros(at),
            "withdrawn_at": None,
        }
        transaction.execute(_ADD, values)
        act.write("officer.add", new.member, facts, at=at)


def withdraw(
    unit_of_work: RegistryUnitOfWork, fingerprint: bytes, *, reason: str, at: datetime
) -> None:
    """Withdraw an officer from this commit on; the certificate can never be registered again."""
    values = {"key_fingerprint": fingerprint, "withdrawn_at": micros(at)}
    facts = {"fingerprint": fingerprint.hex(), "reason": reason}
    with unit_of_work.begin() as transaction:
        act = unit_of_work.act(transaction, _row_key(fingerprint))
        if not transaction.execute(_WITHDRAW, values):
            raise OperatorRegistryError(translate("there is no such officer"))
        act.write("officer.withdraw", fingerprint.hex()[:16], facts, at=at)


def list_officers(unit_of_work: RegistryUnitOfWork) -> Sequence[Officer]:
    """Return every officer, including withdrawn ones."""
    rows = unit_of_work.database.fetch_all(ALL_OFFICERS, {})
    return [officer_from_row(unit_of_work.cipher, row) for row in rows]


def _refuse_same_person(new: Officer, known: Officer) -> None:
    if new.fingerprint == known.fingerprint:
        raise OperatorRegistryError(
            translate("this certificate is registered for an officer already, or was withdrawn")
        )
    if (new.member, new.role) == (known.member, known.role) and known.withdrawn:
        return  # the same person with a new certificate
    if new.is_same_person(known):
        raise OperatorRegistryError(translate("this person is an officer already"))


def _row_key(fingerprint: bytes) -> RowKey:
    return RowKey("officer", {"fingerprint": fingerprint})
