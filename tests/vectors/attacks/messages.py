"""Wrapping attacks on a message signed by WS-Security: the signed part is not what would run.

Each begins as a good request of a genuine bank, which would be answered with data. McIntosh and
Austel, XML Signature Element Wrapping Attacks (2005); OASIS WSS 1.1 and X.509 Token Profile 1.1.
"""

from datetime import timedelta
from typing import Any

from makul.domain.reasons import Code
from makul_testing.builders.wsse import RSA_SHA1, SHA1, WSU, X509_V3
from vectors.attacks.message_edits import (
    EDITS,
    ID,
    MINUTE,
    TRANSFORM_STR,
    XML_ID,
    MessageVector,
    at_times,
    by_the_stranger,
    departed,
    edited,
    header_signed,
    into,
    rewritten,
    same_id,
    token_reference,
)

PLACES = (
    ("header", Code.SIG_03),
    ("security", Code.SIG_03),
    ("timestamp", Code.SIG_03),
    ("token", Code.SIG_03),
    ("signature", Code.SIG_03),
    ("key-info", Code.SIG_03),
    ("body", Code.REQ_01),
    ("envelope", Code.REQ_01),
    ("before-header", Code.REQ_01),
)

TOKEN_REFERENCES = {
    "key-identifier": (
        f'<wsse:SecurityTokenReference><wsse:KeyIdentifier ValueType="{X509_V3}">AAAA'
        "</wsse:KeyIdentifier></wsse:SecurityTokenReference>"
    ),
    "embedded": "<wsse:SecurityTokenReference><wsse:Embedded/></wsse:SecurityTokenReference>",
    "key-name": "<ds:KeyName>bank</ds:KeyName>",
    "x509-data": "<ds:X509Data><ds:X509Certificate>AAAA</ds:X509Certificate></ds:X509Data>",
    "nothing": "",
}
ALGORITHMS: dict[str, dict[str, Any]] = {
    "rsa-sha1": {"signature_method": RSA_SHA1},
    "digest-sha1": {"digest_method": SHA1},
    "hmac": {"signature_method": "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"},
    "none": {"signature_method": "none"},
    "inclusive": {"transform": "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"},
    "comments": {"transform": "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"},
    "xslt": {"transform": "http://www.w3.org/TR/1999/REC-xslt-19991116"},
    "xpath": {"transform": "http://www.w3.org/TR/1999/REC-xpath-19991116"},
    "str-transform": {"transform": TRANSFORM_STR},
    "unknown": {"transform": "urn:foo"},
    "own-inclusive": {"canonicalisation": "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"},
    "own-comments": {"canonicalisation": "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"},
    "33-prefixes": {"prefixes": " ".join(f"p{number}" for number in range(33))},
}
TIMES: dict[str, tuple[timedelta, timedelta | None]] = {
    "old": (-7 * MINUTE, 5 * MINUTE),
    "expired": (-3 * MINUTE, -2 * MINUTE),
    "future": (2 * MINUTE, 5 * MINUTE),
    "no-time": (timedelta(), timedelta()),
    "backwards": (timedelta(), -MINUTE),
    "without-an-end": (timedelta(), None),
}
MARKUP: dict[str, tuple[bytes, bytes, Code]] = {
    "comment-in-a-value": (b"</soap:Body>", b"<!-- x --></soap:Body>", Code.REQ_07),
    "instruction": (b"</soap:Body>", b"<?x y?></soap:Body>", Code.REQ_07),
    "doctype": (b"<soap:Envelope", b"<!DOCTYPE x><soap:Envelope", Code.REQ_07),
    "entity": (b"</soap:Body>", b"&e;</soap:Body>", Code.REQ_01),
    "element-added": (b"</soap:Body>", b"<x/></soap:Body>", Code.REQ_01),
    "text-in-body": (b"</soap:Body>", b"x</soap:Body>", Code.REQ_01),
}

WHY = "what is run must be what was signed, by whom the token names"
VECTORS: tuple[MessageVector, ...] = (
    *(
        MessageVector(
            name=f"wsse/body-to-{place}-{identifier or 'no-id'}",
            why="wrapping: the signed Body is kept where a resolver finds it (McIntosh 2005)",
            build=edited(into(place, identifier)),
            code=code,
        )
        for place, code in PLACES
        for identifier in ("body", "evil", None)
    ),
    *(
        MessageVector(
            name=f"wsse/body-to-{place}-by-{attribute.rpartition('}')[2]}"
            f"{'-of-xml' if attribute == XML_ID else ''}",
            why="wrapping, where a resolver takes another attribute for the identifier",
            build=edited(into(place, "body", attribute)),
            code=code,
        )
        for place, code in PLACES
        for attribute in ("Id", "ID", "id", XML_ID)
    ),
    *(
        MessageVector(name=f"wsse/{name}", why=WHY, build=edited(edit), code=code)
        for name, (edit, code) in EDITS.items()
    ),
    *(
        MessageVector(
            name=f"wsse/id-{name.rpartition('}')[2]}-{'wsu-' if WSU in name else ''}of-{value}",
            why="two elements bear the identifier of a signed part",
            build=edited(same_id(name, value)),
            code=Code.SIG_03,
        )
        for name in (ID, "Id", "ID", "id", XML_ID)
        for value in ("body", "timestamp")
    ),
    *(
        MessageVector(
            name=f"wsse/key-by-{name}",
            why="X.509 Token Profile 1.1, 3: one token, directly referred to",
            build=edited(token_reference(xml)),
            code=Code.SIG_03,
        )
        for name, xml in TOKEN_REFERENCES.items()
    ),
    *(
        MessageVector(
            name=f"wsse/algorithm-{name}",
            why="the list for documents, and exclusive canonicalisation alone",
            build=departed(**departures),
            code=Code.SIG_04,
        )
        for name, departures in ALGORITHMS.items()
    ),
    *(
        MessageVector(
            name=f"wsse/time-{name}",
            why="docs/recipients.md, channel wsse: within five minutes",
            build=at_times(created, expires),
            code=Code.REQ_03,
        )
        for name, (created, expires) in TIMES.items()
    ),
    *(
        MessageVector(
            name=f"wsse/markup-{name}",
            why="canonicalisation drops comments, and a value would be cut in two",
            build=rewritten(old, new),
            code=code,
        )
        for name, (old, new, code) in MARKUP.items()
    ),
    MessageVector(
        name="wsse/header-signed-for-the-body",
        why="the signed identifier is a header block's",
        build=header_signed,
        code=Code.SIG_03,
    ),
    MessageVector(
        name="wsse/certified-and-unregistered",
        why="a good certificate makes nobody a recipient",
        build=by_the_stranger,
        code=Code.RCP_04,
    ),
    MessageVector(name="wsse/usual", why="it is answered with data", build=departed(), code=None),
    MessageVector(
        name="wsse/prefix-list",
        why="as WSS4J writes it",
        build=departed(prefixes="soap unused"),
        code=None,
    ),
    MessageVector(
        name="wsse/clock-behind",
        why="within a minute",
        build=at_times(timedelta(seconds=50), 5 * MINUTE),
        code=None,
    ),
)
