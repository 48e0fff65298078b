"""Judge what follows after a disclosure by vital necessity (Procedure, cl. 5.2)."""

from collections.abc import Iterator

from makul.domain.legal_bases import Provision
from makul.domain.monthly_statements import (
    ExceptionFact,
    ExceptionKind,
    GroundTerms,
    LineException,
)


def find_unconfirmed_need(terms: GroundTerms | None) -> Iterator[LineException]:
    """Yield the exception of a disclosure whose need the record does not confirm.

    It asks the parties of the month to look. The statement is a ground in law, so it shows no
    absent consent.
    """
    if terms is not None and terms.provision == Provision.VITAL_INTEREST:
        yield LineException(
            kind=ExceptionKind.NECESSITY_UNCONFIRMED, fact=ExceptionFact.VITAL_INTEREST_INVOKED
        )
