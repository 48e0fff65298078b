"""Requests of commands: what is to be verified, certified or started, and for which use.

The module imports no adapter, because commands need it before they are called.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path


class CertificateUse(StrEnum):
    """The use for which a certificate is registered."""

    MESSAGES = "messages"
    DOCUMENTS = "documents"
    ENCRYPTION = "encryption"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentVerificationRequest:
    """A document to be verified, with the trust data to use."""

    config: Path
    """The settings whose trust directories are used if `anchors` is not given."""
    document: bytes
    profile: str
    """`consent`, `basis`, `receipt`, `agreement`, `notice` or `generic`."""
    anchors: Path | None
    intermediates: Path | None
    crls: Path | None
    ocsp: Path | None
    tsa_anchors: Path | None
    at: datetime
    existed_at: datetime | None
    tsa_crls: Path | None = None
    """CRLs of time-stamping authorities; None stands for those of `crls`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """The directory and addresses of a sandbox. Port 0 takes a free one."""

    directory: Path
    host: str = "127.0.0.1"
    port: int = 8080
    xroad_port: int | None = None
    """The port that stands in for the operator's security server; None is the next port."""
    mtls_port: int | None = None
    """None is the port after that."""
    oversight_port: int | None = None
    """The port of the supervising bodies; None is the third port after `port`."""
    subject_port: int | None = None
    """The port of portals of citizens; None is the fourth port after `port`."""
    people: int = 1000
    seed: int = 1
    history: int = 0
    """The number of requests of the last month that are in the record at the start."""
    keep: bool = False
    """Start the existing sandbox again, with its keys, its records and its ports."""
    given: frozenset[str] = frozenset()
    """The names of the fields that the caller gave; the others have defaults."""


class KeyUse(StrEnum):
    """The use of a certified key of a party."""

    MESSAGE = "message"
    SEALING = "sealing"
    OFFICIAL = "official"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certification:
    """A request to the sandbox's authority to certify a key of the caller."""

    directory: Path
    party: str | None
    citizen: int | None
    use: KeyUse
    key_file: Path
    is_request: bool
    """True if the file is a certificate request (PKCS #10); false if it is a public key."""
    output: Path
