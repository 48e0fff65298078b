"""A recipient at full speed: its requests are limited, and its refusals are small (REQ-06)."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from makul.composition.adapters import utc_now
from makul.domain.attributes import Attribute
from makul.domain.usage import UsageLimits
from makul_testing.clock import SteppedClock
from makul_testing.in_process_service import (
    TYPES,
    InProcessService,
    RecordDatabase,
    ServiceAnswer,
    about,
    build_installation,
    person_request,
)
from makul_testing.raw_sql import raw

LIMITS = UsageLimits(requests_a_minute=3, bytes_a_day=1_000_000)
MAX_REFUSAL_BYTES = 4_096


@pytest.fixture(scope="module")
def clock() -> SteppedClock:
    """Return a clock at the beginning of a minute, so that no test spans two."""
    now = utc_now()
    return SteppedClock(now.replace(second=0, microsecond=0))


@pytest.fixture(scope="module")
def limited(
    tmp_path_factory: pytest.TempPathFactory, clock: SteppedClock, record_database: RecordDatabase
) -> Iterator[InProcessService]:
    """Build a service whose settings permit three requests a minute."""
    built = build_installation(
        tmp_path_factory.mktemp("usage"),
        clock=clock,
        parts=lambda adapters: replace(adapters, limits=LIMITS),
        database=record_database,
    )
    yield built
    built.close()


def ask(installation: InProcessService, name: str, by: str = "bank") -> ServiceAnswer:
    document = installation.document(name)
    request = person_request(
        **about(installation.person_of(document), of=document.presented_by, document=document)
    )
    return installation.ask(request, by=by)


def test_a_recipient_beyond_its_limit_is_refused_and_then_rejected(
    limited: InProcessService, clock: SteppedClock
) -> None:
    """REQ-06: a receipt and the seconds to wait, then a fault that writes nothing."""
    clock.step(timedelta(minutes=1))
    answers = [ask(limited, "expired") for _ in range(8)]

    assert [answer.codes for answer in answers] == [["CNS-04"]] * 3 + [["REQ-06"]] * 5
    assert [answer.status for answer in answers] == [200] * 6 + [500] * 2
    for answer in answers[3:]:
        assert next(answer.child.iter(f"{{{TYPES}}}field")).text == "requestsPerMinute"
        assert next(answer.child.iter(f"{{{TYPES}}}retryAfter")).text == "60"
    recorded = limited.store.registry.disclosures(recipient=limited.bank.code, since=None, limit=50)
    assert [row.codes for row in recorded] == [("REQ-06",)] * 3 + [("CNS-04",)] * 3


def test_the_next_minute_has_a_new_limit(limited: InProcessService, clock: SteppedClock) -> None:
    """One recipient's usage does not count for another."""
    clock.step(timedelta(minutes=1))
    for _ in range(7):
        ask(limited, "expired")
    assert ask(limited, "expired").codes == ["REQ-06"]
    assert ask(limited, "mobile-05-data", by="mobile").outcome == "RELEASED"

    clock.step(timedelta(minutes=1))

    assert ask(limited, "expired").codes == ["CNS-04"]


def test_the_agreement_may_allow_more(limited: InProcessService, clock: SteppedClock) -> None:
    """Procedure, cl. 7: the terms that three parties signed come before the operator's settings."""
    clock.step(timedelta(minutes=1))
    register = limited.parts.register
    bank = limited.bank
    agreed = next(
        each for each in limited.store.registry.agreements() if each.number == bank.agreement
    )
    assert agreed.requests_a_minute is None
    assert LIMITS.under(replace(agreed, requests_a_minute=9), at=clock()).requests_a_minute == 9
    assert register.recipient(bank.code) is not None


def database_bytes(installation: InProcessService) -> int:
    """Return the size of the database: pages of the file, or of the server's tables and indexes."""
    place = installation.settings.place
    with raw(place) as connection:
        if isinstance(place, Path):
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            (free,) = connection.execute("PRAGMA freelist_count").fetchone()
            (size,) = connection.execute("PRAGMA page_size").fetchone()
            return int((pages - free) * size)
        (number,) = connection.execute(
            "SELECT sum(pg_relation_size(oid)) FROM pg_class"
            " WHERE relnamespace = current_schema()::regnamespace"
        ).fetchone()
        return int(number)


def count_refusals(installation: InProcessService) -> int:
    """Return how many refusals are counted.

    A server grows by pages of 8 KB. Each of its twenty tables and indexes may have taken one for
    the last refusal alone: for 100 refusals, that would be 1.6 KB each. A refusal with many reasons
    takes 3.7 to 3.9 KB.
    """
    return 100 if isinstance(installation.settings.place, Path) else 900


def test_a_refusal_that_repeats_another_costs_less_than_4_kilobytes(
    installation: InProcessService,
) -> None:
    """The records of a flood of refusals stay small, receipts and reports included."""
    for _ in range(20):
        ask(installation, "expired")
    before, count = database_bytes(installation), count_refusals(installation)

    for _ in range(count):
        assert ask(installation, "expired").codes == ["CNS-04"]

    assert (database_bytes(installation) - before) / count < MAX_REFUSAL_BYTES


def beyond(installation: InProcessService, by: str) -> bytes:
    """Build a request for every attribute, of which the agreement has few, for no purpose."""
    document = installation.document(f"{by}-00-data")
    fields = about(installation.person_of(document), of=document.presented_by, document=document)
    every = sorted(attribute.value for attribute in Attribute)
    return person_request(**(fields | {"attributes": every, "purpose": "NO_SUCH"}))


def as_dry_run(installation: InProcessService, by: str) -> bytes:
    """Return the same as a dry run, whose answer has every rule with its text."""
    request = beyond(installation, by).decode().replace("GetPersonData", "ExplainDecision")
    pin = re.search(r"<pin>[0-9]+</pin>|<[a-z]+:pin>[0-9]+</[a-z]+:pin>", request)
    assert pin is not None
    prefix = pin.group()[1:].partition("pin")[0]
    instead = (
        f"<{prefix}operation>GetPersonData</{prefix}operation>{pin.group()}<{prefix}methods>"
        f"<{prefix}method>demographic</{prefix}method></{prefix}methods>"
    )
    probe = rf"<{prefix}probe>.*</{prefix}probe>"
    return re.sub(probe, instead, request, flags=re.DOTALL).encode()


@pytest.mark.parametrize(
    ("make", "by", "beyond_it"), [(beyond, "mobile", 13), (as_dry_run, "bank", 5)]
)
def test_a_refusal_with_many_reasons_is_small_too(
    installation: InProcessService,
    make: Callable[[InProcessService, str], bytes],
    by: str,
    beyond_it: int,
) -> None:
    """A reason for each attribute and a text for each rule, in three languages, are stored once."""
    for _ in range(20):
        answer = installation.ask(make(installation, by), by=by)
    assert (answer.outcome, answer.codes.count("AGR-04")) == ("REFUSED", beyond_it)
    before, count = database_bytes(installation), count_refusals(installation)

    for _ in range(count):
        assert installation.ask(make(installation, by), by=by).codes == answer.codes

    assert (database_bytes(installation) - before) / count < MAX_REFUSAL_BYTES
