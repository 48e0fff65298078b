"""Compare what a recipient states about a person with the person's record (Procedure, cl. 10).

The PIN finds the record. A document number, or all names of the record, show that the recipient has
contact with the person or the person's documents. Every factor that is given must agree. All
factors are always compared, so neither the answer nor the work shows which factor failed. If there
is no record, the same work is done with a decoy, and the result is never a match
(docs/architecture.md, invariant 6).

Birth date and sex are taken from the record, which may have been corrected (cl. 14), because the
digits of the PIN do not change. Some people have only one name. It is compared with the one name
that is given, even if the two are in different fields. A dash in the other field is not a name, in
the probe and in the record.
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
"""The version of the algorithm. It must be raised when the reading of names, the comparison or a
threshold changes, because each stored verdict names the version that produced it."""

_METHODS = frozenset({MatchMethod.DEMOGRAPHIC})

_OWN_NAMES = (Attribute.SURNAME, Attribute.GIVEN_NAME)
_SCRIPTS = 3

# The Cyrillic letters that look like Latin capitals of a document number and are typed by mistake.
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
"""The decoy person with whom a probe is compared if there is no record. Nobody has this PIN."""


@dataclass(frozen=True, slots=True)
class DemographicMatcher:
    """The adapter for the port `Matcher` in release 1: compare demographic probes only.

    An instance has no state and is safe to share between threads.

    The score must be recorded only and never disclosed to the recipient if the result is not a
    match. It shows how near the probe came, and with a decoy it shows that there is no such person.
    """

    @property
    def methods(self) -> frozenset[MatchMethod]:
        """Return the demographic method, the only one that is supported."""
        return _METHODS

    def compare(self, probe: DemographicProbe, person: Person | None) -> MatchVerdict:
        """Compare the probe with the person and return the verdict of the one method.

        The result is never `MATCH` if `person` is None. If the probe is not `sufficient`, the
        result is always `INCONCLUSIVE`.
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
    """Return the score of the factor that agrees least, 0.0 to 1.0.

    A factor that is not a name scores 1.0 or 0.0.
    """
    values = record.values
    surname, given_name = (_name(values.get(name)) for name in _OWN_NAMES)
    names = probe.surname, probe.given_name
    spoken = _name_with_letters(probe.surname), _name_with_letters(probe.given_name)
    if _is_one(*spoken) and _is_one(surname, given_name):
        surname = given_name = surname or given_name
        names = spoken  # a document with one name may have a dash for the other
    return min(
        _agreement(_same_text(probe.pin.digits, record.pin.digits)),
        _agreement(_same_birth_date(probe, values.get(Attribute.BIRTH_DATE))),
        _agreement(_same_sex(probe, values.get(Attribute.SEX))),
        _agreement(_same_document(probe.document_number, values.get(Attribute.DOCUMENT_NUMBER))),
        _likeness(names[0], surname),
        _likeness(names[1], given_name),
        _likeness(probe.patronymic, _name(values.get(Attribute.PATRONYMIC))),
        _completeness(probe, values),
    )


def _completeness(probe: DemographicProbe, values: Mapping[Attribute, AttributeValue]) -> float:
    """Return 1.0 if the probe gives as many names as the record has, otherwise `DOUBT`.

    A document number may replace the names. A missing name is a doubt (MAT-02) and never a match.
    """
    stated = [probe.surname, probe.given_name]
    recorded = [_name(values.get(name)) for name in _OWN_NAMES]
    complete = sum(one is not None for one in stated) >= sum(one is not None for one in recorded)
    return 1.0 if complete or probe.document_number is not None else DOUBT


def _is_one(surname: object, given_name: object) -> bool:
    """Return whether exactly one of the two names is present."""
    return (surname is None) != (given_name is None)


def _name(recorded: object) -> LocalizedName | None:
    """Return the name in the record, or None if it has no letter, such as "-" for a missing name.

    If the record has no name, the decoy's name is read instead, so that the work is the same.
    """
    name = recorded if isinstance(recorded, LocalizedName) else _DECOY_NAME
    letters = _has_letters("".join(name.forms))
    return name if letters and name is recorded else None


def _name_with_letters(name: str | None) -> str | None:
    """Return the given name, or None if it has no letter."""
    return name if _has_letters(name or "") else None


def _has_letters(text: str) -> bool:
    return any(map(str.isalpha, text))


def _agreement(agrees: bool) -> float:
    return 1.0 if agrees else 0.0


def _likeness(stated: str | None, recorded: LocalizedName | None) -> float:
    """Return the best similarity of a given name to the forms in the record.

    The result is 1.0 if no name is given, and 0.0 if the record has no such name. Three forms are
    always compared, so that the work does not show how many forms the record has.
    """
    if stated is None:
        return 1.0
    forms = (recorded or _DECOY_NAME).forms
    score = similarity(stated, [*forms, *forms, *forms][:_SCRIPTS])
    return score if recorded is not None else 0.0


def _same_document(stated: str | None, recorded: object) -> bool:
    """Return whether two document numbers are equal after normalisation, in constant time.

    Two empty numbers are not equal. A number that is not given counts as equal.
    """
    if stated is None:
        return True
    number = _normalize_number(stated)
    same = _same_text(number, _normalize_number(recorded if isinstance(recorded, str) else ""))
    return all([same, bool(number)])


def _normalize_number(number: str) -> str:
    """Return a document number in capitals, without spaces and with Latin letters.

    Cyrillic letters that look like Latin ones are replaced.
    """
    return "".join(number.upper().translate(_LOOK_ALIKES).split())


def _same_birth_date(probe: DemographicProbe, recorded: object) -> bool:
    """Return whether the birth date agrees with the record or, if it has none, with the PIN.

    A birth date that is not given agrees.
    """
    by_pin = probe.pin.birth_date
    return probe.birth_date in {None, by_pin if recorded is None else recorded}


def _same_sex(probe: DemographicProbe, recorded: object) -> bool:
    """Return whether the sex agrees with the record or, if it has none, with the PIN.

    A sex that is not given agrees, and so does any sex if neither the record nor the PIN has one.
    """
    by_pin = probe.pin.sex
    known = by_pin if recorded is None else recorded
    return known is None or probe.sex in {None, known}


def _same_text(one: str, other: str) -> bool:
    """Return whether two texts are equal, in constant time.

    Digests are compared, so the time shows neither content nor length.
    """
    left = hashlib.sha256(one.encode()).digest()
    right = hashlib.sha256(other.encode()).digest()
    return hmac.compare_digest(left, right)
