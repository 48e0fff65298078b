"""Level LT: a container carries the proof of its time and of its signer (EN 319 132-1, 6)."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from makul.net.fetcher import FetchError
from makul.trust.containers.asice_signature import ContainerSignature
from makul.trust.containers.asice_validity import ContainerAnchors, prove_signer
from makul.trust.containers.asice_verification import verify_container
from makul.trust.containers.findings import ContainerFailure, ContainerFinding
from makul.trust.containers.long_term import (
    NOT_STAMPED,
    SIGNER_UNPROVEN,
    SignatureLevel,
    SignatureProlongation,
)
from makul.trust.pki.trust_material import TrustDirectories
from makul_testing.containers import a_container
from makul_testing.pki.authorities import DAY, NOW, Authority, StoreFiles
from makul_testing.pki.tsa import answer_queries
from makul_testing.signing_world import SigningWorld, build_signing_world

F = ContainerFinding
LATER = NOW + 5000 * DAY


@pytest.fixture(scope="module", params=[False, True], ids=["P-256", "RSA"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SigningWorld:
    return build_signing_world(tmp_path_factory.mktemp("signing"), rsa=request.param)


def signature_of(world: SigningWorld, prolong: SignatureProlongation) -> ContainerSignature:
    container = a_container(world.operator, prolong=prolong)
    return verify_container(io.BytesIO(container), {world.operator.fingerprint}).signature


def finding_of(signature: ContainerSignature, anchors: ContainerAnchors, at: datetime) -> F:
    with pytest.raises(ContainerFailure) as failure:
        prove_signer(signature, anchors, at=at)
    return failure.value.finding


def test_the_signer_is_proven_long_after_everything_expired(world: SigningWorld) -> None:
    """The paths are judged for the time of the timestamp, by what the container carries."""
    prolong = world.prolongation()
    signature = signature_of(world, prolong)

    assert (prolong.level, prolong.why) == (SignatureLevel.LT, None)
    assert signature.values is not None
    assert len(signature.values.certificates) == 3
    assert len(signature.values.crls) == 3
    for at in (NOW, LATER):
        assert prove_signer(signature, world.anchors, at=at) == NOW + timedelta(seconds=1)


def test_other_anchors_do_not_trust_it(world: SigningWorld, tmp_path: Path) -> None:
    """A container's own certificates never make a signer trusted."""
    signature = signature_of(world, world.prolongation())
    other = StoreFiles(tmp_path).write(anchors=[Authority.root("Root of the Operator")])
    own = world.anchors

    assert finding_of(signature, replace(own, signers=other.anchors), NOW) is F.UNTRUSTED_SIGNER
    assert finding_of(signature, replace(own, timestamps=other.anchors), NOW) is F.TIMESTAMP_INVALID


def test_a_timestamp_of_the_future_is_refused(world: SigningWorld) -> None:
    signature = signature_of(world, world.prolongation())
    assert finding_of(signature, world.anchors, NOW - DAY) is F.TIMESTAMP_INVALID


def test_a_container_without_timestamp_proves_no_signer(world: SigningWorld) -> None:
    container = a_container(world.operator)
    signature = verify_container(io.BytesIO(container), None).signature
    assert finding_of(signature, world.anchors, NOW) is F.TIMESTAMP_MISSING


def _with_values(
    **changes: tuple[bytes, ...],
) -> Callable[[ContainerSignature], ContainerSignature]:
    def change(signature: ContainerSignature) -> ContainerSignature:
        assert signature.values is not None
        return replace(signature, values=replace(signature.values, **changes))

    return change


def _without_the_ca(signature: ContainerSignature) -> ContainerSignature:
    assert signature.values is not None
    rest = signature.values.certificates[2:]
    return replace(signature, values=replace(signature.values, certificates=rest))


CHANGES: dict[str, tuple[Callable[[ContainerSignature], ContainerSignature], F]] = {
    "garbage for a timestamp": (lambda s: replace(s, timestamps=(b"0",)), F.TIMESTAMP_INVALID),
    "the timestamp of another value": (
        lambda s: replace(s, value=bytes(len(s.value))),
        F.TIMESTAMP_INVALID,
    ),
    "no CRLs": (_with_values(crls=()), F.TIMESTAMP_INVALID),
    "garbage for a CRL": (_with_values(crls=(b"0",)), F.SIGNATURE_MALFORMED),
    "no intermediate certificate": (_without_the_ca, F.UNTRUSTED_SIGNER),
}


@pytest.mark.parametrize(("change", "finding"), CHANGES.values(), ids=CHANGES)
def test_changed_values_prove_nothing(
    world: SigningWorld,
    change: Callable[[ContainerSignature], ContainerSignature],
    finding: ContainerFinding,
) -> None:
    """Nothing signs these values, so each must prove itself."""
    signature = signature_of(world, world.prolongation())
    assert finding_of(change(signature), world.anchors, NOW) is finding


def test_a_revoked_signer_is_not_trusted(world: SigningWorld, tmp_path: Path) -> None:
    """A CRL of the time of signing that names the operator's certificate refuses the container."""
    signature = signature_of(world, world.prolongation())
    ca = replace(world.ca, revoked=[(world.operator.certificate.serial_number, NOW - DAY)])
    assert signature.values is not None
    crls = (*signature.values.crls, ca.crl(this_update=NOW - timedelta(minutes=1)))
    changed = replace(signature, values=replace(signature.values, crls=crls))
    assert finding_of(changed, world.anchors, NOW) is F.UNTRUSTED_SIGNER


def _unreachable(_url: str, _query: bytes | None, _most: int) -> bytes:
    raise FetchError("no answer")


@pytest.mark.parametrize("answer", ["unreachable", "rejected", "garbage", "another nonce"])
def test_without_a_timestamp_the_level_is_lower(world: SigningWorld, answer: str) -> None:
    """A case is built without the authority, and says why its level is lower."""
    rejecting = answer_queries(world.stamping, lambda: NOW, status="rejection")
    granting = answer_queries(world.stamping, lambda: NOW)
    first: list[bytes] = []

    def replaying(_url: str, query: bytes | None, _most: int) -> bytes:
        first.append(query or b"")
        return granting(first[0])

    fetch = {
        "unreachable": _unreachable,
        "rejected": lambda _url, query, _most: rejecting(query or b""),
        "garbage": lambda _url, _query, _most: b"0\0",
        "another nonce": replaying,
    }[answer]
    prolong = world.prolongation(fetch=fetch)
    prolong(b"an earlier value") if answer == "another nonce" else None
    prolong.level, prolong.why = SignatureLevel.B, None

    signature = signature_of(world, prolong)

    assert (prolong.level, prolong.why) == (SignatureLevel.B, NOT_STAMPED)
    assert signature.timestamps == ()


def test_without_revocation_data_the_level_is_t(world: SigningWorld, tmp_path: Path) -> None:
    files = StoreFiles(tmp_path).write(anchors=[Authority.root("Another Root")])
    directories = TrustDirectories(
        anchors=files.anchors, intermediates=files.intermediates, crls=files.crls
    )
    prolong = world.prolongation(directories=directories)

    signature = signature_of(world, prolong)

    assert (prolong.level, prolong.why) == (SignatureLevel.T, SIGNER_UNPROVEN)
    assert (len(signature.timestamps), signature.values) == (1, None)
