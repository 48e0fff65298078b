"""Sealed delivery over HTTP, from the operator's desk to the reference client (cl. 7 and 10)."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from lxml import etree

from makul.domain.agreements import Delivery
from makul.domain.disclosures import Outcome
from makul.sandbox.handout import Addresses, hand_out
from makul.sandbox.papers import Paper
from makul.sandbox.parties import WALLET
from makul_client import Client, Context, Profile, RefusedError, SealError, SealFlaw
from support.house import InProcess, about, build_house, person_request

R = {"r": "urn:makul:recipient:1"}


@pytest.fixture
def own_house(tmp_path: Path) -> Iterator[InProcess]:
    """A house whose desk a test may work at."""
    built = build_house(tmp_path)
    yield built
    built.close()


def ask(house: InProcess, paper: Paper, **changes: object) -> bytes:
    fields = about(house.person_of(paper), of=paper.presented_by, paper=paper)
    return person_request(**(fields | changes))  # type: ignore[arg-type]


def test_nothing_of_the_person_is_in_the_answer(house: InProcess) -> None:
    """SEALED by agreement: no `person`, one EncryptedData, and none of the values in clear."""
    paper = house.paper("wallet-00-data")

    answer = house.ask(ask(house, paper), by="wallet")

    assert answer.outcome == "RELEASED"
    assert answer.released == set()
    sealed = base64.b64decode(answer.child.findtext("r:sealed", namespaces=R) or "")
    assert etree.fromstring(sealed).tag == "{http://www.w3.org/2001/04/xmlenc#}EncryptedData"
    person = house.person_of(paper)
    assert person.pin.digits.encode() not in answer.body
    assert b"surname" not in sealed


def test_a_yes_or_no_has_nothing_to_seal(house: InProcess) -> None:
    """VerifyPerson gives no data, so it needs no sealing certificate."""
    answer = house.ask(ask(house, house.paper("wallet-00-yes-no")), by="wallet")

    assert answer.outcome == "MATCHED"
