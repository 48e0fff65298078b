"""Probes, and the results of a comparison (Procedure, cl. 10)."""

from itertools import combinations_with_replacement
from typing import cast

import pytest

from makul.domain.matches import DemographicProbe, MatchMethod, MatchResult, MatchVerdict
from makul.domain.persons import LocalizedName
from makul_testing.builders.cases import SUBJECT, finding, found


@pytest.mark.parametrize("results", [*combinations_with_replacement(MatchResult, 3)])
def test_a_match_needs_every_method(results: tuple[MatchResult, ...]) -> None:
    """Procedure, cl. 10: "if there is a match"; one doubtful method is a doubt."""
    matched = found(*results).result is MatchResult.MATCH

    assert matched is (set(results) == {MatchResult.MATCH})


@pytest.mark.parametrize(
    ("results", "worst"),
    [
        (["MATCH", "NO_MATCH", "UNAVAILABLE", "INCONCLUSIVE"], MatchResult.NO_MATCH),
        (["MATCH", "UNAVAILABLE", "INCONCLUSIVE"], MatchResult.UNAVAILABLE),
        (["MATCH", "INCONCLUSIVE"], MatchResult.INCONCLUSIVE),
        (["MATCH"], MatchResult.MATCH),
    ],
)
def test_overall_result_is_worst_factor(results: list[str], worst: MatchResult) -> None:
    """A clear no outweighs an undetermined result, in any order."""
    there = [MatchResult(result) for result in results]

    assert found(*there).result is worst
    assert found(*reversed(there)).result is worst


def test_no_method_is_no_match() -> None:
    """A match needs a comparison."""
    assert MatchVerdict(()).result is MatchResult.UNAVAILABLE


def test_an_unknown_finding_is_no_match() -> None:
    """An unknown result of a matching engine is no match."""
    odd = finding(cast("MatchResult", "PROBABLY"), MatchMethod.FACE)

    assert MatchVerdict((finding(MatchResult.MATCH), odd)).result is MatchResult.UNAVAILABLE
    assert MatchVerdict((odd,)).result is MatchResult.UNAVAILABLE


def test_a_verdict_refuses_truth_testing() -> None:
    """`if verdict:` would take a NO_MATCH for a yes."""
    with pytest.raises(TypeError, match="no truth of"):
        bool(found(MatchResult.NO_MATCH))


@pytest.mark.parametrize(
    ("factors", "sufficient"),
    [
        ({"document_number": "ID1234567"}, True),
        ({"surname": "Үлгүлүев", "given_name": "Сынак"}, True),
        ({}, False),
        ({"surname": "Үлгүлүев"}, True),
        ({"given_name": "Сынак"}, True),
        ({"surname": "Үлгүлүев", "patronymic": "Сынакович"}, True),
        ({"patronymic": "Сынакович"}, False),
        ({"surname": " ", "given_name": ""}, False),
        ({"document_number": ""}, False),
        ({"document_number": " \u00a0"}, False),
        ({"surname": " ", "given_name": "Сынак"}, True),
        ({"sex": "M"}, False),
    ],
)
def test_a_pin_alone_proves_nothing(factors: dict[str, str], sufficient: bool) -> None:
    """The PIN needs the document number or a name, because sex and date are in the PIN.

    Some people have one name. The matcher ensures that no recorded name is omitted.
    """
    assert DemographicProbe(pin=SUBJECT, **factors).sufficient is sufficient  # type: ignore[arg-type]


def test_probes_and_names_do_not_print_their_content() -> None:
    """docs/architecture.md, invariant 7: no personal data reach logs or exceptions."""
    probe = DemographicProbe(pin=SUBJECT, document_number="ID1234567", surname="Үлгүлүев")
    text = f"{probe} {probe!r} {LocalizedName(ky='Үлгүлүев')!r}"

    for value in (SUBJECT.digits, "ID1234567", "Үлгүлүев"):
        assert value not in text
