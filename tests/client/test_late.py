"""Late imports: `makul-client --help` imports neither zeep nor signature libraries."""

import pytest

import makul_client
from makul_client.cli.late_commands import LateName, late
from makul_testing.imports import imported_by

HEAVY = {
    "asn1crypto",
    "cryptography",
    "lxml",
    "pyhanko_certvalidator",
    "requests",
    "signxml",
    "zeep",
}


@pytest.mark.parametrize(
    "arguments", [("--help",), ("get", "--help"), ("consent", "draft", "--help"), ("receipt",)]
)
def test_help_imports_no_library_of_the_exchange(arguments: tuple[str, ...]) -> None:
    """A command that sends, signs or verifies loads the library."""
    arguments_shown = arguments if "--help" in arguments else (*arguments, "--help")

    assert imported_by("makul_client.cli.main", *arguments_shown) & HEAVY == set()


def test_help_of_the_root_needs_no_validation() -> None:
    """Pydantic alone would take half of the budget of 0.35 s of CPU, and rich a tenth."""
    assert imported_by("makul_client.cli.main", "--help") & {"pydantic", "rich"} == set()


@pytest.mark.parametrize("name", makul_client.__all__)
def test_public_name_is_that_of_its_module(name: str) -> None:
    """`from makul_client import NAME` works as if nothing were late."""
    found = getattr(makul_client, name)

    assert getattr(makul_client, name) is found
    assert not isinstance(found, LateName)
    assert name in dir(makul_client)


def test_table_holds_exactly_the_public_names() -> None:
    """The table of names lists each once."""
    listed = [name for names in makul_client._HOMES.values() for name in names.split()]

    assert sorted(listed) == sorted(makul_client.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """The error is that of any module."""
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = makul_client.Nothing  # type: ignore[attr-defined]


def test_a_late_name_is_loaded_when_it_is_used() -> None:
    """A call or an attribute of the late name reaches the real object."""
    assert late("errors").Language is makul_client.Language
    assert late("models.reasons", "Language").EN is makul_client.Language.EN
    assert late("models.reasons", "Language")("en") is makul_client.Language.EN
    with pytest.raises(AttributeError):
        late("errors", "Nothing")()
