"""The closed catalogue of reasons and their texts."""

import re
from collections import defaultdict
from typing import Any

import pytest

from makul.domain.causes import Cause
from makul.domain.decision import MATCH_RULES
from makul.domain.eligibility import ELIGIBILITY_RULES
from makul.domain.grounds import BASIS_RULES, CONSENT_RULES
from makul.domain.reason_texts import (
    ReasonTextError,
    Text,
    find_text,
    parse_texts,
    require_each,
    text,
    text_of_cause,
)
from makul.domain.reasons import CATALOGUE, Code, Reason, Retry, Side, leaves_open
from makul.domain.rules import Rule

RULES: tuple[Rule[Any], ...] = (*ELIGIBILITY_RULES, *CONSENT_RULES, *BASIS_RULES, *MATCH_RULES)

CLAUSES_OF_A_DECISION = ("2", "3", "4", "5", "5.1", "5.2", "5.3", "5.4", "7", "10")
"""The clauses that say to whom, on what ground and how data are given.

Clauses 1, 6 and 8 set no condition; 9 is the channel; operations carry out 11 to 16, not decisions.
"""

CAUSES = [
    pytest.param(getattr(text_of_cause(cause), language), id=f"{cause}-{language}")
    for cause in Cause
    for language in ("ky", "ru", "en")
]

TEXTS = [
    pytest.param(wording, id=f"{code}-{language}")
    for code in Code
    for language, wording in (
        ("ky", text(code).ky),
        ("ru", text(code).ru),
        ("en", text(code).en),
    )
]


def test_every_clause_of_a_decision_has_a_rule() -> None:
    """Procedure, cl. 2 to 5, 7 and 10: a rule that names the clause carries it out."""
    rules_by_clause: dict[str, list[str]] = defaultdict(list)
    for rule in RULES:
        for clause in rule.clauses:
            rules_by_clause[clause].append(rule.code.value)

    print("\nclause  rules")
    for clause in sorted(rules_by_clause, key=lambda name: tuple(map(int, name.split(".")))):
        print(f"{clause:<7} {' '.join(rules_by_clause[clause])}")

    assert not [clause for clause in CLAUSES_OF_A_DECISION if not rules_by_clause[clause]]


def test_each_rule_has_its_own_code() -> None:
    """No two rules of a decision have the same code."""
    codes = [rule.code for rule in RULES]

    assert len(codes) == len(set(codes))


def test_every_code_is_in_the_catalogue() -> None:
    """A code without an entry would have no clause."""
    assert set(CATALOGUE) == set(Code)


@pytest.mark.parametrize("code", Code)
def test_every_reason_rests_on_a_clause_of_the_procedure(code: Code) -> None:
    """docs/architecture.md, invariant 8: every reason cites one of sixteen clauses or the four of
    cl. 5.
    """
    assert re.fullmatch(r"[1-9]|1[0-6]|5\.[1-4]", Reason(code=code).clause)


@pytest.mark.parametrize("code", Code)
def test_codes_on_the_wire_are_three_letters_and_two_digits(code: Code) -> None:
    """The form is the wire's `ReasonCode`, which clients parse."""
    assert re.fullmatch(r"[A-Z]{3}-[0-9]{2}", code.value)


# --- retry and side ---------------------------------------------------------------------------


@pytest.mark.parametrize("code", Code)
def test_a_permanent_reason_is_not_retried(code: Code) -> None:
    """The side "-" is only for an answer that is simply no."""
    reason = Reason(code=code)

    assert (reason.side is Side.NOBODY) is (code is Code.MAT_01)
    assert code is not Code.MAT_01 or reason.retry is Retry.NO


@pytest.mark.parametrize(
    "code",
    [Code.OPS_01, Code.OPS_02, Code.OPS_03, Code.OPS_99, Code.SIG_07, Code.REQ_05, Code.AGR_06],
)
def test_a_temporary_reason_leaves_the_request_open(code: Code) -> None:
    """docs/architecture.md, invariant 5: the same id may be sent again after the problem has
    passed.
    """
    assert leaves_open((Reason(code=Code.MAT_01), Reason(code=code)))


def test_a_plain_refusal_closes_the_request() -> None:
    """docs/architecture.md, invariant 5: after a refusal a new request needs a new id."""
    assert not leaves_open((Reason(code=Code.CNS_04), Reason(code=Code.MAT_01)))
    assert not leaves_open(())


def test_a_passing_cause_makes_the_reason_pass() -> None:
    """An unknown revocation status of a consent's signer is the operator's, and may be retried."""
    reason = Reason(code=Code.CNS_02, because=Code.SIG_07)

    assert reason.retry is Retry.LATER
    assert reason.side is Side.OPERATOR
    assert reason.clause == "4"


def test_a_lasting_cause_leaves_the_reason_as_it_is() -> None:
    """The citizen must sign again after a revoked certificate."""
    reason = Reason(code=Code.CNS_02, because=Code.SIG_06)

    assert reason.retry is Retry.AFTER_FIXING
    assert reason.side is Side.CITIZEN


def test_a_reason_refuses_truth_testing() -> None:
    """`if reason:` would always pass, so it is an error."""
    with pytest.raises(TypeError, match="no truth of"):
        bool(Reason(code=Code.MAT_01))


# --- texts ------------------------------------------------------------------------------------

_KYRGYZ_ALONE = re.compile("[ңөүҢӨҮ]")


_ENTRY = """
[CNS-01]
ky = "Макулдук жок {name}."
ru = "Согласия нет {name}."
en = "No consent {name}."
"""


def test_a_file_of_texts_is_read_by_code() -> None:
    """What a translator writes is what is said."""
    assert parse_texts("codes.toml", _ENTRY, Code) == {
        Code.CNS_01: Text(
            ky="Макулдук жок {name}.", ru="Согласия нет {name}.", en="No consent {name}."
        )
    }


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("CNS-01", "CNS-99", "there is no CNS-99"),
        ("ky =", "kg =", "exactly ky, ru and en"),
        ('ru = "Согласия нет {name}."', "", "exactly ky, ru and en"),
        ('"Согласия нет {name}."', '""', "ru: must be one line"),
        ('"Согласия нет {name}."', "1", "ru: must be one line"),
        ("Согласия нет", "Согласия  нет", "ru: must be one line"),
        ("Макулдук жок {name}", "Макулдук жок {nam}", "placeholders differ"),
        ("Макулдук жок {name}", "Макулдук жок", "placeholders differ"),
        ("en =", "en", "codes.toml: "),
    ],
)
def test_a_flawed_file_of_texts_is_refused(old: str, new: str, complaint: str) -> None:
    """The service does not start on it, and the translator is shown the entry."""
    with pytest.raises(ReasonTextError, match=complaint):
        parse_texts("codes.toml", _ENTRY.replace(old, new), Code)


def test_every_code_needs_a_text() -> None:
    """A code that was added without its texts stops the service."""
    with pytest.raises(ReasonTextError, match="no text for REQ-01, REQ-02"):
        require_each("codes.toml", parse_texts("codes.toml", _ENTRY, Code), Code)


@pytest.mark.parametrize("wording", TEXTS)
def test_texts_are_one_or_two_plain_sentences(wording: str) -> None:
    """The texts fit a bank's screen, are whole, and have no space for a value."""
    assert 20 <= len(wording) <= 300
    assert wording[0].isupper()
    assert wording.endswith(".")
    assert 1 <= len(re.findall(r"\.(?:\s|$)", wording)) <= 2
    assert not re.search(r"[{}%<>_]|\s\s|TODO|\d{3}", wording)


@pytest.mark.parametrize("code", Code)
def test_each_text_is_in_its_own_language(code: Code) -> None:
    """Kyrgyz has letters that Russian lacks, and English has no Cyrillic."""
    wording: Text = text(code)

    assert _KYRGYZ_ALONE.search(wording.ky)
    assert re.search("[а-яА-Я]", wording.ru)
    assert not _KYRGYZ_ALONE.search(wording.ru)
    assert not re.search("[а-яА-ЯёЁңөүҢӨҮ]", wording.en)
    assert not re.search(r"[A-Za-z]", wording.ky.replace("XML", ""))
    assert not re.search(r"[A-Za-z]", wording.ru.replace("XML", ""))


def test_texts_of_different_codes_differ() -> None:
    """No two codes have the same text."""
    for language in ("ky", "ru", "en"):
        assert len({getattr(text(code), language) for code in Code}) == len(Code)


def test_no_match_has_one_text_for_every_record() -> None:
    """docs/architecture.md, invariant 6: MAT-01 reveals neither absence nor presence of
    a record.
    """
    wording = text(Code.MAT_01)

    for telling in ("базада жок", "катталган эмес", "не найден", "не зарегистрирован", "unknown"):
        assert telling not in wording.ky + wording.ru + wording.en


def test_a_temporary_cause_replaces_the_reasons_text() -> None:
    """CNS-02 because SIG-07 must not ask the citizen to sign again; the operator corrects it."""
    unknown = Reason(code=Code.CNS_02, because=Code.SIG_07)
    broken = Reason(code=Code.CNS_02, because=Code.SIG_02)

    assert (unknown.text_code, unknown.retry) == (Code.SIG_07, Retry.LATER)
    assert unknown.side is Side.OPERATOR
    assert (broken.text_code, broken.retry) == (Code.CNS_02, Retry.AFTER_FIXING)


# --- causes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("wording", CAUSES)
def test_causes_name_the_error_and_the_expectation(wording: str) -> None:
    """Causes are as short as reasons; they may name elements, but no values."""
    assert 20 <= len(wording) <= 300
    assert wording[0].isupper()
    assert wording.endswith(".")
    assert 1 <= len(re.findall(r"\.(?:\s|$)", wording)) <= 3
    assert not re.search(r"[{}%<>]|\s\s|TODO", wording)


@pytest.mark.parametrize("cause", Cause)
def test_each_cause_is_in_its_own_language(cause: Cause) -> None:
    """Names of the standards are Latin in each language."""
    wording = text_of_cause(cause)

    assert _KYRGYZ_ALONE.search(wording.ky)
    assert re.search("[а-яА-Я]", wording.ru)
    assert not _KYRGYZ_ALONE.search(wording.ru)
    assert not re.search("[а-яА-ЯёЁңөүҢӨҮ]", wording.en)


def test_a_cause_replaces_a_messages_reason() -> None:
    """SIG-02 alone says that the content may have changed, which misleads about a comment."""
    reason = Reason(code=Code.REQ_07, field="surname", cause=Cause.COMMENT)

    assert find_text(reason) == text_of_cause(Cause.COMMENT)
    assert find_text(Reason(code=Code.REQ_07)) == text(Code.REQ_07)


def test_a_cause_in_a_document_follows_the_reason() -> None:
    """CNS-02 because SIG-02 says that the consent's signature fails, and what is wrong with it."""
    reason = Reason(code=Code.CNS_02, because=Code.SIG_02, cause=Cause.TIME_ZONE)

    for language in ("ky", "ru", "en"):
        wording = getattr(find_text(reason), language)
        assert wording.startswith(getattr(text(Code.CNS_02), language))
        assert wording.endswith(getattr(text_of_cause(Cause.TIME_ZONE), language))


@pytest.mark.parametrize("code", [Code.CNS_02, Code.LAW_09, Code.SIG_02])
@pytest.mark.parametrize("cause", Cause)
def test_texts_fit_the_schema(code: Code, cause: Cause) -> None:
    """types.xsd, Text: at most 500 characters."""
    because = None if code is Code.SIG_02 else Code.SIG_02
    wording = find_text(Reason(code=code, because=because, cause=cause))

    assert max(len(wording.ky), len(wording.ru), len(wording.en)) <= 500


def test_a_cause_decides_nothing() -> None:
    """Programs, receipts and the ledger compare codes and fields."""
    assert Reason(code=Code.SIG_03, cause=Cause.KEY_REFERENCE) == Reason(code=Code.SIG_03)
