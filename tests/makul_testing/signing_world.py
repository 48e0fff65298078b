"""An operator, its CA and a time-stamping authority, for containers of level LT."""

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from makul.net.fetcher import Fetch
from makul.trust.containers.asice_validity import ContainerAnchors
from makul.trust.containers.long_term import SignatureProlongation, TimestampAuthority
from makul.trust.pki.trust_material import TrustDirectories
from makul.trust.pki.trust_store import TrustStore
from makul_sandbox.data.timestamp_authority import StampingAuthority
from makul_testing.pki.authorities import (
    NOW,
    Authority,
    Holder,
    Profile,
    StoreFiles,
    key_usage,
    name_of,
    new_rsa_key,
)
from makul_testing.pki.tsa import answer_queries

URL = "http://tsa.test/"


@dataclass(frozen=True, kw_only=True)
class SigningWorld:
    """Keys and trust data of one operator. Nothing is fetched over a network."""

    ca: Authority
    stamping_root: Authority
    operator: Holder
    stamping: StampingAuthority
    directories: TrustDirectories
    stamping_directories: TrustDirectories

    @property
    def anchors(self) -> ContainerAnchors:
        return ContainerAnchors(
            signers=self.directories.anchors, timestamps=self.stamping_directories.anchors
        )

    def prolongation(
        self, *, fetch: Fetch | None = None, directories: TrustDirectories | None = None
    ) -> SignatureProlongation:
        """Return what the operator adds to a signature; `fetch` is the way to the authority."""
        answer = answer_queries(self.stamping, lambda: NOW)
        trust = directories or self.directories
        return SignatureProlongation(
            certificate=self.operator.certificate,
            authority=TimestampAuthority(
                url=URL,
                fetch=fetch or (lambda _url, query, _most: answer(query or b"")),
                store=TrustStore(self.stamping_directories),
                directories=self.stamping_directories,
            ),
            store=TrustStore(trust),
            directories=trust,
            clock=lambda: NOW,
        )


def _directories(files: StoreFiles) -> TrustDirectories:
    return TrustDirectories(
        anchors=files.anchors, intermediates=files.intermediates, crls=files.crls
    )


def build_signing_world(path: Path, *, rsa: bool = False) -> SigningWorld:
    """Make an operator's certificate below a root and a CA, and a time-stamping authority."""
    root, stamping_root = Authority.root("Root of the Operator"), Authority.root("Root of TSAs")
    ca = root.subordinate("CA of the Operator")
    usage = key_usage("digital_signature", "content_commitment")
    seal = Profile(subject=name_of("Test Operator"), usage=usage)
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    stamp = Profile(
        subject=name_of("Test TSA"), usage=key_usage("digital_signature"), extra=[(purpose, True)]
    )
    holder = stamping_root.issue(stamp)
    files = StoreFiles(path / "trust").write(
        anchors=[root], intermediates=[ca], crls=[root.crl(), ca.crl()]
    )
    stamping_files = StoreFiles(path / "tsa").write(
        anchors=[stamping_root], intermediates=[], crls=[stamping_root.crl()]
    )
    return SigningWorld(
        ca=ca,
        stamping_root=stamping_root,
        operator=ca.issue(seal, key=new_rsa_key() if rsa else None),
        stamping=StampingAuthority(key=holder.key, certificate=holder.certificate),
        directories=_directories(files),
        stamping_directories=_directories(stamping_files),
    )
