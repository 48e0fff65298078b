"""A sandbox's whole world, made at one moment: authorities, recipients, citizens and papers."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from makul.app.ports import Desk, Official
from makul.domain.attributes import Attribute
from makul.domain.persons import LocalizedName, Person
from makul.sandbox.hands import NOTICE, NOTICE_LANGUAGE, NOTICE_REF, Hands
from makul.sandbox.papers import Paper, draw_up
from makul.sandbox.parties import OPERATOR, OPERATOR_NAME, PARTIES, Party
from makul.sandbox.people import ABSENT, KEYED, REVOKED, citizens
from makul.sandbox.pki import Authority, Credential, Hierarchy, new_hierarchy, new_root
from makul.sandbox.tsa import StampingAuthority

RSA_CITIZEN = 3
"""One citizen signs with RSA; the others with P-256."""

BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything there is in a sandbox."""

    made_at: datetime
    hierarchy: Hierarchy
    look_alike: Hierarchy
    """Bears the same names over other keys; nobody trusts it."""
    stamping_root: Authority
    """Trusted for time-stamps, and for nothing else."""
    stamping: StampingAuthority
    operator: Credential
    """With which receipts are signed."""
    people: tuple[Person, ...]
    citizens: Mapping[int, Credential]
    """Of the citizens who can sign, by number."""
    stranger: Credential
    """The first citizen's certificate as the look-alike authority made it."""
    messages: Mapping[str, Credential]
    """Of each party, by its key: what signs its messages."""
    officials: Mapping[str, Credential]
    papers: Mapping[str, Paper]

    @property
    def crls(self) -> dict[str, bytes]:
        """The CRLs of every trusted authority, by file name."""
        return self.hierarchy.crls([self.citizens[REVOKED].certificate])


def build_world(at: datetime, *, people: int = 1000, seed: int = 1) -> World:
    """Make a world. The same seed gives the same people; keys and papers are new each time."""
    everyone = citizens(max(people, KEYED), seed=seed)
    true, false = new_hierarchy(at), new_hierarchy(at)
    keyed = {number: _certified(true, number, everyone[number]) for number in range(KEYED)}
    officials = {
        party.key: true.official(
            member_code=party.code, name=party.official.name, identifier=party.official.identifier
        )
        for party in PARTIES
        if party.official is not None
    }
    stranger = _certified(false, 0, everyone[0])
    hands = Hands(
        people=everyone[:KEYED],
        citizens=keyed,
        officials=officials,
        stranger=stranger,
        notice_digest=hashlib.sha256(NOTICE.encode()).digest(),
        at=at,
    )
    stamping_root = new_root("Sandbox root of time-stamping", at)
    stamping = stamping_root.stamping("Sandbox TSA")
    return World(
        made_at=at,
        stamping_root=stamping_root,
        stamping=StampingAuthority(key=stamping.key, certificate=stamping.certificate),
        hierarchy=true,
        look_alike=false,
        operator=true.official(member_code=OPERATOR, name=OPERATOR_NAME, identifier="receipts"),
        people=everyone,
        citizens=keyed,
        stranger=stranger,
        messages={party.key: _message_certificate(true, party) for party in PARTIES},
        officials=officials,
        papers=draw_up(hands),
    )


def register(world: World, desk: Desk, *, at: datetime) -> None:
    """Enter recipients, terms, notices and citizens into an empty register."""
    desk.add_notice(
        NOTICE_REF, hashlib.sha256(NOTICE.encode()).digest(), {NOTICE_LANGUAGE: NOTICE}, at=at
    )
    for party in PARTIES:
        desk.add_recipient(party.recipient, at=at)
        message = world.messages[party.key]
        desk.add_certificate(party.code, message.fingerprint, message.der, at=at)
        desk.put_agreement(party.agreed(world.made_at), at=at)
        if party.official is not None:
            official = Official(
                recipient=party.code,
                identifier=party.official.identifier,
                name=party.official.name,
                fingerprint=world.officials[party.key].fingerprint,
            )
            desk.add_official(official, at=at)
    registered = [person for number, person in enumerate(world.people) if number != ABSENT]
    for start in range(0, len(registered), BATCH):
        desk.put_persons(registered[start : start + BATCH], at=at)


def _certified(hierarchy: Hierarchy, number: int, person: Person) -> Credential:
    return hierarchy.citizen(
        pin_digits=person.pin.digits,
        surname=_latin(person, Attribute.SURNAME),
        given_name=_latin(person, Attribute.GIVEN_NAME),
        use_rsa=number == RSA_CITIZEN,
    )


def _latin(person: Person, name: Attribute) -> str:
    value = person.values[name]
    if not isinstance(value, LocalizedName) or value.latin is None:
        raise TypeError("a synthetic citizen has names in Latin")
    return value.latin


def _message_certificate(hierarchy: Hierarchy, party: Party) -> Credential:
    return hierarchy.organisation(
        member_code=party.code, common_name=party.name, use_rsa=party.uses_rsa
    )
