"""The attack corpus: documents made to deceive, and the reason for which each must be refused."""

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
"""Good signatures of somebody who is not proved to be the subject."""
VECTORS = REFUSED + ACCEPTED
