"""Settings of trust: directories of certificates and CRLs, and the addresses of new ones."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from makul.config.base import Section
from makul.language.translation import translate


def _web_address(url: str) -> str:
    if not url.startswith(("http://", "https://")) or "@" in url:
        raise ValueError(translate("must begin with http:// or https://, and hold no password"))
    return url


WebAddress = Annotated[str, AfterValidator(_web_address)]


class CrlDirectory(StrEnum):
    """The purpose of a CRL."""

    CRLS = "crls"
    TSA_CRLS = "tsa_crls"


class CrlSourceSettings(Section):
    """The address of a CA's CRL, and the local file that stores it."""

    url: WebAddress
    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.(crl|der|pem)$")]
    into: CrlDirectory = CrlDirectory.CRLS
    """The directory of that file: `trust.crls` or `trust.tsa_crls`."""


class OcspSourceSettings(Section):
    """The address of a CA's OCSP responder, and the file of the CA's certificate."""

    url: WebAddress
    issuer: Path


class RefreshSettings(Section):
    """The sources of `makul trust refresh`. No address is ever taken from a certificate."""

    crls: tuple[CrlSourceSettings, ...] = ()
    ocsp: tuple[OcspSourceSettings, ...] = ()
    interval: Annotated[int, Field(ge=5, le=86_400)] = 300
    """Seconds between two rounds."""


class TrustSettings(Section):
    """The trust data. Each path is a directory of certificates or CRLs, PEM or DER."""

    anchors: Path
    intermediates: Path
    crls: Path
    ocsp: Path | None = None
    """OCSP responses of the refresher or of the operator."""
    wanted: Path | None = None
    """The directory of certificates for which the refresher must query a responder.

    Workers write it.
    """
    archive: Path | None = None
    """The permanent archive of the evidence on which verdicts rest."""
    tsa_anchors: Path | None = None
    """CA certificates of time-stamping authorities. Without them no timestamp counts."""
    tsa_crls: Path | None = None
    """CRLs of time-stamping authorities; those in `crls` if it is not set."""
    tsa_url: WebAddress | None = None
    """The address at which evidence files get their timestamps (RFC 3161, 3.4)."""
    tsa_policies: Annotated[frozenset[str], Field(min_length=1)] | None = None
    """The only timestamp policies that count; any policy counts if it is not set."""
    refresh: RefreshSettings = RefreshSettings()
    pin_pattern: str = r"PNOKG-(?P<pin>[0-9]{14})"
    """The pattern of the PIN in the `pin_attribute` of a citizen's certificate.

    ETSI EN 319 412-1, 5.1.3: a natural person's semantics identifier in `serialNumber`.
    """
    pin_attribute: str = "2.5.4.5"

    pin_policies: Annotated[frozenset[str], Field(min_length=1)] | None = None
    """Certificate policies of which a citizen's path carries one (RFC 5280, 4.2.1.4 and 6.1).

    Without any, the holder of a certificate from any trusted authority could consent for a citizen,
    if the certificate's name contains the citizen's PIN. Authorities for organisations are
    included.
    """

    @model_validator(mode="after")
    def _sources_have_places(self) -> Self:
        if self.refresh.ocsp and (self.ocsp is None or self.wanted is None):
            raise ValueError(
                translate("refresh.ocsp needs the directories trust.ocsp and trust.wanted")
            )
        if self.tsa_url is not None and self.tsa_anchors is None:
            raise ValueError(translate("tsa_url needs the directory trust.tsa_anchors"))
        stamping = any(each.into is CrlDirectory.TSA_CRLS for each in self.refresh.crls)
        if stamping and self.tsa_crls is None:
            raise ValueError(
                translate('refresh.crls: into = "tsa_crls" needs the directory trust.tsa_crls')
            )
        return self

    @field_validator("pin_pattern")
    @classmethod
    def _names_the_pin(cls, pattern: str) -> str:
        try:
            named = "pin" in re.compile(pattern).groupindex
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(
                translate("is no regular expression: {problem}", problem=error)
            ) from None
        if not named:
            raise ValueError(translate("needs a group named pin: (?P<pin>...)"))
        return pattern
