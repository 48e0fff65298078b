"""Verify every row that a decision may depend on against the acts and decisions that justify it.

A row without an act or decision is reported. So is an act or decision whose row is missing or
differs.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from makul.language.translation import mark, translate
from makul.store.db.base import Transaction
from makul.store.db.codecs import dumps, micros
from makul.store.encryption.fields import FieldCipher
from makul.store.log.expectations import Expectations, ExpectedGrounds, Facts
from makul.store.records.retention import KEEP_ATTEMPTS
from makul.store.records.row_images import TABLE_IMAGES, Image

UUID_BYTES = 16

SWEEP_MARGIN = timedelta(days=1)
"""The tolerance for differing clocks: a failed match may be deleted this long before it is due."""

_NOTHING_BEHIND = mark("no act and no decision stands behind this row")
_NOT_THERE = mark("the row is not there")

Found = tuple[str, str, str]
"""A table, a row's key, and what does not match."""

Judge = Callable[["RowCheck", Image | None, ExpectedGrounds], str | None]


class RowCheck:
    """Finds rows that do not match. It must be used after all records have been read."""

    def __init__(self, cipher: FieldCipher, expectations: Expectations, *, at: datetime) -> None:
        self._cipher = cipher
        self._expectations = expectations
        self._forgotten = micros(at - KEEP_ATTEMPTS + SWEEP_MARGIN)

    def find(self, transaction: Transaction) -> Iterator[Found]:
        """Yield each mismatch, table by table, in the snapshot of this transaction."""
        yield from self._numbers()
        for name, table in TABLE_IMAGES.items():
            judge = _JUDGES.get(name, RowCheck.judge_register)
            for row in table.rows(transaction):
                image, key = table.image(self._cipher, row), table.key_text(row)
                self._expectations.meet(name, key, image.get("registered_at"))
                find_mismatch = judge(self, image, self._expectations.grounds(name, key))
                if find_mismatch is not None:
                    yield name, _key_name(key), find_mismatch
            for key in self._expectations.unmet(name):
                find_mismatch = judge(self, None, self._expectations.grounds(name, key))
                if find_mismatch is not None:
                    yield name, _key_name(key), find_mismatch

    def _numbers(self) -> Iterator[Found]:
        gap = self._expectations.first_gap()
        if gap is not None:
            yield "act", str(gap), translate("the act of this number is not there")
        late = self._expectations.late_baseline()
        if late is not None:
            yield "act", str(late), translate("a baseline that other acts come before")

    def judge_register(self, image: Image | None, grounds: ExpectedGrounds) -> str | None:
        """Judge a row that only acts change.

        Each act must begin with the result of the one before.
        """
        stated: Facts | None = None
        for change in grounds.changes:
            if dumps(change.before) != dumps(stated):
                return translate(
                    "act {number} changed it from what no act had made it", number=change.number
                )
            stated = change.after
        return _first_difference(image, stated)

    def judge_ground(self, image: Image | None, grounds: ExpectedGrounds) -> str | None:
        """Judge the usage counter of a ground.

        Its sources are a baseline, the decisions since, and the operator's acts.
        """
        base = _base(grounds)
        if base is None and not grounds.effects:
            return translate(_NOTHING_BEHIND) if image is not None else None
        if image is None:
            return translate(_NOT_THERE)
        for name, stated in _permitted_values(base, grounds):
            if not _is_one_of(image[name], stated):
                return _not_stated(name)
        return None

    def judge_revocation(self, image: Image | None, grounds: ExpectedGrounds) -> str | None:
        """Judge a consent revocation: the first accepted one counts, with its document and time."""
        base = _base(grounds)
        stated = [base] if base is not None else [*_states_after_acts(grounds), *grounds.effects]
        return _among(image, stated)

    def judge_giver(self, image: Image | None, grounds: ExpectedGrounds) -> str | None:
        """Judge the giver of a consent, who is recorded with the first decision on it."""
        base = _base(grounds)
        if base is not None:
            return _among(image, [base])
        # The giver of a consent known before the baseline was recorded by then, or never.
        since = [each for each in grounds.effects if not self._has_baseline(each["ground"])]
        return _among(image, [{"giver_index": each["giver_index"]} for each in since])

    def _has_baseline(self, ground: object) -> bool:
        return _base(self._expectations.grounds("ground_use", str(ground))) is not None

    def judge_day(self, image: Image | None, grounds: ExpectedGrounds) -> str | None:
        """Judge the number of a day's disclosures: each decision counts as one."""
        base, counted = _base(grounds), len(grounds.effects)
        if base is None and not counted:
            return translate(_NOTHING_BEHIND) if image is not None else None
        if image is None:
            return translate(_NOT_THERE)
        counted += _number(base["used"]) if base is not None else 0
        return None if image["used"] == counted else _not_stated("used")

    def judge_paper_consents(self, image: Image | None, grounds: ExpectedGrounds) -> str | None:
        """Judge an official's day: a consent counts when it is first registered.

        Two decisions that register one consent at the same time may both count. So the number must
        be between a lower and an upper bound.
        """
        base = _base(grounds)
        before = _number(base["used"]) if base is not None else 0
        most = before + len(grounds.effects)
        first = {
            str(each["ground"])
            for each in grounds.effects
            if self._expectations.mark("ground_use", str(each["ground"])) == each["at"]
        }
        if image is None:
            return translate(_NOT_THERE) if before + len(first) else None
        if not most:
            return translate(_NOTHING_BEHIND)
        fits = before + len(first) <= _number(image["used"]) <= most
        return None if fits else _not_stated("used")

    def judge_attempt(self, image: Image | None, grounds: ExpectedGrounds) -> str | None:
        """Judge a failed match, which is deleted when it is old enough."""
        base = _base(grounds)
        stated = [base] if base is not None else list(grounds.effects)
        if image is None and stated and _number(stated[0]["at"]) <= self._forgotten:
            return None
        return _among(image, stated)


_JUDGES: Mapping[str, Judge] = {
    "ground_use": RowCheck.judge_ground,
    "revocation": RowCheck.judge_revocation,
    "consent_giver": RowCheck.judge_giver,
    "daily_use": RowCheck.judge_day,
    "paper_use": RowCheck.judge_paper_consents,
    "attempt": RowCheck.judge_attempt,
}


def _base(grounds: ExpectedGrounds) -> Facts | None:
    """Return the row as the baseline states it."""
    first = (change.after for change in grounds.changes if change.is_baseline)
    return next(first, None)


def _states_after_acts(grounds: ExpectedGrounds) -> list[Facts]:
    """Return the states of the row that acts left."""
    return [change.after for change in grounds.changes if change.after is not None]


def _permitted_values(
    base: Facts | None, grounds: ExpectedGrounds
) -> Iterator[tuple[str, Iterable[object]]]:
    """Yield for each column of a ground's row the values that it may have."""
    effects = grounds.effects
    first = base if base is not None else effects[0]
    for name in ("digest", "allowed", "valid_from", "valid_to"):
        yield name, [first[name]]
    # A basis statement may be about several subjects; its row has the subject of the first
    # decision.
    yield "subject", [each["subject"] for each in ([first] if base is not None else effects)]
    used = sum(_number(each["uses"]) for each in effects)
    yield "used", [used + (_number(base["used"]) if base is not None else 0)]
    yield "registered_at", _registrations(base, effects)
    revoked_at = base["revoked_at"] if base is not None else None
    for change in grounds.changes:
        if not change.is_baseline and change.after is not None:
            revoked_at = change.after["revoked_at"]
    yield "revoked_at", [revoked_at]


def _registrations(base: Facts | None, effects: tuple[Facts, ...]) -> Iterator[object]:
    """Yield the permitted values of `registered_at`.

    The baseline's value applies; without one, that of any decision that registered the ground.
    """
    if base is not None and base["registered_at"] is not None:
        yield base["registered_at"]
        return
    moments = [each["registered_at"] for each in effects if each["registered_at"] is not None]
    yield from moments or [None]


def _among(image: Image | None, stated: list[Facts]) -> str | None:
    """Compare a row that is written once with the statements that may have written it."""
    if image is None or not stated:
        return _first_difference(image, stated[0] if stated else None)
    if _is_one_of(image, stated):
        return None
    return _first_difference(image, stated[0])


def _first_difference(image: Image | None, stated: Facts | None) -> str | None:
    if image is None:
        return translate(_NOT_THERE) if stated is not None else None
    if stated is None:
        return translate(_NOTHING_BEHIND)
    for name in sorted(image.keys() | stated.keys()):
        missing = name not in image or name not in stated
        if missing or dumps(image[name]) != dumps(stated[name]):
            return _not_stated(name)
    return None


def _not_stated(name: str) -> str:
    return translate("{name} is not what acts and decisions say", name=name)


def _is_one_of(value: object, stated: Iterable[object]) -> bool:
    return dumps(value) in {dumps(each) for each in stated}


def _number(value: object) -> int:
    """Return a count; a value that is no count becomes -1, which matches no record."""
    return value if type(value) is int else -1


def _key_name(key: str) -> str:
    """Return a row's key for printing: it contains ids and digests, and no person's name."""
    return "/".join(_key_part(part) for part in json.loads(key))


def _key_part(part: object) -> str:
    if not isinstance(part, list) or part[0] != "hex":
        return str(part)
    raw = bytes.fromhex(part[1])
    return str(UUID(bytes=raw)) if len(raw) == UUID_BYTES else raw.hex()
