"""The floor: the primitives that a GetPersonData needs, called directly in one loop.

It parses the message with lxml and validates it by the schema. For the message and for the consent
it makes two canonicalisations, one hash and one RSA verification each. It makes one P-256
signature, and runs the statements of the real request on the raw driver. All other cost is Makul's.
"""

import os
from base64 import b64decode
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import makul_schemas
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from lxml import etree

from makul.store.db import sqlite

DS = "{http://www.w3.org/2000/09/xmldsig#}"
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"

Statement = tuple[str, tuple[object, ...]]


class Tape:
    """Records every statement that the store runs, with its values, while it is on."""

    def __init__(self) -> None:
        self.statements: list[Statement] = []
        self.on = False

    def attach(self) -> Callable[[], None]:
        """Listen to the connections that the store opens from now on; return a function that stops
        it.
        """
        original = sqlite.connect

        def listening(*arguments: Any) -> Any:
            return _Listening(original(*arguments), self)

        sqlite.connect = listening

        def stop() -> None:
            sqlite.connect = original

        return stop

    def record(self, ask: Callable[[], object]) -> list[Statement]:
        """Record the statements of one call."""
        self.statements, self.on = [], True
        ask()
        self.on = False
        return self.statements


class _Listening:
    def __init__(self, connection: Any, tape: Tape) -> None:
        self._connection = connection
        self._tape = tape

    def execute(self, sql: str, values: tuple[object, ...] = ()) -> Any:
        if self._tape.on:
            self._tape.statements.append((sql, values))
        return self._connection.execute(sql, values)

    def close(self) -> None:
        self._connection.close()


@dataclass(frozen=True, slots=True)
class Script:
    """The statements of a request, which can run again with new ids."""

    statements: tuple[Statement, ...]
    fresh: frozenset[bytes]
    """Ids and digests that belonged to that one request."""

    @classmethod
    def of_two(cls, first: Sequence[Statement], second: Sequence[Statement]) -> "Script":
        """Build a script from two similar requests: differing values of the length of an id are
        replaced.
        """
        assert [sql for sql, _ in first] == [sql for sql, _ in second]
        fresh = {
            new
            for (_, old_values), (_, new_values) in zip(first, second, strict=True)
            for old, new in zip(old_values, new_values, strict=True)
            if old != new and isinstance(new, bytes) and len(new) in {16, 32}
        }
        return cls(tuple(second), frozenset(fresh))

    def run(self, connection: Any) -> None:
        """Run the statements once more, on the raw driver."""
        ids = {old: os.urandom(len(old)) for old in self.fresh}
        for sql, values in self.statements:
            cursor = connection.execute(
                sql, tuple([ids.get(v, v) if type(v) is bytes else v for v in values])
            )
            if cursor.description is not None:
                cursor.fetchone()


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """Everything that is prepared, so that the loop holds only the primitives."""

    message: bytes
    sender: x509.Certificate
    consent: bytes
    citizen: x509.Certificate
    script: Script
    connection: Any
    schema: etree.XMLSchema
    key: ec.EllipticCurvePrivateKey

    def once(self) -> None:
        """Run the primitives of one request."""
        envelope = etree.fromstring(self.message)
        body = envelope.find(f"{SOAP}Body")
        assert body is not None
        self.schema.assertValid(body[0])
        signature = next(envelope.iter(f"{DS}Signature"))
        _verify(signature, body, self.sender)
        consent = etree.fromstring(self.consent)
        signature = next(consent.iter(f"{DS}Signature"))
        consent.remove(signature)
        _verify(signature, consent, self.citizen)
        self.script.run(self.connection)
        self.key.sign(self.consent[:1024], ec.ECDSA(hashes.SHA256()))


def new_floor(
    *,
    message: bytes,
    sender: x509.Certificate,
    consent: bytes,
    citizen: x509.Certificate,
    script: Script,
    connection: Any,
) -> Floor:
    """Load what is loaded once: the schema and a key."""
    location = makul_schemas.location() / "recipient.xsd"
    return Floor(
        message=message,
        sender=sender,
        consent=consent,
        citizen=citizen,
        script=script,
        connection=connection,
        schema=etree.XMLSchema(etree.parse(str(location))),
        key=ec.generate_private_key(ec.SECP256R1()),
    )


def _verify(signature: Any, signed: Any, certificate: x509.Certificate) -> None:
    """Make two canonicalisations, one hash and one RSA verification, for any references."""
    info = signature.find(f"{DS}SignedInfo")
    octets = etree.tostring(info, method="c14n", exclusive=True)
    sha256(etree.tostring(signed, method="c14n", exclusive=True)).digest()
    key = certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    value = b64decode(signature.findtext(f"{DS}SignatureValue"))
    with suppress(Exception):
        # The arithmetic is the same if the digest does not fit: inclusive c14n would need trust/'s
        # fixes.
        key.verify(value, octets, padding.PKCS1v15(), hashes.SHA256())
