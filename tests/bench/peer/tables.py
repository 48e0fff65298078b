"""The peer's tables, as the ORM maps them: plain columns, nothing encrypted."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    DateTime,
    Engine,
    ForeignKey,
    LargeBinary,
    String,
    Text,
    create_engine,
    event,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Recipient(Base):
    __tablename__ = "recipients"

    code: Mapped[str] = mapped_column(String(31), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    active: Mapped[bool]
    certificate: Mapped[bytes] = mapped_column(LargeBinary)
    agreements: Mapped[list["Agreement"]] = relationship(back_populates="recipient")


class Agreement(Base):
    __tablename__ = "agreements"

    number: Mapped[str] = mapped_column(String(64), primary_key=True)
    recipient_code: Mapped[str] = mapped_column(ForeignKey("recipients.code"))
    valid_from: Mapped[datetime] = mapped_column(DateTime)
    valid_to: Mapped[datetime] = mapped_column(DateTime)
    purposes: Mapped[list[str]] = mapped_column(JSON)
    attributes: Mapped[list[str]] = mapped_column(JSON)
    recipient: Mapped[Recipient] = relationship(back_populates="agreements")


class Person(Base):
    __tablename__ = "persons"

    pin: Mapped[str] = mapped_column(String(14), primary_key=True)
    document_number: Mapped[str] = mapped_column(String(32))
    attributes: Mapped[dict[str, object]] = mapped_column(JSON)


class Disclosure(Base):
    __tablename__ = "disclosures"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    request_id: Mapped[str] = mapped_column(String(36))
    recipient_code: Mapped[str] = mapped_column(ForeignKey("recipients.code"))
    agreement_number: Mapped[str] = mapped_column(ForeignKey("agreements.number"))
    pin: Mapped[str] = mapped_column(ForeignKey("persons.pin"), index=True)
    consent_id: Mapped[str] = mapped_column(String(36))
    outcome: Mapped[str] = mapped_column(String(32))
    attributes: Mapped[list[str]] = mapped_column(JSON)
    receipt: Mapped[bytes] = mapped_column(LargeBinary)
    decided_at: Mapped[datetime] = mapped_column(DateTime, index=True)


def connected(url: str) -> Engine:
    """Return an engine; SQLite has a write-ahead log."""
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def use_wal(connection: Any, _record: object) -> None:
            connection.execute("PRAGMA journal_mode = WAL")

    return engine
