"""The fuzz targets: each takes bytes, and raises if a property that must be true is false.

`document` and `message` begin with a good, signed one and change it; the others read raw bytes.
"""

import random
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from asn1crypto import pem
from cryptography import x509
from lxml import etree

from fuzz import material, notes
from fuzz.material import FindingError
from makul.domain.disclosures import ProofStatus
from makul.soap.envelope import split
from makul.soap.faults import EnvelopeError
from makul.soap.versions import VERSIONS
from makul.trust.pki.trust_material import TrustDirectories, TrustStoreError, load_material
from makul.trust.validation.documents import XadesVerifier
from makul_testing.builders.messages import signed_message
from makul_testing.in_process_service import (
    InProcessService,
    about,
    build_installation,
    person_request,
    post,
)
from makul_testing.pki.authorities import NOW, StoreFiles
from vectors.attacks.accepted import VECTORS as ACCEPTED
from vectors.attacks.cast import Cast
from vectors.attacks.vector import Vector


@dataclass(frozen=True, slots=True)
class Target:
    """A target: `run` takes one input; `seeds` are the first inputs."""

    name: str
    run: Callable[[bytes], None]
    seeds: Sequence[bytes]


# --- documents --------------------------------------------------------------------------------


@cache
def _cast() -> tuple[Cast, XadesVerifier]:
    cast, home = Cast(), Path(tempfile.mkdtemp(prefix="makul-fuzz-"))
    return cast, cast.verifier(home)


@cache
def _signed_contents() -> Mapping[str, None]:
    """Return the canonical, signed content of the good documents; nothing else may be read."""
    _, verifier = _cast()
    found: dict[str, None] = {}
    for document in _good_documents():
        verified = verifier.verify(document, at=NOW)
        if verified.signed is None:
            raise FindingError("a good document is refused")
        found[_canonical(verified.signed)] = None
    return found


@cache
def _good_documents() -> tuple[bytes, ...]:
    cast, _ = _cast()
    small: list[Vector] = [each for each in ACCEPTED if "256-kib" not in each.name]
    return tuple(vector.build(cast) for vector in small)


def _canonical(element: "etree._Element") -> str:
    return etree.tostring(element, method="c14n", exclusive=True).decode()


def document(data: bytes) -> None:
    """Check raw bytes: an answer, never an exception, and only signed content is read."""
    _, verifier = _cast()
    verified = verifier.verify(data, at=NOW)
    if verified.proof.status is not ProofStatus.PASSED:
        if verified.signed is not None or verified.proof.signer is not None:
            raise FindingError("refused, and something handed on")
        return
    if verified.signed is None or _canonical(verified.signed) not in _signed_contents():
        raise FindingError("accepted, and it says what nobody signed")


def document_tree(data: bytes) -> None:
    """Check a good document after edits of its tree that the input chooses."""
    chosen = random.Random(data)  # noqa: S311 - not for secrets
    good = _good_documents()
    root = etree.fromstring(good[chosen.randrange(len(good))])
    for _ in range(chosen.randint(1, 4)):
        root = _edited(root, chosen, good)
    document(etree.tostring(root, encoding="UTF-8"))


def _edited(  # noqa: C901 - one case an edit
    root: "etree._Element", chosen: random.Random, good: Sequence[bytes]
) -> "etree._Element":
    """Make one edit: move, copy, remove, rename, wrap, exchange, or take from another document."""
    elements = list(root.iter("*"))
    here, there = chosen.choice(elements), chosen.choice(elements)
    match chosen.randrange(9):
        case 0 if here is not root and here not in there.iterancestors() and here is not there:
            there.insert(chosen.randint(0, len(there)), here)
        case 1:
            copy = etree.fromstring(etree.tostring(here, with_tail=False))
            there.insert(chosen.randint(0, len(there)), copy)
        case 2 if here is not root:
            here.getparent().remove(here)  # type: ignore[union-attr]
        case 3:
            here.text = there.text
        case 4 if there.attrib:
            name = chosen.choice(list(there.attrib))
            here.set(name, there.get(name) or "")
        case 5 if here.attrib:
            name = chosen.choice(list(here.attrib))
            here.set(name, chosen.choice(["", "#", "#consent", "consent", "#properties", "a"]))
        case 6:
            wrapper = etree.Element(here.tag)
            if here is root:
                wrapper.append(root)
                return wrapper
            here.getparent().replace(here, wrapper)  # type: ignore[union-attr]
            wrapper.append(here)
        case 7:
            here.tag = there.tag
        case 8:
            other = list(etree.fromstring(chosen.choice(good)).iter("*"))
            there.append(chosen.choice(other))
        case _:
            here.tail = "x"
    return root


# --- the way in -------------------------------------------------------------------------------


@cache
def _installation() -> InProcessService:
    return build_installation(Path(tempfile.mkdtemp(prefix="makul-fuzz-")), clock=lambda: NOW)


@cache
def _good_message() -> bytes:
    installation = _installation()
    document, holder = installation.document("bank-00-data"), installation.world.messages["bank"]
    child = person_request(
        **about(installation.person_of(document), of=installation.bank, document=document)
    )
    return signed_message(child, holder.key, holder.certificate, at=NOW)


@cache
def _secrets() -> tuple[bytes, ...]:
    values = _installation().person_of(_installation().document("bank-00-data")).values
    forms = [(name.ky, name.latin) for name in values.values() if hasattr(name, "latin")]
    return tuple(form.encode() for pair in forms for form in pair if form and len(form) > 3)


_CHANNELS = ("wsse", "xroad")
_TYPES = ("text/xml; charset=utf-8", "application/soap+xml", "text/xml", "application/xml")


def guard(data: bytes) -> None:
    """Check raw bytes at the HTTP guard: an XML answer, no server error, and no personal data.

    The first byte chooses the listener and media type.
    """
    choice, body = (data[0] if data else 0), data[1:]
    application = _installation().applications[_CHANNELS[choice % 2]]
    answer = post(application, body, _TYPES[choice // 2 % len(_TYPES)])
    root = etree.fromstring(answer.body)
    if b"OPS-99" in answer.body:
        raise FindingError("the service itself failed")
    if answer.status == 200 and body != _good_message():
        kind = root.tag.rpartition("}")[2]
        if kind == "Envelope" and choice % 2 == 0 and _differs(body):
            raise FindingError("a message that its sender did not sign is answered")
    if any(secret in answer.body for secret in _secrets()) and _differs(body):
        raise FindingError("a name is revealed")


def _differs(body: bytes) -> bool:
    """Return whether it requests something other than the good message."""
    try:
        request, good = (etree.fromstring(each)[-1] for each in (body, _good_message()))
        return _canonical(request) != _canonical(good)
    except (etree.XMLSyntaxError, IndexError):
        return True


def message(data: bytes) -> None:
    """Check a good signed message after edits of its tree."""
    chosen = random.Random(data)  # noqa: S311 - not for secrets
    root = etree.fromstring(_good_message())
    for _ in range(chosen.randint(1, 3)):
        root = _edited(root, chosen, (_good_message(),))
    guard(b"\0" + etree.tostring(root))


def envelope(data: bytes) -> None:
    """Check only the envelope parser: a message or an `EnvelopeError`."""
    for version in VERSIONS.values():
        try:
            found = split(data, version)
        except EnvelopeError:
            continue
        if len(found.envelope) > 2 or found.child.getparent() is not found.envelope[-1]:
            raise FindingError("split into other parts than it has")


# --- revocation lists --------------------------------------------------------------------------


@cache
def _crl_store() -> tuple[TrustDirectories, tuple[bytes, ...]]:
    """Return a store of a root and a CA, and their good CRLs."""
    cast, home = _cast()[0], Path(tempfile.mkdtemp(prefix="makul-fuzz-"))
    files = StoreFiles(home).write(anchors=[cast.root], intermediates=[cast.ca])
    directories = TrustDirectories(
        anchors=files.anchors, intermediates=files.intermediates, crls=files.crls
    )
    return directories, (cast.ca.crl(), cast.root.crl())


def crl(data: bytes) -> None:
    """Check a CRL file: used or refused with `TrustStoreError`; none counts without its CA's
    signature.
    """
    directories, goods = _crl_store()
    (directories.crls / "0.crl").write_bytes(data)
    try:
        material = load_material(directories)
    except TrustStoreError:
        return
    if material.statements and not any(_same_crl(data, good) for good in goods):
        raise FindingError("a CRL counts that its CA did not sign")


def _same_crl(data: bytes, good: bytes) -> bool:
    """Return whether the signed part is the same, in PEM or with another form of its signature."""
    if good in data:
        return True
    der = pem.unarmor(data)[2] if pem.detect(data) else data
    found, expected = (x509.load_der_x509_crl(each) for each in (der, good))
    return found.tbs_certlist_bytes == expected.tbs_certlist_bytes


def targets() -> Mapping[str, Callable[[], Target]]:
    """Return the targets by name; they are built on demand, because a service costs a second."""
    seeds = [bytes([number]) * 8 for number in range(16)]
    return {
        "crl": lambda: Target("crl", crl, _crl_store()[1]),
        "guard": lambda: Target(
            "guard", guard, [b"\0" + _good_message(), b"\2" + _good_message(), b"\1<a/>"]
        ),
        "envelope": lambda: Target("envelope", envelope, [_good_message()]),
        "document": lambda: Target("document", document, _good_documents()),
        "document_tree": lambda: Target("document_tree", document_tree, seeds),
        "message": lambda: Target("message", message, seeds),
        "timestamp": lambda: Target("timestamp", material.timestamp, material.timestamps()),
        "ocsp": lambda: Target("ocsp", material.ocsp, material.responses()),
        "header": lambda: Target("header", material.header, material.headers()),
        "sealing": lambda: Target(
            "sealing", material.check_decryption, material.encrypted_document()
        ),
        "note": lambda: Target("note", notes.note, notes.notes()),
        "bundle": lambda: Target("bundle", notes.bundle, notes.bundles()),
        "scan": lambda: Target("scan", material.scan, material.scans()),
    }
