"""Messages that are validly signed in their form, each with one thing that our messages lack.

`messages` changes what a recipient signed. Here the sender's own key also signs the departure:
references, transforms, certificates, and the same message in other bytes.
"""

from base64 import b64encode
from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from functools import partial
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree
from lxml.etree import _Element as Element

from makul.domain.reasons import Code
from makul_testing.builders.wsse import DS, EXC_C14N, resign
from makul_testing.pki.authorities import new_rsa_key
from vectors.attacks import certificates
from vectors.attacks.message_edits import Edit, MessageVector, Sender, one
from vectors.attacks.proofs import ANSWERS
from vectors.attacks.references import BASE64, ENVELOPED, XPATH_BODY, XSLT_BODY

SECOND = timedelta(seconds=1)


def resigned(edit: Edit) -> Callable[[Sender], bytes]:
    """Edit a good message, and sign its SignedInfo again by its own key."""

    def build(sender: Sender) -> bytes:
        message = sender.message()
        envelope = message.signed()
        edit(envelope, sender)
        resign(envelope, message)
        return etree.tostring(envelope)

    return build


def references_of(envelope: Element) -> list[Element]:
    return list(one(envelope, "SignedInfo", DS).iter(f"{{{DS}}}Reference"))


# --- references --------------------------------------------------------------------------------


def repeated(index: int, times: int) -> Edit:
    """Repeat a reference that many times."""

    def edit(envelope: Element, sender: Sender) -> None:
        reference = references_of(envelope)[index]
        for _ in range(times - 1):
            reference.addnext(deepcopy(reference))

    return edit


def of_nothing(times: int) -> Edit:
    def edit(envelope: Element, sender: Sender) -> None:
        for number in range(times):
            reference = deepcopy(references_of(envelope)[0])
            reference.set("URI", f"#nothing-{number}")
            one(envelope, "SignedInfo", DS).append(reference)

    return edit


def without(index: int) -> Edit:
    def edit(envelope: Element, sender: Sender) -> None:
        one(envelope, "SignedInfo", DS).remove(references_of(envelope)[index])

    return edit


def uri(index: int, value: str | None) -> Edit:
    def edit(envelope: Element, sender: Sender) -> None:
        reference = references_of(envelope)[index]
        if value is None:
            del reference.attrib["URI"]
        else:
            reference.set("URI", value)

    return edit


REFERENCES: dict[str, tuple[Edit, Code]] = {
    "1000-of-the-body": (repeated(0, 1000), Code.REQ_07),
    "1000-of-the-timestamp": (repeated(1, 1000), Code.REQ_07),
    "1000-of-nothing": (of_nothing(1000), Code.REQ_07),
    "40-of-the-body": (repeated(0, 40), Code.SIG_03),
    "40-of-nothing": (of_nothing(40), Code.SIG_03),
    "body-twice": (repeated(0, 2), Code.SIG_03),
    "timestamp-twice": (repeated(1, 2), Code.SIG_03),
    "body-unsigned": (without(0), Code.SIG_03),
    "timestamp-unsigned": (without(1), Code.SIG_03),
}
"""A thousand references are too much markup for any message, and are refused before the
signature.
"""
URIS: dict[str, str | None] = {
    "none": None,
    "empty": "",
    "http": "http://127.0.0.1:9/body",
    "https": "https://127.0.0.1:9/body",
    "file": "file:///etc/passwd",
    "relative": "body",
    "absolute-with-fragment": "http://127.0.0.1:9/m#body",
    "xpointer-root": "#xpointer(/)",
    "xpointer-id": "#xpointer(id('body'))",
    "xpointer-element": "#element(/1/2)",
    "cid": "cid:body",
    "data": "data:text/xml,%3Ca/%3E",
    "space": " #body",
    "case": "#BODY",
    "encoded": "#bod%79",
    "token": "#token",
    "nothing-of-that-name": "#elsewhere",
}


# --- transforms --------------------------------------------------------------------------------


def transforms(*steps: str) -> Edit:
    """Build transforms, each by its algorithm or as an element."""

    def edit(envelope: Element, sender: Sender) -> None:
        written = "".join(
            step if step.startswith("<") else f'<ds:Transform Algorithm="{step}"/>'
            for step in steps
        )
        element = etree.fromstring(f'<ds:Transforms xmlns:ds="{DS}">{written}</ds:Transforms>')
        reference = references_of(envelope)[0]
        reference.replace(reference[0], element)

    return edit


STEPS: dict[str, tuple[str, ...]] = {
    "c14n-twice": (EXC_C14N, EXC_C14N),
    "c14n-64-times": (EXC_C14N,) * 64,
    "base64-first": (BASE64, EXC_C14N),
    "base64-last": (EXC_C14N, BASE64),
    "enveloped": (ENVELOPED, EXC_C14N),
    "enveloped-alone": (ENVELOPED,),
    "xpath-that-leaves-the-pin-out": (XPATH_BODY, EXC_C14N),
    "xslt-that-reads-a-file": (XSLT_BODY, EXC_C14N),
    "unknown-first": ("urn:foo", EXC_C14N),
    "none": (),
}


# --- certificates ------------------------------------------------------------------------------


def by_certificate(make: Callable[[Any], Any]) -> Callable[[Sender], bytes]:
    """Sign by another party's key, with a certificate of the corpus that nobody registered."""
    return lambda sender: etree.tostring(sender.signed(holder=make(sender.cast)))


def token_of_the_same_key(sender: Sender) -> bytes:
    """Replace the unsigned token by another certificate over the sender's own key."""
    envelope = sender.signed()
    twin = sender.cast.another(key=sender.holder.key)
    one(envelope, "BinarySecurityToken").text = b64encode(twin.der).decode()
    return etree.tostring(envelope)


ANOTHER_USE = frozenset({"eku-client", "eku-all-foreign"})
"""A key of a TLS client may sign messages (`Use.MESSAGE`); these are only not registered."""
CERTIFICATES: dict[str, tuple[Callable[[Any], Any], Code]] = {
    **{
        name: (
            partial(lambda cast, changes: cast.another(**changes), changes=changes),
            Code.RCP_04 if name in ANOTHER_USE else Code.SIG_10,
        )
        for name, (changes, _) in certificates.USES.items()
    },
    **{
        name: (partial(lambda cast, changes: cast.another(**changes), changes=changes), Code.SIG_05)
        for name, changes in certificates.TERMS.items()
    },
    **{
        name: (partial(lambda cast, ca: cast.citizen_of(getattr(cast, ca)), ca=ca), code)
        for name, (ca, code, _) in certificates.AUTHORITIES.items()
    },
    **{
        f"ocsp-{name}": (
            partial(lambda cast, name: cast.answered[name][0], name=name),
            code or Code.RCP_04,
        )
        for name, (_, code, _) in ANSWERS.items()
    },
    "revoked": (lambda cast: cast.revoked, Code.SIG_06),
    "self-signed": (certificates.self_made, Code.SIG_09),
    "the-ca-itself": (lambda cast: cast.ca.holder, Code.SIG_10),
    "signed-with-sha1": (lambda cast: cast.rsa_ca.issue_with_sha1(), Code.SIG_04),
    "rsa-1024": (lambda cast: cast.another(key=new_rsa_key(1024)), Code.SIG_04),
    "secp256k1": (
        lambda cast: cast.another(key=ec.generate_private_key(ec.SECP256K1())),
        Code.SIG_04,
    ),
    "certified": (lambda cast: cast.citizen, Code.RCP_04),
}


# --- the same message in other bytes -----------------------------------------------------------


def recoded(encoding: str, declared: str | None = None) -> Callable[[Sender], bytes]:
    def build(sender: Sender) -> bytes:
        text = etree.tostring(sender.signed(), encoding="unicode")
        named = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
        return (named + text).encode(encoding, "xmlcharrefreplace")

    return build


def prefixed(octets: bytes) -> Callable[[Sender], bytes]:
    return lambda sender: octets + etree.tostring(sender.signed(), encoding="utf-8")


def in_request_id(change: Callable[[bytes], bytes]) -> Callable[[Sender], bytes]:
    """Write the characters of the signed request id in another way."""

    def build(sender: Sender) -> bytes:
        before, opening, rest = etree.tostring(sender.signed()).partition(b"requestId>")
        value, closing, after = rest.partition(b"</")
        return before + opening + change(value) + closing + after

    return build


def wrapped_in_cdata(value: bytes) -> bytes:
    return b"<![CDATA[" + value + b"]]>"


def by_reference(value: bytes) -> bytes:
    return f"&#{value[0]};".encode() + value[1:]


FORMS: dict[str, tuple[Callable[[Sender], bytes], Code | None, str]] = {
    "utf-16": (recoded("utf-16", "UTF-16"), Code.REQ_07, "one encoding alone"),
    "utf-16-le": (recoded("utf-16-le", "UTF-16LE"), Code.REQ_07, "without a mark"),
    "utf-16-declared-utf-8": (recoded("utf-16", "UTF-8"), Code.REQ_07, "the declaration lies"),
    "utf-7": (recoded("utf-7", "UTF-7"), Code.REQ_07, "markup hidden from a scan of bytes"),
    "latin-1-declared": (
        prefixed(b'<?xml version="1.0" encoding="ISO-8859-1"?>'),
        Code.REQ_07,
        "lies",
    ),
    "unknown-encoding": (
        prefixed(b'<?xml version="1.0" encoding="x-none"?>'),
        Code.REQ_07,
        "of none",
    ),
    "xml-1.1": (
        prefixed(b'<?xml version="1.1"?>'),
        Code.REQ_07,
        "other characters, other line ends",
    ),
    "space-before-declaration": (
        prefixed(b' <?xml version="1.0"?>'),
        Code.REQ_01,
        "not well-formed",
    ),
    "overlong": (in_request_id(lambda value: b"\xc0\xb0" + value), Code.REQ_07, "not UTF-8"),
    "nul": (in_request_id(lambda value: value + b"\0"), Code.REQ_07, "the end of a C string"),
    "reference-to-nul": (in_request_id(lambda value: value + b"&#0;"), Code.REQ_01, "no character"),
    "undeclared-entity": (in_request_id(lambda value: value + b"&e;"), Code.REQ_01, "of nothing"),
    "byte-order-mark": (prefixed(b"\xef\xbb\xbf"), None, "XML 1.0, 4.3.3: UTF-8 may bear one"),
    "declared-utf-8": (prefixed(b'<?xml version="1.0" encoding="UTF-8"?>'), None, "as most do"),
    "cdata": (in_request_id(wrapped_in_cdata), None, "the same characters (Canonical XML, 1.1)"),
    "character-reference": (in_request_id(by_reference), None, "the same character"),
}
"""An accepted message has, in canonical form, exactly the signed bytes."""


def looks_alike(form: str, change: Callable[[str], str]) -> MessageVector:
    """Write a value of the Body in another form that looks the same: other bytes than
    were signed.
    """

    def build(sender: Sender) -> bytes:
        envelope = sender.signed()
        value = next(each for each in envelope[-1].iter("*") if each.tag.endswith("}purpose"))
        value.text = change(value.text or "")
        return etree.tostring(envelope)

    return MessageVector(
        name=f"wsse/form-{form}",
        why="what is compared is code points, not looks",
        build=build,
        code=Code.SIG_02,
    )


VECTORS: tuple[MessageVector, ...] = (
    *(
        MessageVector(
            name=f"wsse/references-{name}",
            why="exactly the Body and the Timestamp, counted before anything is hashed",
            build=resigned(edit),
            code=code,
            within=SECOND,
        )
        for name, (edit, code) in REFERENCES.items()
    ),
    *(
        MessageVector(
            name=f"wsse/uri-{name}-for-the-{part}",
            why="a reference names the actual part, and nothing is searched for or fetched",
            build=resigned(uri(index, value)),
            code=Code.SIG_03,
        )
        for index, part in enumerate(("body", "timestamp"))
        for name, value in URIS.items()
    ),
    *(
        MessageVector(
            name=f"wsse/transforms-{name}",
            why="one exclusive canonicalisation; what is unknown is not skipped",
            build=resigned(transforms(*steps)),
            code=Code.SIG_04,
        )
        for name, steps in STEPS.items()
    ),
    *(
        MessageVector(
            name=f"wsse/certificate-{name}",
            why="the same certificates as under documents",
            build=by_certificate(make),
            code=code,
        )
        for name, (make, code) in CERTIFICATES.items()
    ),
    MessageVector(
        name="wsse/token-of-the-same-key",
        why="registered is a certificate, not a key",
        build=token_of_the_same_key,
        code=Code.RCP_04,
    ),
    *(
        MessageVector(name=f"wsse/form-{name}", why=why, build=build, code=code)
        for name, (build, code, why) in FORMS.items()
    ),
    looks_alike(
        "fullwidth", lambda text: text.replace("A", "\N{FULLWIDTH LATIN CAPITAL LETTER A}")
    ),
    looks_alike("cyrillic", lambda text: text.replace("A", "\N{CYRILLIC CAPITAL LETTER A}")),
    looks_alike("nfd", lambda text: text.replace("A", "A\N{COMBINING RING ABOVE}")),
    looks_alike(
        "nfc", lambda text: text.replace("A", "\N{LATIN CAPITAL LETTER A WITH RING ABOVE}")
    ),
    looks_alike("zero-width", lambda text: f"{text}\N{ZERO WIDTH SPACE}"),
)
