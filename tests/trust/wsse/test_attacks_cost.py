"""Documents whose processing in libxml2 costs quadratic time are refused early."""

import json
from collections.abc import Callable

import pytest

from makul.domain.reasons import Code
from makul.trust.validation.documents import XadesVerifier
from makul.trust.xmldsig.parsing import MAX_EQUALS
from makul_testing.builders.xades import Forge
from makul_testing.pki.authorities import NOW


def many_attributes(count: int) -> str:
    """Build 20,000 attributes, which took two seconds: they are insertion-sorted (Canonical XML,
    2.2).
    """
    return "".join(f' a{number}=""' for number in range(count))


def many_namespaces(count: int) -> str:
    """Build 7,000 namespaces over 9,000 elements, which took four seconds."""
    return "".join(f' xmlns:a{number}="u:"' for number in range(count))


@pytest.mark.parametrize("many", [many_attributes, many_namespaces])
def test_a_document_of_attributes_alone_is_refused_unread(
    documents: XadesVerifier, world, many: Callable[[int], str]
) -> None:
    """SIG-02 before parsing: a cheap refusal leaves an attacker less to gain."""
    good = Forge(holder=world.citizen).signed().decode()
    forged = good.replace(' Id="consent"', f' Id="consent"{many(MAX_EQUALS)}', 1)

    verified = documents.verify(forged.encode(), at=NOW)

    assert verified.proof.reasons == (Code.SIG_02,)
    assert json.loads(verified.report)["why"] == "more attributes than any document needs"
