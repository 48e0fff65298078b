"""The manifest of a copy: what it contains and which keys it needs.

The digests find damage. They find no attacker, who could alter the manifest as well: the ledger and
its published checkpoint do (`makul restore --check`). The manifest contains no personal data.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from makul.language.translation import translate
from makul.store.backup.errors import BackupError
from makul.store.backup.inventory import StoreInventory
from makul.store.schema.version import known_versions

FORMAT = "makul-backup/1"
NAME = "manifest.json"
MAX_MANIFEST_BYTES = 64 * 1024 * 1024
"""About 300,000 files of evidence, which is decades of revocation data."""

_STRICT = ConfigDict(extra="forbid", frozen=True)


def _inner_path(text: str) -> str:
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or str(path) != text or not text.isprintable():
        raise ValueError("not a path inside the copy")
    return text


_Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
_Size = Annotated[int, Field(ge=0, le=2**60)]
_Word = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,100}$")]


class BackupFile(BaseModel):
    """A file of the copy, by its path inside the copy."""

    model_config = _STRICT

    path: Annotated[str, AfterValidator(_inner_path), Field(min_length=1, max_length=500)]
    bytes: _Size
    sha256: _Digest


class CopiedLedger(BaseModel):
    """The state of the ledger in the copy."""

    model_config = _STRICT

    size: _Size
    root: _Digest
    checkpoint: _Size | None = None
    """The size of the newest signed tree in the copy."""
    checkpoint_at: AwareDatetime | None = None


class CopiedArchive(BaseModel):
    """The archive of evidence, which all copies in a directory share."""

    model_config = _STRICT

    files: _Size


class BackupManifest(BaseModel):
    """What a copy contains."""

    model_config = _STRICT

    format: Literal["makul-backup/1"]
    made_at: AwareDatetime
    """The moment just before the copy began: everything that was committed before is in it."""
    program: _Word
    """The version of the program that made it."""
    database: Literal["SQLite", "PostgreSQL"]
    database_version: Annotated[str, Field(pattern=r"^[\x20-\x7e]{1,200}$")]
    schema_version: _Word
    store: Annotated[str, Field(pattern="^[0-9a-f-]{36}$")]
    """The identity of the store."""
    newest_record_at: AwareDatetime | None
    """The time of the newest decision or act in the copy."""
    ledger: CopiedLedger
    keys: tuple[_Word, ...]
    """The ids of the master keys that decrypt it."""
    tables: Mapping[_Word, _Size]
    """The number of rows of each table."""
    files: tuple[BackupFile, ...]
    archive: CopiedArchive | None
    """None if the settings name no archive."""
    omitted: tuple[_Word, ...]
    """Keys of the settings whose files are not in the copy."""

    @classmethod
    def of_copy(
        cls,
        inventory: StoreInventory,
        files: Sequence[BackupFile],
        *,
        archive: CopiedArchive | None,
        omitted: Sequence[str],
        program: str,
        made_at: datetime,
    ) -> Self:
        """Return the manifest of a finished copy."""
        facts = asdict(inventory)
        ledger = {
            "size": facts.pop("size"),
            "root": facts.pop("root").hex(),
            "checkpoint": facts.pop("checkpoint"),
            "checkpoint_at": facts.pop("checkpoint_at"),
        }
        return cls.model_validate(
            {
                "format": FORMAT,
                "made_at": made_at,
                "program": program,
                "ledger": ledger,
                "files": tuple(files),
                "archive": archive,
                "omitted": tuple(omitted),
                **facts,
            }
        )

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Return the manifest in these bytes. Raises `BackupError`."""
        try:
            found = json.loads(content)
            stated = found.get("format") if isinstance(found, dict) else None
            if stated != FORMAT and isinstance(stated, str) and stated.startswith("makul-backup/"):
                raise BackupError(
                    translate("the copy was made by a newer program: install that version of makul")
                )
            return cls.model_validate(found)
        except (ValidationError, ValueError, RecursionError):
            raise BackupError(translate("its manifest cannot be read")) from None

    def serialize(self) -> bytes:
        """Return the manifest as the bytes of its file."""
        return f"{self.model_dump_json(indent=1)}\n".encode()

    def refuse_unknown_schema(self) -> None:
        """Raise `BackupError` if this program does not know the schema of the copy."""
        if self.schema_version not in known_versions():
            raise BackupError(
                translate(
                    "the copy has schema {version}, which this program does not know: install the"
                    " version of makul that made it, {program}",
                    version=self.schema_version,
                    program=self.program,
                )
            )
