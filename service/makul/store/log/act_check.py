"""Verify an act's row against the statement that its leaf commits to.

The check also collects what the act states about other rows.
"""

from collections.abc import Iterator, Mapping
from uuid import UUID

from makul.language.translation import translate
from makul.ledger.leaf import SALT_BYTES, commit
from makul.ledger.leaf_statement import read_act
from makul.store.db.codecs import CodecError, dumps, only, unpack
from makul.store.encryption.fields import FieldCipher, FieldDecryptionError
from makul.store.log.baseline import BASELINE_KIND
from makul.store.log.expectations import Expectations, StatedChange
from makul.store.records.acts import act_associated_data
from makul.store.records.row_images import TABLE_IMAGES
from makul.store.schema.ledger_tables import act, ledger_leaf

COLUMNS = (
    act.c.act_id,
    act.c.number,
    act.c.at,
    act.c.who,
    act.c.kind,
    act.c.target,
    act.c.sealed,
    ledger_leaf.c.leaf_hash,
    ledger_leaf.c.recorded_at,
)
"""The columns from which an act is read."""

_STATED = ("number", "at", "who", "kind", "target")

Columns = Mapping[str, object]


class ActChecker:
    """Verifies acts, and collects what they state about other rows."""

    def __init__(self, cipher: FieldCipher, expectations: Expectations) -> None:
        self._cipher = cipher
        self._expectations = expectations

    def find_mismatch(self, row: tuple[object, ...]) -> tuple[str, str] | None:
        """Return the first mismatch as its table and a text; None if everything matches."""
        names = (column.name for column in COLUMNS)
        columns = dict(zip(names, row, strict=True))
        try:
            salt, statement = self._decrypt(columns)
            stated = read_act(statement)
        except FieldDecryptionError:
            return "act", translate("its encrypted part does not decrypt: it was altered or moved")
        except (CodecError, ValueError):
            return "act", translate("its encrypted part cannot be read")
        if len(salt) != SALT_BYTES or commit(salt, statement) != columns["leaf_hash"]:
            return "ledger_leaf", translate("the leaf is not that of the act's statement")
        if columns["recorded_at"] != columns["at"]:
            return "ledger_leaf", translate("recorded_at is not the act's moment")
        for name in self._differing_names(columns, stated):
            return "act", translate("{name} is not what the leaf commits to", name=name)
        return self._collect(stated)

    def _decrypt(self, columns: Columns) -> tuple[bytes, bytes]:
        act_id, sealed = columns["act_id"], columns["sealed"]
        if not isinstance(act_id, bytes) or not isinstance(sealed, bytes):
            raise CodecError(translate("an act's columns are not what they must be"))
        header, parts = unpack(self._cipher.decrypt(sealed, act_associated_data(act_id)))
        if only(header, "v")["v"] != 1 or len(parts) != 2:
            raise CodecError(translate("an act's encrypted part has an unknown format"))
        return parts[0], parts[1]

    def _differing_names(self, columns: Columns, stated: Mapping[str, object]) -> Iterator[str]:
        act_id = columns["act_id"]
        if stated.get("actId") != (str(UUID(bytes=act_id)) if isinstance(act_id, bytes) else None):
            yield "act_id"
        for name in _STATED:
            if name not in stated or dumps(stated[name]) != _column_as_json(columns[name]):
                yield name

    def _collect(self, stated: Mapping[str, object]) -> tuple[str, str] | None:
        """Store the changes that an act states, under the act's number.

        Returns a mismatch as `find_mismatch` does.
        """
        number, changes = stated["number"], stated.get("changes")
        is_baseline = stated["kind"] == BASELINE_KIND
        if type(number) is not int or not isinstance(changes, list):
            return "act", translate("its encrypted part cannot be read")
        if not self._expectations.add_act(number, is_baseline=is_baseline):
            return "act", translate("another act has its number")
        try:
            for table, key, before, after in changes:
                ordered = dumps([key[name] for name in TABLE_IMAGES[table].key_names])
                change = StatedChange(
                    number=number, is_baseline=is_baseline, before=before, after=after
                )
                self._expectations.add_change(table, ordered, change)
        except (KeyError, TypeError, ValueError):
            return "act", translate("its encrypted part cannot be read")
        return None


def _column_as_json(value: object) -> str | None:
    """Return a column as JSON; None for a value of a type that no act has."""
    return dumps(value) if type(value) in (int, str) else None
