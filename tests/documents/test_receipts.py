"""Receipts are valid by receipt.xsd, canonical, and ready for the signature (invariant 8)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makul.documents import UnwritableError, XmlDocuments
from makul.domain.attributes import Attribute
from makul.domain.disclosures import Outcome
from makul.domain.reasons import Code, Reason
from makul_testing.builders.documents import BANK, OPERATOR, RECEIPT, canonical, local_names, valid

DOCUMENTS = XmlDocuments(OPERATOR)
NAMESPACES = {"p": "urn:makul:receipt:1"}
SHA256 = st.binary(min_size=32, max_size=32)


@given(
    st.frozensets(st.sampled_from(Attribute)),
    st.lists(
        st.builds(Reason, code=st.sampled_from(Code), because=st.none() | st.sampled_from(Code)),
        max_size=3,
    ),
    SHA256,
    SHA256,
)
def test_a_receipt_is_valid_and_its_own_canonical_form(
    released: frozenset[Attribute], reasons: list[Reason], leaf: bytes, request: bytes
) -> None:
    """These very bytes are signed, so canonicalising must change nothing."""
    written = DOCUMENTS.receipt(
        replace(
            RECEIPT,
            released=released,
            reasons=tuple(reasons),
            leaf_hash=leaf,
            request_digest=request,
        )
    )
    root = valid(written, "receipt")

    assert canonical(root) == written
    names = [found.text for found in root.iterfind("p:attribute", namespaces=NAMESPACES)]
    assert names == [name.value for name in Attribute if name in released]


def test_the_root_has_space_for_its_signature() -> None:
    """The root has the Reference's target, and space for the signature before the end tag."""
    written = DOCUMENTS.receipt(RECEIPT)
    signature = b'<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"></ds:Signature>'
    signed = written.removesuffix(b"</Receipt>") + signature + b"</Receipt>"

    assert valid(written, "receipt").get("Id") == f"receipt-{RECEIPT.receipt_id}"
    assert canonical(valid(signed, "receipt")) == signed


def test_a_refusal_names_no_ground_and_no_payload_it_does_not_have() -> None:
    """An absent part is omitted."""
    refused = replace(
        RECEIPT,
        outcome=Outcome.REFUSED,
        agreement_number=None,
        reasons=(Reason(code=Code.CNS_02, because=Code.SIG_06, field="ground"),),
        released=frozenset(),
        payload_digest=None,
        ground=None,
    )
    root = valid(DOCUMENTS.receipt(refused), "receipt")

    assert not {"agreementNumber", "attribute", "payloadDigest", "ground"} & set(local_names(root))


def test_a_receipt_binds_the_answer_and_holds_no_salt() -> None:
    """docs/architecture.md, invariants 7 and 8: a receipt covers the answer, and no data can be
    guessed.
    """
    names = local_names(valid(DOCUMENTS.receipt(RECEIPT), "receipt"))

    assert "answerDigest" in names
    assert "payloadSalt" not in names


def test_another_operators_receipt_is_not_written() -> None:
    """A service may only state its own acts."""
    with pytest.raises(UnwritableError):
        DOCUMENTS.receipt(replace(RECEIPT, operator=BANK))
