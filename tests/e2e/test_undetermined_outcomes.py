"""The outcome "undetermined" is separate, and never discloses (ETSI EN 319 102-1, 5.1.3)."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from lxml import etree

from makul.trust.pki.trust_store import RELOAD_INTERVAL
from makul_testing.in_process_service import (
    InProcessService,
    RecordDatabase,
    about,
    build_installation,
    party,
    person_request,
)

TYPES = "{urn:makul:types:1}"
CONSENT = "{urn:makul:consent:1}"


class MovableClock:
    """The present, moved on by hand, so that no test has to wait."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def move_on(self, by: timedelta) -> None:
        self._ahead += by


@pytest.fixture(scope="module")
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, clock: MovableClock, record_database: RecordDatabase
) -> Iterator[InProcessService]:
    built = build_installation(
        tmp_path_factory.mktemp("doubt"), clock=clock, database=record_database
    )
    yield built
    built.close()


@pytest.fixture
def citizens_crl(installation: InProcessService, clock: MovableClock) -> Iterator[Path]:
    """Remove the citizens' CRL during a test; the service notices it within its interval."""
    (path,) = installation.settings.trust.crls.glob("*citizen*")
    away = path.with_suffix(".away")
    path.rename(away)
    clock.move_on(RELOAD_INTERVAL)
    yield away
    if away.exists():
        put_back(away, clock)


def put_back(away: Path, clock: MovableClock) -> None:
    away.rename(away.with_suffix(".crl"))
    clock.move_on(RELOAD_INTERVAL)


def test_missing_revocation_data_leave_the_id_open(
    installation: InProcessService, clock: MovableClock, citizens_crl: Path
) -> None:
    """SIG-07, retry L: the same request is answered when the CRL is there again."""
    document = installation.document("bank-05-data")
    person = installation.person_of(document)
    child = person_request(**about(person, of=document.presented_by, document=document))

    doubtful = installation.ask(child)
    put_back(citizens_crl, clock)
    settled = installation.ask(child)

    assert (doubtful.outcome, doubtful.codes) == ("UNDETERMINED", ["CNS-02"])
    assert [each.text for each in doubtful.child.iter(f"{TYPES}because")] == ["SIG-07"]
    assert [each.text for each in doubtful.child.iter(f"{TYPES}retry")] == ["L"]
    assert doubtful.released == set()
    assert settled.outcome == "RELEASED"


def test_an_undetermined_consent_is_not_registered(
    installation: InProcessService, citizens_crl: Path
) -> None:
    """The registration of the consent is undetermined, and it cannot be cited."""
    bank, document = party("bank"), installation.document("bank-06-data")
    encoded = base64.b64encode(document.document).decode()
    child = (
        f'<r:RegisterConsent xmlns:r="urn:makul:recipient:1"><r:requestId>{uuid4()}</r:requestId>'
        f"<r:agreementNumber>{bank.agreement}</r:agreementNumber>"
        f"<r:consentDocument>{encoded}</r:consentDocument></r:RegisterConsent>"
    )

    answer = installation.ask(child.encode())

    assert citizens_crl.exists()
    consent_id = etree.fromstring(document.document).findtext(f"{CONSENT}consentId")
    assert installation.store.register.registered_consent(bank.code, UUID(consent_id)) is None
    assert (answer.outcome, answer.codes) == ("UNDETERMINED", ["CNS-02"])
