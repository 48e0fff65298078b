"""Hostile files for commands, and commands that run in separate processes."""

import json
import os
import pickle
import resource
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar
from zlib import crc32

from asn1crypto import core, pem
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding

from makul_testing.exhaustive import sample
from makul_testing.paths import VECTORS
from makul_testing.pki.authorities import DAY, NOW, name_of, new_key, new_rsa_key

T = TypeVar("T")

DIGITS = "7" * 5_000
"""More digits than Python reads as a number (`sys.int_info.default_max_str_digits` is 4,300)."""

SECONDS = 600
"""The time for some thirty commands on a machine that is ten times slower.

A command that waits for a pipe never ends.
"""
MEMORY = 8 * 1024**3


def _fifo(directory: Path) -> Path:
    os.mkfifo(directory / "fifo")
    return directory / "fifo"


def _link(directory: Path, target: Path | str) -> Path:
    (directory / "link").symlink_to(target)
    return directory / "link"


def _sparse(directory: Path) -> Path:
    with (directory / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    return directory / "sparse"


def _planted(directory: Path) -> Path:
    (directory / "shared").mkdir()
    (directory / "real").write_bytes(b"content")
    (directory / "shared").chmod(0o777)
    return _link(directory / "shared", "../real")


NOT_FILES: dict[str, Callable[[Path], Path]] = {
    "a fifo": _fifo,
    "/dev/zero": lambda _: Path("/dev/zero"),
    "a directory": lambda directory: directory,
    "a link to a fifo": lambda directory: _link(directory, _fifo(directory)),
    "a link to /dev/zero": lambda directory: _link(directory, "/dev/zero"),
    "a dangling link": lambda directory: _link(directory, "nowhere"),
    "a link to itself": lambda directory: _link(directory, "link"),
    "a planted link": _planted,
    "a file without end": _sparse,
    "nothing": lambda directory: directory / "absent",
    "a long name": lambda directory: directory / ("x" * 300),
}
"""Make special files that cannot be read, in a temporary directory."""

CONTENTS: dict[str, bytes] = {
    "empty": b"",
    "garbage": bytes(range(256)) * 8,
    "NULs": bytes(4096),
    "UTF-16": 'number = "я"\n'.encode("utf-16"),
    "a BOM alone": b"\xef\xbb\xbf",
    "deep JSON": b"[" * 50_000,
    "deep JSON objects": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    "JSON of long numbers": f'{{"format": {DIGITS}, "pin": {DIGITS}}}\n'.encode(),
    "JSON of NaN": b'{"max_disclosures": NaN, "pin": Infinity, "valid_to": -Infinity}\n',
    "JSON of half a letter": b'{"surname": "\\ud800", "format": "\\udfff", "pin": "\\u0000"}\n',
    "JSON of lists": b"[[], {}, null]\n",
    "deep TOML": b"a = " + b"[" * 20_000,
    "deep TOML tables": b"a = " + b"{b=" * 20_000,
    "TOML of dots": b".".join([b"a"] * 20_000) + b" = 1",
    "TOML of long numbers": f"number = {DIGITS}\n".encode(),
    "TOML with a key twice": b"number = 1\nnumber = 2\n",
    "PEM of garbage": b"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
    "PEM of nothing": b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
    "PEM that does not end": b"-----BEGIN CERTIFICATE-----\nMIIB\n",
    "a key of garbage": b"-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n",
    "a DOCTYPE": b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    "deep XML": b"<a>" * 20_000 + b"</a>" * 20_000,
    "XML of wrong letters": b"<a>\xff\xfe\x00</a>",
    "deep DER": b"\x30\x84\x00\x00\xff\xf0" * 10_000,
    "long lines": b"a," * 100_000 + b"\n" + b"b" * 200_000,
}
"""Contents that were not written for this command."""


def contents_for(reader: object) -> list[tuple[str, bytes]]:
    """Return the contents that are tried on one reader: half of them, each half another.

    All are tried on every reader by `make test-exhaustive`.
    """
    return sample(CONTENTS.items(), 12, seed=crc32(repr(reader).encode()))


# --- Certificates -----------------------------------------------------------------------------


def _certified(key: object, signer: ec.EllipticCurvePrivateKey) -> bytes:
    builder = (
        x509.CertificateBuilder()
        .subject_name(name_of("Somebody"))
        .issuer_name(name_of("An authority"))
        .public_key(key.public_key())  # type: ignore[attr-defined]
        .serial_number(7)
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + 3650 * DAY)
    )
    return builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.DER)


def _altered(der: bytes, alter: Callable[[asn1_x509.TbsCertificate], None]) -> bytes:
    """Return a certificate with something else in it; its signature is no longer valid."""
    certificate = asn1_x509.Certificate.load(der)
    alter(certificate["tbs_certificate"])
    return certificate.dump(force=True)  # type: ignore[no-any-return]


def _versioned(number: int) -> Callable[[asn1_x509.TbsCertificate], None]:
    def alter(tbs: asn1_x509.TbsCertificate) -> None:
        tbs["version"] = number

    return alter


def _numbered(serial: int) -> Callable[[asn1_x509.TbsCertificate], None]:
    def alter(tbs: asn1_x509.TbsCertificate) -> None:
        tbs["serial_number"] = serial

    return alter


def _explicit(tbs: asn1_x509.TbsCertificate) -> None:
    """Return P-256 by its parameters (RFC 3279, 2.3.5) and not by its name."""
    prime = 2**256 - 2**224 + 2**192 + 2**96 - 1
    octets = [core.OctetString((prime - 3).to_bytes(32, "big")), core.OctetString(b"\1" * 32)]
    parameters = b"".join(
        [
            core.Integer(1).dump(),
            _sequence(
                core.ObjectIdentifier("1.2.840.10045.1.1").dump(), core.Integer(prime).dump()
            ),
            _sequence(*(each.dump() for each in octets)),
            core.OctetString(b"\4" + b"\1" * 64).dump(),
            core.Integer(prime - 7).dump(),
        ]
    )
    algorithm = _sequence(core.ObjectIdentifier("1.2.840.10045.2.1").dump(), _sequence(parameters))
    key = core.BitString(tuple([0] * 8)).dump()
    tbs["subject_public_key_info"] = asn1_x509.PublicKeyInfo.load(_sequence(algorithm, key))


def _sequence(*parts: bytes) -> bytes:
    content = b"".join(parts)
    length = len(content).to_bytes(4, "big")
    return b"\x30\x84" + length + content


def certificates() -> dict[str, bytes]:
    """Return certificates in PEM that are not accepted, by what is wrong with them."""
    ca = new_key()
    plain = _certified(ca, ca)
    files = {
        "Ed25519": _certified(ed25519.Ed25519PrivateKey.generate(), ca),
        "DSA": _certified(dsa.generate_private_key(2048), ca),
        "secp256k1": _certified(ec.generate_private_key(ec.SECP256K1()), ca),
        "RSA of 1024 bits": _certified(new_rsa_key(1024), ca),
        "version 5": _altered(plain, _versioned(4)),
        "a negative serial number": _altered(plain, _numbered(-5)),
        "a serial number of 30 octets": _altered(plain, _numbered(1 << 239)),
        "a curve by its parameters": _altered(plain, _explicit),
    }
    gost = (VECTORS / "trust/foreign/gost-2012.pem").read_bytes()
    attribute: bytes = pem.armor("ATTRIBUTE CERTIFICATE", _sequence(core.Integer(1).dump()))
    return {
        "GOST R 34.10-2012": gost,
        "an attribute certificate": attribute,
        **{name: pem.armor("CERTIFICATE", der) for name, der in files.items()},
    }


def readable_certificates() -> dict[str, bytes]:
    """Return certificates in PEM that are unusual, but can be read."""
    ca = new_key()
    plain = _certified(ca, ca)
    return {
        "a PrintableString of &_@": (VECTORS / "trust/foreign/printable-string.pem").read_bytes(),
        "version 1": pem.armor("CERTIFICATE", _altered(plain, _versioned(0))),
    }


# --- Commands ---------------------------------------------------------------------------------


def run_apart(act: Callable[[], T], *, seconds: int = SECONDS) -> T:
    """Return the result of `act` in a process that may hang or use memory without end."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(seconds)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            with os.fdopen(writing, "wb") as pipe:
                pickle.dump(act(), pipe)
        except BaseException as error:  # noqa: BLE001 - the parent reports any error
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            os._exit(1)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        output = pipe.read()
    _, status = os.waitpid(child, 0)
    assert status == 0, f"ended with {status}: 14 is a command that waits, without end"
    return pickle.loads(output)  # type: ignore[no-any-return]  # noqa: S301 - our own


def empty_directories(directory: Path) -> Iterator[Path]:
    """Yield empty directories, one after the other, in any process."""
    directory.mkdir(parents=True, exist_ok=True)
    while True:
        yield Path(tempfile.mkdtemp(dir=directory))


def jsonl(*people: object) -> bytes:
    """Return lines in the form of `person import`."""
    return b"".join(json.dumps(each).encode() + b"\n" for each in people)
