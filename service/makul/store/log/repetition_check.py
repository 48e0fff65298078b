"""Verify a repetition's row against the statement of its leaf, and against its decision."""

from collections.abc import Mapping

from makul.language.translation import translate
from makul.ledger.leaf import SALT_BYTES, commit
from makul.ledger.leaf_statement import read_repetition
from makul.store.db.base import Row
from makul.store.db.codecs import CodecError
from makul.store.encryption.fields import FieldCipher, FieldDecryptionError
from makul.store.records.repetitions import open_repetition, repetition_facts
from makul.store.schema.ledger_tables import ledger_leaf
from makul.store.schema.record_tables import disclosure, repetition

COLUMNS = (
    *repetition.c,
    ledger_leaf.c.leaf_hash,
    ledger_leaf.c.recorded_at,
    disclosure.c.disclosure_id.label("decision_id"),
    disclosure.c.recipient.label("decision_recipient"),
    disclosure.c.space.label("decision_space"),
    disclosure.c.request_id.label("decision_request_id"),
)
"""The columns from which a repetition is read; its id is the first."""

_NAMES = tuple(column.name for column in COLUMNS)


class RepetitionChecker:
    """Verifies repetitions."""

    def __init__(self, cipher: FieldCipher) -> None:
        self._cipher = cipher

    def find_mismatch(self, row: Row) -> tuple[str, str] | None:
        """Return the first mismatch as its table and a text; None if everything matches."""
        columns = dict(zip(_NAMES, row, strict=True))
        try:
            secret = open_repetition(self._cipher, columns["repetition_id"], columns["sealed"])
            stated = read_repetition(secret.leaf_statement)
        except FieldDecryptionError:
            return "repetition", translate(
                "its encrypted part does not decrypt: it was altered or moved"
            )
        except (CodecError, ValueError):
            return "repetition", translate("its encrypted part cannot be read")
        salt, statement = secret.leaf_salt, secret.leaf_statement
        if len(salt) != SALT_BYTES or commit(salt, statement) != columns["leaf_hash"]:
            return "ledger_leaf", translate("the leaf is not that of the repetition's statement")
        if columns["recorded_at"] != columns["repeated_at"]:
            return "ledger_leaf", translate("recorded_at is not the repetition's moment")
        expected = repetition_facts(columns, secret)
        for name in sorted(stated.keys() | expected.keys()):
            if name not in stated or name not in expected or stated[name] != expected[name]:
                return "repetition", translate("{name} is not what the leaf commits to", name=name)
        return _wrong_decision(columns)


def _wrong_decision(columns: Mapping[str, object]) -> tuple[str, str] | None:
    if columns["decision_id"] is None:
        return "repetition", translate("the decision whose answer was repeated is missing")
    for name in ("recipient", "space", "request_id"):
        if columns[name] != columns[f"decision_{name}"]:
            return "repetition", translate("{name} is not that of its decision", name=name)
    return None
