"""Basis statements (Procedure, cl. 5), valid and invalid."""

from collections.abc import Iterator
from datetime import timedelta

from makul.domain.disclosures import Outcome
from makul.domain.legal_bases import AuthorisingAct, Provision
from makul.domain.reasons import Code
from makul_sandbox.data.citizens import ABSENT
from makul_sandbox.data.recipients import BANK, MUNICIPALITY, POLICE
from makul_sandbox.world.document import (
    NAMES_AND_ADDRESS,
    NAMES_AND_BIRTH,
    SandboxDocument,
    statement,
)
from makul_sandbox.world.signers import SandboxSigners


def statements(signers: SandboxSigners) -> Iterator[SandboxDocument]:
    """Yield the basis statements of every party that has an official."""
    yield from _judicial(signers)
    yield from _statements_of_others(signers)


def _judicial(signers: SandboxSigners) -> Iterator[SandboxDocument]:
    """Yield statements of the police, on the ground of a court's act."""
    yield statement(signers, "police-judicial", POLICE, 5, NAMES_AND_ADDRESS)
    yield statement(
        signers,
        "police-hidden",
        POLICE,
        5,
        NAMES_AND_ADDRESS,
        hidden_until=signers.at + timedelta(days=30),
    )
    yield statement(
        signers,
        "police-absent",
        POLICE,
        ABSENT,
        NAMES_AND_ADDRESS,
        outcome=Outcome.NOT_MATCHED,
        reasons=((Code.MAT_01, None),),
    )
    yield statement(
        signers,
        "police-expired",
        POLICE,
        5,
        NAMES_AND_ADDRESS,
        reasons=((Code.LAW_07, None),),
        issued_at=signers.at - timedelta(days=60),
        act=AuthorisingAct(
            issuer="Үлгү райондук соту",
            number="S-2026/3",
            issued_on=(signers.at - timedelta(days=60)).date(),
        ),
        valid_to=signers.at - timedelta(days=30),
    )
    yield statement(
        signers,
        "police-signed-by-another",
        POLICE,
        5,
        NAMES_AND_ADDRESS,
        reasons=((Code.LAW_09, Code.SIG_08),),
        signer=signers.officials[MUNICIPALITY.key],
    )


def _statements_of_others(signers: SandboxSigners) -> Iterator[SandboxDocument]:
    """Yield statements of a bank, which has no such right, and of a municipality by its powers."""
    yield statement(
        signers, "bank-judicial", BANK, 5, NAMES_AND_ADDRESS, reasons=((Code.LAW_02, None),)
    )
    yield statement(
        signers,
        "municipality-within-powers",
        MUNICIPALITY,
        6,
        NAMES_AND_ADDRESS,
        provision=Provision.OFFICIAL_REQUEST.value,
    )
    yield statement(
        signers,
        "municipality-beyond-powers",
        MUNICIPALITY,
        6,
        NAMES_AND_BIRTH,
        reasons=((Code.LAW_04, None),),
        provision=Provision.OFFICIAL_REQUEST.value,
    )
