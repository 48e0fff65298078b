"""Build every XML parser of the service; none of them fetches, expands or repairs anything.

Comments, processing instructions and entities stay in the tree so that they can be detected and
refused. `soap.envelope` and `trust.xmldsig.parsing` refuse them, each by the rules of what it
reads.
"""

from collections.abc import Sequence
from threading import local

from lxml import etree

_OWN = local()


def build_parser(*, large: bool = False, collect_ids: bool = True) -> etree.XMLParser:
    """Return a parser with every setting stated.

    `large` lifts libxml2's limit of 10 MB on one text, for a message with a scan of 14 MB. A caller
    that sets it must have limited size and markup before. Without `collect_ids` the parser keeps no
    table of xml:id.
    """
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        no_network=True,
        huge_tree=large,
        recover=False,
        remove_comments=False,
        remove_pis=False,
        remove_blank_text=False,
        ns_clean=False,
        strip_cdata=True,
        collect_ids=collect_ids,
    )


def build_pull_parser(tags: Sequence[str]) -> etree.XMLPullParser:
    """Return a parser that is fed in blocks and reports the end of elements with these tags.

    The caller removes what was reported, so that a long document needs no tree. It must refuse a
    declaration of types before: this parser does not report one.
    """
    return etree.XMLPullParser(
        events=("end",),
        tag=tags,
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        no_network=True,
        huge_tree=False,
        recover=False,
        remove_comments=False,
        remove_pis=False,
        remove_blank_text=False,
        ns_clean=False,
        strip_cdata=True,
        collect_ids=False,
    )


def own_parser() -> etree.XMLParser:
    """Return the parser of this thread; libxml2 resets it for each document, also a bad one.

    Building a parser takes as long as parsing about ten elements (18 µs on a busy machine,
    2026-11-30).
    """
    parser: etree.XMLParser | None = getattr(_OWN, "parser", None)
    if parser is None:
        parser = _OWN.parser = build_parser()
    return parser


def own_message_parser() -> etree.XMLParser:
    """Return this thread's parser of messages, which keeps no table of xml:id."""
    parser: etree.XMLParser | None = getattr(_OWN, "message_parser", None)
    if parser is None:
        parser = _OWN.message_parser = build_parser(collect_ids=False)
    return parser
