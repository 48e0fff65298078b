"""A recipient's month is read for its statement, each decision beside its ground (cl. 11)."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from makul.app.ports import MonthDecision, RecordedMonth
from makul.domain.agreements import AgreementState
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import MemberCode
from makul.domain.monthly_statements import GroundRecord
from makul.domain.months import Month
from makul.store import Store, StoreKeys
from makul.store.db.location import DatabaseLocation
from makul.store.encryption import fields as crypto
from makul.store.reads import monthly_decisions
from makul.store.records.private_fields import StoredEvidence
from makul.trust.tlog.note_keys import NoteSigner
from makul_testing.builders.agreements import (
    a_signature,
    agree,
    draft,
    register_signatory,
    three,
)
from makul_testing.builders.entries import (
    a_failed_match,
    a_metered_release,
    a_refusal,
    a_release,
    a_revocation,
)
from makul_testing.builders.records import (
    AGREEMENT_NUMBER,
    AZAMAT,
    BANK,
    GULNARA,
    NOON,
    POLICE,
    a_basis,
    a_consent,
    a_key,
    an_agreement,
    an_evidence,
)
from makul_testing.raw_sql import binary, raw, without_guards
from makul_testing.tlog.builder import sequence

NOVEMBER = Month(2026, 11)
INSTANT = timedelta(microseconds=1)
LATER_BY = timedelta(hours=1)
LATER = NOON + LATER_BY


def read(store: Store, recipient: MemberCode = BANK) -> RecordedMonth:
    """Return a month that was read to its end."""
    with store.registry.read_month(NOVEMBER, recipient, draft=False, at=NOON) as month:
        pages = tuple(month.pages)
        decisions = {page.number: tuple(month.read_page(page)) for page in pages}
    return replace(month, pages=pages, read_page=lambda page: iter(decisions[page.number]))


def rows(store: Store) -> Sequence[MonthDecision]:
    return list(read(store).decisions)


def test_a_month_has_its_decisions_and_no_others(store: Store) -> None:
    """The month is the Republic's, and only the recipient's decisions are in it."""
    for at in (NOVEMBER.begins - INSTANT, NOVEMBER.begins, NOVEMBER.ends - INSTANT, NOVEMBER.ends):
        store.recorder.record(a_release(decided_at=at))
    store.recorder.record(a_failed_match())
    store.recorder.record(a_refusal(key=a_key(recipient=POLICE)))

    month = read(store)
    found = [each.decision for each in month.decisions]

    assert [each.decided_at for each in found] == [NOVEMBER.begins, NOON, NOVEMBER.ends - INSTANT]
    assert (month.subjects, month.repetitions) == (1, 0)
    assert [each.outcome for each in found] == [
        Outcome.RELEASED,
        Outcome.NOT_MATCHED,
        Outcome.RELEASED,
    ]
    assert list(read(store, MemberCode("COM/1")).decisions) == []


def test_subjects_are_those_of_disclosures(store: Store) -> None:
    """A person who was only asked about is not counted."""
    store.recorder.record(a_release())
    store.recorder.record(a_release())
    store.recorder.record(a_failed_match(subject=GULNARA))

    assert read(store).subjects == 1


@pytest.mark.parametrize("page", [1, 2, 3, 4])
def test_every_decision_is_read_once_and_in_order(
    store: Store, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    """Entries at a page's edge are included, also decisions of one instant."""
    monkeypatch.setattr(monthly_decisions, "PAGE_ROWS", page)
    for _ in range(3):
        store.recorder.record(a_release())
    store.recorder.record(a_release(decided_at=LATER))

    found = [each.decision for each in rows(store)]

    assert len({each.disclosure_id for each in found}) == 4
    assert found == sorted(found, key=lambda each: (each.decided_at, each.disclosure_id))


def test_a_month_is_of_one_moment(store: Store) -> None:
    """Decisions that are recorded while a month is read are not in it, nor in its counts."""
    store.recorder.record(a_release())

    with store.registry.read_month(NOVEMBER, BANK, draft=True, at=NOON) as month:
        store.recorder.record(a_release(decided_at=LATER))
        (page,) = month.pages
        read_before = [each.decision.decided_at for each in month.read_page(page)]

    assert (month.subjects, page.lines, read_before) == (1, 1, [NOON])
    assert len(rows(store)) == 2


def test_a_page_that_has_changed_since_is_seen_by_its_lines(store: Store) -> None:
    """Another process reads without the snapshot. It gets one row more than was planned."""
    store.recorder.record(a_release())
    store.recorder.record(a_release(decided_at=LATER))
    with store.registry.read_month(NOVEMBER, BANK, draft=False, at=NOON) as month:
        (page,) = month.pages
    store.recorder.record(a_release(decided_at=NOON + INSTANT))

    assert (page.lines, len(list(store.month_reader(BANK).read_page(page)))) == (2, 3)


@pytest.mark.parametrize("lines", [1, 2, 3])
def test_each_page_can_be_read_by_itself(
    store: Store, place: DatabaseLocation, monkeypatch: pytest.MonkeyPatch, lines: int
) -> None:
    """Also the uses of a ground that earlier pages made, if there were too many."""
    ground = a_consent(allowed=3)
    for number in range(3):
        entry = a_metered_release(ground, decided_at=NOON + number * LATER_BY)
        store.recorder.record(entry)
    with without_guards(place, "ground_use") as connection:
        connection.execute("UPDATE ground_use SET used = 1, allowed = 1")
    monkeypatch.setattr(monthly_decisions, "MAX_PAGE_LINES", lines)

    with store.registry.read_month(NOVEMBER, BANK, draft=False, at=NOON) as month:
        pages = list(month.pages)
    reader = store.month_reader(BANK)
    found = {page.number: list(reader.read_page(page)) for page in reversed(pages)}

    uses = [each.ground.uses_before for page in pages for each in found[page.number] if each.ground]
    assert uses == [0, 1, 2]
    assert [page.lines for page in pages] == [len(found[page.number]) for page in pages]


def test_the_report_is_the_one_to_which_the_leaf_commits(store: Store) -> None:
    """Another report beside the record proves nothing."""
    store.recorder.record(a_metered_release(a_consent(), evidence=(an_evidence(),)))
    (found,) = rows(store)
    assert found.report is None  # the leaf of this entry is made up, and names no report

    digest = an_evidence().digest
    named = f'["CONSENT","{digest.hex()}","{hashlib.sha256(b"report").hexdigest()}"]'.encode()
    for statement, report, expected in (
        (named, b"report", b"report"),
        (named, b"another", None),
        (b'{"case":"' + named.replace(b'"', b'\\"') + b'"}', b"report", None),
        (b'{"format":1,"x":0}', b"report", b"report"),
    ):
        stored = StoredEvidence(b"receipt", statement, (digest, report))
        assert stored.committed_report(digest) == expected


def test_a_decision_comes_with_its_ground_and_document(store: Store) -> None:
    """The document is that of the digest, and the receipt is named by its digest."""
    ground, document = a_consent(allowed=2), an_evidence()
    entry = a_metered_release(ground, evidence=(document,))
    store.recorder.record(entry)

    (found,) = rows(store)

    assert found.document == document.document
    assert found.ground == GroundRecord(
        digest=document.digest, revoked_at=None, uses_before=0, allowed=2
    )
    assert found.decision.receipt_digest == hashlib.sha256(entry.receipt).digest()
    assert found.decision.attributes == ("givenName", "surname")
    assert found.leaf_index is None


def test_a_missing_ground_or_document_is_none(store: Store) -> None:
    """Neither stops the statement: it says so."""
    store.recorder.record(a_release(ground=a_consent(b"<Other/>")))

    (found,) = rows(store)

    assert (found.ground, found.document) == (None, None)
    assert found.decision.ground_digest == hashlib.sha256(b"<Other/>").digest()


def test_an_altered_document_is_none(store: Store, place: DatabaseLocation) -> None:
    """It does not decrypt; the other decisions are still read."""
    store.recorder.record(a_metered_release(a_consent(), evidence=(an_evidence(),)))
    with without_guards(place, "evidence") as connection:
        ((sealed,),) = connection.execute("SELECT sealed FROM evidence").fetchall()
        altered = bytes(sealed)[:-1] + bytes([bytes(sealed)[-1] ^ 1])
        connection.execute(f"UPDATE evidence SET sealed = {binary(place, altered)}")  # noqa: S608

    assert [each.document for each in rows(store)] == [None]


def test_whom_a_decision_is_about_is_answered_by_the_blind_index(store: Store) -> None:
    """No PIN leaves the store, and a decision about nobody is about no person."""
    store.recorder.record(a_release())
    store.recorder.record(a_refusal(subject=None, decided_at=LATER))

    about, nobody = (each.is_about for each in rows(store))

    assert [about(AZAMAT), about(GULNARA), about(None)] == [True, False, False]
    assert [nobody(AZAMAT), nobody(None)] == [False, True]


def test_each_version_in_force_has_its_term(store: Store) -> None:
    """A version lasts from its third signature to the next draft or the termination."""
    renewed, ended = NOON + timedelta(days=1), NOON + timedelta(days=2)
    agree(store.registry, an_agreement(), at=NOON)
    agree(store.registry, an_agreement(state=AgreementState.DRAFT), at=renewed)
    agree(store.registry, an_agreement(), at=renewed + LATER_BY)
    store.registry.terminate_agreement(AGREEMENT_NUMBER, reason="test", at=ended)

    _, *versions = read(store).agreement_versions[AGREEMENT_NUMBER]

    assert [each.ends for each in versions] == [renewed, ended]
    assert NOON <= versions[0].begins < renewed < versions[1].begins < ended
    assert versions[0].document != versions[1].document
    assert read(store, POLICE).agreement_versions == {}


def test_a_signature_of_a_withdrawn_signatory_begins_nothing(store: Store) -> None:
    """Two of three have signed when the first is withdrawn."""
    before = read(store).agreement_versions[AGREEMENT_NUMBER]
    agreement = an_agreement()
    digest = draft(store.registry, agreement, at=NOON)
    first, second, third = three(BANK)
    for signatory in (first, second):
        signer = register_signatory(store.registry, signatory, at=NOON)
        store.registry.sign_agreement(a_signature(agreement, digest, signer), at=NOON)
    store.registry.withdraw_signatory(first.member, first.fingerprint, reason="test", at=LATER)
    signer = register_signatory(store.registry, third, at=LATER)
    store.registry.sign_agreement(
        a_signature(agreement, digest, signer), at=LATER + timedelta(minutes=1)
    )

    after = read(store).agreement_versions[AGREEMENT_NUMBER]
    assert [each.document for each in after] == [each.document for each in before]


def test_the_last_change_of_each_agreement_is_read(store: Store) -> None:
    """A draft, a signature and a termination are changes. Agreements of others are not read."""
    agree(store.registry, an_agreement(), at=NOON)
    ((number, changed_at),) = read(store).agreements_changed_at.items()
    # Changes of one moment follow each other by a microsecond.
    assert number == AGREEMENT_NUMBER
    assert NOON < changed_at < NOON + timedelta(seconds=1)

    agree(store.registry, an_agreement(daily_quota=7), at=NOON + timedelta(minutes=1))
    changed_at = read(store).agreements_changed_at[AGREEMENT_NUMBER]
    assert changed_at >= NOON + timedelta(minutes=1)

    store.registry.terminate_agreement(AGREEMENT_NUMBER, reason="test", at=LATER)
    assert read(store).agreements_changed_at == {AGREEMENT_NUMBER: LATER}
    assert read(store, POLICE).agreements_changed_at == {}


@pytest.mark.parametrize("by_operator", [False, True])
def test_a_revocation_comes_with_its_instant(store: Store, by_operator: bool) -> None:
    """The subject's and the operator's count; the earlier one is given."""
    ground = a_consent(subject=AZAMAT)
    store.recorder.record(a_metered_release(ground))
    if by_operator:
        store.registry.revoke_ground(BANK, ground.kind, ground.id, reason="x", at=LATER)
    else:
        store.recorder.record(a_revocation(ground, decided_at=LATER))

    found = rows(store)[0].ground

    assert found is not None
    assert found.revoked_at == LATER


def test_a_revocation_of_another_subject_does_not_count(store: Store) -> None:
    """A person cannot revoke the consent of another subject by its id."""
    ground = a_consent(subject=AZAMAT)
    store.recorder.record(a_metered_release(ground))
    store.recorder.record(a_revocation(ground, subject=GULNARA, decided_at=LATER))

    found = rows(store)[0].ground

    assert found is not None
    assert found.revoked_at is None


def test_uses_beyond_the_limit_are_numbered(store: Store, place: DatabaseLocation) -> None:
    """The counter was set back by hand; the decisions show it. A failed match is no use."""
    consent, basis = a_consent(allowed=2), a_basis(allowed=2)
    for minute in range(2):
        at = NOON + timedelta(minutes=minute)
        store.recorder.record(a_metered_release(consent, decided_at=at))
        store.recorder.record(a_metered_release(basis, decided_at=at))
    store.recorder.record(a_failed_match(ground=consent, decided_at=LATER))
    with without_guards(place, "ground_use") as connection:
        connection.execute("UPDATE ground_use SET allowed = 1, used = 1 WHERE kind = 'CONSENT'")

    uses = [
        (each.decision.ground_kind, each.ground.uses_before)
        for each in rows(store)
        if each.ground is not None
    ]

    assert sorted(uses) == [
        ("BASIS", 0),
        ("BASIS", 0),
        ("CONSENT", 0),
        ("CONSENT", 1),
        ("CONSENT", 2),
    ]


@pytest.mark.usefixtures("empty_log")
def test_a_sequenced_decision_has_its_leaf_index(store: Store, signer: NoteSigner) -> None:
    """A decision after the last run of the sequencer has none yet."""
    store.recorder.record(a_release())
    sequence(store, signer)
    store.recorder.record(a_release(decided_at=LATER))

    assert [each.leaf_index for each in rows(store)] == [0, None]


def test_the_act_is_recorded_before_anything_is_read(
    store: Store, place: DatabaseLocation, keys: StoreKeys
) -> None:
    """Procedure, cl. 13 and 16: the record has who, whose month, and when."""
    read(store)

    with raw(place) as connection:
        ((entry, target, sealed),) = connection.execute(
            "SELECT entry_id, target, sealed FROM desk_log WHERE action = 'month.build'"
        ).fetchall()
    facts: Any = json.loads(
        crypto.FieldCipher(keys).decrypt(
            bytes(sealed), crypto.field_associated_data("desk_log", "sealed", bytes(entry))
        )
    )
    assert (target, facts) == (BANK, {"month": "2026-11", "draft": False})
