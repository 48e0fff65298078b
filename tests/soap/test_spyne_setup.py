"""Spyne, shut up and held still."""

import importlib
import logging
import math
import sys

import pytest

from makul.soap import types


@pytest.mark.parametrize(
    "name",
    ["spyne", "spyne.protocol.soap.soap11.invalid", "spyne.protocol.xml", "spyne.application"],
)
def test_its_loggers_are_shut(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Invariant 7: Spyne logs whole requests, PIN included; nothing of it may come out."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger(name).critical("a whole request")

    assert caplog.records == []
    assert not logging.getLogger(name).isEnabledFor(logging.CRITICAL)


def test_it_collects_no_garbage_within_requests() -> None:
    """It would, once a second, and cost the worst case some 30 ms."""
    assert math.isinf(sys.modules["spyne.const"].MIN_GC_INTERVAL)


def test_elements_are_not_nillable_by_default() -> None:
    """types.xsd: no element is ever nil."""
    assert not types.Pin.Attributes.nullable


def test_it_leaves_no_finder_of_the_old_kind() -> None:
    """PEP 451: a finder without find_spec makes every failing import warn."""
    assert all(hasattr(finder, "find_spec") for finder in sys.meta_path)
    assert importlib.import_module("spyne.util.six.moves.urllib.parse").quote("ö")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("there_is_no_such_module")
