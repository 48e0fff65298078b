"""Effects are applied by their type, in one order, for any order in the decision."""

from itertools import permutations
from typing import get_args

import pytest

from makul.app.ports import Committed, Conflict, DecisionEffect, MeteredUse, QuotaUse
from makul.domain.disclosures import GroundUse
from makul.domain.match_attempts import AttemptLimits
from makul.domain.reasons import Code
from makul.store import Store
from makul.store.records import effects
from makul_testing.builders.entries import (
    a_comparison,
    a_failed_match,
    a_metered_release,
    a_release,
)
from makul_testing.builders.records import BANK, a_consent

NONE_LEFT = AttemptLimits(failures_by_recipient_and_pin=1)
SPENT = a_consent(allowed=0)
OVER = (a_comparison(limits=NONE_LEFT), MeteredUse(ground=SPENT), QuotaUse(quota=0))


def test_every_effect_has_its_place() -> None:
    """An effect that is added without one fails here."""
    assert set(effects._ORDER) == set(get_args(DecisionEffect))


@pytest.mark.parametrize("named", list(permutations(OVER)))
def test_the_order_of_the_checks_is_the_stores(
    store: Store, named: tuple[DecisionEffect, ...]
) -> None:
    """The first in the order of the locks is reported if several limits are reached."""
    assert store.recorder.record(a_failed_match()) == Committed()

    result = store.recorder.record(a_release(*named))

    assert isinstance(result, Conflict)
    assert [reason.code for reason in result.reasons] == [Code.MAT_06]


def test_nothing_is_counted_if_a_later_limit_is_reached(store: Store) -> None:
    """The ground is counted before the quota, and together with it or not at all."""
    ground = a_consent(allowed=5)

    result = store.recorder.record(a_metered_release(ground, QuotaUse(quota=0)))

    assert isinstance(result, Conflict)
    assert [reason.code for reason in result.reasons] == [Code.AGR_06]
    assert store.register.use(BANK, ground) == GroundUse()
