"""The published WSDLs and schemas, served with the public address of the service.

The files are those of `makul_wsdl` and `makul_schemas`. Only `soap:address` and `schemaLocation`
are set. Addresses come from the settings, never from the request's Host header, which any client
can forge (CWE-644).
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
"""Maximum length of a query. The longest known one, `xsd=identifiers.xsd`, is a third of it."""


class ServedContract:
    """Every file that a port publishes, rewritten once and kept as bytes."""

    def __init__(self, port: str, public_url: str) -> None:
        """`port` names the WSDLs (`recipient`). `public_url` is the address that clients use."""
        self._files: dict[tuple[str, str], bytes] = {}
        for variant, suffix in _VARIANTS.items():
            document = makul_wsdl.read(f"{port}{suffix}.wsdl")
            self._files["wsdl", variant] = _serialize_wsdl(document, public_url)
        for name in makul_schemas.names():
            document = _serialize_wsdl(makul_schemas.read(name), public_url)
            self._files["xsd", name.removesuffix(".xsd")] = document

    def find(self, query: str) -> bytes | None:
        """Return the file for a query such as `wsdl`, `wsdl=xroad` or `xsd=types`, or None.

        .NET writes `WSDL`, and other clients name a schema by its file. Both forms are understood.
        """
        if len(query) > _LONGEST_QUERY:
            return None
        pairs = parse_qsl(query, keep_blank_values=True)
        if len(pairs) != 1:
            return None
        ((kind, name),) = pairs
        return self._files.get((kind.lower(), name.lower().removesuffix(".xsd")))


def _serialize_wsdl(document: bytes, public_url: str) -> bytes:
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
