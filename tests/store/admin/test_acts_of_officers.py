"""Acts of officers over a store: two persons, races, broken machinery, and evidence of tampering.

The answer of each act is short here: its outcome and the codes of its reasons.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from uuid import UUID, uuid4

import pytest

from makul.app.acts import ActPort
from makul.app.oversight.cut_off_recipient import CutOffRequest
from makul.app.oversight.terminate_agreement import TerminationRequest
from makul.app.ports import (
    Committed,
    OperatorRegistryError,
    RejectedError,
    Signatory,
    SignerUnavailableError,
)
from makul.domain.agreements import AgreementRole, AgreementState
from makul.domain.officers import Officer, OfficerRole
from makul.domain.recipients import RecipientState
from makul.store import Store
from makul.store.db.location import DatabaseLocation
from makul_testing.builders.agreements import agree
from makul_testing.builders.entries import a_release
from makul_testing.builders.oversight import an_officer, build_operations, caller_of
from makul_testing.builders.records import (
    AGREEMENT_NUMBER,
    BANK,
    FINGERPRINT,
    NOON,
    a_recipient,
    an_agreement,
)
from makul_testing.raw_sql import count, without_guards

FIRST, SECOND = an_officer(1), an_officer(2)


@pytest.fixture
def port(store: Store) -> ActPort:
    for officer in (FIRST, SECOND):
        store.registry.add_officer(officer, at=NOON)
    return build_operations(store)


def terminate(port: ActPort, officer: Officer, request_id: UUID | None = None) -> bytes:
    request = TerminationRequest(
        request_id=request_id or uuid4(),
        digest=b"2" * 32,
        agreement_number=AGREEMENT_NUMBER,
        justification="t",
    )
    return port["TerminateAgreement"](request, caller_of(officer))


def cut_off(port: ActPort, officer: Officer, request_id: UUID | None = None) -> bytes:
    request = CutOffRequest(
        request_id=request_id or uuid4(), digest=b"1" * 32, recipient=BANK, justification="t"
    )
    return port["CutOffRecipient"](request, caller_of(officer))


def state_of_the_agreement(store: Store) -> AgreementState:
    (found,) = [each for each in store.registry.agreements() if each.number == AGREEMENT_NUMBER]
    return found.state


def at_once(*works: Callable[[], bytes]) -> list[bytes]:
    """Do the works in threads that begin together, and return their results sorted."""
    ready = Barrier(len(works))

    def work(each: Callable[[], bytes]) -> bytes:
        ready.wait(timeout=60)
        return each()

    with ThreadPoolExecutor(len(works)) as pool:
        return sorted(pool.map(work, works))


def test_two_proposals_at_once_terminate(store: Store, port: ActPort) -> None:
    """One of them is the second: none is lost, and none is refused."""
    answers = at_once(lambda: terminate(port, FIRST), lambda: terminate(port, SECOND))

    assert answers == [b"DONE", b"DONE"]
    assert state_of_the_agreement(store) is AgreementState.TERMINATED


def test_two_proposals_of_one_officer_at_once_terminate_nothing(
    store: Store, port: ActPort
) -> None:
    """OVR-05 for the later one."""
    answers = at_once(lambda: terminate(port, FIRST), lambda: terminate(port, FIRST))

    assert answers == [b"DONE", b"REFUSED OVR-05"]
    assert state_of_the_agreement(store) is AgreementState.IN_FORCE


def test_one_request_that_is_sent_twice_at_once_is_one_act(
    store: Store, port: ActPort, place: DatabaseLocation
) -> None:
    """Both get its answer."""
    before, same = count(place, "act"), uuid4()

    answers = at_once(*(lambda: cut_off(port, FIRST, same) for _ in range(4)))

    assert answers == [b"DONE"] * 4
    assert count(place, "act") == before + 1


@pytest.mark.parametrize("later", [timedelta(days=1), timedelta(0), -timedelta(days=1)])
def test_a_proposal_does_not_outlive_the_terms(
    store: Store, port: ActPort, later: timedelta
) -> None:
    """Also if the clock stood still or was set back between the proposal and the new draft."""
    assert terminate(port, FIRST) == b"DONE"
    agree(store.registry, an_agreement(daily_quota=7), at=NOON + later)

    assert terminate(port, SECOND) == b"DONE"  # a proposal of the new terms

    assert state_of_the_agreement(store) is AgreementState.IN_FORCE
    assert terminate(port, FIRST) == b"DONE"
    assert state_of_the_agreement(store) is AgreementState.TERMINATED


def test_an_act_whose_receipt_cannot_be_signed_did_not_happen(
    store: Store, port: ActPort, place: DatabaseLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The receipt is signed within the transaction; the same request succeeds later."""
    before, request_id = count(place, "act"), uuid4()
    signer = port["CutOffRecipient"]._services.signer

    def fail(*_: object, **__: object) -> bytes:
        raise SignerUnavailableError

    with monkeypatch.context() as broken:
        broken.setattr(type(signer), "sign", fail)
        with pytest.raises(SignerUnavailableError):
            cut_off(port, FIRST, request_id)

    assert (count(place, "act"), count(place, "act_answer")) == (before, 0)
    assert store.recorder.record(a_release()) == Committed()
    assert cut_off(port, FIRST, request_id) == b"DONE"


def test_an_operator_ends_no_cut_off(store: Store, port: ActPort) -> None:
    """It is the authorised body's. No state that the operator had read before changes that."""
    assert cut_off(port, FIRST) == b"DONE"

    for state in RecipientState:
        with pytest.raises(OperatorRegistryError, match="cut off by the authorised body"):
            store.registry.set_state(a_recipient(state=state), reason="r", at=NOON)


def test_an_officer_without_the_role_makes_no_decision_wait(
    store: Store, port: ActPort, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OVR-01 is recorded without the recipient's lock."""
    other = an_officer(3, OfficerRole.PROTECTION_OFFICER)
    store.registry.add_officer(other, at=NOON)
    monkeypatch.setattr(
        "makul.store.admin.act_recorder.announce_revocation",
        lambda *_: pytest.fail("the recipient was locked"),
    )

    assert cut_off(port, other) == b"REFUSED OVR-01"


def test_a_withdrawn_officer_is_unknown(store: Store, port: ActPort) -> None:
    """Its stored answers are not given again either."""
    request_id = uuid4()
    assert cut_off(port, FIRST, request_id) == b"DONE"
    store.registry.withdraw_officer(FIRST.fingerprint, reason="left", at=NOON)

    with pytest.raises(RejectedError) as refused:
        cut_off(port, FIRST, request_id)

    assert [reason.code.value for reason in refused.value.reasons] == ["RCP-04"]


@pytest.mark.parametrize(
    "change",
    [
        {"fingerprint": b"f" * 32},  # the identifier and the key of FIRST
        {"fingerprint": b"f" * 32, "key_digest": b"k" * 32},
        {"fingerprint": b"f" * 32, "identifier": "I-9"},
        {"identifier": "I-9", "key_digest": b"k" * 32},
    ],
)
def test_one_person_is_registered_once(
    store: Store, port: ActPort, change: dict[str, object]
) -> None:
    """Otherwise one person could propose a termination and carry it out."""
    again = replace(FIRST, role=OfficerRole.BODY_HEAD, **change)  # type: ignore[arg-type]

    with pytest.raises(OperatorRegistryError, match="already"):
        store.registry.add_officer(again, at=NOON)


def test_nobody_acts_for_two_parties(store: Store, port: ActPort) -> None:
    """An officer sends no recipient's messages, and signs for no other party."""
    registry = store.registry
    signatory = Signatory(
        member=BANK,
        role=AgreementRole.RECIPIENT,
        identifier=FIRST.identifier,
        name="S",
        fingerprint=b"s" * 32,
        key_digest=b"k" * 32,
    )

    with pytest.raises(OperatorRegistryError, match="an officer's"):
        registry.add_certificate(BANK, FIRST.fingerprint, b"der", at=NOON)
    with pytest.raises(OperatorRegistryError, match="a recipient's"):
        registry.add_officer(replace(an_officer(4), fingerprint=FINGERPRINT), at=NOON)
    with pytest.raises(OperatorRegistryError, match="another party's officer"):
        registry.add_signatory(signatory, at=NOON)
    registry.add_signatory(replace(signatory, identifier="S-1"), at=NOON)
    with pytest.raises(OperatorRegistryError, match="another party's signatory"):
        registry.add_officer(replace(an_officer(5), key_digest=b"k" * 32), at=NOON)


def test_a_deleted_answer_does_not_repeat_an_act(
    store: Store, port: ActPort, place: DatabaseLocation
) -> None:
    """The retry is judged again on the rows as the act left them (`act_answer`)."""
    request_id = uuid4()
    assert cut_off(port, FIRST, request_id) == b"DONE"
    with without_guards(place, "act_answer") as connection:
        connection.execute("DELETE FROM act_answer")

    assert cut_off(port, FIRST, request_id) == b"REFUSED OVR-02"
