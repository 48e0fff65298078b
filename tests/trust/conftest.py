"""Fixtures: a PKI for the whole run, and the stores and verifiers that trust it."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from makul.trust.pki.trust_material import TrustDirectories
from makul.trust.pki.trust_store import TrustStore
from makul.trust.validation.documents import XadesVerifier
from makul.trust.wsse.verification import WsseVerifier
from makul_testing.pki.authorities import (
    Authority,
    Holder,
    Profile,
    StoreFiles,
    key_usage,
    name_of,
    new_rsa_key,
)


@dataclass(frozen=True)
class World:
    """A root, a CA under it, and the holders that the CA certified."""

    root: Authority
    ca: Authority
    citizen: Holder
    rsa_citizen: Holder
    bank: Holder
    rsa_bank: Holder


def directories(files: StoreFiles) -> TrustDirectories:
    return TrustDirectories(
        anchors=files.anchors, intermediates=files.intermediates, crls=files.crls
    )


@pytest.fixture(scope="session")
def world() -> World:
    root = Authority.root("Test Root")
    ca = root.subordinate("Test Citizens CA")
    bank = Profile(subject=name_of("Test Bank"), usage=key_usage("digital_signature"))
    return World(
        root=root,
        ca=ca,
        citizen=ca.issue(),
        rsa_citizen=ca.issue(key=new_rsa_key()),
        bank=ca.issue(bank),
        rsa_bank=ca.issue(bank, key=new_rsa_key()),
    )


@pytest.fixture(scope="module")
def root() -> Authority:
    """Return a root for one module, so that its certificates and revocations affect no other
    module.
    """
    return Authority.root("A Root")


@pytest.fixture(scope="module")
def ca(root: Authority) -> Authority:
    return root.subordinate("A CA")


@pytest.fixture(scope="module")
def citizen(ca: Authority) -> Holder:
    return ca.issue()


@pytest.fixture(scope="session")
def store(world: World, tmp_path_factory: pytest.TempPathFactory) -> TrustStore:
    """Return a store that trusts the root and has current CRLs without entries."""
    files = StoreFiles(Path(tmp_path_factory.mktemp("store"))).write(
        anchors=[world.root],
        intermediates=[world.ca],
        crls=[world.root.crl(), world.ca.crl()],
    )
    return TrustStore(directories(files))


@pytest.fixture(scope="session")
def documents(store: TrustStore) -> XadesVerifier:
    return XadesVerifier(store)


@pytest.fixture(scope="session")
def messages(store: TrustStore) -> WsseVerifier:
    return WsseVerifier(store)
