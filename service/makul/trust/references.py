"""Verification of the very elements that a pre-check has proved, by signxml.

signxml alone skips transforms it does not know, counts references after processing them, finds
what a URI names by searching, and cannot tell where in a document a reader will look. So whoever
verifies first proves the structure (`documents`, `wsse`) and hands over, for each reference, the
element it must be about. Here that element is canonicalised, and signxml compares digests and the
signature value. What was verified comes back as it was signed, parsed from the signed bytes.

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
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

from makul.domain.reasons import Code
from makul.trust import algorithms
from makul.trust.failures import SignatureFailure
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
CANONICALIZATION_METHOD = f"{{{DS}}}CanonicalizationMethod"
SIGNATURE_METHOD = f"{{{DS}}}SignatureMethod"
SIGNED_INFO = f"{{{DS}}}SignedInfo"
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
class Proven:
    """A reference and the element that a pre-check has proved it must be about."""

    reference: Reference
    element: "Element"


def read_references(signature: "Element") -> tuple[Reference, ...]:
    """The references of a signature, counted before any is read; SIG-02, SIG-03 or SIG-04."""
    signed_info = only_child(signature, SIGNED_INFO, code=Code.SIG_02)
    found = children_of(signed_info, _REFERENCE)
    if not 1 <= len(found) <= MAX_REFERENCES:
        raise SignatureFailure(Code.SIG_03, "too few or too many references")
    method = only_child(signed_info, CANONICALIZATION_METHOD, code=Code.SIG_02)
    algorithms.canonicalisation(method.get("Algorithm"))
    _prefixes(method)
    return tuple(read_reference(reference) for reference in found)


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
    method, prefixes = algorithms.INCLUSIVE, ()
    if steps:
        method = algorithms.canonicalisation(steps[0].get("Algorithm"))
        prefixes = _prefixes(steps[0])
    return Reference(
        uri=_uri(reference),
        kind=reference.get("Type"),
        enveloped=enveloped,
        method=method,
        prefixes=prefixes,
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
    at: datetime,
) -> Mapping[str, "Element"]:
    """What was signed, by reference URI, parsed from the signed bytes; SIG-02 where it was not.

    The certificate's own term must be checked before: signxml would refuse it as SIG-02.
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
        raise SignatureFailure(Code.SIG_02, why) from None
    return verifier.signed()


class _ProvenVerifier(XMLVerifier):
    """signxml's verifier, shown each reference's element instead of looking for it."""

    def __init__(self, signature: "Element", proven: Sequence[Proven]) -> None:
        super().__init__()
        self._signature = signature
        self._proven = proven
        self._octets: Sequence[bytes] = ()
        self._signed: dict[str, Element] = {}

    def signed(self) -> Mapping[str, "Element"]:
        """What was signed, by URI; SIG-03 unless every proven reference was verified."""
        if self._signed.keys() != {part.reference.uri for part in self._proven}:
            raise SignatureFailure(Code.SIG_03, "not every reference was verified")
        return self._signed

    def get_root(self, data: "Element") -> "Element":
        return data

    def _get_signature(self, root: "Element") -> "Element":
        del root
        return self._signature

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
            raise SignatureFailure(Code.SIG_02, "a signed part was changed")
        parsed = etree.fromstring(octets, safe_parser())
        self._signed[self._proven[index].reference.uri] = parsed
        return VerifyResult(octets, parsed, signature, b"")

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
