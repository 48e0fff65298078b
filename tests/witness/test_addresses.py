"""The addresses of a witness, and the errors that a server there can cause."""

import time

import pytest

from makul.witness.log_source import (
    OBJECT_SECONDS,
    SourceError,
    open_note,
    open_source,
    read_checkpoint,
)
from makul_testing.servers.crl_ocsp import run_publisher


@pytest.mark.parametrize(
    "place", ["https://witness.example", "https://witness.example/", "http:///checkpoint"]
)
def test_address_without_a_checkpoint_is_refused(place: str) -> None:
    """It would be compared with nothing, in every round."""
    with pytest.raises(ValueError, match="a host and a path"):
        open_note(place)


@pytest.mark.parametrize("location", ["http://[::1", "\xff\xfe://"])
def test_error_of_the_http_library_stops_no_round(location: str) -> None:
    """The library reads the target of a redirect even if it does not follow it."""
    with run_publisher() as web:
        web.at["/checkpoint"] = b""
        web.status, web.headers = 302, {"Location": location}
        source, began = open_source(web.url), time.monotonic()

        with pytest.raises(SourceError, match="no answer"):
            read_checkpoint(source)

    assert time.monotonic() < began + OBJECT_SECONDS / 2
