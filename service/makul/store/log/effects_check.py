"""Read the effects that a decision states: the rows that it created or used up beside its own."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from makul.domain.disclosures import GroundKind
from makul.language.translation import translate
from makul.store.db.codecs import CodecError, micros, utc_day
from makul.store.encryption.fields import FieldCipher
from makul.store.records.row_images import TABLE_IMAGES, state_content, state_value
from makul.store.records.usage_limits import employee_index

Effect = tuple[str, str, Mapping[str, object]]
"""A table, a row's key as text, and what the decision states about the row."""


def read_effects(cipher: FieldCipher, stated: Mapping[str, object]) -> tuple[Effect, ...]:
    """Return what a decision states about other rows.

    Formats 1 and 2 state nothing; the baseline covers their rows. Raises `CodecError` for a
    statement that does not read back.
    """
    if stated["format"] in (1, 2):
        return ()
    try:
        return tuple(_Effects(cipher, stated).read())
    except (KeyError, TypeError, ValueError):
        raise CodecError(translate("a decision's effects cannot be read")) from None


class _Effects:
    """The effects of one decision."""

    def __init__(self, cipher: FieldCipher, stated: Mapping[str, object]) -> None:
        self._cipher = cipher
        self._stated = cast("Mapping[str, Any]", stated)
        self._effects = cast("Mapping[str, Any]", stated["effects"])
        self._at = datetime.fromisoformat(self._stated["decidedAt"])
        self._recipient = self._stated["recipient"]

    def read(self) -> Iterator[Effect]:
        effects = self._effects
        if effects["ground"] is not None:
            yield from self._read_ground()
        if effects["revokes"] is not None:
            yield self._read_revocation()
        if effects["quota"]:
            key = (self._recipient, self._stated["agreement"] or "", self._stated["space"])
            yield _build_effect("daily_use", (*key, utc_day(self._at)), {})
        if effects["paper"] is not None:
            key = (self._recipient, bytes.fromhex(effects["paper"]), utc_day(self._at))
            facts = {"ground": self._key_of_ground(), "at": micros(self._at)}
            yield _build_effect("paper_use", key, facts)
        if effects["failedAttempt"]:
            yield self._read_attempt()

    def _read_ground(self) -> Iterator[Effect]:
        kind, ground_id, digest = self._stated["ground"]
        allowed, valid_from, valid_to, giver = self._effects["ground"]
        subject = self._stated["subject"]
        facts = {
            "digest": state_value(bytes.fromhex(digest)),
            "allowed": allowed,
            "valid_from": micros(datetime.fromisoformat(valid_from)),
            "valid_to": micros(datetime.fromisoformat(valid_to)),
            "subject": (
                state_content(self._cipher, subject.encode("ascii"))
                if subject is not None
                else None
            ),
            "uses": 1 if self._effects["meters"] else 0,
            "registered_at": micros(self._at) if self._effects["registers"] else None,
        }
        yield "ground_use", self._key_of_ground(), facts
        if kind == GroundKind.CONSENT.value and giver is not None:
            index = self._cipher.index("pin", giver)
            key = (self._recipient, UUID(ground_id).bytes)
            giver_facts = {"giver_index": state_value(index), "ground": self._key_of_ground()}
            yield _build_effect("consent_giver", key, giver_facts)

    def _key_of_ground(self) -> str:
        kind, ground_id, _ = self._stated["ground"]
        return _key("ground_use", (self._recipient, kind, UUID(ground_id).bytes))

    def _read_revocation(self) -> Effect:
        consent_id, subject, document = self._effects["revokes"]
        index = self._cipher.index("pin", subject)
        facts = {
            "document": state_value(bytes.fromhex(document)) if document is not None else None,
            "revoked_at": micros(self._at),
        }
        return _build_effect("revocation", (self._recipient, UUID(consent_id).bytes, index), facts)

    def _read_attempt(self) -> Effect:
        employee = employee_index(self._cipher, self._recipient, self._stated["employee"])
        facts = {
            "recipient": self._recipient,
            "pin_index": state_value(self._cipher.index("pin", self._stated["subject"])),
            "employee_index": state_value(employee),
            "at": micros(self._at),
        }
        return _build_effect("attempt", (UUID(self._stated["disclosureId"]).bytes,), facts)


def _build_effect(table: str, key: tuple[object, ...], facts: Mapping[str, object]) -> Effect:
    return table, _key(table, key), facts


def _key(table: str, values: tuple[object, ...]) -> str:
    table_images = TABLE_IMAGES[table]
    return table_images.key_text(dict(zip(table_images.key_names, values, strict=True)))
