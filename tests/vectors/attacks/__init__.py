"""The attack corpus: deceptive documents, each with the reason for which it must be refused."""

from vectors.attacks import (
    accepted,
    certificates,
    content,
    keys,
    proofs,
    properties,
    references,
    signatures,
    values,
    wrapping,
)
from vectors.attacks.vector import Vector

REFUSED: tuple[Vector, ...] = (
    *wrapping.VECTORS,
    *signatures.VECTORS,
    *references.VECTORS,
    *keys.VECTORS,
    *certificates.VECTORS,
    *properties.VECTORS,
    *values.VECTORS,
    *content.VECTORS,
    *proofs.VECTORS,
)
ACCEPTED: tuple[Vector, ...] = accepted.VECTORS + proofs.GOOD
SIGNERS: tuple[Vector, ...] = certificates.NOT_THE_SUBJECT
"""Good signatures of a signer who is not proved to be the subject."""
VECTORS = REFUSED + ACCEPTED
