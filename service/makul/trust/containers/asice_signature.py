"""The signature of a container: detached XAdES over every file (ETSI EN 319 162-1, 4.4.3).

A signature may name 100,000 files, so no tree is built of it. It is written from templates in
canonical form. It is read only in exactly this form: the values are read, written again by the same
templates, and the result must be the file, byte for byte. So what is verified is what is written,
and no other structure needs to be judged. Only our own evidence files have this form.
"""

from base64 import b64decode, b64encode
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import new as new_hash
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from lxml import etree
from signxml.algorithms import SignatureMethod

from makul.net.xml_parser import build_pull_parser
from makul.trust.base.algorithms import EXCLUSIVE, PublicKey, method_for
from makul.trust.base.errors import SignatureFailure
from makul.trust.containers.entry_names import uri_of
from makul.trust.containers.findings import ContainerFailure, ContainerFinding
from makul.trust.pki.certificates import SigningCertificate, read_certificate
from makul.trust.xades.structure import SIGNED_PROPERTIES_TYPE
from makul.trust.xmldsig.parsing import DS, XADES

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

ASIC: Final = "http://uri.etsi.org/02918/v1.2.1#"
"""The namespace of ASiC (ETSI EN 319 162-1, annex A)."""

MAX_VALUE_BYTES: Final = 6 * 1024 * 1024
"""The maximum size of a certificate, CRL or OCSP response in a signature. In base64 it stays below
the ten megabytes that libxml2 reads as one text. A larger CRL is left out when it is written."""

MAX_VALUES: Final = 64
"""The maximum number of certificates, and of CRLs and OCSP responses: those of two paths."""

_BATCH: Final = 1000
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"
_DECLARES_DS: Final = f' xmlns:ds="{DS}"'
_DECLARES_XADES: Final = f' xmlns:xades="{XADES}"'
_ID: Final = "signature-0"
_PROPERTIES_ID: Final = f"{_ID}-properties"

_START = f'<asic:XAdESSignatures xmlns:asic="{ASIC}"><ds:Signature{_DECLARES_DS} Id="{_ID}">'
_END = "</ds:Object></ds:Signature></asic:XAdESSignatures>"


@dataclass(frozen=True, slots=True)
class SignedFile:
    """A file of the container as the signature names it."""

    name: str
    media_type: str
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationValues:
    """What a later reader needs to judge the certificates: level LT (EN 319 132-1, 5.4)."""

    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    responses: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSignature:
    """All that the file of the signature says."""

    files: Sequence[SignedFile]
    """The files, sorted by name."""
    certificate: SigningCertificate
    signing_time: datetime
    value: bytes = b""
    timestamps: tuple[bytes, ...] = ()
    values: ValidationValues | None = None

    @property
    def hash_name(self) -> str:
        """The digest of all references."""
        return hash_name_of(self.certificate.key)

    @property
    def method(self) -> SignatureMethod:
        """The signature method, which follows from the key."""
        return method_for(self.certificate.key)[0]

    @property
    def signed_octets(self) -> bytes:
        """The canonical SignedInfo, over which the signature value is computed."""
        return "".join(self._signed_info()).encode()

    @property
    def stamped_octets(self) -> bytes:
        """The canonical SignatureValue, over which a timestamp is made."""
        return self._signature_value(_DECLARES_DS).encode()

    def render(self) -> Iterator[bytes]:
        """Yield the file of the signature, in blocks."""
        held: list[str] = []
        for part in self._parts():
            held.append(part)
            if len(held) >= _BATCH:
                yield "".join(held).encode()
                held.clear()
        yield "".join(held).encode()

    def _parts(self) -> Iterator[str]:
        yield _START
        yield from _without(self._signed_info(), _DECLARES_DS)
        yield self._signature_value("")
        yield "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>"
        yield _base64(self.certificate.der)
        yield "</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
        yield f'<ds:Object><xades:QualifyingProperties{_DECLARES_XADES} Target="#{_ID}">'
        yield from _without(self._signed_properties(), _DECLARES_XADES, _DECLARES_DS)
        yield from self._unsigned_properties()
        yield f"</xades:QualifyingProperties>{_END}"

    def _signature_value(self, declaration: str) -> str:
        return (
            f'<ds:SignatureValue{declaration} Id="{_ID}-value">'
            f"{_base64(self.value)}</ds:SignatureValue>"
        )

    def _signed_info(self) -> Iterator[str]:
        digest = method_for(self.certificate.key)[1]
        method = f'<ds:DigestMethod Algorithm="{digest.value}"></ds:DigestMethod>'
        yield (
            f'<ds:SignedInfo{_DECLARES_DS}><ds:CanonicalizationMethod Algorithm="'
            f'{EXCLUSIVE.value}"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="'
            f'{self.method.value}"></ds:SignatureMethod>'
        )
        for number, file in enumerate(self.files):
            yield (
                f'<ds:Reference Id="file-{number}" URI="{uri_of(file.name)}">{method}'
                f"<ds:DigestValue>{_base64(file.digest)}</ds:DigestValue></ds:Reference>"
            )
        properties = new_hash(self.hash_name)
        for part in self._signed_properties():
            properties.update(part.encode())
        yield (
            f'<ds:Reference Type="{SIGNED_PROPERTIES_TYPE}" URI="#{_PROPERTIES_ID}">'
            f'<ds:Transforms><ds:Transform Algorithm="{EXCLUSIVE.value}"></ds:Transform>'
            f"</ds:Transforms>{method}<ds:DigestValue>{_base64(properties.digest())}"
            "</ds:DigestValue></ds:Reference></ds:SignedInfo>"
        )

    def _signed_properties(self) -> Iterator[str]:
        digest = method_for(self.certificate.key)[1]
        fingerprint = new_hash(self.hash_name, self.certificate.der).digest()
        yield (
            f'<xades:SignedProperties{_DECLARES_XADES} Id="{_PROPERTIES_ID}">'
            "<xades:SignedSignatureProperties><xades:SigningTime>"
            f"{self.signing_time.astimezone(UTC).strftime(_TIME)}</xades:SigningTime>"
            "<xades:SigningCertificateV2><xades:Cert><xades:CertDigest>"
            f'<ds:DigestMethod{_DECLARES_DS} Algorithm="{digest.value}"></ds:DigestMethod>'
            f"<ds:DigestValue{_DECLARES_DS}>{_base64(fingerprint)}</ds:DigestValue>"
            "</xades:CertDigest></xades:Cert></xades:SigningCertificateV2>"
            "</xades:SignedSignatureProperties><xades:SignedDataObjectProperties>"
        )
        for number, file in enumerate(self.files):
            yield (
                f'<xades:DataObjectFormat ObjectReference="#file-{number}"><xades:MimeType>'
                f"{file.media_type}</xades:MimeType></xades:DataObjectFormat>"
            )
        yield "</xades:SignedDataObjectProperties></xades:SignedProperties>"

    def _unsigned_properties(self) -> Iterator[str]:
        if not self.timestamps:
            return
        yield "<xades:UnsignedProperties><xades:UnsignedSignatureProperties>"
        for number, token in enumerate(self.timestamps):
            yield (
                f'<xades:SignatureTimeStamp Id="{_ID}-time-{number}">'
                f'<ds:CanonicalizationMethod Algorithm="{EXCLUSIVE.value}">'
                "</ds:CanonicalizationMethod><xades:EncapsulatedTimeStamp>"
                f"{_base64(token)}</xades:EncapsulatedTimeStamp></xades:SignatureTimeStamp>"
            )
        if self.values is not None:
            yield from _render_values(self.values)
        yield "</xades:UnsignedSignatureProperties></xades:UnsignedProperties>"


def hash_name_of(key: PublicKey) -> str:
    """Return the name of the digest that goes with a key, as hashlib knows it."""
    return method_for(key)[1].name.lower()


def _render_values(values: ValidationValues) -> Iterator[str]:
    yield "<xades:CertificateValues>"
    yield from _encapsulated("EncapsulatedX509Certificate", values.certificates)
    yield "</xades:CertificateValues><xades:RevocationValues>"
    if values.crls:
        yield "<xades:CRLValues>"
        yield from _encapsulated("EncapsulatedCRLValue", values.crls)
        yield "</xades:CRLValues>"
    if values.responses:
        yield "<xades:OCSPValues>"
        yield from _encapsulated("EncapsulatedOCSPValue", values.responses)
        yield "</xades:OCSPValues>"
    yield "</xades:RevocationValues>"


def _encapsulated(name: str, values: Iterable[bytes]) -> Iterator[str]:
    for each in values:
        yield f"<xades:{name}>{_base64(each)}</xades:{name}>"


def _without(parts: Iterator[str], *declarations: str) -> Iterator[str]:
    """Remove namespace declarations that the element inherits in the document."""
    # Only the first part declares namespaces: a digest's name or a media type cannot.
    first = next(parts)
    for each in declarations:
        first = first.replace(each, "")
    yield first
    yield from parts


def _base64(octets: bytes) -> str:
    return b64encode(octets).decode("ascii")


# --- Reading ----------------------------------------------------------------------------------

_START_OCTETS: Final = _START.encode()
_READ: Final = tuple(
    f"{{{namespace}}}{name}"
    for namespace, names in (
        (DS, ("Reference", "DigestValue", "SignatureValue", "X509Certificate")),
        (
            XADES,
            (
                *("SigningTime", "MimeType", "EncapsulatedTimeStamp", "CertificateValues"),
                *("EncapsulatedX509Certificate", "EncapsulatedCRLValue", "EncapsulatedOCSPValue"),
            ),
        ),
    )
    for name in names
)


def read_signature(blocks: Iterator[bytes]) -> ContainerSignature:
    """Read the file of a signature. Nothing of it is verified yet.

    Raises `ContainerFailure` for any other bytes than those that the values in it give.
    """
    found, digest = _Values(), sha256()
    for block in _with_exact_start(blocks):
        digest.update(block)
        found.feed(block)
    try:
        signature = found.signature()
        written = sha256()
        for block in signature.render():
            written.update(block)
    except (ValueError, LookupError, SignatureFailure):
        raise ContainerFailure(ContainerFinding.SIGNATURE_MALFORMED) from None
    if written.digest() != digest.digest():
        raise ContainerFailure(ContainerFinding.SIGNATURE_MALFORMED)
    return signature


def _with_exact_start(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the blocks, if they begin with the only start: no declaration, and so no DTD."""
    held = b""
    for block in blocks:
        held += block
        if len(held) >= len(_START_OCTETS):
            break
    if not held.startswith(_START_OCTETS):
        raise ContainerFailure(ContainerFinding.SIGNATURE_MALFORMED)
    yield held
    yield from blocks


class _Values:
    """The values of a signature while it is read, in the order of the document.

    Each element is removed after it was read, so memory holds the values and no tree.
    """

    def __init__(self) -> None:
        self._parser = build_pull_parser(_READ)
        self._uris: list[str] = []
        self._texts: defaultdict[str, list[str]] = defaultdict(list)

    def feed(self, block: bytes) -> None:
        """Read a block. Raises `ContainerFailure` if it is not well-formed."""
        try:
            self._parser.feed(block)
            for _, element in self._parser.read_events():
                if isinstance(element, etree._Element):
                    self._take(element)
        except etree.XMLSyntaxError:
            raise ContainerFailure(ContainerFinding.SIGNATURE_MALFORMED) from None

    def _take(self, element: "Element") -> None:
        name = etree.QName(element).localname
        if name == "Reference":
            self._uris.append(element.get("URI") or "")
        else:
            self._texts[name].append(element.text or "")
        element.clear()
        parent = element.getparent()
        while parent is not None and element.getprevious() is not None:
            del parent[0]

    def signature(self) -> ContainerSignature:
        """Return what was read. Raises `ValueError`, `LookupError` and `SignatureFailure`."""
        texts = self._texts
        uris, digests = self._uris[:-1], texts["DigestValue"][: len(self._uris) - 1]
        (certificate,), (value,), (time,) = (
            texts[name] for name in ("X509Certificate", "SignatureValue", "SigningTime")
        )
        files = [
            SignedFile(unquote(uri, errors="strict"), media_type, _octets(digest))
            for uri, media_type, digest in zip(uris, texts["MimeType"], digests, strict=True)
        ]
        return ContainerSignature(
            files=files,
            certificate=read_certificate(_octets(certificate)),
            signing_time=datetime.strptime(time, _TIME).replace(tzinfo=UTC),
            value=_octets(value),
            timestamps=tuple(map(_octets, texts["EncapsulatedTimeStamp"])),
            values=self._validation_values() if "CertificateValues" in texts else None,
        )

    def _validation_values(self) -> ValidationValues:
        certificates, crls, responses = (
            tuple(map(_octets, self._texts[f"Encapsulated{name}"]))
            for name in ("X509Certificate", "CRLValue", "OCSPValue")
        )
        if len(certificates) + len(crls) + len(responses) > MAX_VALUES:
            raise ValueError("too many values")
        return ValidationValues(certificates=certificates, crls=crls, responses=responses)


def _octets(text: str) -> bytes:
    return b64decode(text, validate=True)
