"""Signed requests for citizens' data, built before the measurement starts."""

from collections.abc import Iterable

from bench.crowd import Signer
from bench.peer.asking import peer_request, with_certificate
from makul_sandbox.data.pki import Credential
from makul_sandbox.world.build import RSA_CITIZEN
from makul_testing.builders.messages import signed_message
from makul_testing.in_process_service import InProcess, about, person_request

PAPER = f"bank-{RSA_CITIZEN:02}-data"
ASKED_FOR = ["address", "givenName", "surname"]


def ask(house: InProcess, count: int) -> list[bytes]:
    """Build new signed requests for one citizen's data."""
    paper = house.paper(PAPER)
    person = house.person_of(paper)
    return [
        _signed(house, person_request(**about(person, of=paper.presented_by, paper=paper)))
        for _ in range(count)
    ]


def ask_about(house: InProcess, signers: Iterable[Signer]) -> list[bytes]:
    """Build one new signed request for each citizen, with their own consent."""
    return [_signed(house, person_request(**_fields(house, each))) for each in signers]


def ask_peer_about(
    house: InProcess, signers: Iterable[Signer], *, holder: Credential | None = None
) -> list[bytes]:
    """Build the same requests for the peer, by the bank or by another holder of a key."""
    return [
        with_certificate(_signed(house, peer_request(_fields(house, each)), holder))
        for each in signers
    ]


def _fields(house: InProcess, signer: Signer) -> dict[str, object]:
    ground = ("CONSENT", signer.consent)
    return about(signer.person, of=house.bank, ground=ground, attributes=ASKED_FOR)


def _signed(house: InProcess, child: bytes, holder: Credential | None = None) -> bytes:
    holder = holder or house.world.messages["bank"]
    return signed_message(child, holder.key, holder.certificate, at=house.clock())
