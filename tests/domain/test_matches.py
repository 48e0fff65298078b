"""Probes, and what a comparison found (Procedure, cl. 10)."""

from itertools import combinations_with_replacement
from typing import cast

import pytest

from makul.domain.matches import DemographicProbe, MatchMethod, MatchResult, MatchVerdict
from makul.domain.persons import LocalizedName
from makul_testing.builders.cases import SUBJECT, finding, found


@pytest.mark.parametrize("results", [*combinations_with_replacement(MatchResult, 3)])
def test_it_is_a_match_only_where_every_method_matched(results: tuple[MatchResult, ...]) -> None:
    """Procedure, cl. 10: "if there is a match". One method in doubt is doubt."""
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
def test_the_worst_finding_is_the_finding(results: list[str], worst: MatchResult) -> None:
    """A clear no outweighs what could not be told, in any order."""
    there = [MatchResult(result) for result in results]

    assert found(*there).result is worst
    assert found(*reversed(there)).result is worst


def test_no_method_is_no_match() -> None:
    """Nothing compared is nothing found."""
    assert MatchVerdict(()).result is MatchResult.UNAVAILABLE


def test_a_finding_that_is_not_known_is_no_match() -> None:
    """An engine that answers with a word of its own does not open the door."""
    odd = finding(cast("MatchResult", "PROBABLY"), MatchMethod.FACE)

    assert MatchVerdict((finding(MatchResult.MATCH), odd)).result is MatchResult.UNAVAILABLE
    assert MatchVerdict((odd,)).result is MatchResult.UNAVAILABLE


def test_a_verdict_has_no_truth() -> None:
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
    """The PIN needs the document number or a name; sex and date are in it.

    Some people have one name. That none is left out which the record holds, the matcher sees to.
    """
    assert DemographicProbe(pin=SUBJECT, **factors).sufficient is sufficient  # type: ignore[arg-type]


def test_probes_and_names_do_not_print_what_they_say() -> None:
    """Invariant 7: no personal data in logs or exceptions."""
    probe = DemographicProbe(pin=SUBJECT, document_number="ID1234567", surname="Үлгүлүев")
    shown = f"{probe} {probe!r} {LocalizedName(ky='Үлгүлүев')!r}"

    for said in (SUBJECT.digits, "ID1234567", "Үлгүлүев"):
        assert said not in shown
