"""The certificates that verify receipts: in use, next, retired, compromised."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from makul.app.ports import ReceiptCertificateState as TrustItemState
from makul.trust.keys.files import KeyFileError
from makul.trust.keys.receipt_certificates import mark_compromised, receipt_certificates
from makul_testing.pki.authorities import NOW, Authority


class Files:
    """Certificate files, created when a test needs them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.retired = directory / "retired"
        self.retired.mkdir()
        self._root = Authority.root("A Root")

    def issue(self, name: str, *, earlier: bool = False) -> tuple[Path, bytes]:
        """Create a certificate and return its file and fingerprint."""
        holder = self._root.issue()
        path = (self.retired if earlier else self.directory) / f"{name}.pem"
        path.write_bytes(holder.certificate.public_bytes(Encoding.PEM))
        return path, holder.fingerprint


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_each_certificate_has_its_state(files: Files) -> None:
    """The list has the certificate in use first, then the next, then the retired ones."""
    using, first = files.issue("using")
    following, second = files.issue("next")
    _, third = files.issue("old", earlier=True)

    found = receipt_certificates(using, following=following, retired=files.retired)

    assert [(each.fingerprint, each.state) for each in found] == [
        (first, TrustItemState.CURRENT),
        (second, TrustItemState.NEXT),
        (third, TrustItemState.RETIRED),
    ]
    assert all(each.compromised_since is None for each in found)


def test_certificate_in_use_may_also_be_retired(files: Files) -> None:
    """The certificate in use may be copied there before it is replaced; it is listed once, as in
    use.
    """
    using, fingerprint = files.issue("using")
    (files.retired / "copy.pem").write_bytes(using.read_bytes())

    (found,) = receipt_certificates(using, following=None, retired=files.retired)

    assert (found.fingerprint, found.state) == (fingerprint, TrustItemState.CURRENT)


def test_mark_of_a_compromised_key_is_kept(files: Files) -> None:
    """The instant of a mark is stored and never changed, and the key in use must not be marked."""
    using, current = files.issue("using")
    _, stolen = files.issue("stolen", earlier=True)
    mark_compromised(files.retired, stolen, NOW)

    found = receipt_certificates(using, following=None, retired=files.retired)

    assert found[1].state is TrustItemState.COMPROMISED
    assert found[1].compromised_since == NOW
    with pytest.raises(KeyFileError, match="noted already"):
        mark_compromised(files.retired, stolen, NOW - timedelta(days=1))
    mark_compromised(files.retired, current, NOW)
    with pytest.raises(KeyFileError, match="marked as compromised"):
        receipt_certificates(using, following=None, retired=files.retired)


@pytest.mark.parametrize(
    ("name", "content"),
    [("ab" * 32, "yesterday"), ("ab" * 32, ""), ("no fingerprint", "2026-11-20T09:00:00Z")],
)
def test_an_unreadable_mark_stops_the_service(files: Files, name: str, content: str) -> None:
    """If a mark were ignored, a stolen key would count again."""
    using, _ = files.issue("using")
    (files.retired / f"{name}.compromised").write_text(content)

    with pytest.raises(KeyFileError, match="expected FINGERPRINT"):
        receipt_certificates(using, following=None, retired=files.retired)
