"""Comparison of what is said of a person with what the record says (Procedure, cl. 10).

The PIN finds the record; a document number, or surname and given name, show that the asker has the
person or their papers at hand. Every factor that is given must agree, and all of them are compared
whatever the first ones gave: neither the answer nor the work tells which factor failed. Without a
record the same work is done against a decoy, and the result is never a match (invariant 6).
"""

import hashlib
import hmac
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
from makul.domain.persons import LocalizedName, Person
from makul.matching.names import ALGORITHM, DOUBT, THRESHOLD, similarity

VERSION = "2"
"""Raised whenever folding, comparison or thresholds change, for old verdicts name theirs."""

_METHODS = frozenset({MatchMethod.DEMOGRAPHIC})

_NO_NAME = LocalizedName()

# Cyrillic letters that look like the Latin capitals of a document number and are typed for them.
_LOOK_ALIKES = str.maketrans("АВЕКМНОРСТУХІЈЅҮ", "ABEKMHOPCTYXIJSY")

DECOY = Person(
    pin=Pin("00101190000000"),
    values={
        Attribute.SURNAME: LocalizedName(ky="Үлгүлөв", ru="Образцов", latin="Ulgulov"),
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
    return min(
        _agreement(_same_text(probe.pin.digits, record.pin.digits)),
        _agreement(_same_birth_date(probe, values.get(Attribute.BIRTH_DATE))),
        _agreement(_same_sex(probe, values.get(Attribute.SEX))),
        _agreement(_same_document(probe.document_number, values.get(Attribute.DOCUMENT_NUMBER))),
        _likeness(probe.surname, values.get(Attribute.SURNAME)),
        _likeness(probe.given_name, values.get(Attribute.GIVEN_NAME)),
        _likeness(probe.patronymic, values.get(Attribute.PATRONYMIC)),
    )


def _agreement(agrees: bool) -> float:
    return 1.0 if agrees else 0.0


def _likeness(given: str | None, held: object) -> float:
    """The best of the three scripts; a script that is not held is like nothing."""
    if given is None:
        return 1.0
    name = held if isinstance(held, LocalizedName) else _NO_NAME
    return similarity(given, [form or "" for form in (name.ky, name.ru, name.latin)])


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
    """Where given: that of the PIN and, where the record holds one, of the record."""
    given = probe.birth_date
    return given is None or all([given == probe.pin.birth_date, held in {given, None}])


def _same_sex(probe: DemographicProbe, held: object) -> bool:
    """Where given: that of the PIN, if it tells, and of the record, if it holds it."""
    given = probe.sex
    return given is None or all([probe.pin.sex in {given, None}, held in {given, None}])


def _same_text(one: str, other: str) -> bool:
    """In constant time: digests are compared, so neither content nor length shows."""
    left = hashlib.sha256(one.encode()).digest()
    right = hashlib.sha256(other.encode()).digest()
    return hmac.compare_digest(left, right)
