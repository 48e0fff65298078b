"""Changes that a party in between can make to an answer, one at a time."""

import copy
import itertools
from collections.abc import Callable, Iterator

from lxml import etree

from makul_testing.in_process_service import NS, RECIPIENT

Element = etree._Element

XSI = "http://www.w3.org/2001/XMLSchema-instance"


def body_of(envelope: Element) -> Element:
    (child,) = envelope.find("s:Body", NS)
    return child


def changed(message: bytes) -> Iterator[tuple[str, str, bytes]]:
    """Yield the answer, each time with one change of one element of each name.

    The receipt's own signature protects what is inside the receipt.
    """
    names: dict[str, int] = {}
    for number, element in enumerate(body_of(etree.fromstring(message)).iter()):
        names.setdefault(str(element.tag), number)
    for (tag, number), (kind, change) in itertools.product(names.items(), CHANGES.items()):
        envelope = etree.fromstring(message)
        child = body_of(envelope)
        element = next(itertools.islice(child.iter(), number, None))
        if tag == f"{{{RECIPIENT}}}receipt" and kind in ("altered", "padded"):
            continue
        if element is child and kind in ("removed", "repeated", "moved"):
            continue
        if change(element):
            yield etree.QName(tag).localname, kind, etree.tostring(envelope)


def _altered(element: Element) -> bool:
    if len(element) or not element.text:
        return False
    last = element.text[-1]
    element.text = element.text[:-1] + ("1" if last != "1" else "2")
    return True


def _padded(element: Element) -> bool:
    element.text = (element.text or "") + " "
    return True


def _removed(element: Element) -> bool:
    parent = element.getparent()
    assert parent is not None
    parent.remove(element)
    return True


def _repeated(element: Element) -> bool:
    element.addnext(copy.deepcopy(element))
    return True


def _moved(element: Element) -> bool:
    following = element.getnext()
    if following is None:
        return False
    following.addnext(element)
    return True


def _attributed(element: Element) -> bool:
    element.set(f"{{{XSI}}}type", "anything")
    return True


def _renamed(element: Element) -> bool:
    element.tag = f"{element.tag}x"
    return True


def _extended(element: Element) -> bool:
    etree.SubElement(element, f"{{{RECIPIENT}}}outcome").text = "RELEASED"
    return True


CHANGES: dict[str, Callable[[Element], bool]] = {
    "altered": _altered,
    "padded": _padded,
    "removed": _removed,
    "repeated": _repeated,
    "moved": _moved,
    "attributed": _attributed,
    "renamed": _renamed,
    "extended": _extended,
}
