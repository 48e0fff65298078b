"""Consents of the bank's customers, each with one flaw or one exceptional circumstance."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from makul.domain.attributes import Attribute
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import AgreementNumber, PurposeCode
from makul.domain.reasons import Code
from makul_sandbox.data.citizens import (
    ABSENT,
    CORRECTED,
    DISPUTED_ADDRESS,
    LOCKED,
    ONE_NAME,
    REVOKED,
    WITHOUT_ADDRESS,
)
from makul_sandbox.data.recipients import BANK, MOBILE, NOTARY, SECOND_BANK_AGREEMENT
from makul_sandbox.world.document import NAMES_AND_ADDRESS, SandboxDocument, consent
from makul_sandbox.world.signers import EVERYDAY_USES, SandboxSigners


def invalid_consents(signers: SandboxSigners) -> Iterator[SandboxDocument]:
    """Yield consents with a flaw in term, content, signature, agreement or record."""
    yield from _invalid_terms(signers)
    yield from _invalid_contents(signers)
    yield from _invalid_signatures(signers)
    yield from _invalid_agreements(signers)
    yield from _incomplete_records(signers)


def _invalid_terms(signers: SandboxSigners) -> Iterator[SandboxDocument]:
    yield consent(signers, "single-use", BANK, 1, max_disclosures=1)
    day = timedelta(days=1)
    at = signers.at
    yield consent(
        signers,
        "expired",
        BANK,
        0,
        reasons=((Code.CNS_04, None),),
        given_at=at - 60 * day,
        valid_from=at - 60 * day,
        valid_to=at - 30 * day,
    )
    yield consent(
        signers,
        "not-yet-valid",
        BANK,
        0,
        reasons=((Code.CNS_03, None),),
        valid_from=at + 365 * day,
        valid_to=at + 366 * day,
    )


def _invalid_contents(signers: SandboxSigners) -> Iterator[SandboxDocument]:
    yield consent(
        signers, "other-recipient", BANK, 0, reasons=((Code.CNS_07, None),), recipient=NOTARY.code
    )
    yield consent(signers, "other-subject", BANK, 0, reasons=((Code.CNS_14, None),), given_by=1)
    yield consent(
        signers,
        "other-purpose",
        BANK,
        0,
        reasons=((Code.CNS_08, None),),
        purpose=PurposeCode("LOAN"),
    )
    yield consent(
        signers,
        "other-agreement",
        BANK,
        0,
        reasons=((Code.CNS_15, None),),
        agreement_number=AgreementNumber("SANDBOX/OTHER"),
    )
    yield consent(
        signers, "unknown-notice", BANK, 0, reasons=((Code.CNS_10, None),), notice_digest=bytes(32)
    )
    yield consent(
        signers,
        "few-attributes",
        BANK,
        0,
        reasons=((Code.CNS_09, None),),
        attributes=frozenset({Attribute.SURNAME.value, Attribute.GIVEN_NAME.value}),
    )


def _invalid_signatures(signers: SandboxSigners) -> Iterator[SandboxDocument]:
    first = consent(signers, "tampered", BANK, 0, reasons=((Code.CNS_02, Code.SIG_02),))
    yield replace(first, document=_tamper(first.document))
    yield consent(
        signers,
        "signed-by-another",
        BANK,
        0,
        reasons=((Code.CNS_02, Code.SIG_08),),
        signer=signers.citizens[1],
    )
    yield consent(
        signers, "revoked-certificate", BANK, REVOKED, reasons=((Code.CNS_02, Code.SIG_06),)
    )
    yield consent(
        signers,
        "look-alike-authority",
        BANK,
        0,
        reasons=((Code.CNS_02, Code.SIG_09),),
        signer=signers.stranger,
    )


def _invalid_agreements(signers: SandboxSigners) -> Iterator[SandboxDocument]:
    yield consent(
        signers,
        "beyond-agreement",
        MOBILE,
        0,
        requested=NAMES_AND_ADDRESS,
        reasons=((Code.AGR_04, None),),
        attributes=frozenset(name.value for name in MOBILE.attributes | NAMES_AND_ADDRESS),
    )
    yield consent(
        signers,
        "half-signed-agreement",
        BANK,
        14,
        reasons=((Code.AGR_01, None),),
        under=SECOND_BANK_AGREEMENT,
        agreement_number=SECOND_BANK_AGREEMENT,
    )


def _incomplete_records(signers: SandboxSigners) -> Iterator[SandboxDocument]:
    yield consent(
        signers,
        "absent",
        BANK,
        ABSENT,
        outcome=Outcome.NOT_MATCHED,
        reasons=((Code.MAT_01, None),),
    )
    yield consent(signers, "birth-date-corrected", BANK, CORRECTED, outcome=Outcome.RELEASED)
    yield consent(
        signers,
        "one-name",
        BANK,
        ONE_NAME,
        requested=frozenset({Attribute.SURNAME, Attribute.ADDRESS}),
    )
    yield consent(signers, "locked", BANK, LOCKED, reasons=((Code.MAT_05, None),))
    yield consent(
        signers,
        "address-disputed",
        BANK,
        DISPUTED_ADDRESS,
        outcome=Outcome.RELEASED,
        reasons=((Code.REL_02, None),),
    )
    yield consent(
        signers,
        "address-not-held",
        BANK,
        WITHOUT_ADDRESS,
        outcome=Outcome.RELEASED,
        reasons=((Code.REL_01, None),),
    )


def _tamper(document: bytes) -> bytes:
    """Return the consent with one value changed after signing: ten times as many disclosures."""
    changed = document.replace(
        b"<maxDisclosures>%d</maxDisclosures>" % EVERYDAY_USES,
        b"<maxDisclosures>%d</maxDisclosures>" % (10 * EVERYDAY_USES),
    )
    if changed == document:
        raise ValueError("the consent does not say what was to be changed")
    return changed
