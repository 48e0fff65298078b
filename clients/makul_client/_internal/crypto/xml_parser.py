"""The one place where parsers of XML are made. None fetches, expands or repairs anything."""

from lxml import etree


def build_parser(*, large: bool = False) -> etree.XMLParser:
    """Return a parser that leaves entities and a DTD alone, so that `xml.parse` can refuse them.

    `large` lifts libxml2's limit of 10 MB on one text, for our own message with a scan.
    """
    return etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        no_network=True,
        huge_tree=large,
        recover=False,
    )
