"""Signed requests for citizens' data, built before the measurement starts."""

from collections.abc import Iterable

from bench.peer.requests import peer_request, with_certificate
from bench.population import Signer
from makul_sandbox.data.pki import Credential
from makul_sandbox.world.build import RSA_CITIZEN
from makul_testing.builders.messages import signed_message
from makul_testing.in_process_service import InProcessService, about, person_request

PAPER = f"bank-{RSA_CITIZEN:02}-data"
ASKED_FOR = ["address", "givenName", "surname"]


def ask(installation: InProcessService, count: int) -> list[bytes]:
    """Build new signed requests for one citizen's data."""
    document = installation.document(PAPER)
    person = installation.person_of(document)
    return [
        _signed(
            installation,
            person_request(**about(person, of=document.presented_by, document=document)),
        )
        for _ in range(count)
    ]


def ask_about(installation: InProcessService, signers: Iterable[Signer]) -> list[bytes]:
    """Build one new signed request for each citizen, with their own consent."""
    return [
        _signed(installation, person_request(**_fields(installation, each))) for each in signers
    ]


def ask_peer_about(
    installation: InProcessService, signers: Iterable[Signer], *, holder: Credential | None = None
) -> list[bytes]:
    """Build the same requests for the peer, by the bank or by another holder of a key."""
    return [
        with_certificate(_signed(installation, peer_request(_fields(installation, each)), holder))
        for each in signers
    ]


def _fields(installation: InProcessService, signer: Signer) -> dict[str, object]:
    ground = ("CONSENT", signer.consent)
    return about(signer.person, of=installation.bank, ground=ground, attributes=ASKED_FOR)


def _signed(
    installation: InProcessService, child: bytes, holder: Credential | None = None
) -> bytes:
    holder = holder or installation.world.messages["bank"]
    return signed_message(child, holder.key, holder.certificate, at=installation.clock())
