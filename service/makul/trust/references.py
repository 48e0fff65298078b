"""Verification of the very elements that a pre-check has proved, by signxml.

signxml alone skips transforms it does not know, counts references after processing them, finds
what a URI names by searching, and cannot tell where in a document a reader will look. So whoever
verifies first proves the structure (`documents`, `wsse`) and hands over, for each reference, the
element it must be about. Here that element is canonicalised, and signxml compares digests and the
signature value. What comes back are the signed bytes: parse these, and read nothing else.

`_verify_reference`, `_c14n` and the two look-ups are signxml's inner methods: its version is
pinned exactly, and `tests/trust/test_references.py` holds them against the stock verifier.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import TYPE_CHECKING, Any

from cryptography import x509
from lxml import etree
from signxml.algorithms import (
    CanonicalizationMethod,
    DigestAlgorithm,
    SignatureConstructionMethod,
)
from signxml.exceptions import InvalidSignature, SignXMLException
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

from makul.domain.reasons import Code
from makul.trust import algorithms
from makul.trust.failures import SignatureFailure
from makul.trust.findings import SubIndication
from makul.trust.xml import (
    DS,
    EXC_C14N,
    binary_of,
    canonical,
    canonical_without,
    children_of,
    only_child,
    safe_parser,
)

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

MAX_REFERENCES = 3
"""The document, SignedProperties, KeyInfo. More are refused before any is looked at."""
MAX_PREFIXES = 32
"""More namespaces than any envelope of ours declares."""

ENVELOPED = SignatureConstructionMethod.enveloped.value
_CANONICALIZATION_METHOD = f"{{{DS}}}CanonicalizationMethod"
_SIGNATURE_METHOD = f"{{{DS}}}SignatureMethod"
_SIGNED_INFO = f"{{{DS}}}SignedInfo"
_REFERENCE = f"{{{DS}}}Reference"
_TRANSFORMS = f"{{{DS}}}Transforms"
_TRANSFORM = f"{{{DS}}}Transform"
_DIGEST_METHOD = f"{{{DS}}}DigestMethod"
_DIGEST_VALUE = f"{{{DS}}}DigestValue"
_INCLUSIVE_NAMESPACES = f"{{{EXC_C14N}}}InclusiveNamespaces"

# signxml logs whole canonicalised documents at DEBUG: personal data, whatever the root logger says.
logging.getLogger("signxml.processor").setLevel(logging.INFO)


@dataclass(frozen=True, slots=True)
class Reference:
    """What one `ds:Reference` says, every algorithm of it accepted."""

    uri: str
    kind: str | None
    """Its `Type` attribute."""
    enveloped: bool
    method: CanonicalizationMethod
    prefixes: tuple[str, ...]
    digest: DigestAlgorithm


@dataclass(frozen=True, slots=True)
class SignedInfo:
    """What `ds:SignedInfo` says, every algorithm but the signature's own accepted."""

    canonicalisation: CanonicalizationMethod
    method: str | None
    """The signature method as written; `algorithms.signature_method` judges it by the key."""
    references: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class Proven:
    """A reference and the element that a pre-check has proved it must be about."""

    reference: Reference
    element: "Element"


def read_signed_info(signature: "Element") -> SignedInfo:
    """A signature's own account, its references counted before any is read; SIG-02, 03 or 04."""
    signed_info = only_child(signature, _SIGNED_INFO, code=Code.SIG_02)
    references = children_of(signed_info, _REFERENCE)
    if not 1 <= len(references) <= MAX_REFERENCES:
        raise SignatureFailure(Code.SIG_03, "too few or too many references")
    step = only_child(signed_info, _CANONICALIZATION_METHOD, code=Code.SIG_02)
    _prefixes(step)
    return SignedInfo(
        canonicalisation=algorithms.canonicalisation(step.get("Algorithm")),
        method=only_child(signed_info, _SIGNATURE_METHOD, code=Code.SIG_02).get("Algorithm"),
        references=tuple(read_reference(reference) for reference in references),
    )


def read_reference(reference: "Element") -> Reference:
    """One reference: enveloped-signature at most, then one canonicalisation at most; SIG-04."""
    transforms = children_of(reference, _TRANSFORMS)
    steps = list(transforms[0]) if transforms else []
    if len(transforms) > 1 or any(step.tag != _TRANSFORM for step in steps):
        raise SignatureFailure(Code.SIG_04, "an unknown element among the transforms")
    enveloped = bool(steps) and steps[0].get("Algorithm") == ENVELOPED
    if enveloped:
        if len(steps[0]):
            raise SignatureFailure(Code.SIG_04, "the enveloped transform takes no parameters")
        steps = steps[1:]
    if len(steps) > 1:
        raise SignatureFailure(Code.SIG_04, "more than one canonicalisation")
    digest = only_child(reference, _DIGEST_METHOD, code=Code.SIG_02)
    step = steps[0] if steps else None
    return Reference(
        uri=_uri(reference),
        kind=reference.get("Type"),
        enveloped=enveloped,
        method=(
            algorithms.INCLUSIVE
            if step is None
            else algorithms.canonicalisation(step.get("Algorithm"))
        ),
        prefixes=() if step is None else _prefixes(step),
        digest=algorithms.digest_algorithm(digest.get("Algorithm")),
    )


def _uri(reference: "Element") -> str:
    uri = reference.get("URI")
    if uri is None:
        raise SignatureFailure(Code.SIG_03, "a reference without a URI")
    return uri


def _prefixes(step: "Element") -> tuple[str, ...]:
    """The PrefixList of an exclusive canonicalisation; nothing else may stand in the step."""
    if not len(step):
        return ()
    exclusive = step.get("Algorithm") == algorithms.EXCLUSIVE.value
    if len(step) > 1 or step[0].tag != _INCLUSIVE_NAMESPACES or not exclusive:
        raise SignatureFailure(Code.SIG_04, "a canonicalisation with unknown parameters")
    prefixes = tuple((step[0].get("PrefixList") or "").split())
    if len(prefixes) > MAX_PREFIXES:
        raise SignatureFailure(Code.SIG_04, "a PrefixList that is too long")
    return prefixes


def verify_proven(
    signature: "Element",
    proven: Sequence[Proven],
    certificate: x509.Certificate,
    *,
    at: datetime | None,
) -> Mapping[str, bytes]:
    """The signed bytes, canonical, by reference URI; SIG-02 where they were not signed.

    The certificate's own term is checked at `at`; None leaves that to whoever judges its path.
    """
    verifier = _ProvenVerifier(signature, proven)
    config = SignatureConfiguration(
        require_x509=True,
        location="./",
        expect_references=True,
        signature_methods=algorithms.SIGNATURE_METHODS,
        digest_algorithms=frozenset(algorithms.DIGESTS.values()),
        ignore_ambiguous_key_info=False,
        verification_time=at,
        default_reference_c14n_method=algorithms.INCLUSIVE,
    )
    try:
        verifier.verify(
            signature,
            x509_cert=certificate,
            validate_schema=True,
            parser=safe_parser(),
            expect_config=config,
        )
    except SignatureFailure:
        raise
    except (SignXMLException, etree.LxmlError, ValueError, TypeError, AttributeError) as error:
        # Whatever signxml trips over, the signature was not verified.
        why = f"the signature does not verify ({type(error).__name__})"
        wrong_value = isinstance(error, InvalidSignature)
        sub = SubIndication.SIG_CRYPTO_FAILURE if wrong_value else SubIndication.FORMAT_FAILURE
        raise SignatureFailure(Code.SIG_02, why, sub) from None
    return verifier.signed()


class _ProvenVerifier(XMLVerifier):
    """signxml's verifier, shown each reference's element instead of looking for it."""

    def __init__(self, signature: "Element", proven: Sequence[Proven]) -> None:
        super().__init__()
        self._signature = signature
        self._proven = proven
        self._octets: Sequence[bytes] = ()
        self._signed: dict[str, bytes] = {}

    def signed(self) -> Mapping[str, bytes]:
        """What was signed, by URI; SIG-03 unless every proven reference was verified."""
        if self._signed.keys() != {part.reference.uri for part in self._proven}:
            raise SignatureFailure(Code.SIG_03, "not every reference was verified")
        return self._signed

    def get_root(self, data: "Element") -> "Element":
        return data

    def _get_signature(self, root: "Element") -> "Element":
        del root
        return self._signature

    def _find(
        self,
        element: "Element",
        query: str,
        require: bool = True,  # noqa: FBT002 - signxml's own signature
        xpath: str = "",
    ) -> "Element | None":
        """The first child of that name in `ds`; signxml's XPath costs ten times as much."""
        if ":" in query or xpath:
            raise SignatureFailure(Code.SIG_02, "a look-up that this signature should not need")
        found = next(element.iterchildren(f"{{{DS}}}{query}"), None)
        if require and found is None:
            raise SignatureFailure(Code.SIG_02, "a part of the signature is missing")
        return found

    def _check_cert_validity(self, cert: x509.Certificate, cert_source: str) -> None:
        """As signxml's, but without spelling out whose certificate it is."""
        del cert_source
        at = self.config.verification_time
        if at is not None and not cert.not_valid_before_utc <= at <= cert.not_valid_after_utc:
            raise SignatureFailure(Code.SIG_05, "the certificate is out of its term")

    def _c14n(
        self,
        nodes: "Element",
        algorithm: CanonicalizationMethod,
        inclusive_ns_prefixes: Sequence[str] | None = None,
    ) -> bytes:
        return canonical(nodes, algorithm, inclusive_ns_prefixes or ())

    def _verify_reference(  # noqa: PLR0917 - signxml's own signature
        self,
        reference: "Element",
        index: int,
        root: "Element",
        uri_resolver: object,
        c14n_algorithm: object,
        signature: "Element",
        signature_key_used: Any,
    ) -> VerifyResult:
        """The verified reference must say what the pre-check read, and its digest must hold."""
        del root, uri_resolver, c14n_algorithm, signature_key_used
        if index >= len(self._proven) or read_reference(reference) != self._proven[index].reference:
            raise SignatureFailure(Code.SIG_03, "a reference that the pre-check did not see")
        if not self._octets:
            self._octets = self._canonicalise()
        octets = self._octets[index]
        algorithm = self._proven[index].reference.digest
        claimed = binary_of(only_child(reference, _DIGEST_VALUE))
        if not compare_digest(claimed, self._get_digest(octets, algorithm)):
            raise SignatureFailure(
                Code.SIG_02, "a signed part was changed", SubIndication.HASH_FAILURE
            )
        self._signed[self._proven[index].reference.uri] = octets
        return VerifyResult(octets, None, signature, b"")

    def _canonicalise(self) -> Sequence[bytes]:
        """Inner parts first: cutting the signature out changes where its namespaces are written."""
        octets = {
            index: canonical(part.element, part.reference.method, part.reference.prefixes)
            for index, part in enumerate(self._proven)
            if not part.reference.enveloped
        }
        for index, part in enumerate(self._proven):
            if part.reference.enveloped:
                octets[index] = canonical_without(
                    part.element,
                    self._signature,
                    part.reference.method,
                    part.reference.prefixes,
                )
        return [octets[index] for index in range(len(self._proven))]
