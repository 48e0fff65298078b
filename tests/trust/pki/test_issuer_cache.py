"""The authorities of a path are judged once, and that changes no verdict for the next citizen.

Each certificate is judged twice: by a store that already knows its authorities, from another
citizen, and by a store that has judged nothing (RFC 5280, 6.1; docs/architecture.md, invariant 9).
"""

from datetime import datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from makul.domain.reasons import Code
from makul.trust.base.errors import SignatureFailure
from makul.trust.base.findings import PathFinding
from makul.trust.pki import issuer_cache as branches
from makul.trust.pki import path_builder as validator
from makul.trust.pki import trust_store as paths
from makul.trust.pki.certificates import SigningCertificate, read_certificate
from makul.trust.pki.trust_material import TrustDirectories
from makul.trust.pki.trust_store import PathStatus, TrustStore
from makul_testing.exhaustive import sample
from makul_testing.pki.authorities import (
    ANY_POLICY,
    DAY,
    NOW,
    Authority,
    Holder,
    Profile,
    StoreFiles,
    new_key,
    policies_of,
)
from makul_testing.pki.hierarchies import (
    CERTIFICATES,
    CITIZENS,
    KG_ONLY,
    OTHERS,
    UNUSUAL,
    USUAL,
    World,
    addressed,
    below,
    by_pss,
    issue_citizen,
    long,
    mailed,
    misnamed,
    saying,
    signed_by,
    unnamed,
)


def open_store(files: StoreFiles) -> TrustStore:
    return TrustStore(
        TrustDirectories(anchors=files.anchors, intermediates=files.intermediates, crls=files.crls),
        reload_interval=timedelta(0),
    )


def judge(store: TrustStore, holder: Holder, at: datetime = NOW) -> PathFinding:
    return store.judge(read_certificate(holder.der), at=at)


@pytest.fixture
def validated(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Record the fingerprints of certificates that reach the path validator."""
    fingerprints: list[bytes] = []

    def build_paths(certificate: SigningCertificate, *rest: Any, **named: Any) -> Any:
        fingerprints.append(certificate.fingerprint)
        return validator.build_paths(certificate, *rest, **named)

    monkeypatch.setattr(paths, "build_paths", build_paths)
    return fingerprints


@pytest.mark.parametrize("authorities", [*USUAL, *UNUSUAL])
def test_cache_gives_the_validators_verdict(tmp_path: Path, authorities: str) -> None:
    """Each finding equals the validator's: path, revocation, policies, and the reason of a
    failure.
    """
    world = (USUAL | UNUSUAL)[authorities]()
    holders = {kind: build(world) for kind, build in CERTIFICATES.items()}
    files = world.files(tmp_path)
    knowing = open_store(files)
    for build in (issue_citizen(), issue_citizen(policies_of(CITIZENS)), unnamed, misnamed, by_pss):
        judge(knowing, build(world))

    known = {kind: judge(knowing, holder) for kind, holder in holders.items()}
    fresh = {kind: judge(open_store(files), holder) for kind, holder in holders.items()}
    assert [kind for kind in CERTIFICATES if known[kind] != fresh[kind]] == []


def test_cache_gives_the_validators_policies(tmp_path: Path) -> None:
    """A citizen has exactly the policies that the validator finds, for all policies of two
    authorities.
    """
    policy_sets = [
        (),
        (CITIZENS,),
        (OTHERS,),
        (CITIZENS, OTHERS),
        (ANY_POLICY,),
        (CITIZENS, ANY_POLICY),
    ]
    root = Authority.root("A Root")
    for number, stated in enumerate(product(policy_sets, repeat=2)):
        above = below(root, f"CA {number}", extra=saying(stated[0]))
        issuer = below(above, f"CA {number} below", extra=saying(stated[1]))
        files = World(root, (above, issuer)).files(tmp_path)
        knowing = open_store(files)
        assert judge(knowing, issuer.issue()).code is None
        for policies in policy_sets[:4]:
            holder = issuer.issue(Profile(extra=saying(policies)))
            assert judge(knowing, holder) == judge(open_store(files), holder)


@pytest.mark.parametrize("authorities", USUAL)
def test_validator_judges_an_authority_once(
    tmp_path: Path, authorities: str, validated: list[bytes]
) -> None:
    """The validator judges only the first citizen of an authority."""
    world = USUAL[authorities]()
    store = open_store(world.files(tmp_path))
    address = "asan.usonov@mail.example.kg"
    first, *others = (
        build(world)
        for build in (issue_citizen(), issue_citizen(), mailed(address), addressed(address))
    )

    assert all(judge(store, each).code is None for each in (first, *others))
    assert validated == [first.fingerprint]


@pytest.mark.parametrize("authorities", UNUSUAL)
def test_validator_judges_below_a_limiting_authority_each_time(
    tmp_path: Path, authorities: str, validated: list[bytes]
) -> None:
    """If an authority's certificate limits what is below it, the validator judges each
    certificate.
    """
    world = UNUSUAL[authorities]()
    store = open_store(world.files(tmp_path))
    holders = [issue_citizen(policies_of(CITIZENS))(world) for _ in range(3)]

    for each in holders:
        judge(store, each)

    assert validated == [each.fingerprint for each in holders]


def test_first_good_certificate_of_an_authority_counts(tmp_path: Path) -> None:
    """If an authority has two certificates, the first good one counts, for any order of citizens.

    A stranger that the first does not cover removes nobody from under its policies.
    """
    roots, key = [Authority.root("A Root"), Authority.root("B Root")], new_key()
    policies = [(KG_ONLY, False), (policies_of(CITIZENS), False)]
    first = below(roots[0], "A CA", key=key, extra=policies)
    second = below(roots[1], "A CA", key=key)
    crls = [each.crl() for each in (*roots, first)]
    files = StoreFiles(tmp_path).write(anchors=roots, intermediates=[first, second], crls=crls)
    store = open_store(files)
    world = World(roots[0], (first,))
    assert judge(store, CERTIFICATES["out of the land"](world)).code is None

    citizen = issue_citizen(policies_of(CITIZENS))(world)

    assert judge(store, citizen) == judge(open_store(files), citizen)


def test_every_changed_byte_is_refused(tmp_path: Path) -> None:
    """No changed byte of signed data is accepted when the issuer is known."""
    world = USUAL["one policy"]()
    store = open_store(world.files(tmp_path))
    assert judge(store, world.issuer.issue()).code is None
    holder = issue_citizen(policies_of(CITIZENS))(world)
    signed = holder.certificate.tbs_certificate_bytes
    start = holder.der.index(signed)
    read = 0

    for place in range(start, start + len(signed)):
        changed = bytearray(holder.der)
        changed[place] ^= 1 << place % 8
        try:
            certificate = read_certificate(bytes(changed))
        except SignatureFailure:
            continue
        read += 1
        assert store.judge(certificate, at=NOW).code is not None, place

    assert read > len(signed) // 3


def test_odd_certificates_of_a_known_issuer_change_no_verdict(tmp_path: Path) -> None:
    """A known issuer signs bytes that are no certificate, or an odd one, and no verdict changes."""
    world = USUAL["one policy"]()
    files = world.files(tmp_path)
    store = open_store(files)
    assert judge(store, world.issuer.issue()).code is None
    holder = issue_citizen(policies_of(CITIZENS))(world)
    signed = holder.certificate.tbs_certificate_bytes
    good = 0

    changes = sample(product(range(len(signed)), range(0, 8, 3)), 400)
    for place, bit in changes:
        changed = bytearray(signed)
        changed[place] ^= 1 << bit
        try:
            certificate = read_certificate(signed_by(world.issuer, bytes(changed)))
        except SignatureFailure:
            continue
        found = store.judge(certificate, at=NOW)
        if found.code is None:
            good += 1
            assert found == open_store(files).judge(certificate, at=NOW), (place, bit)

    assert good > len(changes) // 9


@pytest.mark.parametrize("revoked_one", [0, 1])
def test_revoked_authority_is_noticed(tmp_path: Path, revoked_one: int) -> None:
    """SIG-06 for the next citizen after a CRL names an authority above them."""
    world = long()
    files = world.files(tmp_path)
    store = open_store(files)
    assert judge(store, world.issuer.issue()).code is None

    (world.root, world.below[0])[revoked_one].revoke(world.below[revoked_one].holder)
    world.files(tmp_path)

    assert judge(store, world.issuer.issue()).why == PathStatus.REVOKED.value


def test_stale_list_is_noticed(tmp_path: Path) -> None:
    """SIG-07 for the next citizen after the list of an authority above them has expired."""
    world = long()
    store = open_store(world.files(tmp_path))
    assert judge(store, world.issuer.issue()).code is None

    assert judge(store, world.issuer.issue(), NOW + DAY).code is Code.SIG_07


def test_expired_authority_is_noticed(tmp_path: Path) -> None:
    """SIG-05 for the next citizen after an authority above them has expired."""
    root = Authority.root("A Root")
    world = World(root, (below(root, "A CA", not_after=NOW + DAY / 2),))
    store = open_store(world.files(tmp_path))
    assert judge(store, world.issuer.issue()).code is None

    found = judge(store, world.issuer.issue(), NOW + DAY / 2 + timedelta(seconds=1))

    assert found.why == PathStatus.EXPIRED.value


def test_removed_anchor_is_noticed(tmp_path: Path) -> None:
    """SIG-09 for the next citizen after their anchor is no longer trusted."""
    world = long()
    files = world.files(tmp_path)
    store = open_store(files)
    assert judge(store, world.issuer.issue()).code is None

    World(Authority.root("Another")).files(tmp_path)

    assert judge(store, world.issuer.issue()).code is Code.SIG_09


def test_cache_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A holder of many authorities cannot fill the memory."""
    monkeypatch.setattr(branches, "MOST_BRANCHES", 2)
    root = Authority.root("A Root")
    cas = tuple(root.subordinate(f"CA {number}") for number in range(5))
    store = open_store(World(root, cas).files(tmp_path))

    assert all(judge(store, ca.issue()).code is None for ca in (*cas, *cas))
    assert len(store._issuer_paths._branches) <= 2
