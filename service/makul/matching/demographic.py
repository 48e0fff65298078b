"""Comparison of what is said of a person with what the record says (Procedure, cl. 10).

The PIN finds the record; a document number, or every name that the record holds, show that the
asker has the person or their papers at hand. Every factor that is given must agree, and all of them
are compared whatever the first ones gave: neither the answer nor the work tells which factor
failed. Without a record the same work is done against a decoy, and the result is never a match
(invariant 6).

Birth date and sex are those of the record, which may have been corrected (cl. 14); the digits of
the PIN stay what they were. Some people have one name: it is compared with the one that is given,
in whichever field each stands; a dash in the other field is no name, on either side.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from makul.domain.attributes import Attribute
from makul.domain.identifiers import Pin
from makul.domain.matches import (
    DemographicProbe,
    MatchMethod,
    MatchResult,
    MatchVerdict,
    MethodVerdict,
)
from makul.domain.persons import AttributeValue, LocalizedName, Person
from makul.matching.name_similarity import ALGORITHM, DOUBT, THRESHOLD, similarity

VERSION = "2"
"""Raised whenever folding, comparison or thresholds change, for old verdicts name theirs."""

_METHODS = frozenset({MatchMethod.DEMOGRAPHIC})

_OWN_NAMES = (Attribute.SURNAME, Attribute.GIVEN_NAME)
_SCRIPTS = 3

# Cyrillic letters that look like the Latin capitals of a document number and are typed for them.
_LOOK_ALIKES = str.maketrans("АВЕКМНОРСТУХІЈЅҮ", "ABEKMHOPCTYXIJSY")

_DECOY_NAME = LocalizedName(ky="Үлгүлөв", ru="Образцов", latin="Ulgulov")
DECOY = Person(
    pin=Pin("00101190000000"),
    values={
        Attribute.SURNAME: _DECOY_NAME,
        Attribute.GIVEN_NAME: LocalizedName(ky="Мисал", ru="Пример", latin="Misal"),
        Attribute.PATRONYMIC: LocalizedName(
            ky="Мисалбекович", ru="Примерович", latin="Misalbekovich"
        ),
        Attribute.SEX: "M",
        Attribute.BIRTH_DATE: date(1900, 1, 1),
        Attribute.DOCUMENT_NUMBER: "XX0000000",
    },
)
"""Nobody: what a probe is compared with where there is no record. Its PIN belongs to no one."""


@dataclass(frozen=True, slots=True)
class DemographicMatcher:
    """The port `Matcher` for release 1: demographic probes alone. Stateless, for any thread.

    The score of what is not a match says how near it came, and against a decoy it says that there
    is no such person; it is for the record and never for the asker.
    """

    @property
    def methods(self) -> frozenset[MatchMethod]:
        """Demographic, and no other."""
        return _METHODS

    def compare(self, probe: DemographicProbe, person: Person | None) -> MatchVerdict:
        """One method's verdict. Never `MATCH` where `person` is None.

        A probe that is not `sufficient` is `INCONCLUSIVE` whatever the record says.
        """
        score = _score(probe, DECOY if person is None else person)
        return MatchVerdict(
            (
                MethodVerdict(
                    method=MatchMethod.DEMOGRAPHIC,
                    result=_result(score, probe, known=person is not None),
                    algorithm=ALGORITHM,
                    version=VERSION,
                    score=score,
                    threshold=THRESHOLD,
                ),
            )
        )


def _result(score: float, probe: DemographicProbe, *, known: bool) -> MatchResult:
    if not probe.sufficient:
        return MatchResult.INCONCLUSIVE
    if not known or score < DOUBT:
        return MatchResult.NO_MATCH
    return MatchResult.MATCH if score >= THRESHOLD else MatchResult.INCONCLUSIVE


def _score(probe: DemographicProbe, record: Person) -> float:
    """The score of the factor that agrees least; factors that are not names agree or do not."""
    values = record.values
    surname, given_name = (_name(values.get(name)) for name in _OWN_NAMES)
    said = probe.surname, probe.given_name
    spoken = _spoken(probe.surname), _spoken(probe.given_name)
    if _is_one(*spoken) and _is_one(surname, given_name):
        surname = given_name = surname or given_name
        said = spoken  # a paper of one name may print a dash for the other
    return min(
        _agreement(_same_text(probe.pin.digits, record.pin.digits)),
        _agreement(_same_birth_date(probe, values.get(Attribute.BIRTH_DATE))),
        _agreement(_same_sex(probe, values.get(Attribute.SEX))),
        _agreement(_same_document(probe.document_number, values.get(Attribute.DOCUMENT_NUMBER))),
        _likeness(said[0], surname),
        _likeness(said[1], given_name),
        _likeness(probe.patronymic, _name(values.get(Attribute.PATRONYMIC))),
        _completeness(probe, values),
    )


def _completeness(probe: DemographicProbe, values: Mapping[Attribute, AttributeValue]) -> float:
    """Whether the names that are given are as many as are held; a document number stands for both.

    A name that was left out is a doubt (MAT-02) and never a match.
    """
    given = [probe.surname, probe.given_name]
    held = [_name(values.get(name)) for name in _OWN_NAMES]
    complete = sum(one is not None for one in given) >= sum(one is not None for one in held)
    return 1.0 if complete or probe.document_number is not None else DOUBT


def _is_one(surname: object, given_name: object) -> bool:
    """Return whether exactly one of the two is there."""
    return (surname is None) != (given_name is None)


def _name(held: object) -> LocalizedName | None:
    """The name as it is held; None where no letter is, as of "-" for a name that is missing.

    Where there is no name, another is read in its place, so that the work does not tell.
    """
    name = held if isinstance(held, LocalizedName) else _DECOY_NAME
    letters = _has_letters("".join(name.forms))
    return name if letters and name is held else None


def _spoken(given: str | None) -> str | None:
    """The name as it is given; None where no letter is."""
    return given if _has_letters(given or "") else None


def _has_letters(text: str) -> bool:
    return any(map(str.isalpha, text))


def _agreement(agrees: bool) -> float:
    return 1.0 if agrees else 0.0


def _likeness(given: str | None, held: LocalizedName | None) -> float:
    """The best of the scripts that are held. A name that is not held is like nothing.

    Three forms are compared in any case, so that the work does not tell how many are held.
    """
    if given is None:
        return 1.0
    forms = (held or _DECOY_NAME).forms
    found = similarity(given, [*forms, *forms, *forms][:_SCRIPTS])
    return found if held is not None else 0.0


def _same_document(given: str | None, held: object) -> bool:
    """Equal after normalisation, in constant time; two empty numbers are not equal."""
    if given is None:
        return True
    number = _normalised(given)
    same = _same_text(number, _normalised(held if isinstance(held, str) else ""))
    return all([same, bool(number)])


def _normalised(number: str) -> str:
    """Capitals without spaces, Latin letters for the Cyrillic ones that look like them."""
    return "".join(number.upper().translate(_LOOK_ALIKES).split())


def _same_birth_date(probe: DemographicProbe, held: object) -> bool:
    """Where given: that of the record or, where it holds none, of the PIN."""
    by_pin = probe.pin.birth_date
    return probe.birth_date in {None, by_pin if held is None else held}


def _same_sex(probe: DemographicProbe, held: object) -> bool:
    """Where given: that of the record or, where it holds none, of the PIN, if that tells."""
    by_pin = probe.pin.sex
    known = by_pin if held is None else held
    return known is None or probe.sex in {None, known}


def _same_text(one: str, other: str) -> bool:
    """In constant time: digests are compared, so neither content nor length shows."""
    left = hashlib.sha256(one.encode()).digest()
    right = hashlib.sha256(other.encode()).digest()
    return hmac.compare_digest(left, right)
