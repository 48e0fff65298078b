"""The reader of a TOML file: its types of values, and its errors in one line.

makul.toml: [service] channel: must be one of wsse, xroad

pydantic checks the values. Its own messages are for programmers, so `_WORDS` replaces each of them.
"""

import base64
import hashlib
import os
import re
import tomllib
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    GetPydanticSchema,
    Strict,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
)
from pydantic_core import ErrorDetails, core_schema

from makul_client._internal.files import UnreadableFileError, read_bounded
from makul_client.errors import ProfileError
from makul_client.translation import CATALOGS, mark, translate
from makul_language.toml_faults import describe_toml_fault

MAX_PROFILE: Final = 1024 * 1024
MAX_DIGESTED: Final = 16 * 1024 * 1024
"""The maximum size of a file to digest, in bytes. A scan has at most 10 MiB."""

_PART: Final = r"""(?>[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
_DEEP_KEY: Final = re.compile(rf"(?<![\w-]){_PART}(?>[ \t]*+\.[ \t]*+{_PART}){{32}}")
"""The pattern of a key with more than 32 parts, which must not reach `tomllib`.

`tomllib` takes time quadratic in the number of parts: minutes for 64 KiB.
"""

_ADDRESS: Final = r"https?://[^\s?#]+"

T = TypeVar("T")

_WORDS: Final = {
    "missing": mark("is needed"),
    "unexpected_keyword_argument": mark("is not a known key"),
    "dataclass_type": mark("is needed, as a table"),
    "dict_type": mark("must be a table"),
    "mapping_type": mark("must be a table"),
    "tuple_type": mark("must be a list in brackets"),
    "too_short": mark("must be a list, not empty"),
    "greater_than": mark("must be above {gt:g}"),
    "less_than_equal": mark("must be at most {le:g}"),
    "string_type": mark("must be text in quotes"),
    "string_unicode": mark("must be text in quotes"),
    "bool_type": mark("must be true or false"),
    "int_type": mark("must be a whole number"),
    "float_type": mark("must be a number"),
    "datetime_type": mark("needs instants such as 2026-11-22T09:00:00Z"),
    "timezone_aware": mark("needs instants such as 2026-11-22T09:00:00Z"),
    "enum": mark("must be one of {expected}"),
    "value_error": "{error}",
}
"""The words for each type of error of pydantic that the types of a profile can raise."""


def parse_tables(adapter: TypeAdapter[T], tables: dict[str, object], file: Path) -> T:
    """Return what the tables of a file contain. Relative paths start at the file's directory.

    Raises `ProfileError`, which names the file, the table and the key, but never the value.
    """
    try:
        return adapter.validate_python(tables, context=file.parent)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
    # A misspelt key may also be missing under its right name. Its own error says more.
    unknown = (each for each in found if each["type"] == "unexpected_keyword_argument")
    words = _describe(next(unknown, found[0]), tables)
    # TOML can write any control character in a key and in a path, and the error is one line.
    printable = "".join(each if each.isprintable() else "?" for each in words)
    raise ProfileError(f"{file}: {printable}")


def _describe(error: ErrorDetails, tables: dict[str, object]) -> str:
    """Return the table, the key and the words. An error of a whole table names the key itself."""
    context: dict[str, Any] = error.get("ctx", {})
    if "expected" in context:
        context["expected"] = ", ".join(re.findall("'([^']*)'", context["expected"]))
    template = _WORDS.get(error["type"], mark("has a value that is not permitted"))
    words = translate(template).format_map(context)
    match error["loc"]:
        case ():
            return words
        case (table,) if error["type"] == "value_error" and isinstance(tables[str(table)], dict):
            return f"[{table}] {words}"
        case (table,) if error["type"] in {"missing", "dataclass_type"}:
            return translate("{table}: is needed, as a table [{table}]", table=table)
        case (key,):
            return f"{key}: {words}"
    table, key, *_ = error["loc"]
    return f"[{table}] {key}: {words}"


def convert_value(kind: Any, convert: Callable[[Any], object]) -> GetPydanticSchema:
    """Return the annotation of a value that is written as a `kind` and then converted."""
    return GetPydanticSchema(
        lambda _, handler: core_schema.no_info_after_validator_function(convert, handler(kind))
    )


def match_pattern(
    pattern: str, complaint: str = mark("must look like {pattern}")
) -> AfterValidator:
    """Return the annotation of a text that matches `pattern` as a whole.

    `complaint` is marked for translation.
    """

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(translate(complaint, pattern=pattern))
        return value

    return AfterValidator(check)


def resolve_path(value: object, info: ValidationInfo) -> Path:
    """Return a path, whether or not the file exists."""
    if not isinstance(value, str) or not value:
        raise ValueError(translate("is needed, as a path in quotes"))
    return Path(info.context or "", value)


def _require_existing(path: Path) -> Path:
    if not os.path.isfile(path):  # noqa: PTH113 - `is_file` raises for a name that is too long
        raise ValueError(translate("there is no file {file}", file=path))
    return path


Flag = Annotated[bool, Strict()]
Number = Annotated[float, Strict()]
Count = Annotated[int, Strict()]
Line = Annotated[str, match_pattern(r"\S(.*\S)?")]
Location = Annotated[Path, BeforeValidator(resolve_path)]
"""A path, whether or not the file exists."""
ExistingFile = Annotated[Location, AfterValidator(_require_existing)]
Digest = Annotated[
    bytes, convert_value(Annotated[str, match_pattern("[0-9A-Za-z+/]{43}=")], base64.b64decode)
]
"""A SHA-256 digest in base64."""


def check_address(address: str, *, plain_http: bool) -> None:
    """Raise `ValueError` unless this is https, or http on this machine or if `plain_http`."""
    if not re.fullmatch(_ADDRESS, address):
        raise ValueError(translate("must look like {pattern}", pattern=_ADDRESS))
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        raise ValueError(translate("is not an address")) from None
    if parts.username is not None or parts.hostname is None:
        raise ValueError(translate("must name a host, and neither user nor password"))
    if parts.scheme == "http" and not plain_http and not _is_loopback(parts.hostname):
        raise ValueError(translate("must begin with https:// unless it is on this machine"))


def digest_of_file(file: Path) -> bytes:
    """Return the SHA-256 of a file's bytes. Raises `ProfileError`."""
    return hashlib.sha256(read_profile_file(file, MAX_DIGESTED)).digest()


def read_tables(file: Path) -> dict[str, object]:
    """Return the tables of a TOML file. Ignore a byte order mark. Raises `ProfileError`."""
    content = read_profile_file(file, MAX_PROFILE)
    try:
        text = content.decode("utf-8-sig")
        if _DEEP_KEY.search(text):
            raise ProfileError(
                translate("{file}: not TOML: a key of more than 32 parts", file=file)
            )
        return tomllib.loads(text)
    except UnicodeDecodeError:
        raise ProfileError(translate("{file}: not TOML: it is not UTF-8", file=file)) from None
    except tomllib.TOMLDecodeError as error:
        cause = describe_toml_fault(error, CATALOGS)
        raise ProfileError(translate("{file}: not TOML: {cause}", file=file, cause=cause)) from None
    except RecursionError:
        raise ProfileError(
            translate("{file}: not TOML: it is nested too deep", file=file)
        ) from None
    except ValueError:  # an integer with more digits than Python reads
        raise ProfileError(
            translate("{file}: not TOML: a number in it is too long", file=file)
        ) from None


def read_profile_file(file: Path, max_bytes: int) -> bytes:
    """Return the content of a profile or of a file that it names. Raises `ProfileError`."""
    try:
        return read_bounded(file, max_bytes)
    except FileNotFoundError:
        raise ProfileError(translate("{file}: there is no such file", file=file)) from None
    except UnreadableFileError as error:
        raise ProfileError(str(error)) from None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
