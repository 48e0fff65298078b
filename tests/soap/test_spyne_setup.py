"""The set-up of Spyne: no logs, no garbage collection, no nillable elements."""

import gc
import importlib
import logging
import math
import sys

import pytest

from makul.soap.spyne_setup import Unicode
from makul_testing.soap_client import GET_STATUS, build, enveloped, send


@pytest.mark.parametrize(
    "name",
    ["spyne", "spyne.protocol.soap.soap11.invalid", "spyne.protocol.xml", "spyne.application"],
)
def test_loggers_of_spyne_are_off(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """docs/architecture.md, invariant 7: Spyne logs whole requests with the PIN, so its loggers are
    off.
    """
    caplog.set_level(logging.DEBUG)
    logging.getLogger(name).critical("a whole request")

    assert caplog.records == []
    assert not logging.getLogger(name).isEnabledFor(logging.CRITICAL)


def test_spyne_collects_no_garbage_within_requests() -> None:
    """Spyne's default is once a second, which costs some 30 ms in the worst case."""
    assert math.isinf(sys.modules["spyne.const"].MIN_GC_INTERVAL)


def test_a_message_is_freed_after_its_answer() -> None:
    """No reference cycle keeps a request's personal data until the garbage collector runs."""
    application = build()
    send(application, enveloped(GET_STATUS))
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        send(application, enveloped(GET_STATUS))
        gc.collect()
        garbage = [type(each).__name__ for each in gc.garbage]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()

    assert not {"Exchange", "Message", "_Element"} & set(garbage)


def test_elements_are_not_nillable_by_default() -> None:
    """types.xsd: no element is ever nil."""
    assert not Unicode.customize(max_len=1).Attributes.nullable


def test_setup_leaves_no_finder_of_the_old_kind() -> None:
    """PEP 451: a finder without find_spec causes a warning at each failing import."""
    assert all(hasattr(finder, "find_spec") for finder in sys.meta_path)
    assert importlib.import_module("spyne.util.six.moves.urllib.parse").quote("ö")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("there_is_no_such_module")
