"""A paper of the sandbox, and how the ordinary ones are made; callers change one thing."""

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
"""Each reason's code, and the cause inside a document."""

NAMES_AND_ADDRESS = frozenset({Attribute.SURNAME, Attribute.GIVEN_NAME, Attribute.ADDRESS})
NAMES_AND_BIRTH = frozenset({Attribute.SURNAME, Attribute.GIVEN_NAME, Attribute.BIRTH_DATE})


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Registration:
    """What RegisterConsent hands in beside a consent, and who does so."""

    employee: str
    scan: bytes | None = None
    """PNG."""
    authority: bytes | None = None
    """PDF."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Paper:
    """A signed document, the request it goes with, and what comes of that."""

    name: str
    kind: GroundKind
    document: bytes
    ground_id: UUID
    """Of the consent or the statement."""
    presented_by: Party
    agreement: AgreementNumber
    """Under which the request is made."""
    citizen: int
    """About whom the request is, by number."""
    operation: Operation
    attributes: frozenset[Attribute]
    """Asked for; none for VerifyPerson."""
    outcome: Outcome
    """Of its use; where it is to be registered first and that is refused, of the registration."""
    reasons: Reasons = ()
    registration: Registration | None = None
    """What it must be handed in with; None where it may be used at once."""
    employee: str | None = None
    """Who uses it, where that matters."""

    @property
    def file_name(self) -> str:
        """Under `documents/`."""
        return f"{self.name}.xml"

    @property
    def reason_texts(self) -> list[str]:
        """`CNS-02 (SIG-06)`."""
        return told(self.reasons)

    @property
    def attachments(self) -> dict[str, bytes]:
        """The papers that are handed in with it, by file name under `documents/`."""
        with_it = self.registration
        found = {
            f"{self.name}.scan.png": with_it.scan if with_it is not None else None,
            f"{self.name}.authority.pdf": with_it.authority if with_it is not None else None,
        }
        return {name: content for name, content in found.items() if content is not None}


def told(reasons: Reasons) -> list[str]:
    """`CNS-02 (SIG-06)`."""
    return [
        code.value if because is None else f"{code.value} ({because.value})"
        for code, because in reasons
    ]


def consent(
    hands: SandboxSigners,
    name: str,
    party: Party,
    citizen: int,
    *,
    operation: Operation = Operation.GET_PERSON_DATA,
    outcome: Outcome | None = None,
    reasons: Reasons = (),
    signer: Credential | None = None,
    given_by: int | None = None,
    asked: frozenset[Attribute] | None = None,
    registration: Registration | None = None,
    employee: str | None = None,
    under: AgreementNumber | None = None,
    form: DocumentSignature = sign_document,
    **changes: Any,
) -> Paper:
    """A consent that `party` presents for `citizen`; given by the same unless `given_by` is set.

    `under` is the agreement of the request, where it is not the party's first.
    """
    subject = citizen if given_by is None else given_by
    said = hands.consent(party, subject, **changes)
    if asked is None:
        asked = NAMES_AND_ADDRESS & party.attributes
    if party.state is RecipientState.ON_HOLD:
        reasons = ((Code.RCP_02, None),)
    return Paper(
        name=name,
        kind=GroundKind.CONSENT,
        document=hands.sign_consent(said, party, signer or hands.citizens[subject], form=form),
        ground_id=said.consent_id,
        presented_by=party,
        agreement=under or party.agreement,
        citizen=citizen,
        operation=operation,
        attributes=asked if operation is Operation.GET_PERSON_DATA else frozenset(),
        outcome=outcome or _outcome(operation, reasons),
        reasons=reasons,
        registration=registration,
        employee=employee,
    )


def statement(
    hands: SandboxSigners,
    name: str,
    party: Party,
    citizen: int,
    attributes: frozenset[Attribute],
    *,
    outcome: Outcome | None = None,
    reasons: Reasons = (),
    signer: Credential | None = None,
    **changes: Any,
) -> Paper:
    """A statement that `party` presents for `citizen`."""
    said = hands.statement(party, citizen, attributes, **changes)
    return Paper(
        name=name,
        kind=GroundKind.BASIS,
        document=hands.sign_statement(said, party, signer or hands.officials[party.key]),
        ground_id=said.statement_id,
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
