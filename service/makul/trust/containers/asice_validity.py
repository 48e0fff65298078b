"""Judge the signer of a container by trust anchors, with the data that the container carries.

The timestamp says since when the signature exists. Both certificate paths are judged for that
moment by the certificates, CRLs and OCSP responses of the container itself. So a container verifies
offline, and long after its certificates have expired. The anchors must come from the reader.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from makul.trust.containers.asice_signature import ContainerSignature, ValidationValues
from makul.trust.containers.findings import ContainerFailure, ContainerFinding
from makul.trust.pki.trust_material import TrustDirectories, TrustStoreError
from makul.trust.pki.trust_store import TrustStore
from makul.trust.timestamps import CLOCK_SKEW, judge, read_time_unsafe


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerAnchors:
    """The directories of trusted CA certificates, for signers and time-stamping authorities."""

    signers: Path
    timestamps: Path


def prove_signer(
    signature: ContainerSignature, anchors: ContainerAnchors, *, at: datetime
) -> datetime:
    """Return since when the signature exists at latest, if its signer was trusted at that time.

    The signature value must be verified before. Raises `ContainerFailure`, and `TrustStoreError`
    if the reader's anchors cannot be used.
    """
    if not signature.timestamps or signature.values is None:
        raise ContainerFailure(ContainerFinding.TIMESTAMP_MISSING)
    token = signature.timestamps[0]
    try:
        stated = read_time_unsafe(token)
    except ValueError:
        raise ContainerFailure(ContainerFinding.TIMESTAMP_INVALID) from None
    if stated > at + CLOCK_SKEW:
        raise ContainerFailure(ContainerFinding.TIMESTAMP_INVALID, why="it lies in the future")
    with _store(anchors.timestamps, signature.values) as authorities:
        found = judge(token, signature.stamped_octets, authorities, at=stated)
    if found.code is not None or found.time is None:
        raise ContainerFailure(ContainerFinding.TIMESTAMP_INVALID, why=found.why)
    with _store(anchors.signers, signature.values) as store:
        path = store.judge(signature.certificate, at=stated)
    if path.code is not None:
        raise ContainerFailure(ContainerFinding.UNTRUSTED_SIGNER, why=path.why)
    return found.time


@contextmanager
def _store(anchors: Path, values: ValidationValues) -> Iterator[TrustStore]:
    """Lay out the container's data beside the reader's anchors, for as long as they are needed."""
    with TemporaryDirectory(prefix="makul-case-") as name:
        base = Path(name)
        laid = TrustDirectories(
            anchors=anchors,
            intermediates=base / "intermediates",
            crls=base / "crls",
            ocsp=base / "ocsp",
            others_expected=True,
        )
        for directory, objects, suffix in (
            ("intermediates", values.certificates, "der"),
            ("crls", values.crls, "crl"),
            ("ocsp", values.responses, "ors"),
        ):
            (base / directory).mkdir()
            for number, der in enumerate(objects):
                (base / directory / f"{number}.{suffix}").write_bytes(der)
        try:
            yield TrustStore(laid)
        except TrustStoreError as error:
            if str(base) not in str(error):
                raise
            raise ContainerFailure(ContainerFinding.SIGNATURE_MALFORMED) from None
