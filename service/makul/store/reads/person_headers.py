"""The encrypted header of a registered person: an officer, a signatory or an official.

Format 2 has the end of the person's certificate. Rows of an earlier release do not, so their end is
not known.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from makul.language.translation import translate
from makul.store.db.codecs import CodecError, instant, micros, only


class PersonHeader(NamedTuple):
    """The fields of a header."""

    identifier: str
    name: str
    not_after: datetime | None


def write_person_header(
    identifier: str, name: str, not_after: datetime | None
) -> dict[str, object]:
    """Return the header of a person who is registered now."""
    ends = None if not_after is None else micros(not_after)
    return {"v": 2, "identifier": identifier, "name": name, "notAfter": ends}


def read_person_header(header: Mapping[str, object]) -> PersonHeader:
    """Read a header of any format. Raises `CodecError`."""
    if header.get("v") == 1:
        header = {**header, "v": 2, "notAfter": None}
    only(header, "v", "identifier", "name", "notAfter")
    identifier, name, ends = header["identifier"], header["name"], header["notAfter"]
    if header["v"] != 2 or not isinstance(identifier, str) or not isinstance(name, str):
        raise CodecError(translate("a registered person does not read back"))
    if ends is not None and (not isinstance(ends, int) or isinstance(ends, bool)):
        raise CodecError(translate("a registered person does not read back"))
    return PersonHeader(identifier, name, None if ends is None else instant(ends))
