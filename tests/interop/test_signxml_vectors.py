"""signxml's own public vectors are verified here, and compared with the verdict of libxmlsec.

The test fetches signxml's source distribution, checks its digest, and reads it in memory. None of
its anchors is trusted here, so no vector passes. If we find a signature good, and refuse only its
path, libxmlsec must accept it as well. Each vector is judged by the profile of requests, and by the
generic one, which accepts plain XML Signature.
"""

import os
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography import x509

from makul.admin.document_verification import GENERIC
from makul.domain.reasons import Code
from makul.trust.validation.documents import ON_REQUEST, Profile, XadesVerifier
from makul.trust.validation.report import CheckVerdict
from makul_testing.external.requirements import NOTHING_SKIPPED
from makul_testing.paths import ROOT
from makul_testing.pki.authorities import NOW
from makul_testing.xmlsec_oracle import carried_certificate, xmlsec_accepts
from vectors.attacks.cast import Cast

RELEASE = "signxml-5.2.0.tar.gz"
DIGEST = "18aa6c3dc6833c7f441d9d20875ea50fe50149402f87061c27d0b6ea7f039096"
BUILD = ROOT / "build" / "signxml"
BEYOND_THE_SIGNATURE = frozenset({Code.SIG_06, Code.SIG_07, Code.SIG_09, Code.SIG_10})
"""Reasons that are judged after the signature itself has been found good."""
SIGNATURE = b"http://www.w3.org/2000/09/xmldsig#"


@pytest.fixture(scope="module")
def release() -> Path:
    """Fetch the source distribution once and check its digest."""
    path = BUILD / RELEASE
    if not path.is_file():
        if os.environ.get("MAKUL_INTEROP") != "1":
            pytest.skip("fetches signxml's source distribution; run it with: make interop")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        result = subprocess.run(
            [*command, "--no-binary", "signxml", "--dest", str(BUILD), "signxml==5.2.0"],
            capture_output=True,
            encoding="utf-8",
            timeout=300,
            check=False,
        )
        if result.returncode != 0:
            why = "signxml's source distribution cannot be fetched: no network?"
            pytest.fail(why) if os.environ.get(NOTHING_SKIPPED) else pytest.skip(why)
    assert sha256(path.read_bytes()).hexdigest() == DIGEST
    return path


def documents(release: Path) -> Iterator[tuple[str, bytes]]:
    """Return every XML file in it that contains some XML Signature."""
    with tarfile.open(release) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".xml") else None
            content = file.read() if file is not None else b""
            if SIGNATURE in content and b"Signature" in content:
                yield member.name.partition("/")[2], content


@pytest.fixture(scope="module")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> XadesVerifier:
    return Cast().verifier(tmp_path_factory.mktemp("signxml"))


def moment_of(certificate: bytes | None) -> datetime:
    """Return a day within the term of its own certificate, because most have expired."""
    try:
        return x509.load_der_x509_certificate(certificate or b"").not_valid_before_utc + timedelta(
            1
        )
    except Exception:  # noqa: BLE001 - some are none, on purpose
        return NOW


@pytest.mark.parametrize("profile", [ON_REQUEST, GENERIC], ids=lambda each: each.name)
def test_every_vector_has_its_reason(
    release: Path, verifier: XadesVerifier, profile: Profile
) -> None:
    """The test prints reasons by libxmlsec's verdict, and fails if we accept what it refuses."""
    table: Counter[tuple[str, str, str]] = Counter()
    disagreed, past = [], 0
    for name, document in documents(release):
        certificate = carried_certificate(document)
        found = verifier.validate(document, profile, at=moment_of(certificate))
        reason, integrity = found.report.code, found.report.checks[2]
        assert found.root is None
        assert reason is not None
        assert integrity.check == "integrity"
        hostile = b"xslt" in document.lower() or b"file:" in document or b"http-" in document
        if certificate is None or hostile:
            opinion = "not asked"
        else:
            opinion = "accepts" if xmlsec_accepts(document, certificate) else "refuses"
        table[reason.value, opinion, found.report.why or ""] += 1
        good = integrity.verdict is CheckVerdict.PASSED
        past += good
        if (good or reason in BEYOND_THE_SIGNATURE) and opinion == "refuses":
            disagreed.append(name)

    print(f"\n{profile.name}: {table.total()} documents, {past} signatures good to us;")
    print("our reason, libxmlsec's opinion:")
    for (code, opinion, why), number in sorted(table.items()):
        print(f"  {number:4}  {code}  {opinion:9}  {why}")
    assert table.total() > 100
    assert disagreed == []
    assert past > 0 or profile is ON_REQUEST
