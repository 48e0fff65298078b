"""Disclosures by vital necessity are exceptions of their month (Procedure, cl. 5.2)."""

from datetime import timedelta

import pytest

from makul.domain.consents import ResultForm
from makul.domain.legal_bases import Provision
from makul.domain.monthly_statements import GroundTerms
from makul.domain.necessity import find_unconfirmed_need
from makul_testing.builders.records import AGREEMENT_NUMBER, AZAMAT, NOON, POLICE, PURPOSE


@pytest.mark.parametrize("provision", [*Provision, None])
def test_only_vital_necessity_needs_a_confirmation(provision: Provision | None) -> None:
    """A consent and every other provision of cl. 5 stand by themselves."""
    terms = GroundTerms(
        recipient=POLICE,
        subject=AZAMAT,
        result_form=ResultForm.DATA,
        max_disclosures=1,
        agreement_number=AGREEMENT_NUMBER,
        purpose=PURPOSE,
        attributes=frozenset({"surname"}),
        valid_from=NOON,
        valid_to=NOON + timedelta(days=1),
        provision=provision.value if provision is not None else None,
    )

    kinds = [each.kind for each in find_unconfirmed_need(terms)]

    vital = provision is Provision.VITAL_INTEREST
    assert kinds == (["NECESSITY_UNCONFIRMED"] if vital else [])


def test_a_document_that_cannot_be_read_names_no_provision() -> None:
    """It is an exception of another kind already."""
    assert list(find_unconfirmed_need(None)) == []
