"""Cases drawn around the two good ones, with up to three faults at once (Hypothesis)."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from makul.domain.agreements import AgreementState, Channel
from makul.domain.attributes import Attribute
from makul.domain.consents import Consent, ResultForm
from makul.domain.disclosures import (
    BasisGround,
    ConsentGround,
    GroundUse,
    Operation,
)
from makul.domain.identifiers import AgreementNumber
from makul.domain.legal_bases import BasisStatement, Provision
from makul.domain.matches import MatchMethod, MatchResult, MatchVerdict
from makul.domain.recipients import RecipientKind, RecipientState
from makul_testing.builders.cases import (
    ACCOUNT_OPENING,
    AT,
    BANK_CODE,
    BY_CONSENT,
    BY_LAW,
    DAY,
    FORGED,
    MARKETING,
    OPERATOR,
    PARENT,
    PERSON,
    REGISTER_UPKEEP,
    REVOCATION_UNKNOWN,
    SIGNED_BY_OFFICIAL,
    SIGNED_BY_SUBJECT,
    SOMEONE_ELSE,
    STRANGER_CODE,
    TAKEN,
    Case,
    finding,
)
from makul_testing.exhaustive import rounds

THOROUGH = settings(
    max_examples=rounds(400, exhaustive=2000),
    database=None,
)

SHUFFLES = st.builds(random.Random, st.integers(0, 2**32))

Draw = Callable[[st.SearchStrategy[Any]], Any]

ATTRIBUTES = ("surname", "givenName", "birthDate", "address", "faceImage")
SOME_NAMES = st.frozensets(st.sampled_from([*ATTRIBUTES, "hair", "*"]), max_size=6)
SOME_ATTRIBUTES = st.frozensets(st.sampled_from([Attribute(name) for name in ATTRIBUTES]))
METHODS = st.frozensets(st.sampled_from(["demographic", "face", "iris"]), max_size=2)
PARTIES = st.sampled_from([BANK_CODE, STRANGER_CODE, OPERATOR])
PURPOSES = st.sampled_from([ACCOUNT_OPENING, REGISTER_UPKEEP, MARKETING])
NUMBERS = st.sampled_from([AgreementNumber("TEST-1"), AgreementNumber("TEST-9")])
INSTANTS = st.sampled_from([AT + hours * timedelta(hours=1) for hours in (-48, -1, 0, 1, 48)])
PROOFS = st.sampled_from([SIGNED_BY_SUBJECT, SIGNED_BY_OFFICIAL, REVOCATION_UNKNOWN, FORGED])
USES = st.sampled_from(
    [GroundUse(used=1), GroundUse(revoked=True), GroundUse(digest_differs=True), GroundUse()]
)

REQUEST = {
    "operation": st.sampled_from(Operation),
    "recipient": PARTIES,
    "channel": st.sampled_from(Channel),
    "agreement_number": NUMBERS,
    "purpose": PURPOSES,
    "subject": st.sampled_from([SOMEONE_ELSE, None]),
    "methods": METHODS,
    "attributes": SOME_NAMES,
}
RECIPIENT = {
    "code": PARTIES,
    "kind": st.sampled_from(RecipientKind),
    "state": st.sampled_from(RecipientState),
}
AGREEMENT = {
    "number": NUMBERS,
    "recipient": PARTIES,
    "state": st.sampled_from(AgreementState),
    "valid_from": INSTANTS,
    "valid_to": INSTANTS,
    "purposes": st.frozensets(PURPOSES),
    "attributes": SOME_ATTRIBUTES,
    "methods": st.frozensets(st.sampled_from(MatchMethod)),
    "channels": st.frozensets(st.sampled_from(Channel)),
    "provisions": st.frozensets(st.sampled_from(Provision), max_size=3),
    "powers": st.dictionaries(PURPOSES, SOME_ATTRIBUTES, max_size=2),
    "competences": st.dictionaries(PURPOSES, st.sampled_from(["A law", " "]), max_size=2),
}
DOCUMENT = {
    "subject": st.sampled_from([SOMEONE_ELSE]),
    "recipient": PARTIES,
    "agreement_number": NUMBERS,
    "purpose": PURPOSES,
    "attributes": SOME_NAMES,
    "result_form": st.sampled_from(ResultForm),
    "valid_to": INSTANTS,
    "max_disclosures": st.integers(-1, 3),
}
CONSENT = DOCUMENT | {
    "controller": PARTIES,
    "methods": METHODS,
    "given_at": INSTANTS,
    "valid_from": INSTANTS,
    "representative": st.booleans().map(lambda there: PARENT if there else None),
    "paper": st.booleans().map(lambda there: TAKEN if there else None),
}
STATEMENT = DOCUMENT | {
    "provision": st.sampled_from([*(provision.value for provision in Provision), "*"]),
    "case_number": st.just(" "),
    "official": st.just("official-2"),
    "issued_at": INSTANTS,
    "hidden_until": st.just(AT + DAY),
}
MATCHES = st.builds(
    lambda found_by: MatchVerdict(tuple(finding(result, method) for method, result in found_by)),
    st.lists(
        st.tuples(st.sampled_from(MatchMethod), st.sampled_from(MatchResult)),
        max_size=2,
    ),
)
PERSONS = st.one_of(
    st.none(),
    st.just(replace(PERSON, pin=SOMEONE_ELSE)),
    st.just(replace(PERSON, locked=True)),
    st.builds(lambda disputed: replace(PERSON, disputed=disputed), SOME_ATTRIBUTES),
)


Adapters = dict[str, st.SearchStrategy[Any]]
Fault = tuple[str, str, st.SearchStrategy[Any]]


def faults(document: Adapters) -> list[Fault]:
    """Return what may differ: in which part of the case, what, and how."""
    return [
        (place, name, odd)
        for place, names in (
            ("asking", REQUEST),
            ("by", RECIPIENT),
            ("under", AGREEMENT),
            ("saying", document),
            ("on", {"proof": PROOFS, "use": USES}),
            ("but", {"at": INSTANTS, "match": MATCHES, "person": PERSONS}),
        )
        for name, odd in names.items()
    ]


def up_to_three(document: Adapters) -> st.SearchStrategy[list[Fault]]:
    """Draw no fault or one as often as up to three."""
    fault = st.sampled_from(faults(document))
    return st.one_of(st.lists(fault, max_size=1), st.lists(fault, max_size=3))


OF_CONSENTS = up_to_three(CONSENT)
OF_BASES = up_to_three(STATEMENT)


@st.composite
def cases(draw: Draw, start: tuple[Case, ...] = (BY_CONSENT, BY_LAW)) -> Case:
    """Draw a good case with up to three changes."""
    good = draw(st.sampled_from(start))
    case: Case = good
    form = draw(st.sampled_from([Operation.GET_PERSON_DATA, Operation.VERIFY_PERSON]))
    case = case.asking(operation=form).saying(result_form=form.result_form)
    if good is BY_LAW:
        case = case.saying(provision=draw(st.sampled_from(Provision)).value)
    for place, name, odd in draw(OF_BASES if good is BY_LAW else OF_CONSENTS):
        case = getattr(case, place)(**{name: draw(odd)})
    return case


def document(case: Case) -> Consent | BasisStatement:
    """Return the content of the case's ground."""
    match case.ground:
        case ConsentGround(consent=Consent() as consent):
            return consent
        case BasisGround(statement=BasisStatement() as statement):
            return statement
    raise AssertionError("every case has a ground")
