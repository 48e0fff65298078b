"""A document of the sandbox, and the builders of ordinary ones. A caller changes one value."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from makul.domain.attributes import Attribute
from makul.domain.disclosures import GroundKind, Operation, Outcome
from makul.domain.identifiers import AgreementNumber
from makul.domain.reasons import Code
from makul.domain.recipients import RecipientState
from makul.trust.xades.signing import sign_document
from makul_sandbox.data.pki import Credential
from makul_sandbox.data.recipients import Party
from makul_sandbox.world.foreign_forms import DocumentSignature
from makul_sandbox.world.signers import SandboxSigners

Reasons = tuple[tuple[Code, Code | None], ...]
"""The code of each reason, with its cause inside a document."""

NAMES_AND_ADDRESS = frozenset({Attribute.SURNAME, Attribute.GIVEN_NAME, Attribute.ADDRESS})
NAMES_AND_BIRTH = frozenset({Attribute.SURNAME, Attribute.GIVEN_NAME, Attribute.BIRTH_DATE})


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Registration:
    """The employee and the attachments with which RegisterConsent registers a consent."""

    employee: str
    scan: bytes | None = None
    """The scan of a consent on paper, PNG."""
    authority: bytes | None = None
    """The scan of the representative's authority, PDF."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SandboxDocument:
    """A signed document, the request in which it is used, and the expected result."""

    name: str
    kind: GroundKind
    document: bytes
    ground_id: UUID
    """The id of the consent or of the statement."""
    presented_by: Party
    agreement: AgreementNumber
    """The agreement under which the request is made."""
    citizen: int
    """The number of the citizen whom the request concerns."""
    operation: Operation
    attributes: frozenset[Attribute]
    """The attributes asked for; none for VerifyPerson."""
    outcome: Outcome
    """The expected outcome of its use.

    If the document must be registered first and that is refused, it is the outcome of the
    registration.
    """
    reasons: Reasons = ()
    registration: Registration | None = None
    """The registration that must precede its use; None if it may be used at once."""
    employee: str | None = None
    """The employee who uses it, if that matters."""

    @property
    def file_name(self) -> str:
        """The file name below `documents/`."""
        return f"{self.name}.xml"

    @property
    def reason_texts(self) -> list[str]:
        """The reasons as texts, such as `CNS-02 (SIG-06)`."""
        return describe_reasons(self.reasons)

    @property
    def attachments(self) -> dict[str, bytes]:
        """The attachments of the registration, by file name below `documents/`."""
        if self.registration is None:
            return {}
        files = {
            f"{self.name}.scan.png": self.registration.scan,
            f"{self.name}.authority.pdf": self.registration.authority,
        }
        return {name: content for name, content in files.items() if content is not None}


def describe_reasons(reasons: Reasons) -> list[str]:
    """Return the reasons as texts, such as `CNS-02 (SIG-06)`."""
    return [
        code.value if because is None else f"{code.value} ({because.value})"
        for code, because in reasons
    ]


def consent(
    signers: SandboxSigners,
    name: str,
    party: Party,
    citizen: int,
    *,
    operation: Operation = Operation.GET_PERSON_DATA,
    outcome: Outcome | None = None,
    reasons: Reasons = (),
    signer: Credential | None = None,
    given_by: int | None = None,
    requested: frozenset[Attribute] | None = None,
    registration: Registration | None = None,
    employee: str | None = None,
    under: AgreementNumber | None = None,
    form: DocumentSignature = sign_document,
    **changes: Any,
) -> SandboxDocument:
    """Return a consent that `party` presents for `citizen`.

    The same citizen gave it unless `given_by` is set. `under` is the agreement of the request if it
    is not the party's first.
    """
    subject = citizen if given_by is None else given_by
    content = signers.consent(party, subject, **changes)
    if requested is None:
        requested = NAMES_AND_ADDRESS & party.attributes
    if party.state is RecipientState.ON_HOLD:
        reasons = ((Code.RCP_02, None),)
    return SandboxDocument(
        name=name,
        kind=GroundKind.CONSENT,
        document=signers.sign_consent(
            content, party, signer or signers.citizens[subject], form=form
        ),
        ground_id=content.consent_id,
        presented_by=party,
        agreement=under or party.agreement,
        citizen=citizen,
        operation=operation,
        attributes=requested if operation is Operation.GET_PERSON_DATA else frozenset(),
        outcome=outcome or _outcome(operation, reasons),
        reasons=reasons,
        registration=registration,
        employee=employee,
    )


def statement(
    signers: SandboxSigners,
    name: str,
    party: Party,
    citizen: int,
    attributes: frozenset[Attribute],
    *,
    outcome: Outcome | None = None,
    reasons: Reasons = (),
    signer: Credential | None = None,
    **changes: Any,
) -> SandboxDocument:
    """Return a basis statement that `party` presents for `citizen`."""
    content = signers.statement(party, citizen, attributes, **changes)
    return SandboxDocument(
        name=name,
        kind=GroundKind.BASIS,
        document=signers.sign_statement(content, party, signer or signers.officials[party.key]),
        ground_id=content.statement_id,
        presented_by=party,
        agreement=party.agreement,
        citizen=citizen,
        operation=Operation.GET_PERSON_DATA,
        attributes=attributes,
        outcome=outcome or _outcome(Operation.GET_PERSON_DATA, reasons),
        reasons=reasons,
    )


def _outcome(operation: Operation, reasons: Reasons) -> Outcome:
    if reasons:
        return Outcome.REFUSED
    return Outcome.MATCHED if operation is Operation.VERIFY_PERSON else Outcome.RELEASED
