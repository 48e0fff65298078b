"""Agreements in TOML: nothing is guessed, and an error names the key (cl. 7)."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from makul.admin.errors import OperatorError
from makul.cli.files.agreement import EXAMPLE, MAX_BYTES, parse_agreement, read_agreement
from makul.domain.agreements import AgreementState, Channel, Delivery
from makul.domain.attributes import Attribute
from makul.domain.legal_bases import Provision
from makul.domain.matches import MatchMethod
from makul.domain.recipients import RecipientKind
from makul.net.files import FileError


def example(**changes: Any) -> dict[str, Any]:
    """Return the example with changed keys; a key whose new value is None is removed."""
    table = tomllib.loads(EXAMPLE) | changes
    return {key: value for key, value in table.items() if value is not None}


def test_the_example_is_an_agreement() -> None:
    """The output of `makul agreement example` can be added unchanged."""
    agreement = parse_agreement(example())

    assert agreement.number == "2026/014"
    assert agreement.recipient == "COM/60000001"
    assert agreement.state is AgreementState.DRAFT
    assert agreement.purposes == {"ACCOUNT_OPENING", "LOAN"}
    assert Attribute.DOCUMENT_NUMBER in agreement.attributes
    assert agreement.methods == {MatchMethod.DEMOGRAPHIC}
    assert agreement.channels == {Channel.WSSE}
    assert agreement.provisions == frozenset()
    assert agreement.daily_quota == 1000
    assert agreement.delivery is Delivery.TYPED
    assert not agreement.scores_out


def test_a_date_begins_at_midnight_in_bishkek() -> None:
    """Legal days of the Kyrgyz Republic begin at 18:00 UTC of the day before."""
    agreement = parse_agreement(example())

    assert agreement.valid_from == datetime(2025, 12, 31, 18, tzinfo=UTC)
    assert agreement.valid_to == datetime(2026, 12, 31, 18, tzinfo=UTC)


def test_a_time_keeps_its_offset() -> None:
    """An instant is read exactly."""
    table = tomllib.loads("valid_from = 2026-01-01T00:00:00Z")

    assert parse_agreement(example(**table)).valid_from == datetime(2026, 1, 1, tzinfo=UTC)


def test_powers_are_read_by_purpose() -> None:
    """Procedure, cl. 5.3: the file lists the attributes of the body's powers."""
    agreement = parse_agreement(
        example(provisions=["OFFICIAL_REQUEST"], powers={"LOAN": ["surname", "pin"]})
    )

    assert agreement.provisions == {Provision.OFFICIAL_REQUEST}
    assert agreement.powers == {"LOAN": {Attribute.SURNAME, Attribute.PIN}}


def test_competence_is_read_by_purpose() -> None:
    """Procedure, cl. 3: the file names the act of law for a purpose of the agreement."""
    agreement = parse_agreement(example(competence={"LOAN": "A law, art. 1"}))

    assert agreement.competences == {"LOAN": "A law, art. 1"}
    notary = RecipientKind.PRIVATE_NOTARY
    assert agreement.purposes_without_competence(notary) == {"ACCOUNT_OPENING"}
    assert agreement.purposes_without_competence(RecipientKind.BANK) == frozenset()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"competence": {"LOAM": "A law"}}, "competence.LOAM: is not among the purposes"),
        ({"competence": {"LOAN": " "}}, "competence.LOAN: names an act of law"),
        ({"number": None}, "number: is missing"),
        ({"purposes": None}, "purposes: is missing"),
        ({"colour": "red"}, "colour: no such key"),
        ({"number": "a b"}, "number: an agreement number is"),
        ({"number": 14}, "number: must be text in quotes"),
        ({"recipient": "60000001"}, "recipient: a member code is"),
        ({"state": "IN_FORCE"}, "state: take it out: three signatures"),
        ({"valid_from": "2026-01-01"}, "valid_from: is a date without quotes"),
        ({"valid_from": datetime(2026, 1, 1)}, "valid_from: a time needs its offset"),  # noqa: DTZ001
        ({"valid_to": datetime(2020, 1, 1, tzinfo=UTC)}, "valid_to: must be after"),
        ({"purposes": []}, "purposes: is empty"),
        ({"purposes": "LOAN"}, "purposes: is a list"),
        ({"purposes": ["loan"]}, "purposes: a purpose is written in capitals"),
        ({"purposes": ["LOAN", "LOAN"]}, "purposes: names something twice"),
        ({"attributes": ["*"]}, "attributes: '*' is not one of"),
        ({"attributes": ["surname", 1]}, "attributes: is a list of names"),
        ({"methods": ["iris"]}, "methods: 'iris' is not one of"),
        ({"channels": []}, "channels: is empty"),
        ({"channels": ["fax"]}, "channels: 'fax' is not one of"),
        ({"scores_out": "yes"}, "scores_out: must be true or false"),
        ({"daily_quota": 0}, "daily_quota: is a whole number"),
        ({"daily_quota": True}, "daily_quota: is a whole number"),
        ({"provisions": ["5.1"]}, "provisions: '5.1' is not one of"),
        ({"provisions": ["OFFICIAL_REQUEST"]}, "provisions: OFFICIAL_REQUEST needs"),
        ({"powers": {"LOAN": ["pin"]}}, "powers: say nothing without"),
        ({"powers": ["LOAN"]}, "powers: must be a table"),
        (
            {"provisions": ["OFFICIAL_REQUEST"], "powers": {"AUDIT": ["pin"]}},
            "powers.AUDIT: is not among the purposes",
        ),
        (
            {"provisions": ["OFFICIAL_REQUEST"], "powers": {"LOAN": ["address"]}},
            "powers.LOAN: goes beyond the agreement's attributes: address",
        ),
        (
            {"provisions": ["OFFICIAL_REQUEST"], "powers": {"LOAN": []}},
            "powers.LOAN: is empty",
        ),
    ],
)
def test_an_error_names_the_key(changes: dict[str, Any], message: str) -> None:
    """A missing, unknown or wrong key is named."""
    with pytest.raises(OperatorError) as refused:
        parse_agreement(example(**changes))

    assert str(refused.value).startswith(message)


def test_an_error_names_the_file(tmp_path: Path) -> None:
    """An operator with ten files sees which one is meant."""
    file = tmp_path / "bank.toml"
    file.write_text('number = "1"\n')

    with pytest.raises(OperatorError, match=r"^bank\.toml: recipient: is missing"):
        read_agreement(file)


@pytest.mark.parametrize("content", [b"number = ", b"\xff", b"#" * (MAX_BYTES + 1)])
def test_malformed_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    """A picture that was renamed to .toml is an error in one line."""
    file = tmp_path / "bank.toml"
    file.write_bytes(content)

    with pytest.raises(FileError, match=r"bank\.toml: (not TOML|longer than)"):
        read_agreement(file)


@pytest.mark.parametrize(
    ("old", "new", "meant"),
    [
        ('"surname"', '"surnme"', "surname"),
        ('"givenName"', '"given_name"', "givenName"),
        ('"demographic"', '"demografic"', "demographic"),
        ('"wsse"]', '"wss"]', "wsse"),
        ('"ACCOUNT_OPENING"', '"account-opening"', "ACCOUNT_OPENING"),
        ("daily_quota", "dayly_quota", "daily_quota"),
        ('"TYPED"', '"typed"', "TYPED"),
    ],
)
def test_mistyped_name_gets_a_suggestion(old: str, new: str, meant: str) -> None:
    """Names are checked in keys and in values."""
    with pytest.raises(OperatorError, match=rf"; did you mean {meant}\?"):
        parse_agreement(tomllib.loads(EXAMPLE.replace(old, new)))


def test_power_for_a_mistyped_purpose_gets_a_suggestion() -> None:
    """Procedure, cl. 5.3: a power is for a purpose of the agreement."""
    with pytest.raises(OperatorError, match=r"LONE.*; did you mean LOAN\?"):
        parse_agreement(tomllib.loads(EXAMPLE + 'LONE = ["surname"]\n'))
