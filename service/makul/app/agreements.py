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
from makul.domain.recipients import Recipient
from makul.language.translation import mark, translate

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
    documents: SignedDocuments
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
        recipient = self._recipient(terms.recipient)
        if lacking := sorted(terms.purposes_without_competence(recipient.kind)):
            raise OperatorRegistryError(
                translate(
                    "name the act of law on which the recipient's competence rests (cl. 3), for:"
                    " {purposes}",
                    purposes=", ".join(lacking),
                )
            )
        draft = AgreementDraft(
            terms=replace(terms, state=AgreementState.DRAFT),
            drafted_at=at,
            authorised_body=_require_body(self.authorised_body),
            operator=self.operator,
            recipient_name=recipient.name,
        )
        try:
            return self.documents.render_agreement(draft)
        except UnwritableError:
            raise OperatorRegistryError(
                translate("these terms do not fit the agreement's schema")
            ) from None

    def register_draft(self, terms: Agreement, document: bytes, *, at: datetime) -> None:
        """Register a draft that was drawn up at this instant."""
        self.registry.draft_agreement(replace(terms, state=AgreementState.DRAFT), document, at=at)

    def judge(self, document: bytes, *, at: datetime) -> AgreementSignature | NotSigned:
        """Return who signed which draft, or why the document proves nothing. Records nothing.

        The registry checks at commit whether the draft and the signatory still count.
        """
        verified = self.verifier.verify(document, at=at)
        if verified.signed is None:
            return unproven(verified)
        digest = self.documents.content_digest(verified.signed)
        draft = self._match_newest_draft(verified.signed, digest)
        if isinstance(draft, NotSigned):
            return draft
        signatory = find_signatory(self.registry, verified)
        if signatory is None:
            return NotSigned(
                why=translate("the signer is not a registered signatory"), codes=(Code.SIG_08,)
            )
        if signatory.member != _member_in_role(draft, signatory.role):
            return NotSigned(
                why=translate("the signer belongs to another party"), codes=(Code.SIG_08,)
            )
        return AgreementSignature(
            number=draft.terms.number,
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

    def _match_newest_draft(self, signed: "Element", digest: bytes) -> AgreementDraft | NotSigned:
        """Return the signed agreement if it equals the newest draft of its number."""
        try:
            draft = self.documents.read_agreement(signed)
        except DocumentError as error:
            return NotSigned(why=translate("it is not an agreement"), codes=(error.reason.code,))
        newest = self.registry.draft_document(draft.terms.number)
        if newest is None:
            return NotSigned(why=translate("there is no draft of an agreement with this number"))
        if sha256(newest).digest() != digest:
            return NotSigned(
                why=translate("its terms are not those of the agreement's newest draft")
            )
        return draft

    def _recipient(self, code: MemberCode) -> Recipient:
        for recipient in self.registry.recipients():
            if recipient.code == code:
                return recipient
        raise OperatorRegistryError(translate("this recipient is not registered"))


def unproven(verified: VerifiedDocument) -> NotSigned:
    """Return why the signature proves nothing: it is invalid, or it cannot be judged now."""
    proof = verified.proof
    undecided = proof.status is ProofStatus.INDETERMINATE
    why = (
        mark("its signature cannot be judged now")
        if undecided
        else mark("its signature is not valid")
    )
    return NotSigned(why=translate(why), codes=proof.reasons)


def find_signatory(registry: OperatorRegistry, verified: VerifiedDocument) -> Signatory | None:
    """Return the signatory who owns the signer's certificate and is not withdrawn."""
    signer = verified.proof.signer
    if verified.proof.status is not ProofStatus.PASSED or signer is None:
        return None
    for signatory in registry.signatories():
        if signatory.fingerprint == signer.fingerprint and signatory.withdrawn_at is None:
            return signatory
    return None


def signed_bytes(document: bytes, verified: VerifiedDocument) -> SignedBytes:
    """Return the parts of a signed document that are stored."""
    return SignedBytes(digest=sha256(document).digest(), document=document, report=verified.report)


def _member_in_role(draft: AgreementDraft, role: AgreementRole) -> MemberCode:
    match role:
        case AgreementRole.AUTHORISED_BODY:
            return draft.authorised_body.code
        case AgreementRole.OPERATOR:
            return draft.operator.code
        case AgreementRole.RECIPIENT:
            return draft.terms.recipient


def _require_body(authorised_body: NamedParty | None) -> NamedParty:
    if authorised_body is None:
        raise OperatorRegistryError(
            translate("name the authorised body in the settings first: [authorised_body]")
        )
    return authorised_body
