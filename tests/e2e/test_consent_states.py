"""GetConsentStatus in every state of a consent, with a moving clock (Procedure, cl. 4)."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from makul.domain.disclosures import GroundKind
from makul_sandbox.world.signers import NOTICE, SandboxSigners
from makul_testing.builders.consents import build_revocation_request, revocation
from makul_testing.in_process_service import (
    NS,
    RECIPIENT,
    InProcessService,
    RecordDatabase,
    about,
    build_installation,
    person_request,
)

HOUR = timedelta(hours=1)


class Clock:
    """The clock of the service and of all parties."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def moving(
    tmp_path: Path, clock: Clock, record_database: RecordDatabase
) -> Iterator[InProcessService]:
    built = build_installation(tmp_path, clock=clock, database=record_database)
    yield built
    built.close()


def register_consent(installation: InProcessService, **changes: Any) -> tuple[UUID, bytes]:
    """Return a registered consent of the bank's."""
    world = installation.world
    sandbox_signers = SandboxSigners(
        people=world.people,
        citizens=world.citizens,
        officials=world.officials,
        stranger=world.stranger,
        notice_digest=sha256(NOTICE.encode()).digest(),
        at=world.made_at,
    )
    consent = sandbox_signers.consent(installation.bank, 2, **changes)
    document = sandbox_signers.sign_consent(consent, installation.bank, world.citizens[2])
    answer = installation.ask(
        (
            f'<r:RegisterConsent xmlns:r="{RECIPIENT}"><r:requestId>{uuid4()}</r:requestId>'
            f"<r:agreementNumber>{installation.bank.agreement}</r:agreementNumber>"
            f"<r:consentDocument>{base64.b64encode(document).decode()}</r:consentDocument>"
            "</r:RegisterConsent>"
        ).encode()
    )
    assert answer.outcome == "ACCEPTED", answer.codes
    return consent.consent_id, document


def state(installation: InProcessService, consent_id: UUID) -> tuple[str | None, str | None]:
    """Return the state, and the number of uses."""
    query = (
        f'<r:GetConsentStatus xmlns:r="{RECIPIENT}"><r:requestId>{uuid4()}</r:requestId>'
        f"<r:consentId>{consent_id}</r:consentId></r:GetConsentStatus>"
    )
    child = installation.ask(query.encode()).child
    return child.findtext("r:state", namespaces=NS), child.findtext("r:used", namespaces=NS)


def use(installation: InProcessService, document: bytes) -> str | None:
    consent = installation.document("bank-02-data")
    fields = about(installation.world.people[2], of=installation.bank, document=consent)
    return installation.ask(person_request(**(fields | {"ground": ("CONSENT", document)}))).outcome


def test_a_consent_expires_at_its_last_instant(moving: InProcessService, clock: Clock) -> None:
    """A consent is in force until before `validTo`."""
    ends = clock.now + HOUR
    consent_id, _ = register_consent(moving, valid_to=ends)

    assert state(moving, consent_id) == ("IN_FORCE", "0")
    clock.now = ends - timedelta(seconds=1)
    assert state(moving, consent_id) == ("IN_FORCE", "0")
    clock.now = ends
    assert state(moving, consent_id) == ("EXPIRED", "0")


def test_a_consent_is_pending_until_it_begins(moving: InProcessService, clock: Clock) -> None:
    """It is registered before its term, and in force from its first instant."""
    begins = clock.now + HOUR
    consent_id, document = register_consent(moving, valid_from=begins)

    assert state(moving, consent_id) == ("PENDING", "0")
    assert use(moving, document) == "REFUSED"
    clock.now = begins
    assert state(moving, consent_id) == ("IN_FORCE", "0")
    assert use(moving, document) == "RELEASED"
    assert state(moving, consent_id)[1] == "1"


def test_revoked_outweighs_used_up(moving: InProcessService) -> None:
    """USED_UP after its last use; REVOKED outweighs that."""
    consent_id, document = register_consent(moving, max_disclosures=1)

    assert use(moving, document) == "RELEASED"
    assert state(moving, consent_id) == ("USED_UP", "1")
    assert (
        moving.ask(build_revocation_request(revocation(moving, consent_id))).outcome == "ACCEPTED"
    )
    assert state(moving, consent_id) == ("REVOKED", "1")


def test_the_end_of_a_consent_is_listed(moving: InProcessService, clock: Clock) -> None:
    """It has a recipient and an id, and no PIN; a revoked consent is not listed."""
    consent_id, _ = register_consent(moving, valid_to=clock.now + HOUR)
    bank, read = moving.bank.code, moving.store.endings.consents

    assert [(each.recipient, each.consent_id) for each in read(clock.now, clock.now + HOUR, 9)] == [
        (bank, consent_id)
    ]
    rows = moving.makul()("expiring", "--within", "1", "--consents", "--json").json
    (row,) = (each for each in rows if each["kind"] == "consent")
    assert row["name"] == f"{bank} {consent_id}"
    assert not any(each["kind"] == "consent" for each in moving.makul()("expiring", "--json").json)
    assert not read(clock.now, clock.now + HOUR / 2, 9)
    moving.store.registry.revoke_ground(
        bank, GroundKind.CONSENT, consent_id, reason="for a test", at=clock.now
    )
    assert not read(clock.now, clock.now + HOUR, 9)
