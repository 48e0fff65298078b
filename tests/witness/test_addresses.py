"""Addresses that a witness is told, and what a server there may do to it."""

import time

import pytest

from makul.witness.log_source import (
    OBJECT_SECONDS,
    SourceError,
    open_note,
    open_source,
    read_checkpoint,
)
from makul_testing.servers.crl_ocsp import publishing


@pytest.mark.parametrize(
    "place", ["https://witness.example", "https://witness.example/", "http:///checkpoint"]
)
def test_where_no_checkpoint_can_be_is_not_taken(place: str) -> None:
    """It would be compared with nothing, in every round."""
    with pytest.raises(ValueError, match="a host and a path"):
        open_note(place)


@pytest.mark.parametrize("location", ["http://[::1", "\xff\xfe://"])
def test_what_the_http_library_trips_over_holds_nobody(location: str) -> None:
    """It reads where a redirect leads to, though none is followed: any server could say that."""
    with publishing() as web:
        web.at["/checkpoint"] = b""
        web.status, web.headers = 302, {"Location": location}
        source, began = open_source(web.url), time.monotonic()

        with pytest.raises(SourceError, match="no answer"):
            read_checkpoint(source)

    assert time.monotonic() < began + OBJECT_SECONDS / 2
