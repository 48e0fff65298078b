"""Read `ds:SignedInfo` strictly, before `xmldsig.verification` verifies anything.

Stock verifiers skip transforms that they do not know, count references after they process them, and
search for the element that a URI names. Here references are counted first, and every transform and
algorithm that is not listed is refused.
"""

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from signxml.algorithms import (
    CanonicalizationMethod,
    DigestAlgorithm,
)

from makul.domain.causes import Cause
from makul.domain.reasons import Code
from makul.language.translation import mark
from makul.trust.base import algorithms
from makul.trust.base.errors import SignatureFailure
from makul.trust.xmldsig.parsing import DS, EXC_C14N, only_child, only_one, read_binary
from makul.trust.xmldsig.transforms import split_removals

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

ReadT = TypeVar("ReadT")

MAX_REFERENCES = 3
"""The maximum number of references: the document, SignedProperties, KeyInfo. A signature with more
is refused before any reference is read."""
MAX_PREFIXES = 32
"""The maximum number of prefixes in a PrefixList. No envelope of ours declares so many
namespaces."""
MAX_PREFIX_LIST = 4096
"""The maximum length of a PrefixList in characters: `MAX_PREFIXES` of some hundred characters each,
with white space between them."""

_CANONICALIZATION_METHOD = f"{{{DS}}}CanonicalizationMethod"
_SIGNATURE_METHOD = f"{{{DS}}}SignatureMethod"
_SIGNED_INFO = f"{{{DS}}}SignedInfo"
_REFERENCE = f"{{{DS}}}Reference"
_TRANSFORMS = f"{{{DS}}}Transforms"
_TRANSFORM = f"{{{DS}}}Transform"
_DIGEST_METHOD = f"{{{DS}}}DigestMethod"
_DIGEST_VALUE = f"{{{DS}}}DigestValue"
_INCLUSIVE_NAMESPACES = f"{{{EXC_C14N}}}InclusiveNamespaces"

# At DEBUG signxml logs whole canonicalised documents, which are personal data. Its own logger is
# set because the level of the root logger may be DEBUG (docs/architecture.md, invariant 7).
logging.getLogger("signxml.processor").setLevel(logging.INFO)


_CAUSES = {"Transform": Cause.TRANSFORM, "CanonicalizationMethod": Cause.CANONICALISATION}


class Reference(NamedTuple):
    """One `ds:Reference` as it was read. All its algorithms are accepted ones."""

    uri: str
    kind: str | None
    """The `Type` attribute."""
    enveloped: bool
    """True if a transform removes the signature. The document may then contain no other Signature
    element (`xmldsig.transforms`)."""
    method: CanonicalizationMethod
    prefixes: tuple[str, ...]
    digest: DigestAlgorithm
    value: bytes
    """The digest as the signer wrote it."""


class SignedInfo(NamedTuple):
    """A `ds:SignedInfo` as it was read. All its algorithms are accepted ones except `method`."""

    element: "Element"
    """The element itself. The signature value is computed over it."""
    canonicalisation: CanonicalizationMethod
    prefixes: tuple[str, ...]
    method: str | None
    """The signature method as written. `base.algorithms.signature_method` judges it by the key."""
    references: tuple[Reference, ...]


class ProvenReference(NamedTuple):
    """A reference, and the element that it must sign as a pre-check has proved."""

    reference: Reference
    element: "Element"


def read_signed_info(signature: "Element") -> SignedInfo:
    """Read the `ds:SignedInfo` of a signature, and count its references before it reads one.

    Raises `SignatureFailure` (SIG-02, SIG-03 or SIG-04).
    """
    signed_info = only_child(signature, _SIGNED_INFO, code=Code.SIG_02)
    parts = list(signed_info)
    references = [part for part in parts if part.tag == _REFERENCE]
    if not 1 <= len(references) <= MAX_REFERENCES:
        raise SignatureFailure(
            Code.SIG_03,
            mark("too few or too many references"),
            field="Reference",
            cause=Cause.REFERENCE_TARGET,
        )
    step = only_one(parts, _CANONICALIZATION_METHOD, code=Code.SIG_02)
    return SignedInfo(
        element=signed_info,
        canonicalisation=_read_within("CanonicalizationMethod", algorithms.canonicalisation, step),
        prefixes=read_prefixes(step),
        method=only_one(parts, _SIGNATURE_METHOD, code=Code.SIG_02).get("Algorithm"),
        references=tuple(read_reference(reference) for reference in references),
    )


def read_reference(reference: "Element") -> Reference:
    """Read one reference.

    Its transforms may remove the signature, and then canonicalise once. Raises `SignatureFailure`:
    SIG-04 for other transforms and algorithms, SIG-02 or SIG-03 for a missing or repeated part.
    """
    parts = list(reference)
    transforms = [part for part in parts if part.tag == _TRANSFORMS]
    steps: Sequence[Element] = list(transforms[0]) if transforms else []
    if len(transforms) > 1 or any(step.tag != _TRANSFORM for step in steps):
        raise _transform(mark("an unknown element among the transforms"))
    enveloped, steps = split_removals(steps)
    if len(steps) > 1:
        raise _transform(mark("more than one canonicalisation, or an unknown transform"))
    digest = only_one(parts, _DIGEST_METHOD, code=Code.SIG_02)
    step = steps[0] if steps else None
    return Reference(
        uri=_uri(reference),
        kind=reference.get("Type"),
        enveloped=enveloped,
        method=(
            algorithms.INCLUSIVE
            if step is None
            else _read_within("Transform", algorithms.canonicalisation, step)
        ),
        prefixes=() if step is None else read_prefixes(step),
        digest=_read_within("DigestMethod", algorithms.digest_algorithm, digest),
        value=read_binary(only_one(parts, _DIGEST_VALUE, code=Code.SIG_02)),
    )


def _uri(reference: "Element") -> str:
    uri = reference.get("URI")
    if uri is None:
        raise SignatureFailure(
            Code.SIG_03,
            mark("a reference without a URI"),
            field="Reference",
            cause=Cause.REFERENCE_TARGET,
        )
    return uri


def read_prefixes(step: "Element") -> tuple[str, ...]:
    """Return the PrefixList of an exclusive canonicalisation.

    Raises `SignatureFailure` (SIG-04) if the step contains anything else.
    """
    if not len(step):
        return ()
    exclusive = step.get("Algorithm") == algorithms.EXCLUSIVE.value
    if len(step) > 1 or step[0].tag != _INCLUSIVE_NAMESPACES or not exclusive:
        raise _transform(mark("a canonicalisation with unknown parameters"), "InclusiveNamespaces")
    listed = step[0].get("PrefixList") or ""
    # The length is checked before the split, because 16 MB would become 300 MB of strings.
    prefixes = tuple(listed.split()) if len(listed) <= MAX_PREFIX_LIST else ()
    if len(listed) > MAX_PREFIX_LIST or len(prefixes) > MAX_PREFIXES:
        raise _transform(mark("a PrefixList that is too long"), "InclusiveNamespaces")
    return prefixes


def _transform(why: str, field: str = "Transform") -> SignatureFailure:
    return SignatureFailure(Code.SIG_04, why, field=field, cause=Cause.TRANSFORM)


def _read_within(field: str, read: Callable[[str | None], ReadT], element: "Element") -> ReadT:
    """Return the algorithm that the element's URI names; a failure names the given field."""
    try:
        return read(element.get("Algorithm"))
    except SignatureFailure as failure:
        raise failure.within(field, _CAUSES.get(field)) from None
