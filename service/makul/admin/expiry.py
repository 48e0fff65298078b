"""Everything in use that ends, for `makul expiring`: one function for each source.

A new kind of thing with an end needs one function here, and its line in `SOURCES`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from makul.admin.error_handling import as_operator_error
from makul.admin.key_inventory import keys_in_use, recipients_certificates
from makul.admin.trust_data import SettingsTrust
from makul.app.ports import OperatorRegistry
from makul.composition.adapters import build_refresher
from makul.config.settings import Settings
from makul.domain.agreements import AgreementState
from makul.domain.expiry import DueEnding, Ending, select_due
from makul.domain.recipients import RecipientState
from makul.language.translation import mark
from makul.store import StoreEndings
from makul.trust.keys.files import load_certificates

MAX_CONSENTS: Final = 10_000
"""Consents of one list, the first to end."""

_TRUSTED: Final = frozenset({"trust anchor", "intermediate", "time-stamping anchor"})
"""Kinds of the key inventory that the report on the trust material has too, with more detail."""
_SUPERSEDED: Final = frozenset({"FORMER", "RETIRED", "COMPROMISED"})
"""States of keys and trust items that nothing waits for any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndingSources:
    """What the sources read."""

    settings: Settings
    registry: OperatorRegistry
    store: StoreEndings
    at: datetime
    within: timedelta

    @property
    def until(self) -> datetime:
        """The last instant that is asked for."""
        return self.at + self.within

    def due(self, *, consents: bool) -> Sequence[DueEnding]:
        """Return what ends within a time. Consents, which are many, are read only on request."""
        with as_operator_error():
            found = [each for source in SOURCES for each in source(self)]
            if consents:
                found += _consents(self)
        return select_due(found, at=self.at, within=self.within)


def _agreements(sources: EndingSources) -> Iterator[Ending]:
    """Yield agreements in force and drafts; one that is terminated has ended."""
    removed = _removed(sources)
    for each in sources.registry.agreements():
        if each.state is not AgreementState.TERMINATED and each.recipient not in removed:
            yield Ending(
                kind=mark("agreement"), name=f"{each.number} {each.recipient}", ends=each.valid_to
            )


def _recipients_certificates(sources: EndingSources) -> Iterator[Ending]:
    """Yield the certificates of messages, of TLS connections and of encryption."""
    for each in recipients_certificates(sources.registry):
        yield Ending(
            kind=mark("certificate of a recipient"),
            name=f"{each.owner} {each.name} {(each.fingerprint or '')[:16]}",
            ends=each.not_after,
        )


def _persons(sources: EndingSources) -> Iterator[Ending]:
    """Yield the certificates of officers, signatories and officials who are not withdrawn."""
    for officer in sources.registry.officers():
        if not officer.withdrawn:
            yield Ending(
                kind=mark("certificate of an officer"),
                name=f"{officer.member} {officer.role.value} {officer.identifier}",
                ends=officer.not_after,
            )
    for signatory in sources.registry.signatories():
        if signatory.withdrawn_at is None:
            yield Ending(
                kind=mark("certificate of a signatory"),
                name=f"{signatory.member} {signatory.role.value} {signatory.identifier}",
                ends=signatory.not_after,
            )
    removed = _removed(sources)
    for official in sources.store.officials():
        if official.recipient not in removed:
            yield Ending(
                kind=mark("certificate of an official"),
                name=f"{official.recipient} {official.identifier}",
                ends=official.not_after,
            )


def _own_keys(sources: EndingSources) -> Iterator[Ending]:
    """Yield the operator's certificates. The keys of the store and of the log have no term."""
    for each in keys_in_use(sources.settings):
        if each.kind in _TRUSTED or each.state in _SUPERSEDED or each.not_after is None:
            continue
        yield Ending(kind=mark("key of the operator"), name=each.name, ends=each.not_after)


def _portals(sources: EndingSources) -> Iterator[Ending]:
    subject = sources.settings.subject
    for portal in subject.portals if subject is not None else ():
        for each in load_certificates(portal.certificates) if portal.certificates else ():
            yield Ending(
                kind=mark("certificate of a portal"),
                name=portal.code,
                ends=each.not_valid_after_utc,
            )


def _trust_material(sources: EndingSources) -> Iterator[Ending]:
    """Yield anchors, intermediates and CRLs. OCSP responses are fetched when they are needed."""
    trust = SettingsTrust(
        settings=sources.settings,
        refresher=build_refresher(sources.settings),
        clock=lambda: sources.at,
    )
    for each in trust.status():
        if each.kind in {"anchor", "intermediate", "CRL"} and each.state not in _SUPERSEDED:
            yield Ending(
                kind=mark("trust material"), name=f"{each.kind} {each.name}", ends=each.until
            )


def _undertakings(sources: EndingSources) -> Iterator[Ending]:
    """Yield the undertakings of secrecy of recipients' employees, by id (cl. 16)."""
    removed = _removed(sources)
    for each in sources.store.undertakings(sources.until):
        if each.recipient not in removed:
            yield Ending(
                kind=mark("undertaking of secrecy"),
                name=f"{each.recipient} {each.undertaking_id}",
                ends=each.ends,
            )


SOURCES: Final[Sequence[Callable[[EndingSources], Iterator[Ending]]]] = (
    _agreements,
    _recipients_certificates,
    _persons,
    _own_keys,
    _portals,
    _trust_material,
    _undertakings,
)
"""Every source of things that end, except the consents of citizens."""


def _consents(sources: EndingSources) -> Iterator[Ending]:
    """Yield the registered consents that end until then, by recipient and id."""
    for each in sources.store.consents(sources.at, sources.until, MAX_CONSENTS):
        yield Ending(
            kind=mark("consent"), name=f"{each.recipient} {each.consent_id}", ends=each.ends
        )


def _removed(sources: EndingSources) -> frozenset[str]:
    return frozenset(
        each.code for each in sources.registry.recipients() if each.state is RecipientState.REMOVED
    )
