"""What a signature says it signed: read strictly, before anything is verified (`core`).

Stock verifiers skip transforms they do not know, count references after processing them, and find
what a URI names by searching. Here references are counted first, and every transform and algorithm
that is not listed is refused.
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
from makul.trust.base import algorithms
from makul.trust.base.errors import SignatureFailure
from makul.trust.xmldsig.parsing import DS, EXC_C14N, binary_of, only_child, only_one
from makul.trust.xmldsig.transforms import split_removals

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

ReadT = TypeVar("ReadT")

MAX_REFERENCES = 3
"""The document, SignedProperties, KeyInfo. More are refused before any is looked at."""
MAX_PREFIXES = 32
"""More namespaces than any envelope of ours declares."""
MAX_PREFIX_LIST = 4096
"""Characters: prefixes of a hundred each, with room between them."""

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


_CAUSES = {"Transform": Cause.TRANSFORM, "CanonicalizationMethod": Cause.CANONICALISATION}


class Reference(NamedTuple):
    """What one `ds:Reference` says, every algorithm of it accepted."""

    uri: str
    kind: str | None
    """Its `Type` attribute."""
    enveloped: bool
    """Is the signature removed? Then the document may hold no other Signature (`transforms`)."""
    method: CanonicalizationMethod
    prefixes: tuple[str, ...]
    digest: DigestAlgorithm
    value: bytes
    """The digest as written."""


class SignedInfo(NamedTuple):
    """What `ds:SignedInfo` says, every algorithm but the signature's own accepted."""

    element: "Element"
    """The element itself, which the signature's value is over."""
    canonicalisation: CanonicalizationMethod
    prefixes: tuple[str, ...]
    method: str | None
    """The signature method as written; `algorithms.signature_method` judges it by the key."""
    references: tuple[Reference, ...]


class Proven(NamedTuple):
    """A reference and the element that a pre-check has proved it must be about."""

    reference: Reference
    element: "Element"


def read_signed_info(signature: "Element") -> SignedInfo:
    """A signature's own account, its references counted before any is read; SIG-02, 03 or 04."""
    signed_info = only_child(signature, _SIGNED_INFO, code=Code.SIG_02)
    parts = list(signed_info)
    references = [part for part in parts if part.tag == _REFERENCE]
    if not 1 <= len(references) <= MAX_REFERENCES:
        raise SignatureFailure(
            Code.SIG_03,
            "too few or too many references",
            field="Reference",
            cause=Cause.REFERENCE_TARGET,
        )
    step = only_one(parts, _CANONICALIZATION_METHOD, code=Code.SIG_02)
    return SignedInfo(
        element=signed_info,
        canonicalisation=_within("CanonicalizationMethod", algorithms.canonicalisation, step),
        prefixes=read_prefixes(step),
        method=only_one(parts, _SIGNATURE_METHOD, code=Code.SIG_02).get("Algorithm"),
        references=tuple(read_reference(reference) for reference in references),
    )


def read_reference(reference: "Element") -> Reference:
    """One reference: the signature removed at most, then one canonicalisation at most; SIG-04."""
    parts = list(reference)
    transforms = [part for part in parts if part.tag == _TRANSFORMS]
    steps: Sequence[Element] = list(transforms[0]) if transforms else []
    if len(transforms) > 1 or any(step.tag != _TRANSFORM for step in steps):
        raise _transform("an unknown element among the transforms")
    enveloped, steps = split_removals(steps)
    if len(steps) > 1:
        raise _transform("more than one canonicalisation, or an unknown transform")
    digest = only_one(parts, _DIGEST_METHOD, code=Code.SIG_02)
    step = steps[0] if steps else None
    return Reference(
        uri=_uri(reference),
        kind=reference.get("Type"),
        enveloped=enveloped,
        method=(
            algorithms.INCLUSIVE
            if step is None
            else _within("Transform", algorithms.canonicalisation, step)
        ),
        prefixes=() if step is None else read_prefixes(step),
        digest=_within("DigestMethod", algorithms.digest_algorithm, digest),
        value=binary_of(only_one(parts, _DIGEST_VALUE, code=Code.SIG_02)),
    )


def _uri(reference: "Element") -> str:
    uri = reference.get("URI")
    if uri is None:
        raise SignatureFailure(
            Code.SIG_03,
            "a reference without a URI",
            field="Reference",
            cause=Cause.REFERENCE_TARGET,
        )
    return uri


def read_prefixes(step: "Element") -> tuple[str, ...]:
    """The PrefixList of an exclusive canonicalisation; nothing else may stand in the step."""
    if not len(step):
        return ()
    exclusive = step.get("Algorithm") == algorithms.EXCLUSIVE.value
    if len(step) > 1 or step[0].tag != _INCLUSIVE_NAMESPACES or not exclusive:
        raise _transform("a canonicalisation with unknown parameters", "InclusiveNamespaces")
    listed = step[0].get("PrefixList") or ""
    # By its length first: split, 16 MB of it are 300 of strings.
    prefixes = tuple(listed.split()) if len(listed) <= MAX_PREFIX_LIST else ()
    if len(listed) > MAX_PREFIX_LIST or len(prefixes) > MAX_PREFIXES:
        raise _transform("a PrefixList that is too long", "InclusiveNamespaces")
    return prefixes


def _transform(why: str, field: str = "Transform") -> SignatureFailure:
    return SignatureFailure(Code.SIG_04, why, field=field, cause=Cause.TRANSFORM)


def _within(field: str, read: Callable[[str | None], ReadT], element: "Element") -> ReadT:
    """Return what an algorithm's URI means; a failure names the element that bears it."""
    try:
        return read(element.get("Algorithm"))
    except SignatureFailure as failure:
        raise failure.within(field, _CAUSES.get(field)) from None
