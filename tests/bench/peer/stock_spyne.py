"""Spyne for the peer: with its own settings, on every Python that Makul supports.

Python 3.12 and later need a finder for a part of Spyne, which `makul.soap.spyne_setup` installs.
That module also makes Spyne faster and stricter. The peer is naive: here this is undone.
"""

# ruff: noqa: I001 -- the finder is installed before Spyne is imported
import makul.soap.spyne_setup  # noqa: F401

import spyne.const
from spyne import Application, Array, ByteArray, ComplexModel, Fault, Service, Unicode, rpc
from spyne.model._base import AttributesMeta
from spyne.protocol.soap import Soap11
from spyne.server.wsgi import WsgiApplication

__all__ = [
    "Application",
    "Array",
    "ByteArray",
    "ComplexModel",
    "Fault",
    "Service",
    "Soap11",
    "Unicode",
    "WsgiApplication",
    "rpc",
]

spyne.const.MIN_GC_INTERVAL = 1.0
AttributesMeta.NULLABLE_DEFAULT = True
