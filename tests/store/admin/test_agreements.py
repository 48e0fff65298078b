"""An agreement comes into force by three signatures under the same content, and only so (cl. 7)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from makul.app.ports import OperatorRegistryError, Signatory
from makul.domain.agreements import AgreementRole, AgreementState
from makul.domain.identifiers import AgreementNumber
from makul.store import Store
from makul_testing.builders.agreements import (
    AUTHORISED_BODY,
    OPERATOR,
    a_signatory,
    a_signature,
    agree,
    draft,
    register_signatory,
    three,
)
from makul_testing.builders.records import (
    AGREEMENT_NUMBER,
    BANK,
    NOON,
    POLICE,
    a_recipient,
    an_agreement,
)

OTHER_TERMS = an_agreement(daily_quota=1)
LATER = NOON + timedelta(minutes=1)


def laid_before(store: Store) -> tuple[bytes, tuple[Signatory, Signatory, Signatory]]:
    """Draw up a new agreement of the bank, with the persons who may sign it."""
    digest = draft(store.registry, an_agreement(), at=LATER)
    sandbox_signers = three(BANK)
    for hand in sandbox_signers:
        register_signatory(store.registry, hand, at=LATER)
    return digest, sandbox_signers


def sign(store: Store, digest: bytes, by: Signatory, **changes: object) -> AgreementState:
    signature = replace(a_signature(an_agreement(), digest, by), **changes)  # type: ignore[arg-type]
    return store.registry.sign_agreement(signature, at=LATER)


def state(store: Store) -> AgreementState:
    return next(one for one in store.registry.agreements() if one.number == AGREEMENT_NUMBER).state


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_the_third_signature_brings_it_into_force(store: Store, order: tuple[int, ...]) -> None:
    """The parties may sign in any order."""
    digest, sandbox_signers = laid_before(store)

    states = [sign(store, digest, sandbox_signers[place]) for place in order]

    assert states == [AgreementState.DRAFT, AgreementState.DRAFT, AgreementState.IN_FORCE]
    assert state(store) is AgreementState.IN_FORCE
    signed = store.registry.agreement_signatures(AGREEMENT_NUMBER)
    assert {(one.role, one.member, one.signer) for one in signed} == {
        (hand.role, hand.member, hand.fingerprint) for hand in sandbox_signers
    }


@pytest.mark.parametrize("missing", list(AgreementRole))
def test_two_signatures_are_not_three(store: Store, missing: AgreementRole) -> None:
    """Any party may be the one that has not signed."""
    digest, sandbox_signers = laid_before(store)

    for hand in sandbox_signers:
        if hand.role is not missing:
            assert sign(store, digest, hand) is AgreementState.DRAFT
    assert state(store) is AgreementState.DRAFT


def test_nothing_else_brings_an_agreement_into_force(store: Store) -> None:
    """The operator's word does not bring it into force either."""
    with pytest.raises(OperatorRegistryError, match="begins as a draft"):
        store.registry.draft_agreement(an_agreement(), b"<Agreement/>", at=LATER)


def test_the_same_signatory_counts_once(store: Store) -> None:
    """Three signatures of one party count as one."""
    digest, (_, _, bank) = laid_before(store)
    sign(store, digest, bank)

    for _ in range(2):
        with pytest.raises(OperatorRegistryError, match="signed these terms already"):
            sign(store, digest, bank)
    assert state(store) is AgreementState.DRAFT


def test_two_signatories_of_one_party_count_once(store: Store) -> None:
    """A second director adds nothing."""
    digest, (body, _, bank) = laid_before(store)
    second = register_signatory(
        store.registry, a_signatory(BANK, AgreementRole.RECIPIENT, "2"), at=LATER
    )

    for hand in (body, bank, second):
        assert sign(store, digest, hand) is AgreementState.DRAFT


Change = Callable[[Signatory, Signatory, Signatory], tuple[Signatory, dict[str, object]]]

FORGED: dict[str, tuple[Change, str]] = {
    "the bank's hand signs for the operator": (
        lambda _body, _operator, bank: (bank, {"role": AgreementRole.OPERATOR}),
        "not a signatory",
    ),
    "the bank's hand signs as the operator's": (
        lambda _body, operator, bank: (bank, {"role": operator.role, "member": operator.member}),
        "not a signatory",
    ),
    "a hand that nobody registered": (
        lambda _body, _operator, bank: (bank, {"signer": b"?" * 32}),
        "not a signatory",
    ),
    "other terms": (
        lambda _body, _operator, bank: (bank, {"terms_digest": b"?" * 32}),
        "newest draft",
    ),
    "a number that nobody knows": (
        lambda _body, _operator, bank: (bank, {"number": AgreementNumber("X-1")}),
        "no agreement of this number",
    ),
}


@pytest.mark.parametrize(("change", "why"), FORGED.values(), ids=FORGED.keys())
def test_a_signature_stands_for_its_own_party_and_terms(
    store: Store, change: Change, why: str
) -> None:
    """The store checks it, after any earlier judgement."""
    digest, sandbox_signers = laid_before(store)
    by, changes = change(*sandbox_signers)

    with pytest.raises(OperatorRegistryError, match=why):
        sign(store, digest, by, **changes)
    assert store.registry.agreement_signatures(AGREEMENT_NUMBER) == []


def test_another_recipient_signs_nothing_here(store: Store) -> None:
    """The signatory is good, but belongs to another recipient."""
    digest, (body, operator, _) = laid_before(store)
    store.registry.add_recipient(a_recipient(POLICE), at=NOON)
    police = register_signatory(
        store.registry, a_signatory(POLICE, AgreementRole.RECIPIENT), at=LATER
    )
    sign(store, digest, body)
    sign(store, digest, operator)

    with pytest.raises(OperatorRegistryError, match="another recipient"):
        sign(store, digest, police)
    assert state(store) is AgreementState.DRAFT


def test_a_signatory_withdrawn_before_the_third_does_not_count(store: Store) -> None:
    """The party signs again by another signatory, or the agreement stays a draft."""
    digest, (body, operator, bank) = laid_before(store)
    sign(store, digest, bank)
    sign(store, digest, body)
    store.registry.withdraw_signatory(BANK, bank.fingerprint, reason="left", at=LATER)

    assert sign(store, digest, operator) is AgreementState.DRAFT
    assert {one.role for one in store.registry.agreement_signatures(AGREEMENT_NUMBER)} == {
        AgreementRole.AUTHORISED_BODY,
        AgreementRole.OPERATOR,
    }
    with pytest.raises(OperatorRegistryError, match="not a signatory"):
        sign(store, digest, bank)
    successor = register_signatory(
        store.registry, a_signatory(BANK, AgreementRole.RECIPIENT, "2"), at=LATER
    )
    assert sign(store, digest, successor) is AgreementState.IN_FORCE


def test_a_concluded_agreement_outlives_its_signatory(store: Store) -> None:
    """A director who leaves does not undo what the director signed for the bank."""
    bank = three(BANK)[2]
    store.registry.withdraw_signatory(BANK, bank.fingerprint, reason="left", at=LATER)

    assert state(store) is AgreementState.IN_FORCE
    assert len(store.registry.agreement_signatures(AGREEMENT_NUMBER)) == 3


def test_changed_terms_need_three_signatures_again(store: Store) -> None:
    """The agreement is a draft until then, and earlier signatures do not count."""
    first, sandbox_signers = laid_before(store)
    for hand in sandbox_signers:
        sign(store, first, hand)
    second = draft(store.registry, OTHER_TERMS, at=LATER)

    assert state(store) is AgreementState.DRAFT
    assert store.registry.agreement_signatures(AGREEMENT_NUMBER) == []
    for hand in sandbox_signers:
        with pytest.raises(OperatorRegistryError, match="newest draft"):
            sign(store, first, hand)
    for hand in sandbox_signers:
        sign(store, second, hand)
    assert state(store) is AgreementState.IN_FORCE


def test_going_back_to_old_terms_is_a_new_draft(store: Store) -> None:
    """Signatures under an earlier draft with the same words do not count again."""
    first, sandbox_signers = laid_before(store)
    for hand in sandbox_signers:
        sign(store, first, hand)
    draft(store.registry, OTHER_TERMS, at=LATER)
    draft(store.registry, an_agreement(), at=LATER)

    assert state(store) is AgreementState.DRAFT
    for hand in sandbox_signers:
        with pytest.raises(OperatorRegistryError, match="newest draft"):
            sign(store, first, hand)


def test_a_document_is_drawn_up_once(store: Store) -> None:
    """Otherwise its old signatures would count for the new draft."""
    terms = an_agreement(state=AgreementState.DRAFT)
    store.registry.draft_agreement(terms, b"<Agreement>1</Agreement>", at=LATER)
    store.registry.draft_agreement(terms, b"<Agreement>2</Agreement>", at=LATER)

    with pytest.raises(OperatorRegistryError, match="earlier"):
        store.registry.draft_agreement(terms, b"<Agreement>1</Agreement>", at=LATER)
    assert store.registry.draft_document(AGREEMENT_NUMBER) == b"<Agreement>2</Agreement>"


def test_the_last_draft_is_the_newest_for_any_clock(store: Store) -> None:
    """The order is the order of commits."""
    terms = an_agreement(state=AgreementState.DRAFT)
    store.registry.draft_agreement(terms, b"<Agreement>1</Agreement>", at=LATER)
    store.registry.draft_agreement(terms, b"<Agreement>2</Agreement>", at=NOON)

    assert store.registry.draft_document(AGREEMENT_NUMBER) == b"<Agreement>2</Agreement>"


def test_an_ended_agreement_cannot_be_signed(store: Store) -> None:
    """The term has passed, or the agreement is in force or terminated."""
    terms = an_agreement(valid_to=LATER)
    digest, (body, _, _) = draft(store.registry, terms, at=NOON), three(BANK)
    with pytest.raises(OperatorRegistryError, match="term is over"):
        sign(store, digest, body)

    agree(store.registry, an_agreement(), at=NOON)
    for why in ("IN_FORCE", "TERMINATED"):
        with pytest.raises(OperatorRegistryError, match=why):
            sign(store, digest, body)
        if why == "IN_FORCE":
            store.registry.terminate_agreement(AGREEMENT_NUMBER, reason="its end", at=LATER)


def test_a_terminated_agreement_stays_terminated(store: Store) -> None:
    """Procedure, cl. 12: it is neither drawn up again nor ended twice."""
    store.registry.terminate_agreement(AGREEMENT_NUMBER, reason="its end", at=LATER)

    with pytest.raises(OperatorRegistryError, match="new number"):
        draft(store.registry, an_agreement(), at=LATER)
    with pytest.raises(OperatorRegistryError, match="before"):
        store.registry.terminate_agreement(AGREEMENT_NUMBER, reason="again", at=LATER)
    with pytest.raises(OperatorRegistryError, match="no agreement"):
        store.registry.terminate_agreement(AgreementNumber("X-1"), reason="none", at=LATER)


@pytest.mark.parametrize("same", ["fingerprint", "key_digest", "identifier"])
@pytest.mark.parametrize(
    ("member", "role"),
    [(OPERATOR, AgreementRole.OPERATOR), (AUTHORISED_BODY, AgreementRole.AUTHORISED_BODY)],
)
def test_one_signatory_represents_one_party(
    store: Store, same: str, member: str, role: AgreementRole
) -> None:
    """A certificate, key or person of the bank signs for no other party, withdrawn or not."""
    bank = a_signatory(BANK, AgreementRole.RECIPIENT)
    other = replace(a_signatory(OPERATOR, role, "9"), member=member, **{same: getattr(bank, same)})

    with pytest.raises(OperatorRegistryError):
        store.registry.add_signatory(other, at=LATER)
    store.registry.withdraw_signatory(BANK, bank.fingerprint, reason="left", at=LATER)
    with pytest.raises(OperatorRegistryError):
        store.registry.add_signatory(other, at=LATER)
    with pytest.raises(OperatorRegistryError, match="already"):
        store.registry.add_signatory(bank, at=LATER)


def test_a_signatory_signs_on_under_a_new_certificate(store: Store) -> None:
    """The person and the party are the same."""
    bank = a_signatory(BANK, AgreementRole.RECIPIENT)
    store.registry.add_signatory(replace(bank, fingerprint=b"2" * 32), at=LATER)

    mine = [one for one in store.registry.signatories() if one.member == BANK]
    assert {one.identifier for one in mine} == {bank.identifier}
    assert len(mine) == 2


def test_a_signatory_belongs_to_a_registered_party(store: Store) -> None:
    """It can be withdrawn once."""
    with pytest.raises(OperatorRegistryError, match="not registered"):
        store.registry.add_signatory(a_signatory(POLICE, AgreementRole.RECIPIENT), at=LATER)
    with pytest.raises(OperatorRegistryError, match="no such signatory"):
        store.registry.withdraw_signatory(BANK, b"?" * 32, reason="left", at=LATER)
