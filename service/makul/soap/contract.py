"""The published WSDLs and schemas, as they are served: with the address at which they are served.

The files are those of `makul_wsdl` and `makul_schemas`; only `soap:address` and `schemaLocation`
are set. Addresses come from configuration, never from the request's Host header, which anyone can
write (CWE-644).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

import makul_schemas
import makul_wsdl
from lxml import etree

from makul.net.xml_parser import own_parser

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_ADDRESSES: Final = (
    "{http://schemas.xmlsoap.org/wsdl/soap/}address",
    "{http://schemas.xmlsoap.org/wsdl/soap12/}address",
)
_IMPORTS: Final = (
    "{http://www.w3.org/2001/XMLSchema}import",
    "{http://www.w3.org/2001/XMLSchema}include",
)
_VARIANTS: Final = {"": "", "soap11": "", "soap12": "-soap12", "xroad": "-xroad"}
_LONGEST_QUERY: Final = 64
"""The longest there is, `xsd=identifiers.xsd`, is a third of it."""


class ServedContract:
    """Every file that a port publishes, rewritten once and held as bytes."""

    def __init__(self, port: str, public_url: str) -> None:
        """`port` names the WSDLs (`recipient`); `public_url` is where clients reach it."""
        self._files: dict[tuple[str, str], bytes] = {}
        for variant, suffix in _VARIANTS.items():
            document = makul_wsdl.read(f"{port}{suffix}.wsdl")
            self._files["wsdl", variant] = _served(document, public_url)
        for name in makul_schemas.names():
            document = _served(makul_schemas.read(name), public_url)
            self._files["xsd", name.removesuffix(".xsd")] = document

    def find(self, query: str) -> bytes | None:
        """The file for a query string: `wsdl`, `wsdl=xroad`, `xsd=types`; None for any other.

        .NET writes `WSDL`, and others name a schema by its file: both are understood.
        """
        if len(query) > _LONGEST_QUERY:
            return None
        pairs = parse_qsl(query, keep_blank_values=True)
        if len(pairs) != 1:
            return None
        ((kind, name),) = pairs
        return self._files.get((kind.lower(), name.lower().removesuffix(".xsd")))


def _served(document: bytes, public_url: str) -> bytes:
    root = etree.fromstring(document, own_parser())
    _set_all(root, _ADDRESSES, "location", lambda _: public_url)
    _set_all(root, _IMPORTS, "schemaLocation", lambda path: f"{public_url}?xsd={_stem(path)}")
    return etree.tostring(root.getroottree(), encoding="UTF-8", xml_declaration=True)


def _set_all(
    root: "Element", tags: tuple[str, ...], attribute: str, value: Callable[[str], str]
) -> None:
    for element in root.iter(*tags):
        present = element.get(attribute)
        if present is not None:
            element.set(attribute, value(present))


def _stem(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".xsd")
