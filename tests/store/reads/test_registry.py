"""The data that a request reads from the store."""

import json
import statistics
import time
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makul.app.ports import Official, RegisteredCertificate, RequestSnapshot
from makul.domain.agreements import Agreement, AgreementState, Channel, Delivery
from makul.domain.attributes import Attribute
from makul.domain.identifiers import AgreementNumber, MemberCode, Pin, PurposeCode
from makul.domain.legal_bases import Provision
from makul.domain.matches import MatchMethod
from makul.store import Store
from makul.store.db.codecs import (
    CodecError,
    agreement_from_row,
    instant,
    micros,
    pack,
    terms_to_text,
    unpack,
    utc_day,
)
from makul_testing.builders.agreements import NOTICE_TEXTS, approved_notice
from makul_testing.builders.records import (
    AGREEMENT_NUMBER,
    AZAMAT,
    BANK,
    FINGERPRINT,
    GULNARA,
    NOON,
    POLICE,
    a_key,
    a_recipient,
    an_agreement,
)


def test_snapshot_has_recipient_and_agreement(store: Store) -> None:
    """They are read in one snapshot; an id that was never closed has no digest."""
    standing = store.register.snapshot(a_key(), AGREEMENT_NUMBER, at=NOON)

    assert standing == RequestSnapshot(recipient=a_recipient(), agreement=an_agreement())


@pytest.mark.parametrize("number", [None, AgreementNumber("A-9")])
def test_snapshot_may_lack_an_agreement(store: Store, number: AgreementNumber | None) -> None:
    """The agreement is not named, or does not exist."""
    standing = store.register.snapshot(a_key(), number, at=NOON)

    assert (standing.recipient, standing.agreement) == (a_recipient(), None)


def test_snapshot_of_an_unknown_recipient_is_empty(store: Store) -> None:
    """The use case concludes RCP-01; the named agreement is another's."""
    standing = store.register.snapshot(a_key(recipient=POLICE), AGREEMENT_NUMBER, at=NOON)

    assert standing.recipient is None
    assert standing.agreement is not None
    assert standing.agreement.recipient == BANK


def test_a_certificate_belongs_to_one_recipient(store: Store) -> None:
    """Any other recipient gets RCP-04."""
    found = store.register.certificate(FINGERPRINT)

    assert found == RegisteredCertificate(recipient=BANK, fingerprint=FINGERPRINT)
    assert store.register.certificate(b"x" * 32) is None


def test_an_official_belongs_to_one_recipient(store: Store) -> None:
    """LAW-09: another body's official signs nothing for this one."""
    official = Official(recipient=BANK, identifier="OFF-7", name="Б.", fingerprint=b"o" * 32)
    store.registry.add_official(official, at=NOON)

    assert store.register.official(BANK, b"o" * 32) == "OFF-7"
    assert store.register.official(POLICE, b"o" * 32) is None
    assert store.register.official(BANK, FINGERPRINT) is None


def test_a_notice_is_approved_to_the_letter(store: Store) -> None:
    """CNS-10: the reference, the digest of the text and its language must all fit."""
    digests = approved_notice(store.registry, "N-1", NOTICE_TEXTS, at=NOON).digests

    for language, digest in digests.items():
        assert store.register.notice_approved("N-1", digest, language)
        assert not store.register.notice_approved("N-1", b"m" * 32, language)
        assert not store.register.notice_approved("N-2", digest, language)
    assert not store.register.notice_approved("N-1", digests["ky"], "ru")
    assert not store.register.notice_approved("N-1", digests["ky"], "")


def test_a_notice_counts_after_its_approval(store: Store) -> None:
    """Procedure, cl. 4: a notice that the authorised body has not approved informs nobody."""
    store.registry.add_notice("N-1", NOTICE_TEXTS, at=NOON)
    (notice,) = store.registry.notices()

    assert not any(
        store.register.notice_approved("N-1", digest, language)
        for language, digest in notice.digests.items()
    )


def test_an_unknown_pin_takes_the_same_kind_of_work(store: Store) -> None:
    """docs/architecture.md, invariant 6: the time does not reveal whether a person is in the
    database.
    """
    times: dict[Pin, list[float]] = {AZAMAT: [], GULNARA: []}
    for _ in range(300):
        for (
            pin,
            durations,
        ) in times.items():  # in turns, so that other load of the machine affects both
            begun = time.perf_counter()
            store.register.person(pin)
            durations.append(time.perf_counter() - begun)
    known, unknown = (statistics.median(durations) for durations in times.values())

    assert store.register.person(GULNARA) is None
    assert 0.5 < unknown / known < 2


# --- how values lie in columns ----------------------------------------------------------------

subsets = st.frozensets(st.sampled_from(Attribute))
purposes = st.from_regex(r"[A-Z][A-Z0-9_]{1,20}", fullmatch=True).map(PurposeCode)


@given(
    st.builds(
        Agreement,
        number=st.just(AGREEMENT_NUMBER),
        recipient=st.just(MemberCode(BANK)),
        state=st.sampled_from(AgreementState),
        valid_from=st.just(NOON),
        valid_to=st.just(NOON.replace(year=2030)),
        purposes=st.frozensets(purposes),
        attributes=subsets,
        methods=st.frozensets(st.sampled_from(MatchMethod)),
        channels=st.frozensets(st.sampled_from(Channel)),
        provisions=st.frozensets(st.sampled_from(Provision)),
        powers=st.dictionaries(purposes, subsets),
        competences=st.dictionaries(purposes, st.text(max_size=5)),
        daily_quota=st.none() | st.integers(0, 10**6),
        delivery=st.sampled_from(Delivery),
        scores_out=st.booleans(),
        undertakings_required=st.booleans(),
    )
)
def test_an_agreement_is_read_back_as_written(agreement: Agreement) -> None:
    """Every term is read back."""
    row = (
        *(agreement.number, agreement.recipient, agreement.state.value),
        *(micros(agreement.valid_from), micros(agreement.valid_to)),
        terms_to_text(agreement),
    )

    assert agreement_from_row(row) == agreement


@pytest.mark.parametrize(
    "terms",
    [
        "",
        "[]",
        "{}",
        terms_to_text(an_agreement()).replace('"v":5', '"v":6'),
        terms_to_text(an_agreement()).replace('"v":5', '"v":5,"more":1'),
        terms_to_text(an_agreement()).replace("surname", "nickname"),
        terms_to_text(an_agreement()).replace('"scoresOut":false', '"scoresOut":0'),
        terms_to_text(an_agreement()).replace('"paper":false', '"paper":0'),
        terms_to_text(an_agreement()).replace('"dailyQuota":1000', '"dailyQuota":"1000"'),
        terms_to_text(an_agreement()).replace('["wsse"]', '"wsse"'),
    ],
)
def test_unreadable_terms_are_refused(terms: str) -> None:
    """A missing or strange term is an error, never a default."""
    with pytest.raises(CodecError):
        agreement_from_row((AGREEMENT_NUMBER, BANK, "IN_FORCE", 0, 1, terms))


def test_a_packed_record_accounts_for_every_byte() -> None:
    """A record that is cut short, grown, or of another length is refused."""
    packed = pack({"v": 1}, [b"one", b"", b"three"])
    assert unpack(packed) == ({"v": 1}, [b"one", b"", b"three"])

    for broken in (b"", packed[:-1], packed + b"x", packed[:3], packed.replace(b"[3,", b"[-3,")):
        with pytest.raises(CodecError):
            unpack(broken)


@given(st.datetimes(timezones=st.just(UTC)))
def test_instants_keep_their_microseconds(at: Any) -> None:
    """An instant is stored as BIGINT microseconds in UTC, and read back equally."""
    assert instant(micros(at)) == at
    assert utc_day(at) == micros(at) // (24 * 60 * 60 * 1_000_000)


def test_a_naive_instant_is_an_error() -> None:
    """docs/architecture.md, invariant 10: every instant is aware."""
    with pytest.raises(TypeError):
        micros(NOON.replace(tzinfo=None))


SINCE_4 = ("competences", "undertakings")
LIMITS = ("requestsPerMinute", "bytesPerDay")
SINCE_5 = ("undertakings",)
PAPERS = ("paper", "paperQuota", "representatives")


def test_older_terms_state_no_competence() -> None:
    """So a public body gets nothing under them until a new agreement is concluded (AGR-07)."""
    fields = json.loads(terms_to_text(an_agreement(competences={PurposeCode("LOAN"): "A law"})))
    old = json.dumps({k: v for k, v in fields.items() if k not in SINCE_4} | {"v": 3})

    assert not agreement_from_row((AGREEMENT_NUMBER, BANK, "IN_FORCE", 0, 1, old)).competences


def test_older_terms_have_no_limits() -> None:
    """Older agreements say nothing about limits, so the operator's settings count."""
    fields = json.loads(terms_to_text(an_agreement()))
    old = json.dumps({k: v for k, v in fields.items() if k not in SINCE_4 + LIMITS} | {"v": 2})

    read = agreement_from_row((AGREEMENT_NUMBER, BANK, "IN_FORCE", 0, 1, old))

    assert (read.requests_a_minute, read.bytes_a_day) == (None, None)


def test_older_terms_permit_no_paper() -> None:
    """Older agreements say nothing about paper or representatives, so neither is permitted."""
    fields = json.loads(terms_to_text(an_agreement()))
    old = json.dumps(
        {k: v for k, v in fields.items() if k not in SINCE_4 + LIMITS + PAPERS} | {"v": 1}
    )

    read = agreement_from_row((AGREEMENT_NUMBER, BANK, "IN_FORCE", 0, 1, old))

    assert not read.paper_allowed
    assert not read.representatives_allowed


def test_older_terms_require_no_undertakings() -> None:
    """Procedure, cl. 16: an agreement without the term is judged as before."""
    fields = json.loads(terms_to_text(an_agreement()))
    old = json.dumps({k: v for k, v in fields.items() if k not in SINCE_5} | {"v": 4})

    read = agreement_from_row((AGREEMENT_NUMBER, BANK, "IN_FORCE", 0, 1, old))

    assert not read.undertakings_required
