"""The peer's directory: the authorities, the receipt key and the register of a world."""

from collections.abc import Iterable
from datetime import UTC, date
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from bench.peer import AUTHORITIES, CERTIFICATE, DATABASE, KEY
from bench.peer.tables import Agreement, Base, Person, Recipient, connected
from makul.domain import persons
from makul.domain.attributes import Attribute
from makul_sandbox.data.recipients import PARTIES
from makul_sandbox.world.build import World

BATCH = 10_000


def build_peer_database(
    directory: Path, world: World, people: Iterable[persons.Person], *, url: str
) -> None:
    """Make the directory and enter all persons into an empty database."""
    directory.mkdir()
    hierarchy = world.hierarchy
    (directory / AUTHORITIES).write_bytes(
        hierarchy.anchors() + hierarchy.intermediate_certificates()
    )
    (directory / KEY).write_bytes(world.operator.key_pem)
    (directory / CERTIFICATE).write_bytes(world.operator.certificate_pem)
    (directory / DATABASE).write_text(url)
    engine = connected(url)
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        _enter_parties(session, world)
        for batch in _batches(people):
            session.bulk_insert_mappings(Person, batch)
        session.commit()
    engine.dispose()


def _enter_parties(session: Session, world: World) -> None:
    for party in PARTIES:
        terms = party.agreed(world.made_at)
        session.add(
            Recipient(
                code=party.code,
                name=party.name,
                active=party.state.name == "ACTIVE",
                certificate=world.messages[party.key].der,
            )
        )
        session.add(
            Agreement(
                number=terms.number,
                recipient_code=party.code,
                valid_from=terms.valid_from.astimezone(UTC).replace(tzinfo=None),
                valid_to=terms.valid_to.astimezone(UTC).replace(tzinfo=None),
                purposes=sorted(terms.purposes),
                attributes=sorted(terms.attributes),
            )
        )


def _batches(people: Iterable[persons.Person]) -> Iterable[list[dict[str, Any]]]:
    batch = []
    for person in people:
        attributes = {name.value: _plain(value) for name, value in person.values.items()}
        batch.append(
            {
                "pin": person.pin.digits,
                "document_number": attributes[Attribute.DOCUMENT_NUMBER.value],
                "attributes": attributes,
            }
        )
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _plain(value: object) -> object:
    if isinstance(value, persons.LocalizedName):
        return {"ky": value.ky, "ru": value.ru, "latin": value.latin}
    return value.isoformat() if isinstance(value, date) else value
