"""Errors of the settings are in words for an operator, for any value of any key."""

import copy
import re
import tomllib
import typing
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from makul.config.settings import Settings, SettingsError, load_settings
from makul_testing.cli_runner import CommandLine

JARGON = re.compile(
    r"nput should|pydantic|Value error|\{[a-z_]+\}|not permitted|valid |hushed|9999|\n"
)
VALUES: list[Any] = [
    "hushed",
    "hushed\0",
    -1,
    float("nan"),
    10**4000,
    True,
    datetime(1, 1, 1, tzinfo=UTC),
    [],
    ["hushed", 1, {}],
    {},
    {"extra": 1},
    {"extra": {"extra": []}},
]


def keys_of(model: type[BaseModel]) -> Iterator[tuple[str, ...]]:
    """The keys that lead to every setting. A table of tables has one that is called `one`."""
    for name, known in model.model_fields.items():
        yield (name,)
        for kind in (known.annotation, *typing.get_args(known.annotation)):
            for inner in (kind, *typing.get_args(kind)):
                if isinstance(inner, type) and issubclass(inner, BaseModel):
                    origins = map(typing.get_origin, (kind, known.annotation))
                    below = (name, "one") if dict in origins else (name,)
                    yield from ((*below, *each) for each in keys_of(inner))


@pytest.mark.parametrize("keys", [*keys_of(Settings)], ids=".".join)
def test_any_value_of_a_setting_is_reported_in_our_words(
    keys: tuple[str, ...], makul: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is permitted is named, and the value, which may be a secret, is not."""
    monkeypatch.delenv("MAKUL_LANGUAGE")  # it comes before the file
    file: Path = makul.directory / "makul.toml"
    good = tomllib.loads(file.read_text(encoding="utf-8"))
    messages = set()
    for value in VALUES:
        tables = copy.deepcopy(good)
        inner: Any = tables
        for key in keys[:-1]:
            inner = inner.setdefault(key, {})
            inner = inner[0] if isinstance(inner, list) else inner
        inner[keys[-1]] = value
        monkeypatch.setattr("makul.config.settings.read_toml", lambda *_, read=tables: read)
        try:
            load_settings(file)
        except SettingsError as error:
            messages.add(str(error).removeprefix(str(file)))

    assert messages
    assert {each for each in messages if JARGON.search(each)} == set()
