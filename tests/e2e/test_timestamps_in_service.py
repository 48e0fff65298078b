"""Time-stamping authorities of the settings count in the verifier of the service."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from makul.composition.adapters import document_verifier, trust_directories
from makul.config.settings import load_settings
from makul.domain.disclosures import ProofStatus
from makul.trust.pki.trust_store import TrustStore
from makul.trust.xades.signing import add_timestamp
from makul_sandbox.data.timestamp_authority import POLICY, StampingAuthority
from makul_testing.in_process_service import InProcessService
from makul_testing.pki.authorities import Authority, Profile, key_usage, name_of
from makul_testing.pki.crls import crl_of

HOUR = timedelta(hours=1)
STAMPING = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.TIME_STAMPING])


@pytest.mark.parametrize(
    ("setting", "proved"),
    [("", True), (f'tsa_policies = ["{POLICY}"]', True), ('tsa_policies = ["1.2.3"]', False)],
)
def test_a_timestamp_counts_by_the_settings(
    installation: InProcessService, tmp_path: Path, setting: str, proved: bool
) -> None:
    """`tsa_anchors` and `tsa_policies`: a trusted token proves when the signature existed."""
    root, now = Authority.root("A Stamping Root"), installation.clock()
    holder = root.issue(
        Profile(
            subject=name_of("A TSA"),
            usage=key_usage("digital_signature"),
            extra=[(STAMPING, True)],
        )
    )
    tsa = StampingAuthority(key=holder.key, certificate=holder.certificate)
    for name, file, content in (
        ("tsa", "root.pem", root.certificate.public_bytes(Encoding.PEM)),
        ("tsa-crls", "root.crl", crl_of(root, this_update=now - HOUR, next_update=now + HOUR)),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_bytes(content)
    source = installation.settings.store.database.parent
    text = (source / "makul.toml").read_text()
    text = re.sub(r"(?m)^tsa_.*\n", "", text)
    for name in ("anchors", "intermediates", "crls", "ocsp", "archive"):
        text = text.replace(f'{name} = "{name}"', f'{name} = "{source / name}"')
    places = f'tsa_anchors = "tsa"\ntsa_crls = "tsa-crls"\n{setting}\n'
    (tmp_path / "makul.toml").write_text(text.replace("[trust]\n", f"[trust]\n{places}"))
    settings = load_settings(tmp_path / "makul.toml")
    stamped = add_timestamp(
        installation.document("bank-00-data").document, lambda octets: tsa.stamp(octets, at=now)
    )

    verified = document_verifier(settings, TrustStore(trust_directories(settings))).verify(
        stamped, at=now + timedelta(seconds=2)
    )

    (timestamp,) = json.loads(verified.report)["evidence"]["timestamps"]
    assert timestamp["reason"] == (None if proved else "SIG-09")
    assert verified.proof.status is ProofStatus.PASSED
