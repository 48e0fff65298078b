"""The transaction of an act: lock, judge, change, record, and render the answer (invariant 13).

The decision is made on locked rows, so nothing can overtake it. Acts run one at a time, because
they are few and their numbers have no gaps. The receipt is signed within the transaction: it names
the leaf, and the leaf states the rows as the act left them.
"""

from contextlib import ExitStack

from sqlalchemy import bindparam, insert, select

from makul.app.ports.acts import (
    ActDecision,
    ActFacts,
    ActRecorder,
    Decide,
    RecordedAct,
    Render,
    refuse_act,
)
from makul.domain.disclosures import Outcome
from makul.domain.reasons import Code, Reason, leaves_open
from makul.store.admin.act_rights import ActRights
from makul.store.db.base import Database, Transaction
from makul.store.db.codecs import micros
from makul.store.encryption.fields import FieldCipher, field_associated_data
from makul.store.reads.officers import find_officer
from makul.store.records.acts import AddedAct, PendingAct
from makul.store.records.locks import (
    LockKind,
    PendingRevocationLock,
    acquire_lock,
    announce_revocation,
    lock_for_revocation,
)
from makul.store.schema.ledger_tables import act_answer

_FINGERPRINT_DIGITS = 16
_REUSED = Reason(code=Code.REQ_04, field="requestId")

_FIND = select(
    act_answer.c.act_id, act_answer.c.request_digest, act_answer.c.asker, act_answer.c.sealed
).where(
    act_answer.c.member == bindparam("member"), act_answer.c.request_id == bindparam("request_id")
)
_KEEP = insert(act_answer)


class StoreActRecorder(ActRecorder[ActRights]):
    """Records acts of officers in the store. Raises `StoreUnavailableError`."""

    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        self._database = database
        self._cipher = cipher

    def carry_out(self, facts: ActFacts, decide: Decide[ActRights], render: Render) -> bytes:
        """Judge and record an act, and return its answer after the commit."""
        with ExitStack() as stack:
            taking = None
            if facts.locks is not None:
                taking = stack.enter_context(announce_revocation(self._database, facts.locks))
            return self._database.run_transaction(
                lambda transaction: self._carry_out(transaction, taking, facts, decide, render),
                resolve_unknown_commit=lambda transaction: self._find_stored(transaction, facts),
            )

    def _carry_out(
        self,
        transaction: Transaction,
        taking: PendingRevocationLock | None,
        facts: ActFacts,
        decide: Decide[ActRights],
        render: Render,
    ) -> bytes:
        acquire_lock(transaction, LockKind.REGISTRY)
        if taking is not None:
            lock_for_revocation(transaction, taking)
        stored = self._find_stored(transaction, facts)
        if stored is not None:
            return stored
        act = PendingAct(transaction, self._cipher, _name_of(facts), ())
        decision = self._decide(transaction, facts, decide, act)
        added = act.write(
            f"{facts.port}.{facts.operation}",
            facts.target,
            {**_state(facts, decision), **self._subject(facts)},
            at=facts.at,
        )
        answer = render(
            RecordedAct(act_id=added.act_id, leaf_hash=added.leaf_hash, decision=decision)
        )
        if not facts.reads_only and _closes(decision):
            self._keep(transaction, facts, added, answer)
        return answer

    def _decide(
        self,
        transaction: Transaction,
        facts: ActFacts,
        decide: Decide[ActRights],
        act: PendingAct,
    ) -> ActDecision:
        if transaction.fetch_one(_FIND, _key(facts)) is not None:
            return refuse_act((_REUSED,))
        if facts.officer is not None:
            in_office = find_officer(transaction, self._cipher, facts.officer.fingerprint)
            if in_office != facts.officer:
                return refuse_act((Reason(code=Code.OVR_01),))
        rights = ActRights(transaction, self._cipher, act, at=facts.at)
        decision = decide(rights)
        if rights.changed and decision.outcome is not Outcome.DONE:
            raise TypeError("an act that is not done changes nothing")
        return decision

    def _subject(self, facts: ActFacts) -> dict[str, object]:
        """Return the blind index of the citizen of an act, which the statement alone holds."""
        if facts.subject is None:
            return {}
        return {"subjectIndex": self._cipher.index("pin", facts.subject.digits).hex()}

    def _find_stored(self, transaction: Transaction, facts: ActFacts) -> bytes | None:
        """Return the stored answer of this very request by this officer; None if there is none."""
        row = transaction.fetch_one(_FIND, _key(facts))
        if row is None:
            return None
        act_id, request_digest, asker, sealed = row
        if (request_digest, asker) != (facts.request_digest, facts.asker):
            return None
        return self._cipher.decrypt(sealed, _associated_data(act_id))

    def _keep(
        self, transaction: Transaction, facts: ActFacts, added: AddedAct, answer: bytes
    ) -> None:
        act_id = added.act_id.bytes
        row = {
            **_key(facts),
            "act_id": act_id,
            "request_digest": facts.request_digest,
            "asker": facts.asker,
            "answered_at": micros(facts.at),
            "sealed": self._cipher.encrypt(answer, _associated_data(act_id)),
        }
        transaction.execute(_KEEP, row)


def _closes(decision: ActDecision) -> bool:
    """Return whether the decision closes its request id, as a decision about a person does."""
    misuse = any(reason.code is Code.REQ_04 for reason in decision.reasons)
    return not misuse and not leaves_open(decision.reasons)


def _key(facts: ActFacts) -> dict[str, object]:
    return {"member": facts.caller.recipient, "request_id": facts.request_id.bytes}


def _name_of(facts: ActFacts) -> str:
    """Return the actor as the ledger names it: the party and the certificate, no name."""
    party = "portal" if facts.port == "subject" else "recipient"
    if facts.officer is not None:
        party = "officer"
    return f"{party} {facts.caller.recipient} {facts.asker.hex()[:_FINGERPRINT_DIGITS]}"


def _state(facts: ActFacts, decision: ActDecision) -> dict[str, object]:
    """Return the facts of the act for its statement."""
    return {
        **facts.stated,
        "requestId": str(facts.request_id),
        "requestDigest": facts.request_digest.hex(),
        "channel": facts.caller.channel.value,
        "asker": facts.asker.hex(),
        "role": facts.officer.role.value if facts.officer is not None else None,
        "outcome": decision.outcome.value,
        "reasons": [[reason.code.value, reason.field] for reason in decision.reasons],
        "results": {**decision.results, **decision.stated},
    }


def _associated_data(act_id: bytes) -> bytes:
    return field_associated_data("act_answer", "sealed", act_id)
