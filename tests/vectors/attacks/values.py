"""Signature and digest values that are short, long, empty or garbled."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from lxml import etree

from makul.domain.reasons import Code
from makul_testing.builders.xades import DS
from vectors.attacks.drafts import signed, spoilt
from vectors.attacks.vector import Vector

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

    from vectors.attacks.cast import Cast

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
Raw = Callable[[bytes], bytes]


def _halves(raw: bytes) -> tuple[int, int]:
    half = len(raw) // 2
    return int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big")


def _joined(r: int, s: int, width: int = 32) -> bytes:
    return r.to_bytes(width, "big") + s.to_bytes(width, "big")


ECDSA: dict[str, tuple[Raw, str]] = {
    "der": (lambda raw: encode_dss_signature(*_halves(raw)), "RFC 4050's successor is r || s"),
    "leading-zero": (lambda raw: b"\0" + raw, "another length"),
    "padded-halves": (lambda raw: _joined(*_halves(raw), width=48), "the widths of P-384"),
    "one-byte-short": (lambda raw: raw[:-1], "another length"),
    "one-byte-more": (lambda raw: raw + b"\0", "another length"),
    "half": (lambda raw: raw[:32], "r alone"),
    "twice": (lambda raw: raw * 2, "another length"),
    "zeros": (lambda raw: bytes(64), "CVE-2022-21449, psychic signatures: r = s = 0"),
    "r-zero": (lambda raw: bytes(32) + raw[32:], "CVE-2022-21449"),
    "s-zero": (lambda raw: raw[:32] + bytes(32), "CVE-2022-21449"),
    "order": (lambda raw: _joined(P256_ORDER, P256_ORDER), "r = s = n"),
    "s-plus-order": (lambda raw: raw[:32] + _wrapped(_halves(raw)[1]), "s beyond n"),
    "ones": (lambda raw: b"\xff" * 64, "beyond n"),
    "exchanged": (lambda raw: raw[32:] + raw[:32], "s || r"),
    "empty": (lambda raw: b"", "nothing"),
}


def _wrapped(s: int) -> bytes:
    return ((s + P256_ORDER) % 2**256).to_bytes(32, "big")


RSA: dict[str, tuple[Raw, str]] = {
    "leading-zero": (lambda raw: b"\0" + raw, "another length (RFC 8017, 8.2.2, step 1)"),
    "one-byte-short": (lambda raw: raw[1:], "another length"),
    "one-byte-more": (lambda raw: raw + b"\0", "another length"),
    "zeros": (lambda raw: bytes(len(raw)), "nothing raised to any power"),
    "one": (lambda raw: bytes(len(raw) - 1) + b"\1", "one raised to any power"),
    "ones": (lambda raw: b"\xff" * len(raw), "beyond the modulus"),
    "empty": (lambda raw: b"", "nothing"),
}


def encoded(cast: "Cast", *, encode: Raw, rsa: bool) -> bytes:
    return signed(
        cast,
        lambda drawn: setattr(drawn, "encode", encode),
        holder=cast.rsa_citizen if rsa else cast.citizen,
    )


def text_changed(cast: "Cast", *, name: str, change: Callable[[str], str]) -> bytes:
    """Change the base64 text of the first element of that name after signing."""

    def edit(root: "Element") -> None:
        element = next(root.iter(f"{{{DS}}}{name}"))
        element.text = change(element.text or "")

    return spoilt(cast, edit)


TEXTS: dict[str, tuple[Callable[[str], str], str]] = {
    "empty": (lambda text: "", "nothing"),
    "space": (lambda text: " ", "nothing"),
    "garbage": (lambda text: "!" + text[1:], "no base64"),
    "padding-lost": (lambda text: text.rstrip("=")[:-1], "no base64"),
    "url-alphabet": (lambda text: "-_" + text[2:], "base64url"),
    "first-character": (lambda text: ("A" if text[0] != "A" else "B") + text[1:], "another value"),
    "truncated": (lambda text: b64encode(b64decode(text)[:16]).decode(), "half of it"),
    "one-byte": (lambda text: b64encode(b64decode(text)[:1]).decode(), "one byte of it"),
    "extended": (lambda text: b64encode(b64decode(text) + b"\0").decode(), "more of it"),
    "hexadecimal": (lambda text: b64decode(text).hex(), "another notation"),
    "fullwidth": (
        lambda text: "".join(chr(ord(c) + 0xFEE0) if c.isalnum() else c for c in text),
        "looks alike",
    ),
}


def in_child(cast: "Cast", *, name: str) -> bytes:
    """Move the value into a child element."""

    def edit(root: "Element") -> None:
        element = next(root.iter(f"{{{DS}}}{name}"))
        etree.SubElement(element, "v").text = element.text
        element.text = None

    return spoilt(cast, edit)


def second_value(cast: "Cast", *, name: str) -> bytes:
    """Repeat the element, with nonsense in the first one."""

    def edit(root: "Element") -> None:
        element = next(root.iter(f"{{{DS}}}{name}"))
        other = etree.Element(element.tag)
        other.text = "AAAA"
        element.addprevious(other)

    return spoilt(cast, edit)


VECTORS: tuple[Vector, ...] = (
    *(
        Vector(
            name=f"values/ecdsa-{name}",
            why=why,
            build=partial(encoded, encode=encode, rsa=False),
            code=Code.SIG_02,
        )
        for name, (encode, why) in ECDSA.items()
    ),
    *(
        Vector(
            name=f"values/rsa-{name}",
            why=why,
            build=partial(encoded, encode=encode, rsa=True),
            code=Code.SIG_02,
        )
        for name, (encode, why) in RSA.items()
    ),
    *(
        Vector(
            name=f"values/{name.lower()}-{how}",
            why=why,
            build=partial(text_changed, name=name, change=change),
            code=Code.SIG_02,
        )
        for name in ("SignatureValue", "DigestValue", "X509Certificate")
        for how, (change, why) in TEXTS.items()
    ),
    *(
        Vector(
            name=f"values/{name.lower()}-in-a-child",
            why="text was expected",
            build=partial(in_child, name=name),
            code=Code.SIG_02,
        )
        for name in ("SignatureValue", "DigestValue", "X509Certificate")
    ),
    Vector(
        name="values/signaturevalue-twice",
        why="a reader may take the first",
        build=partial(second_value, name="SignatureValue"),
        code=Code.SIG_03,
    ),
    Vector(
        name="values/digestvalue-twice",
        why="a reader may take the first",
        build=partial(second_value, name="DigestValue"),
        code=Code.SIG_02,
    ),
)
