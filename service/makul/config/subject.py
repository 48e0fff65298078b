"""`[subject]` of the settings: the portals of citizens and their identity provider."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from makul.config.base import Section
from makul.domain.identifiers import MemberCode, parse_member_code
from makul.language.translation import translate

Name = Annotated[str, Field(min_length=1, max_length=300)]


class PortalSettings(Section):
    """A portal that may send requests on behalf of citizens who logged in there."""

    code: Annotated[str, AfterValidator(parse_member_code)]
    audience: Name
    """The portal's name at the identity provider (`aud`)."""
    certificates: Path | None = None
    """The certificates, in PEM, of its messages or of its TLS connections; none over X-Road."""
    subsystem: Name | None = None
    """The only subsystem that may call over X-Road; without it, each subsystem may."""
    may_find_usage: bool = False
    """True if the portal may name a citizen without an ID token (`findUsage`)."""

    @property
    def member(self) -> MemberCode:
        """The checked member code."""
        return MemberCode(self.code)


class SubjectSettings(Section):
    """What identifies citizens on the subject port."""

    issuer: Name
    """The identity provider (`iss`)."""
    jwks: Path
    """The provider's public keys, a JSON Web Key Set."""
    pin_claim: Name = "pin"
    """The claim that contains the PIN."""
    levels: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Every level of a login that counts (`acr`), from the lowest."""
    minimum_level: Name
    """The lowest level that is enough."""
    operation_levels: Annotated[dict[Name, Name], Field(default_factory=dict)]
    """The lowest level for single operations, by their names."""
    portals: Annotated[tuple[PortalSettings, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if len(set(self.levels)) != len(self.levels):
            raise ValueError(translate("levels: each level occurs once"))
        needed = {self.minimum_level, *self.operation_levels.values()}
        if not needed <= set(self.levels):
            raise ValueError(translate("a level that an operation needs is not in levels"))
        members = [portal.code for portal in self.portals]
        audiences = [portal.audience for portal in self.portals]
        if len(set(members)) != len(members) or len(set(audiences)) != len(audiences):
            raise ValueError(translate("portals: each code and each audience occurs once"))
        return self
