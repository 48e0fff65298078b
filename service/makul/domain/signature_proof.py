"""Turn the proof of a document's signature from `trust` into a ruling (cl. 4 and 5)."""

from makul.domain.disclosures import (
    Proof,
    ProofStatus,
)
from makul.domain.reasons import Code, Reason
from makul.domain.rules import Ruling, fails, holds, unknown


def judge_proof(
    code: Code, proof: Proof, *, readable: bool = True, signed_by_party: bool = True
) -> Ruling:
    """Return whether the expected signer signed the document, as a ruling.

    It passes only with a signer and a readable document.
    """
    reasons = tuple(
        Reason(code=code, because=because, field=proof.field, cause=proof.cause)
        for because in proof.reasons
    )
    if proof.status is ProofStatus.INDETERMINATE:
        return unknown(code, *(reasons or (Reason(code=code, because=Code.SIG_07),)))
    passed = proof.status is ProofStatus.PASSED and not proof.reasons
    if not passed or not readable or proof.signer is None:
        return fails(code, *(reasons or (Reason(code=code),)))
    if not signed_by_party:
        return fails(code, Reason(code=code, because=Code.SIG_08))
    return holds(code, True)
