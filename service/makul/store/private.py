"""What a disclosure's row holds that only the store's keys open."""

from dataclasses import dataclass

from makul.app.ports import Entry
from makul.domain.identifiers import MalformedIdentifierError, Pin
from makul.store.codecs import CodecError, only, pack, unpack
from makul.store.crypto import Sealer, place

_FIXED_PARTS = 4


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Private:
    """The part of a disclosure about people, and what the ledger's leaf is opened with."""

    subject: Pin | None
    employee: str | None
    case_number: str | None
    request_digest: bytes
    leaf_salt: bytes
    leaf_statement: bytes
    receipt: bytes
    reports: tuple[tuple[bytes, bytes], ...]
    """For each piece of evidence its digest, and how it was judged for this decision."""


def private_of(entry: Entry) -> Private:
    """What of an entry is sealed."""
    return Private(
        subject=entry.subject,
        employee=entry.employee,
        case_number=entry.case_number,
        request_digest=entry.key.digest,
        leaf_salt=entry.leaf.salt,
        leaf_statement=entry.leaf.statement,
        receipt=entry.receipt,
        reports=tuple((piece.digest, piece.report) for piece in entry.evidence),
    )


def seal_private(sealer: Sealer, disclosure_id: bytes, private: Private) -> bytes:
    """Seal it to its disclosure (format 1)."""
    header = {
        "v": 1,
        "pin": private.subject.digits if private.subject is not None else None,
        "employee": private.employee,
        "case": private.case_number,
    }
    parts = [
        private.request_digest,
        private.leaf_salt,
        private.leaf_statement,
        private.receipt,
        *(part for judged in private.reports for part in judged),
    ]
    return sealer.seal(pack(header, parts), _place(disclosure_id))


def open_private(sealer: Sealer, disclosure_id: bytes, sealed: bytes) -> Private:
    """Open it; raises `SealBrokenError` or `CodecError`."""
    header, parts = unpack(sealer.open(sealed, _place(disclosure_id)))
    only(header, "v", "pin", "employee", "case")
    pin, employee, case = header["pin"], header["employee"], header["case"]
    judged = parts[_FIXED_PARTS:]
    texts_fit = all(text is None or isinstance(text, str) for text in (pin, employee, case))
    if header["v"] != 1 or not texts_fit or len(parts) < _FIXED_PARTS or len(judged) % 2:
        raise CodecError("a disclosure's sealed part has an unknown format")
    request_digest, leaf_salt, leaf_statement, receipt = parts[:_FIXED_PARTS]
    try:
        return Private(
            subject=Pin(str(pin)) if pin is not None else None,
            employee=str(employee) if employee is not None else None,
            case_number=str(case) if case is not None else None,
            request_digest=request_digest,
            leaf_salt=leaf_salt,
            leaf_statement=leaf_statement,
            receipt=receipt,
            reports=tuple(zip(judged[::2], judged[1::2], strict=True)),
        )
    except MalformedIdentifierError:
        raise CodecError("a disclosure's subject does not read back") from None


def _place(disclosure_id: bytes) -> bytes:
    return place("disclosure", "sealed", disclosure_id)
