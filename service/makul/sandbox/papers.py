"""Consents and basis statements that provoke each answer, signed and ready to be sent.

Each paper says how it is to be used and what comes of it, so that any SOAP stack can be tried with
the files alone. What is wrong with a paper is the one thing that its name tells.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from makul.domain.attributes import Attribute
from makul.domain.bases import AuthorisingAct, Provision
from makul.domain.consents import ResultForm
from makul.domain.disclosures import GroundKind, Operation, Outcome
from makul.domain.identifiers import AgreementNumber, PurposeCode
from makul.domain.reasons import Code
from makul.domain.recipients import RecipientState
from makul.sandbox.hands import EVERYDAY_USES, Hands
from makul.sandbox.parties import (
    BANK,
    INSURER,
    MOBILE,
    MUNICIPALITY,
    NOTARY,
    POLICE,
    WALLET,
    Party,
)
from makul.sandbox.people import ABSENT, DISPUTED_ADDRESS, LOCKED, REVOKED, WITHOUT_ADDRESS
from makul.sandbox.pki import Credential

Reasons = tuple[tuple[Code, Code | None], ...]
"""Each reason's code, and the cause inside a document."""

SERVED = 8
"""The first citizens have a ready consent for every recipient that asks by consent."""

ASK_BY_CONSENT = (BANK, NOTARY, MOBILE, INSURER, WALLET)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Paper:
    """A signed document, the request it goes with, and what comes of that."""

    name: str
    kind: GroundKind
    document: bytes
    presented_by: Party
    citizen: int
    """About whom the request is, by number."""
    operation: Operation
    attributes: frozenset[Attribute]
    """Asked for; none for VerifyPerson."""
    outcome: Outcome
    reasons: Reasons = ()

    @property
    def file_name(self) -> str:
        """Under `documents/`."""
        return f"{self.name}.xml"

    @property
    def reason_texts(self) -> list[str]:
        """`CNS-02 (SIG-06)`."""
        return [
            code.value if because is None else f"{code.value} ({because.value})"
            for code, because in self.reasons
        ]


def draw_up(hands: Hands) -> dict[str, Paper]:
    """Every paper of a sandbox, by name."""
    papers = (*_everyday(hands), *_troubled(hands), *_statements(hands))
    return {paper.name: paper for paper in papers}


def _everyday(hands: Hands) -> Iterator[Paper]:
    for party in ASK_BY_CONSENT:
        for citizen in range(SERVED):
            yield _consent(hands, f"{party.key}-{citizen:02d}-data", party, citizen)
            yield _consent(
                hands,
                f"{party.key}-{citizen:02d}-yes-no",
                party,
                citizen,
                operation=Operation.VERIFY_PERSON,
                result_form=ResultForm.YES_NO,
                attributes=frozenset(),
            )


_NAMES_AND_ADDRESS = frozenset({Attribute.SURNAME, Attribute.GIVEN_NAME, Attribute.ADDRESS})
_NAMES_AND_BIRTH = frozenset({Attribute.SURNAME, Attribute.GIVEN_NAME, Attribute.BIRTH_DATE})


def _troubled(hands: Hands) -> Iterator[Paper]:
    """Consents of the bank's customers, each with one thing wrong or out of the ordinary."""
    day = timedelta(days=1)
    at = hands.at
    first = _consent(hands, "tampered", BANK, 0, reasons=((Code.CNS_02, Code.SIG_02),))
    yield replace(first, document=_tampered(first.document))
    yield _consent(
        hands,
        "expired",
        BANK,
        0,
        reasons=((Code.CNS_04, None),),
        given_at=at - 60 * day,
        valid_from=at - 60 * day,
        valid_to=at - 30 * day,
    )
    yield _consent(
        hands,
        "not-yet-valid",
        BANK,
        0,
        reasons=((Code.CNS_03, None),),
        valid_from=at + 365 * day,
        valid_to=at + 366 * day,
    )
    yield _consent(hands, "single-use", BANK, 1, max_disclosures=1)
    yield _consent(
        hands, "other-recipient", BANK, 0, reasons=((Code.CNS_07, None),), recipient=NOTARY.code
    )
    yield _consent(hands, "other-subject", BANK, 0, reasons=((Code.CNS_14, None),), given_by=1)
    yield _consent(
        hands, "other-purpose", BANK, 0, reasons=((Code.CNS_08, None),), purpose=PurposeCode("LOAN")
    )
    yield _consent(
        hands,
        "other-agreement",
        BANK,
        0,
        reasons=((Code.CNS_15, None),),
        agreement_number=AgreementNumber("SANDBOX/OTHER"),
    )
    yield _consent(
        hands, "unknown-notice", BANK, 0, reasons=((Code.CNS_10, None),), notice_digest=bytes(32)
    )
    yield _consent(
        hands,
        "few-attributes",
        BANK,
        0,
        reasons=((Code.CNS_09, None),),
        attributes=frozenset({Attribute.SURNAME.value, Attribute.GIVEN_NAME.value}),
    )
    yield _consent(
        hands,
        "signed-by-another",
        BANK,
        0,
        reasons=((Code.CNS_02, Code.SIG_08),),
        signer=hands.citizens[1],
    )
    yield _consent(
        hands, "revoked-certificate", BANK, REVOKED, reasons=((Code.CNS_02, Code.SIG_06),)
    )
    yield _consent(
        hands,
        "look-alike-authority",
        BANK,
        0,
        reasons=((Code.CNS_02, Code.SIG_09),),
        signer=hands.stranger,
    )
    yield _consent(
        hands,
        "beyond-agreement",
        MOBILE,
        0,
        asked=_NAMES_AND_ADDRESS,
        reasons=((Code.AGR_04, None),),
        attributes=frozenset(name.value for name in MOBILE.attributes | _NAMES_AND_ADDRESS),
    )
    yield _consent(
        hands,
        "absent",
        BANK,
        ABSENT,
        outcome=Outcome.NOT_MATCHED,
        reasons=((Code.MAT_01, None),),
    )
    yield _consent(hands, "locked", BANK, LOCKED, reasons=((Code.MAT_05, None),))
    yield _consent(
        hands,
        "address-disputed",
        BANK,
        DISPUTED_ADDRESS,
        outcome=Outcome.RELEASED,
        reasons=((Code.REL_02, None),),
    )
    yield _consent(
        hands,
        "address-not-held",
        BANK,
        WITHOUT_ADDRESS,
        outcome=Outcome.RELEASED,
        reasons=((Code.REL_01, None),),
    )


def _statements(hands: Hands) -> Iterator[Paper]:
    """Bases in law (Procedure, cl. 5), good and not."""
    yield _statement(hands, "police-judicial", POLICE, 5, _NAMES_AND_ADDRESS)
    yield _statement(
        hands,
        "police-absent",
        POLICE,
        ABSENT,
        _NAMES_AND_ADDRESS,
        outcome=Outcome.NOT_MATCHED,
        reasons=((Code.MAT_01, None),),
    )
    yield _statement(
        hands,
        "police-expired",
        POLICE,
        5,
        _NAMES_AND_ADDRESS,
        reasons=((Code.LAW_07, None),),
        issued_at=hands.at - timedelta(days=60),
        act=AuthorisingAct(
            issuer="Үлгү райондук соту",
            number="S-2026/3",
            issued_on=(hands.at - timedelta(days=60)).date(),
        ),
        valid_to=hands.at - timedelta(days=30),
    )
    yield _statement(
        hands,
        "police-signed-by-another",
        POLICE,
        5,
        _NAMES_AND_ADDRESS,
        reasons=((Code.LAW_09, Code.SIG_08),),
        signer=hands.officials[MUNICIPALITY.key],
    )
    yield _statement(
        hands, "bank-judicial", BANK, 5, _NAMES_AND_ADDRESS, reasons=((Code.LAW_02, None),)
    )
    yield _statement(
        hands,
        "municipality-within-powers",
        MUNICIPALITY,
        6,
        _NAMES_AND_ADDRESS,
        provision=Provision.OFFICIAL_REQUEST.value,
    )
    yield _statement(
        hands,
        "municipality-beyond-powers",
        MUNICIPALITY,
        6,
        _NAMES_AND_BIRTH,
        reasons=((Code.LAW_04, None),),
        provision=Provision.OFFICIAL_REQUEST.value,
    )


def _consent(
    hands: Hands,
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
    **changes: Any,
) -> Paper:
    """A consent that `party` presents for `citizen`; given by the same unless `given_by` is set."""
    subject = citizen if given_by is None else given_by
    consent = hands.consent(party, subject, **changes)
    if asked is None:
        asked = _NAMES_AND_ADDRESS & party.attributes
    if party.state is RecipientState.ON_HOLD:
        reasons = ((Code.RCP_02, None),)
    return Paper(
        name=name,
        kind=GroundKind.CONSENT,
        document=hands.sign_consent(consent, party, signer or hands.citizens[subject]),
        presented_by=party,
        citizen=citizen,
        operation=operation,
        attributes=asked if operation is Operation.GET_PERSON_DATA else frozenset(),
        outcome=outcome or _outcome(operation, reasons),
        reasons=reasons,
    )


def _statement(
    hands: Hands,
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
    statement = hands.statement(party, citizen, attributes, **changes)
    return Paper(
        name=name,
        kind=GroundKind.BASIS,
        document=hands.sign_statement(statement, party, signer or hands.officials[party.key]),
        presented_by=party,
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


def _tampered(document: bytes) -> bytes:
    """The same consent for ten times as many disclosures: one value changed after signing."""
    changed = document.replace(
        b"<maxDisclosures>%d</maxDisclosures>" % EVERYDAY_USES,
        b"<maxDisclosures>%d</maxDisclosures>" % (10 * EVERYDAY_USES),
    )
    if changed == document:
        raise ValueError("the consent does not say what was to be changed")
    return changed
