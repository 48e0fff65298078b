"""List the certificates of receipts: the current one, the next one and earlier ones.

The directory of earlier ones holds certificates as PEM. For each key that is known to be
compromised it also holds a file `FINGERPRINT.compromised`. The first line of that file is the
instant since which the key is compromised. This instant decides a dispute about a receipt. It is
therefore kept beside the certificate and never removed.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from makul.app.ports import ReceiptCertificate, ReceiptCertificateState
from makul.language.translation import translate, translate_cause
from makul.net.files import FileError, create_file, read_bounded
from makul.trust.keys.files import KeyFileError, load_certificates

SUFFIX = ".compromised"
_MAX_NOTED = 4096
"""The maximum bytes of such a file: an instant, and a remark."""


def receipt_certificates(
    current: Path, *, following: Path | None, retired: Path | None
) -> tuple[ReceiptCertificate, ...]:
    """Return all certificates of receipts, the current one first; raise `KeyFileError` on failure.

    Raises it also if the current one is compromised, because that key must not sign any more.
    """
    since = compromised_keys(retired)
    current_certificate = load_certificates(current)[0]
    if _fingerprint(current_certificate) in since:
        raise KeyFileError(
            translate(
                "{path}: this key is marked as compromised. Put a new one in place.",
                path=current,
            )
        )
    certificates = [
        _describe_certificate(current_certificate, ReceiptCertificateState.CURRENT, since)
    ]
    if following is not None:
        certificates.append(
            _describe_certificate(
                load_certificates(following)[0], ReceiptCertificateState.NEXT, since
            )
        )
    certificates += [
        _describe_certificate(each, ReceiptCertificateState.RETIRED, since)
        for each in _earlier(retired)
    ]
    return tuple({each.fingerprint: each for each in reversed(certificates)}.values())[::-1]


def mark_compromised(retired: Path, fingerprint: bytes, since: datetime) -> Path:
    """Record durably since when a key is compromised, and return the file.

    An existing record is never changed. Raises `KeyFileError` if there is one, or if the file
    cannot be written.
    """
    path = retired / f"{fingerprint.hex()}{SUFFIX}"
    retired.mkdir(mode=0o755, exist_ok=True)
    try:
        create_file(path, f"{since.astimezone(UTC).isoformat()}\n".encode(), mode=0o644)
    except FileExistsError:
        raise KeyFileError(
            translate("{path}: it is noted already, and that is not changed.", path=path)
        ) from None
    except OSError as error:
        raise KeyFileError(
            translate(
                "{path}: {cause}. Check who may write there.",
                path=path,
                cause=translate_cause(error.strerror),
            )
        ) from None
    return path


def _earlier(retired: Path | None) -> Iterator[x509.Certificate]:
    for path in sorted(retired.glob("*.pem")) if retired is not None else ():
        yield load_certificates(path)[0]


def compromised_keys(retired: Path | None) -> dict[bytes, datetime]:
    """Return since when each recorded key is compromised, by SHA-256 of its certificate.

    Raises `KeyFileError` for a record that cannot be read.
    """
    instants = {}
    for path in retired.glob(f"*{SUFFIX}") if retired is not None else ():
        try:
            line = read_bounded(path, _MAX_NOTED).decode("ascii").split()[0]
            since = datetime.fromisoformat(line).astimezone(UTC)
            instants[bytes.fromhex(path.stem)] = since
        except (FileError, ValueError, OverflowError, IndexError):
            raise KeyFileError(
                translate(
                    "{path}: expected FINGERPRINT{suffix} with an instant in its first line.",
                    path=path,
                    suffix=SUFFIX,
                )
            ) from None
    return instants


def _describe_certificate(
    certificate: x509.Certificate,
    state: ReceiptCertificateState,
    compromised: dict[bytes, datetime],
) -> ReceiptCertificate:
    since = compromised.get(_fingerprint(certificate))
    return ReceiptCertificate(
        fingerprint=_fingerprint(certificate),
        valid_from=certificate.not_valid_before_utc,
        valid_to=certificate.not_valid_after_utc,
        state=state if since is None else ReceiptCertificateState.COMPROMISED,
        compromised_since=since,
    )


def _fingerprint(certificate: x509.Certificate) -> bytes:
    return certificate.fingerprint(hashes.SHA256())
