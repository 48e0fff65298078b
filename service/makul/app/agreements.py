"""Use cases that draft an agreement and judge the signatures of its three parties (cl. 7).

Each party signs the same document in a file of its own. The signed document must equal the newest
draft byte for byte, in canonical form. Nobody is bound by terms that the others did not sign.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from makul.app.ports import (
    AgreementDraft,
    AgreementSignature,
    DocumentError,
    DocumentVerifier,
    NamedParty,
    OperatorRegistry,
    OperatorRegistryError,
    Signatory,
    SignedBytes,
    SignedDocuments,
    UnwritableError,
    VerifiedDocument,
)
from makul.domain.agreements import Agreement, AgreementRole, AgreementState
from makul.domain.disclosures import ProofStatus
from makul.domain.identifiers import AgreementNumber, MemberCode
from makul.domain.reasons import Code

if TYPE_CHECKING:
    from lxml.etree import _Element as Element


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSigned:
    """A document that proves nothing, with the reason.

    `codes` are those of an invalid signature.
    """

    why: str
    codes: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreements:
    """Drafts agreements and judges the documents that the parties signed."""

    registry: OperatorRegistry
    papers: SignedDocuments
    verifier: DocumentVerifier
    operator: NamedParty
    authorised_body: NamedParty | None
    """The authorised body; None until the settings name it.

    Without it nothing can be drafted or signed.
    """

    def draw_up(self, terms: Agreement, *, at: datetime) -> bytes:
        """Return the document for the three parties to sign; raises `OperatorRegistryError`.

        It is not registered yet.
        """
        draft = AgreementDraft(
            terms=replace(terms, state=AgreementState.DRAFT),
            drafted_at=at,
            authorised_body=_named(self.authorised_body),
            operator=self.operator,
            recipient_name=self._recipient_name(terms.recipient),
        )
        try:
            return self.papers.render_agreement(draft)
        except UnwritableError:
            raise OperatorRegistryError("these terms do not fit the agreement's schema") from None

    def lay_before(self, terms: Agreement, document: bytes, *, at: datetime) -> None:
        """Register a draft that was drawn up at this instant."""
        self.registry.draft_agreement(replace(terms, state=AgreementState.DRAFT), document, at=at)

    def judge(self, document: bytes, *, at: datetime) -> AgreementSignature | NotSigned:
        """Return who signed which draft, or why the document proves nothing. Records nothing.

        The registry checks at commit whether the draft and the signatory still count.
        """
        verified = self.verifier.verify(document, at=at)
        if verified.signed is None:
            return unproven(verified)
        digest = self.papers.content_digest(verified.signed)
        said = self._as_laid_before(verified.signed, digest)
        if isinstance(said, NotSigned):
            return said
        signatory = known_signatory(self.registry, verified)
        if signatory is None:
            return NotSigned(why="the signer is not a registered signatory", codes=(Code.SIG_08,))
        if signatory.member != _party_of(said, signatory.role):
            return NotSigned(why="the signer stands for another party", codes=(Code.SIG_08,))
        return AgreementSignature(
            number=said.terms.number,
            terms_digest=digest,
            role=signatory.role,
            member=signatory.member,
            signer=signatory.fingerprint,
            signed=signed_bytes(document, verified),
        )

    def record(self, signature: AgreementSignature, *, at: datetime) -> AgreementState:
        """Record a signature. The agreement is in force once all three parties have signed."""
        return self.registry.sign_agreement(signature, at=at)

    def missing(self, number: AgreementNumber) -> frozenset[AgreementRole]:
        """Return the roles for which nobody has signed the newest draft yet."""
        return frozenset(AgreementRole) - {
            signature.role for signature in self.registry.agreement_signatures(number)
        }

    def _as_laid_before(self, signed: "Element", digest: bytes) -> AgreementDraft | NotSigned:
        """Return the signed agreement if it equals the newest draft of its number."""
        try:
            said = self.papers.read_agreement(signed)
        except DocumentError as error:
            return NotSigned(why="it is not an agreement", codes=(error.reason.code,))
        newest = self.registry.draft_document(said.terms.number)
        if newest is None:
            return NotSigned(why="no agreement of this number is laid before anybody")
        if sha256(newest).digest() != digest:
            return NotSigned(why="its terms are not those of the agreement's newest draft")
        return said

    def _recipient_name(self, code: MemberCode) -> str:
        for known in self.registry.recipients():
            if known.code == code:
                return known.name
        raise OperatorRegistryError("this recipient is not registered")


def unproven(verified: VerifiedDocument) -> NotSigned:
    """Return why the signature proves nothing: it is invalid, or it cannot be judged now."""
    proof = verified.proof
    undecided = proof.status is ProofStatus.INDETERMINATE
    why = "its signature cannot be judged now" if undecided else "its signature is not good"
    return NotSigned(why=why, codes=proof.reasons)


def known_signatory(registry: OperatorRegistry, verified: VerifiedDocument) -> Signatory | None:
    """Return the signatory who owns the signer's certificate and is not withdrawn."""
    signer = verified.proof.signer
    if verified.proof.status is not ProofStatus.PASSED or signer is None:
        return None
    for known in registry.signatories():
        if known.fingerprint == signer.fingerprint and known.withdrawn_at is None:
            return known
    return None


def signed_bytes(document: bytes, verified: VerifiedDocument) -> SignedBytes:
    """Return the parts of a signed document that are stored."""
    return SignedBytes(digest=sha256(document).digest(), document=document, report=verified.report)


def _party_of(said: AgreementDraft, role: AgreementRole) -> MemberCode:
    match role:
        case AgreementRole.AUTHORISED_BODY:
            return said.authorised_body.code
        case AgreementRole.OPERATOR:
            return said.operator.code
        case AgreementRole.RECIPIENT:
            return said.terms.recipient


def _named(authorised_body: NamedParty | None) -> NamedParty:
    if authorised_body is None:
        raise OperatorRegistryError(
            "name the authorised body in the settings first: [authorised_body]"
        )
    return authorised_body
