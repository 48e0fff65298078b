"""Convert documents between XML and the domain, by the published schemas.

This package uses no keys and no database.
"""

from makul.app.ports import UnwritableError
from makul.documents.adapter import XmlDocuments
from makul.documents.bases import BasisDisplay, render_basis
from makul.documents.consents import (
    ConsentDisplay,
    PaperConsentDetails,
    Party,
    Representative,
    render_consent,
)
from makul.documents.revocations import render_revocation

__all__ = [
    "BasisDisplay",
    "ConsentDisplay",
    "PaperConsentDetails",
    "Party",
    "Representative",
    "UnwritableError",
    "XmlDocuments",
    "render_basis",
    "render_consent",
    "render_revocation",
]
