"""Ports for agreements and approvals of notices, which the parties sign."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

from makul.domain.agreements import Agreement, AgreementRole
from makul.domain.identifiers import AgreementNumber, MemberCode

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

NOTICE_LANGUAGES = ("ky", "ru", "en")
"""The languages of a notice; it has one text in each of them (Procedure, cl. 4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedParty:
    """A party as documents name it."""

    code: MemberCode
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementDraft:
    """The terms that the three parties sign (cl. 7). The state of `terms` is not part of them."""

    terms: Agreement
    drafted_at: datetime
    """The instant that makes each draft a different document.

    A signature under an older draft therefore never counts again.
    """
    authorised_body: NamedParty
    operator: NamedParty
    recipient_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeApproval:
    """An approval of a notice in all its languages by the authorised body (cl. 4)."""

    authorised_body: NamedParty
    ref: str
    digests: Mapping[str, bytes]
    """SHA-256 of the exact bytes of each text, by language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatory:
    """A person who signs agreements and approvals for a party."""

    member: MemberCode
    role: AgreementRole
    identifier: str
    name: str
    fingerprint: bytes
    """SHA-256 of the certificate."""
    key_digest: bytes
    """SHA-256 of the certificate's public key.

    A second certificate over the same key belongs to the same person.
    """
    withdrawn_at: datetime | None = None
    not_after: datetime | None = None
    """The end of the certificate; None if an earlier release registered the signatory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedBytes:
    """A signed document that the registry keeps: its exact bytes and the report on them."""

    digest: bytes
    document: bytes
    report: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementSignature:
    """One party's signature under exactly one draft of an agreement."""

    number: AgreementNumber
    terms_digest: bytes
    """SHA-256 of the draft, unsigned and in exclusive canonical form."""
    role: AgreementRole
    member: MemberCode
    signer: bytes
    """The fingerprint of the signatory's certificate."""
    signed: SignedBytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedSignature:
    """A signature under an agreement as the register holds it."""

    role: AgreementRole
    member: MemberCode
    signer: bytes
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingDraft:
    """The newest draft of an agreement that is not in force yet."""

    number: AgreementNumber
    recipient: MemberCode
    digest: bytes
    """SHA-256 of the exact bytes."""
    signed_by: tuple[AgreementRole, ...]
    document: bytes | None = None
    """The exact bytes to sign; None in a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A notice as registered, approved or not."""

    ref: str
    texts: Mapping[str, bytes]
    """The exact bytes, by language."""
    digests: Mapping[str, bytes]
    added_at: datetime
    approved_at: datetime | None = None

    @classmethod
    def of(cls, ref: str, texts: Mapping[str, bytes], *, added_at: datetime) -> "Notice":
        """Build a notice of these texts that is not approved yet."""
        digests = {language: sha256(text).digest() for language, text in texts.items()}
        return cls(ref=ref, texts=texts, digests=digests, added_at=added_at)


class SignedDocuments(Protocol):
    """Converts between XML and the documents that parties sign. Uses no keys, no database."""

    def render_agreement(self, draft: AgreementDraft) -> bytes:
        """Return the agreement to be signed.

        Raises `UnwritableError` for terms that its schema cannot hold.
        """

    def read_agreement(self, signed: "Element") -> AgreementDraft:
        """Read an agreement from its verified root element; raises `DocumentError` (REQ-01)."""

    def render_approval(self, approval: NoticeApproval) -> bytes:
        """Return the approval to be signed.

        Raises `UnwritableError` for values that its schema cannot hold.
        """

    def read_approval(self, signed: "Element") -> NoticeApproval:
        """Read an approval from its verified root element; raises `DocumentError` (REQ-01)."""

    def content_digest(self, signed: "Element") -> bytes:
        """Return the SHA-256 digest of a verified root element in exclusive canonical form."""

    def pending_drafts(self, drafts: Sequence[PendingDraft]) -> bytes:
        """Return the elements `draft` of GetAgreementDraft."""

    def listed_notices(self, listed: Sequence[Notice]) -> bytes:
        """Return the elements `notice` of GetNotice, without texts."""

    def notice_to_approve(self, notice: Notice, approval: bytes) -> bytes:
        """Return an element `notice` with its texts and the approval to sign."""
