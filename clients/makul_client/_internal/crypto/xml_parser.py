"""The only factory of XML parsers. None of them fetches, expands or repairs anything."""

from lxml import etree


def build_parser(*, large: bool = False) -> etree.XMLParser:
    """Return a parser that keeps entities and a DTD, so that `crypto.xml.parse` can refuse them.

    `large` removes libxml2's limit of 10 MB on one text, for our own message with a scan.
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
