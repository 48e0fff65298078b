"""Encode domain values for columns: versioned, strict, and equal bytes for equal values.

A value that does not read back exactly is a broken store (`CodecError`), never a default. Instants
are whole microseconds since 1970-01-01T00:00Z in a BIGINT; UUIDs are their 16 bytes. SQLite and
PostgreSQL store both alike, so equality, order and indexes are the same everywhere.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from types import MappingProxyType
from typing import TypeVar

from makul.app.ports import StoreUnavailableError
from makul.domain.agreements import (
    DEFAULT_PAPER_QUOTA,
    Agreement,
    AgreementState,
    Channel,
    Delivery,
)
from makul.domain.attributes import Attribute
from makul.domain.identifiers import AgreementNumber, MemberCode, PurposeCode
from makul.domain.legal_bases import Provision
from makul.domain.matches import MatchMethod
from makul.domain.reasons import Reason
from makul.language.translation import translate

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PARTS = "parts"
_LENGTH_BYTES = 4
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)

ValueT = TypeVar("ValueT")


class CodecError(StoreUnavailableError):
    """The error for a stored value that does not read back.

    The message never contains the value.
    """


def micros(at: datetime) -> int:
    """Return an aware instant as microseconds since the epoch; a naive one raises `TypeError`."""
    return (at - _EPOCH) // _MICROSECOND


def instant(stored: int) -> datetime:
    """Return the aware instant, in UTC."""
    return _EPOCH + timedelta(microseconds=stored)


def utc_day(at: datetime) -> int:
    """Return the UTC day as a count of days since the epoch."""
    return (at - _EPOCH).days


def dumps(value: object) -> str:
    """Return JSON in one form: keys sorted, no spaces."""
    return _ENCODER.encode(value)


def pack(header: Mapping[str, object], parts: Sequence[bytes] = ()) -> bytes:
    """Return a JSON header with its length before it, followed by byte strings.

    The header contains the lengths of the byte strings.
    """
    encoded = dumps({**header, _PARTS: [len(part) for part in parts]}).encode()
    return len(encoded).to_bytes(_LENGTH_BYTES, "big") + encoded + b"".join(parts)


def unpack(packed: bytes) -> tuple[dict[str, object], list[bytes]]:
    """Return the header and the byte strings; every byte must be accounted for.

    Raises `CodecError` if the bytes do not read back.
    """
    start = _LENGTH_BYTES + int.from_bytes(packed[:_LENGTH_BYTES], "big")
    try:
        header = json.loads(packed[_LENGTH_BYTES:start])
        lengths: list[int] = header.pop(_PARTS)
        parts = []
        for length in lengths:
            parts.append(packed[start : start + length])
            start += length
    except (ValueError, TypeError, KeyError, AttributeError):
        raise CodecError(translate("a stored record does not read back")) from None
    if start != len(packed):
        raise CodecError(translate("a stored record has another length than it says"))
    return header, parts


def _read_json(read: Callable[[dict[str, object]], ValueT], text: str | bytes) -> ValueT:
    """Read JSON with `read`, and turn every error of form into `CodecError`."""
    try:
        return read(json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise CodecError(translate("a stored record does not read back")) from None


def only(fields: Mapping[str, object], *names: str) -> Mapping[str, object]:
    """Return the fields if these names are exactly theirs; otherwise raises `CodecError`."""
    if set(fields) != set(names):
        raise CodecError(translate("a stored record has other fields than its version"))
    return fields


# --- agreements -------------------------------------------------------------------------------


def terms_to_text(agreement: Agreement) -> str:
    """Return the terms of an agreement (format 5), except those that have columns of their own."""
    return dumps(
        {
            "v": 5,
            "purposes": sorted(agreement.purposes),
            "attributes": sorted(agreement.attributes),
            "methods": sorted(agreement.methods),
            "channels": sorted(agreement.channels),
            "provisions": sorted(agreement.provisions),
            "powers": {code: sorted(names) for code, names in agreement.powers.items()},
            "competences": dict(agreement.competences),
            "dailyQuota": agreement.daily_quota,
            "requestsPerMinute": agreement.requests_a_minute,
            "bytesPerDay": agreement.bytes_a_day,
            "delivery": agreement.delivery.value,
            "scoresOut": agreement.scores_out,
            "paper": agreement.paper_allowed,
            "paperQuota": agreement.paper_daily_quota,
            "representatives": agreement.representatives_allowed,
            "undertakings": agreement.undertakings_required,
        }
    )


_BEFORE_5: dict[str, object] = {"undertakings": False}
_BEFORE_4: dict[str, object] = {**_BEFORE_5, "competences": {}}
_BEFORE_3: dict[str, object] = {**_BEFORE_4, "requestsPerMinute": None, "bytesPerDay": None}
_CLOSED_BEFORE_2: dict[str, object] = {
    **_BEFORE_3,
    "paper": False,
    "paperQuota": DEFAULT_PAPER_QUOTA,
    "representatives": False,
}

AgreementRow = tuple[str, str, str, int, int, str]
"""The columns number, recipient, state, valid_from, valid_to and terms."""


@lru_cache(maxsize=512)
def agreement_from_row(row: AgreementRow) -> Agreement:
    """Return the agreement in a row that was just read; raises `CodecError`.

    It is a pure function of these columns, so its cache holds no authorisation
    (docs/architecture.md, invariant 9).
    """
    number, recipient, state, valid_from, valid_to, terms = row

    def read(fields: dict[str, object]) -> Agreement:
        fields = _upgrade_terms(fields)
        papers = fields["paperQuota"]
        if not isinstance(papers, int):
            raise CodecError(translate("a stored record has a field of another type"))
        return Agreement(
            number=AgreementNumber(number),
            recipient=MemberCode(recipient),
            state=AgreementState(state),
            valid_from=instant(valid_from),
            valid_to=instant(valid_to),
            purposes=frozenset(map(PurposeCode, _strings(fields["purposes"]))),
            attributes=_attributes(fields["attributes"]),
            methods=frozenset(map(MatchMethod, _strings(fields["methods"]))),
            channels=frozenset(map(Channel, _strings(fields["channels"]))),
            provisions=frozenset(map(Provision, _strings(fields["provisions"]))),
            powers=MappingProxyType(
                {
                    PurposeCode(code): _attributes(names)
                    for code, names in _fields(fields["powers"]).items()
                }
            ),
            competences=MappingProxyType(
                {
                    PurposeCode(code): _string(citation)
                    for code, citation in _fields(fields["competences"]).items()
                }
            ),
            daily_quota=_number_if_any(fields["dailyQuota"]),
            requests_a_minute=_number_if_any(fields["requestsPerMinute"]),
            bytes_a_day=_number_if_any(fields["bytesPerDay"]),
            delivery=Delivery(_string(fields["delivery"])),
            scores_out=_read_flag(fields["scoresOut"]),
            paper_allowed=_read_flag(fields["paper"]),
            paper_daily_quota=papers,
            representatives_allowed=_read_flag(fields["representatives"]),
            undertakings_required=_read_flag(fields["undertakings"]),
        )

    return _read_json(read, terms)


def _upgrade_terms(fields: dict[str, object]) -> dict[str, object]:
    """Return the fields of an agreement's terms in format 5, from any format."""
    if fields.get("v") == 1:  # format 1: before consents on paper and by representatives
        fields = {**fields, **_CLOSED_BEFORE_2, "v": 5}
    elif fields.get("v") == 2:  # format 2: before limits on use
        fields = {**fields, **_BEFORE_3, "v": 5}
    elif fields.get("v") == 3:  # format 3: before competences, so none is stated
        fields = {**fields, **_BEFORE_4, "v": 5}
    elif fields.get("v") == 4:  # format 4: before undertakings
        fields = {**fields, **_BEFORE_5, "v": 5}
    only(
        fields,
        *("v", "purposes", "attributes", "methods", "channels", "provisions", "powers"),
        *("dailyQuota", "delivery", "scoresOut", "paper", "paperQuota", "representatives"),
        *("requestsPerMinute", "bytesPerDay", "competences", "undertakings"),
    )
    if fields["v"] != 5:
        raise CodecError(translate("an agreement has an unknown format"))
    return fields


def _number_if_any(value: object) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise CodecError(translate("a stored record has a field of another type"))


# --- decisions --------------------------------------------------------------------------------


ReasonParts = tuple[str, str | None, str | None, int | None]
"""The code, cause, field, and seconds to wait of a reason."""


def reasons_to_text(reasons: Iterable[Reason]) -> str:
    """Return the codes, causes and fields of a decision's reasons: names, never values.

    Adjacent reasons that differ only in their field become one list with the fields at its end. A
    request for every attribute gets a reason for each, and a long row costs SQLite one more page.
    """
    return _reasons_text(
        (
            reason.code.value,
            reason.because.value if reason.because is not None else None,
            reason.field,
            reason.retry_after,
        )
        for reason in reasons
    )


def _reasons_text(reasons: Iterable[ReasonParts]) -> str:
    alike = groupby(reasons, key=lambda each: (each[0], each[1], each[3]))
    return dumps([[*same, *(each[2] for each in of_these)] for same, of_these in alike])


def reasons_from_text(text: str) -> list[ReasonParts]:
    """Return a decision's reasons, also in the format of earlier programs; raises `CodecError`.

    Text that no program writes is refused, even if it could be understood.
    """
    try:
        items = json.loads(text)
        if all(isinstance(each, list) for each in items):
            reasons = [
                (code, because, field, retry_after)
                for code, because, retry_after, *fields in items
                for field in fields
            ]
            is_canonical = _reasons_text(reasons) == text
        else:
            reasons = [tuple(each[name] for name in _REASON) for each in items]
            is_canonical = all(each.keys() == set(_REASON) for each in items)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        is_canonical = False
    if not is_canonical:
        raise CodecError(translate("a decision's reasons do not read back"))
    return reasons


_REASON = ("code", "because", "field", "retryAfter")
"""The names of a reason's parts, as earlier programs wrote them."""


def codes_from_text(text: str) -> tuple[str, ...]:
    """Return the codes of a decision's reasons."""
    try:
        return tuple(_string(each[0]) for each in reasons_from_text(text))
    except ValueError:
        raise CodecError(translate("a decision's reasons do not read back")) from None


def names_from_text(text: str) -> tuple[str, ...]:
    """Return a list of names."""
    try:
        return tuple(_strings(json.loads(text)))
    except ValueError:
        raise CodecError(translate("a list of names does not read back")) from None


def _attributes(value: object) -> frozenset[Attribute]:
    return frozenset(map(Attribute, _strings(value)))


def _read_flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise CodecError(translate("a stored record has a field of another type"))
    return value


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise CodecError(translate("a stored record has a field of another type"))
    return value


def _strings(value: object) -> list[str]:
    if not isinstance(value, list):
        raise CodecError(translate("a stored record has a field of another type"))
    return [_string(item) for item in value]


def _fields(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise CodecError(translate("a stored record has a field of another type"))
    return value
