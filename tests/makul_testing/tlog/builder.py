"""Decisions with real leaves, and a ledger over them. Everybody in them is invented."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from makul.app.entry_renderer import EntryRenderer
from makul.app.ports import (
    Answer,
    Asker,
    Committed,
    DisclosureEffect,
    Documents,
    Evidence,
    Match,
    MeteredUse,
    NoMatch,
    PendingDecision,
    QuotaUse,
    Receipt,
    Refusal,
    Release,
    RenderedAnswer,
    Space,
)
from makul.app.ports.ledger import Lease, LedgerReport, Sequenced
from makul.app.recording import Recording
from makul.composition.service import time_ordered_id
from makul.documents.answers import RenderedDecision
from makul.domain.attributes import Attribute
from makul.domain.identifiers import MemberCode
from makul.domain.reasons import Code, Reason
from makul.ledger.signed_note import ED25519
from makul.store import Store
from makul.store.db.location import DatabaseLocation
from makul.store.log.verify import LedgerVerificationOptions
from makul.trust.tlog.note_keys import CosignatureVerifier, NoteSigner, NoteVerifier, new_key_file
from makul_testing.builders.entries import a_failure, a_release, build_decision
from makul_testing.builders.records import (
    FINGERPRINT,
    GULNARA,
    NOON,
    a_basis,
    a_consent,
    a_key,
    an_evidence,
)
from makul_testing.raw_sql import raw, without_guards

ORIGIN = "makul-test/GOV/70000001"
LEASE = Lease(holder=UUID(int=1), length=timedelta(seconds=10))
DELAY = timedelta(seconds=60)


class _PlainDocuments:
    """A receipt and an answer as readable bytes."""

    def receipt(self, receipt: Receipt) -> bytes:
        return f"<Receipt>{receipt.receipt_id}</Receipt>".encode()

    def answer(self, answer: Answer) -> RenderedAnswer:
        return RenderedDecision(b"<Answer>%s" % answer.outcome.encode(), b"</Answer>")

    def delivery(self, delivery: Any) -> bytes:
        return bytes(delivery.person)


class _PlainSigner:
    def sign(self, canonical: bytes, *, at: datetime) -> bytes:
        return canonical

    def ready(self) -> bool:
        return True


class _PlainEncryptor:
    def judge(self, certificate: bytes, *, at: datetime) -> Code | None:
        return None

    def encrypt(self, document: bytes, certificate: bytes) -> bytes:
        return document[::-1]


def build_recording(store: Store) -> Recording:
    """Return the real code that renders and records decisions, without the XML."""
    documents: Documents = _PlainDocuments()  # type: ignore[assignment]
    return Recording(
        renderer=EntryRenderer(
            documents=documents,
            signer=_PlainSigner(),
            encryptor=_PlainEncryptor(),
            operator=MemberCode("GOV/70000001"),
            new_id=time_ordered_id,
            new_salt=lambda: secrets.token_bytes(32),
        ),
        recorder=store.recorder,
    )


def a_draft(*effects: DisclosureEffect, **changes: Any) -> PendingDecision:
    """Return a release of surname and given name to the bank."""
    fields: dict[str, Any] = {
        "certificate": FINGERPRINT,
        "released": frozenset({Attribute.SURNAME, Attribute.GIVEN_NAME}),
        "payload": b"<person/>",
        "effects": effects,
    }
    return build_decision(Release, **(fields | changes))


def a_refused_draft(*reasons: Reason, **changes: Any) -> PendingDecision:
    fields: dict[str, Any] = {"certificate": FINGERPRINT, "terms": None}
    shown_reasons = reasons or (Reason(code=Code.CNS_04),)
    return build_decision(Refusal, reasons=shown_reasons, **(fields | changes))


def move_draft(draft: PendingDecision, at: datetime) -> PendingDecision:
    """Return the same decision at another time."""
    return replace(draft, facts=replace(draft.facts, at=at))


def some_drafts() -> list[PendingDecision]:
    """Return one decision of each kind that the record distinguishes, with a minute between two."""
    document, scan = an_evidence(), an_evidence(b"%PDF a scan", "SCAN")
    once, again = a_consent(), a_consent(b"<Consent>again</Consent>", allowed=3)
    reused = Evidence(
        digest=again.digest, kind="CONSENT", document=b"<Consent>again</Consent>", report=b"{1}"
    )
    use = MeteredUse(ground=again)
    drafts = [
        a_draft(MeteredUse(ground=once), QuotaUse(quota=10), ground=once, evidence=(document,)),
        a_draft(use, ground=again, evidence=(reused,)),
        a_draft(use, key=a_key(asker=Asker()), ground=again, evidence=(reused,)),
        a_draft(
            key=a_key(asker=Asker(subsystem="CORE", employee="teller-7")),
            encrypt_to=b"an encryption certificate",
        ),
        build_decision(Match, ground=a_basis(), certificate=FINGERPRINT),
        build_decision(
            NoMatch,
            certificate=FINGERPRINT,
            reasons=(Reason(code=Code.MAT_01),),
            subject=GULNARA,
            effects=(a_failure(subject=GULNARA),),
        ),
        a_refused_draft(Reason(code=Code.AGR_06, retry_after=3_600)),
        a_refused_draft(Reason(code=Code.CNS_02, because=Code.SIG_06, field="consentDocument")),
        a_refused_draft(subject=None, evidence=(scan, document), agreement_number=None),
        a_refused_draft(key=a_key(space=Space.EXPLANATION), purpose=None),
    ]
    return [
        move_draft(draft, NOON + timedelta(minutes=number)) for number, draft in enumerate(drafts)
    ]


def a_note_signer(directory: Path, name: str = ORIGIN) -> NoteSigner:
    """Return a note signer with a new key."""
    path = directory / f"ledger-{uuid4()}.key"
    new_key_file(path, name, ED25519)
    return NoteSigner.load(path)


def sequence(
    store: Store, signer: NoteSigner, *, at: datetime = NOON, lease: Lease = LEASE
) -> Sequenced:
    """Sequence all that waits, in one transaction."""
    result = store.ledger.sequence(signer, lease, at=at, batch=10_000)
    assert isinstance(result, Sequenced)
    return result


def check_ledger(
    store: Store,
    signer: NoteSigner,
    *,
    at: datetime = NOON,
    lost: int = 0,
    witnesses: Mapping[str, CosignatureVerifier] | None = None,
) -> LedgerReport:
    """Verify every record by the ledger, like `makul ledger verify`."""
    question = LedgerVerificationOptions(
        origin=ORIGIN,
        checker=NoteVerifier(key=signer.key),
        max_merge_delay=DELAY,
        witnesses=witnesses or {},
        lost=lost,
        at=at,
    )
    return store.check_ledger(question, lambda result, of: None)


def another(value: Any, kind: type) -> Any:
    """Return another value of the same type."""
    match value:
        case bytes():
            return bytes([value[0] ^ 1]) + value[1:]
        case int():
            return value + 1_000
        case str():
            return value[:-1] + "X" if not value.startswith("[") else '["X"]'
    return {bytes: b"\1" * 16, int: 1, str: "X"}[kind]


def leaf_ids(store: Store) -> list[UUID]:
    """Return the ids of every recorded decision, in the order of the ledger's time."""
    return [
        row.disclosure_id
        for row in store.registry.disclosures(recipient=None, since=None, limit=10_000)
    ]


def begin_empty_log(place: DatabaseLocation) -> None:
    """Remove the leaves of the template's acts, for a test whose ledger begins empty.

    Such a store does not verify: its acts have no leaves.
    """
    for table in ("ledger_queue", "ledger_leaf"):
        with without_guards(place, table) as connection:
            connection.execute(
                f"DELETE FROM {table} WHERE disclosure_id IN (SELECT act_id FROM act)"  # noqa: S608
            )


def record_decisions(store: Store, number: int) -> list[UUID]:
    """Record that many decisions, in an order that is not that of their ids."""
    ids = [uuid4() for _ in range(number)]
    for disclosure_id in ids:
        assert store.recorder.record(a_release(disclosure_id=disclosure_id)) == Committed()
    return ids


def positions(place: DatabaseLocation) -> list[int]:
    """Return the used leaf indexes, in order."""
    with raw(place) as connection:
        rows = connection.execute("SELECT position FROM ledger_position ORDER BY position")
        return [position for (position,) in rows]
