"""The certificates that receipts are verified by: in use, next, earlier, compromised."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from makul.app.ports import ReceiptCertificateState as TrustItemState
from makul.trust.keys.files import KeyFileError
from makul.trust.keys.receipt_certificates import mark_compromised, receipt_certificates
from makul_testing.pki.authorities import NOW, Authority


class Files:
    """Certificates on disk, made as they are asked for."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.retired = directory / "retired"
        self.retired.mkdir()
        self._root = Authority.root("A Root")

    def made(self, name: str, *, earlier: bool = False) -> tuple[Path, bytes]:
        """A new certificate's file and fingerprint."""
        holder = self._root.issue()
        path = (self.retired if earlier else self.directory) / f"{name}.pem"
        path.write_bytes(holder.certificate.public_bytes(Encoding.PEM))
        return path, holder.fingerprint


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_each_in_its_state(files: Files) -> None:
    """The one in use first, then the next, then the earlier ones."""
    using, first = files.made("using")
    following, second = files.made("next")
    _, third = files.made("old", earlier=True)

    found = receipt_certificates(using, following=following, retired=files.retired)

    assert [(each.fingerprint, each.state) for each in found] == [
        (first, TrustItemState.CURRENT),
        (second, TrustItemState.NEXT),
        (third, TrustItemState.RETIRED),
    ]
    assert all(each.compromised_since is None for each in found)


def test_the_one_in_use_may_lie_among_the_earlier(files: Files) -> None:
    """Copied there before it is replaced: it is told once, and as in use."""
    using, fingerprint = files.made("using")
    (files.retired / "copy.pem").write_bytes(using.read_bytes())

    (found,) = receipt_certificates(using, following=None, retired=files.retired)

    assert (found.fingerprint, found.state) == (fingerprint, TrustItemState.CURRENT)


def test_compromised_since(files: Files) -> None:
    """The instant is kept and never changed; the key in use may not be one of them."""
    using, current = files.made("using")
    _, stolen = files.made("stolen", earlier=True)
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
def test_a_mark_that_cannot_be_read_stops_everything(files: Files, name: str, content: str) -> None:
    """A mark that is passed over would let a stolen key count again."""
    using, _ = files.made("using")
    (files.retired / f"{name}.compromised").write_text(content)

    with pytest.raises(KeyFileError, match="expected FINGERPRINT"):
        receipt_certificates(using, following=None, retired=files.retired)
