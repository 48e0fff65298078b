"""The encrypted part of a disclosure's row, which only the store's keys decrypt."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from makul.app.ports import Asker, Entry, KnownRequest, UsageStatement
from makul.domain.identifiers import MalformedIdentifierError, Pin
from makul.domain.subject_visibility import Hiding
from makul.language.translation import translate
from makul.ledger.leaf_statement import read_statement
from makul.store.db.codecs import CodecError, instant, micros, only, pack, unpack
from makul.store.encryption.fields import FieldCipher, field_associated_data

_FIXED_PARTS = 4
_STATES_HIDING = 3
"""The format since which a record states until when it is kept from its subject."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PrivateFields:
    """The personal data of a disclosure, and the salt and statement that its leaf commits to."""

    subject: Pin | None
    asker: Asker
    request_digest: bytes
    leaf_salt: bytes
    leaf_statement: bytes
    receipt: bytes
    reports: tuple[tuple[bytes, bytes], ...]
    """Digest and validation report of each piece of evidence, as judged for this decision."""
    hiding: Hiding | None = None
    """Until when the decision is kept from its subject; None if the format did not state that."""

    @property
    def known(self) -> KnownRequest:
        """The request that this decision answered."""
        return KnownRequest(digest=self.request_digest, asker=self.asker)

    @property
    def usage(self) -> UsageStatement | None:
        """What the client said to the subject; None if it said nothing. Raises `CodecError`."""
        try:
            stated = read_statement(self.leaf_statement).get("usage")
            return _parse_usage(stated) if stated is not None else None
        except ValueError:
            raise CodecError(translate("a leaf's statement does not read back")) from None


def _parse_usage(stated: object) -> UsageStatement:
    """Return a usage as the leaf states it. Raises `ValueError`."""
    match stated:
        case [str() as reason, str() | None as system, bool() | None as hidden]:
            return UsageStatement(reason=reason, system=system, hidden=hidden)
    raise ValueError


def private_fields(entry: Entry) -> PrivateFields:
    """Return the part of an entry that is encrypted."""
    key, ground = entry.key, entry.decision.ground
    return PrivateFields(
        subject=entry.decision.subject,
        asker=key.asker,
        request_digest=key.digest,
        leaf_salt=entry.leaf.salt,
        leaf_statement=entry.leaf.statement,
        receipt=entry.receipt,
        reports=tuple((piece.digest, piece.report) for piece in entry.decision.evidence),
        hiding=Hiding(ground.hidden_until if ground is not None else None),
    )


def encrypt_private(cipher: FieldCipher, disclosure_id: bytes, private: PrivateFields) -> bytes:
    """Encrypt the private part for its disclosure (format 3)."""
    hidden_until = private.hiding.until if private.hiding is not None else None
    header = {
        "v": 3,
        "pin": private.subject.digits if private.subject is not None else None,
        "subsystem": private.asker.subsystem,
        "employee": private.asker.employee,
        "case": private.asker.case_number,
        "hiddenUntil": micros(hidden_until) if hidden_until is not None else None,
    }
    parts = [
        private.request_digest,
        private.leaf_salt,
        private.leaf_statement,
        private.receipt,
        *(part for judged in private.reports for part in judged),
    ]
    plain = pack(header, parts)
    if cipher.compressor is not None:
        dictionary_id = cipher.compressor.dictionary_for(private.receipt)
        plain = cipher.compressor.compress(plain, dictionary_id)
    return cipher.encrypt(plain, _associated_data(disclosure_id))


@dataclass(frozen=True, slots=True, repr=False)
class StoredEvidence:
    """What the private part of a disclosure has for those who verify, without personal data."""

    receipt: bytes
    _leaf_statement: bytes
    _reports: Sequence[bytes]
    """Digests and reports, in turn."""

    def committed_report(self, digest: bytes | None) -> bytes | None:
        """Return the report on this document, if it is the one to which the leaf commits.

        A leaf of format 1 commits to no report; then the stored one is returned.
        """
        for judged, report in zip(self._reports[::2], self._reports[1::2], strict=True):
            if judged == digest:
                # In JSON no text contains a quotation mark that is not escaped.
                named = f'"{digest.hex()}","{sha256(report).hexdigest()}"]'.encode()
                if named in self._leaf_statement or b'"format":1,' in self._leaf_statement:
                    return report
        return None


def read_evidence(cipher: FieldCipher, disclosure_id: bytes, sealed: bytes) -> StoredEvidence:
    """Decrypt the part that verifies a disclosure, and read nothing about persons.

    Raises `FieldDecryptionError` or `CodecError`.
    """
    _, parts = _open_parts(cipher, disclosure_id, sealed)
    return StoredEvidence(parts[3], parts[2], parts[_FIXED_PARTS:])


def _open_parts(
    cipher: FieldCipher, disclosure_id: bytes, sealed: bytes
) -> tuple[dict[str, object], list[bytes]]:
    header, parts = unpack(expand(cipher, cipher.decrypt(sealed, _associated_data(disclosure_id))))
    if header.get("v") not in (1, 2, 3) or len(parts) < _FIXED_PARTS or len(parts) % 2:
        raise CodecError(translate("the encrypted part of a disclosure has an unknown format"))
    return header, parts


def open_private(cipher: FieldCipher, disclosure_id: bytes, sealed: bytes) -> PrivateFields:
    """Decrypt a disclosure's private part; raises `FieldDecryptionError` or `CodecError`."""
    header, parts = _open_parts(cipher, disclosure_id, sealed)
    judged = parts[_FIXED_PARTS:]
    request_digest, leaf_salt, leaf_statement, receipt = parts[:_FIXED_PARTS]
    if header["v"] == 1:
        header = {**header, "subsystem": _subsystem_from_statement(leaf_statement)}
    stated = ("hiddenUntil",) if header["v"] == _STATES_HIDING else ()
    only(header, "v", "pin", "subsystem", "employee", "case", *stated)
    pin = _text(header["pin"])
    try:
        return PrivateFields(
            subject=Pin(pin) if pin is not None else None,
            asker=Asker(
                subsystem=_text(header["subsystem"]),
                employee=_text(header["employee"]),
                case_number=_text(header["case"]),
            ),
            request_digest=request_digest,
            leaf_salt=leaf_salt,
            leaf_statement=leaf_statement,
            receipt=receipt,
            reports=tuple(zip(judged[::2], judged[1::2], strict=True)),
            hiding=Hiding(_instant(header["hiddenUntil"])) if stated else None,
        )
    except MalformedIdentifierError:
        raise CodecError(translate("a disclosure's subject does not read back")) from None


def expand(cipher: FieldCipher, plain: bytes) -> bytes:
    """Return a decrypted record as it was before compression; raises `CodecError`."""
    return plain if cipher.compressor is None else cipher.compressor.expand(plain)


def _subsystem_from_statement(leaf_statement: bytes) -> object:
    """Return the subsystem of a record of format 1, which is only in the leaf's statement."""
    try:
        return read_statement(leaf_statement).get("subsystem")
    except ValueError:
        raise CodecError(translate("a leaf's statement does not read back")) from None


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise CodecError(translate("the encrypted part of a disclosure has an unknown format"))


def _instant(value: object) -> datetime | None:
    if value is None:
        return None
    if type(value) is int:
        return instant(value)
    raise CodecError(translate("the encrypted part of a disclosure has an unknown format"))


def _associated_data(disclosure_id: bytes) -> bytes:
    return field_associated_data("disclosure", "sealed", disclosure_id)
