"""The check of a request's names against the consent and the stored terms of the agreement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from makul_client.cli.agreement_terms import collect_terms, keep_terms, load_terms
from makul_client.cli.late_commands import late
from makul_client.cli.vocabulary import UnknownNameError, require_attributes, require_contained
from makul_client.errors import MakulError
from makul_client.models.request import ConsentDocument
from makul_client.translation import mark, translate

if TYPE_CHECKING:
    from pathlib import Path

    from makul_client._internal.request_sender import Context
    from makul_client.client import Client
    from makul_client.consent import view as consent_view
    from makul_client.models.request import Ground
else:
    consent_view = late("consent.view")


def check_names(
    client: Client,
    profile: Path,
    inquiry: Context,
    ground: Ground | None,
    *,
    purpose: str | None,
    attributes: tuple[str, ...] = (),
) -> None:
    """Raise `UnknownNameError` for a name that cannot be released, before the request is sent.

    The stored terms may be old. So the service is asked again before the terms forbid a name.
    """
    purpose_code = purpose or client.profile.purpose
    if isinstance(ground, ConsentDocument):
        view = consent_view.read_unsafe(ground.document)
        holder = translate("the consent")
        require_contained(mark("purpose"), (purpose_code,), (view.purpose,), holder)
        require_contained(mark("attribute"), attributes, view.attributes, holder)
    terms = load_terms(profile, client.profile.agreement)
    if terms is None:
        return
    try:
        terms.require(purpose=purpose_code, attributes=attributes)
    except UnknownNameError:
        fresh = collect_terms(client.agreement(context=inquiry))
        keep_terms(profile, fresh)
        fresh.require(purpose=purpose_code, attributes=attributes)


def choose_attributes(typed: list[str] | None, ground: Ground | None) -> tuple[str, ...]:
    """Return the attributes from the options, or all that the consent lists if there are none.

    Raises `MakulError` if neither names an attribute.
    """
    attributes = tuple(typed or ())
    require_attributes(attributes)
    if not attributes and isinstance(ground, ConsentDocument):
        attributes = consent_view.read_unsafe(ground.document).attributes
    if not attributes:
        raise MakulError(translate("name what to ask for: --attribute surname"))
    return attributes
