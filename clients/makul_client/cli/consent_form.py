"""The JSON form of a consent, as a clerk's system writes it, and the wish that is read from it."""

from __future__ import annotations

import json
import os
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from makul_client.cli.late_commands import late
from makul_client.cli.options import instant
from makul_client.cli.output import read_file
from makul_client.cli.prompts import ask, ask_pin
from makul_client.errors import ConsentError
from makul_client.translation import translate

if TYPE_CHECKING:
    from makul_client.consent.documents import (
        Authority,
        ConsentContent,
        PaperConsent,
        Representative,
        Subject,
    )
    from makul_client.profile import Party
    from makul_client.toml_table import digest_of_file
else:
    Authority = late("consent.documents", "Authority")
    PaperConsent = late("consent.documents", "PaperConsent")
    Representative = late("consent.documents", "Representative")
    Subject = late("consent.documents", "Subject")
    ConsentContent = late("consent.documents", "ConsentContent")
    Party = late("profile", "Party")
    digest_of_file = late("toml_table", "digest_of_file")

FORM: Final = """\b
form.json, every key optional where the option is given:
  {"pin": "…", "surname": "…", "given_name": "…", "patronymic": "…",  (one name: that one)
   "attributes": ["surname"], "methods": ["demographic"],
   "valid_from": "2026-11-01", "valid_to": "2027-11-01", "max_disclosures": 1,
   "purpose": "…", "purpose_text": "…", "relation": "contract 17",
   "onward": [{"code": "COM/60000002", "name": "…"}],
   "representative": {"name": "…", "pin": "…", "kind": "PARENT", "number": "…",
     "date": "2020-01-01", "issuer": "…", "valid_to": "…", "document": "birth.pdf"},
   "paper": {"date": "2026-11-01", "place": "…", "official": "…", "scan": "scan.pdf"}}
"""
"""The format of the form, as the help page shows it."""

MAX_FORM: Final = 1024 * 1024

NAMES: Final = ("surname", "given_name")
"""The names of which a consent requires at least one. A person may have only one name."""

_KEYS: Final = frozenset(
    {"pin", "surname", "given_name", "patronymic", "attributes", "methods", "valid_from"}
    | {"valid_to", "max_disclosures", "purpose", "purpose_text", "relation", "onward"}
    | {"representative", "paper"}
)
_MEDIA_TYPES: Final = {
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
}


def read_form(file: Path | None) -> dict[str, Any]:
    """Return the keys and values of a form, without judging the values. Raises `ConsentError`."""
    if file is None:
        return {}
    try:
        form = json.loads(read_file(file, MAX_FORM))
    except (ValueError, RecursionError):
        raise ConsentError(translate("{file}: not JSON", file=file)) from None
    if not isinstance(form, dict):
        raise ConsentError(translate("{file}: not a JSON object", file=file))
    unknown = sorted(set(form) - _KEYS)
    if unknown:
        raise ConsentError(
            translate("{file}: the key {key} is not known here", file=file, key=unknown[0])
        )
    return form


def complete_form(file: Path | None, options: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a form and of options, of which an option has precedence.

    A PIN or a name that neither gives is asked for. Raises `ConsentError`.
    """
    form = read_form(file)
    form.update({key: value for key, value in options.items() if value is not None})
    if "pin" not in form:
        form["pin"] = ask_pin(translate("PIN"))
    if not any(form.get(key) for key in NAMES):
        instead = translate("the name: --surname, --given-name or --from")
        form["surname"] = ask(translate("surname (empty: none)"), instead=instead)
        form["given_name"] = ask(translate("given name (empty: none)"), instead=instead)
    return form


def content_from_form(form: dict[str, Any], *, folder: Path, now: datetime) -> ConsentContent:
    """Return the wish for a draft, with its scans read from `folder`. Raises `ConsentError`.

    The form must contain the PIN and a name. If it gives no start, the consent is valid from `now`.
    """
    if "valid_to" not in form:
        raise ConsentError(translate("state the end of the term: --until 2027-11-01"))
    since = form.get("valid_from")
    try:
        return ConsentContent(
            subject=Subject(
                pin=form["pin"],
                surname=form.get("surname") or None,
                given_name=form.get("given_name") or None,
                patronymic=form.get("patronymic") or None,
            ),
            attributes=tuple(form.get("attributes", ())),
            methods=tuple(form["methods"]) if "methods" in form else None,
            valid_from=now if since is None else instant(since, "--since"),
            valid_to=instant(form["valid_to"], "--until"),
            max_disclosures=int(form.get("max_disclosures", 1)),
            purpose=form.get("purpose"),
            purpose_text=form.get("purpose_text"),
            relation=form.get("relation"),
            onward=tuple(Party(**each) for each in form.get("onward", ())),
            representative=_representative(form.get("representative"), folder),
            paper=_paper(form.get("paper"), folder),
        )
    except (TypeError, ValueError, KeyError, OverflowError):
        raise ConsentError(translate("the form's values are not valid; see --help")) from None


def _representative(form: dict[str, Any] | None, folder: Path) -> Representative | None:
    if form is None:
        return None
    media_type, digest = _read_scan(folder / form["document"])
    valid_to = form.get("valid_to")
    return Representative(
        name=form["name"],
        pin=form.get("pin"),
        authority=Authority(
            kind=form["kind"],
            number=form["number"],
            issued_on=date.fromisoformat(form["date"]),
            issuer=form["issuer"],
            valid_to=None if valid_to is None else date.fromisoformat(valid_to),
            media_type=media_type,
            digest=digest,
        ),
    )


def _paper(form: dict[str, Any] | None, folder: Path) -> PaperConsent | None:
    if form is None:
        return None
    media_type, digest = _read_scan(folder / form["scan"])
    return PaperConsent(
        date=date.fromisoformat(form["date"]),
        place=form["place"],
        official=form["official"],
        media_type=media_type,
        scan_digest=digest,
    )


def _read_scan(scan: Path) -> tuple[str, bytes]:
    exists = os.path.isfile(scan)  # noqa: PTH113 - `is_file` raises for a name that is too long
    if not exists or scan.suffix.lower() not in _MEDIA_TYPES:
        raise ConsentError(
            translate("the scan must be a file ending in {names}", names=", ".join(_MEDIA_TYPES))
        )
    return _MEDIA_TYPES[scan.suffix.lower()], digest_of_file(scan)
