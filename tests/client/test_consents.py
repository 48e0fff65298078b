"""Consents are drawn up by the schema, signed elsewhere, combined, and shown masked."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import makul_schemas
import pytest
from lxml import etree

from makul_client import ConsentError, Profile
from makul_client.consent.documents import (
    Authority,
    ConsentContent,
    PaperConsent,
    Representative,
    Subject,
    attach,
    draft,
    sign,
)
from makul_client.consent.view import read_unsafe
from makul_client.profile import Party
from makul_testing.client.world import NOW, PIN, SURNAME, parties, write_profile

SUBJECT = Subject(pin=PIN, surname=SURNAME, given_name="Тест")
WISH = ConsentContent(
    subject=SUBJECT,
    attributes=("surname", "faceImage"),
    valid_from=NOW,
    valid_to=NOW + timedelta(days=365),
)


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    """Return a sandbox profile."""
    return Profile.load(write_profile(tmp_path, "https://makul.example/"))


def valid(document: bytes) -> bool:
    schema = etree.XMLSchema(etree.parse(str(makul_schemas.location() / "consent.xsd")))
    return schema.validate(etree.fromstring(document))


@pytest.mark.parametrize(
    "wish",
    [
        WISH,
        replace(WISH, attributes=()),
        replace(WISH, subject=replace(SUBJECT, patronymic="Мисаловна")),
        replace(WISH, relation="contract 17", max_disclosures=3, methods=("demographic", "face")),
        replace(WISH, onward=(Party(code="COM/60000002", name="Башка"),)),
        replace(WISH, purpose="CASE_REVIEW", purpose_text="Иш кароо"),
        replace(
            WISH,
            representative=Representative(
                name="Ата",
                pin=PIN,
                authority=Authority(
                    kind="POWER_OF_ATTORNEY",
                    number="1-2026",
                    issued_on=NOW.date(),
                    issuer="Сыноо нотариус",
                    valid_to=NOW.date(),
                    media_type="image/png",
                    digest=bytes(32),
                ),
            ),
        ),
        replace(
            WISH,
            paper=PaperConsent(
                date=NOW.date(),
                place="Бишкек",
                official="o-1",
                media_type="application/pdf",
                scan_digest=b"\0" * 32,
            ),
        ),
    ],
)
def test_a_draft_fits_the_schema(profile: Profile, wish: ConsentContent) -> None:
    """Procedure, cl. 4: the published schema defines a consent."""
    document = draft(profile, wish, given_at=NOW)
    view = read_unsafe(document)

    assert valid(document)
    assert view.attributes == wish.attributes
    recipient = view.recipient
    assert (recipient.code, recipient.name) == (profile.recipient.code, profile.recipient.name)
    assert view.signed is False


def test_a_draft_without_attributes_is_for_yes_or_no(profile: Profile) -> None:
    """`resultForm` follows from the chosen attributes."""
    document = draft(profile, replace(WISH, attributes=()), given_at=NOW)

    assert b"<resultForm>YES_NO</resultForm>" in document


@pytest.mark.parametrize(
    ("wish", "complaint"),
    [
        (replace(WISH, subject=replace(SUBJECT, pin="1")), "pin"),
        (replace(WISH, subject=replace(SUBJECT, surname="\x01")), "surname"),
        (replace(WISH, attributes=("*",)), "attribute"),
        (replace(WISH, max_disclosures=0), "maxDisclosures"),
        (replace(WISH, valid_to=NOW), "end before it begins"),
        (replace(WISH, purpose="CASE_REVIEW"), "its text"),
    ],
)
def test_an_unusable_draft_is_refused(
    profile: Profile, wish: ConsentContent, complaint: str
) -> None:
    """The error names the field, never the value."""
    with pytest.raises(ConsentError, match=complaint):
        draft(profile, wish, given_at=NOW)


def test_a_test_citizen_signs_in_a_sandbox(profile: Profile) -> None:
    """The client signs for a sandbox: the document is the draft and fits the schema."""
    drawn_up = draft(profile, WISH, given_at=NOW)
    signed = sign(profile, drawn_up, parties().citizen)

    assert valid(signed)
    assert read_unsafe(signed).signed is True
    assert attach(drawn_up, signed) == signed


def test_no_test_citizen_signs_outside_a_sandbox(profile: Profile) -> None:
    """Outside a sandbox only the citizen has the citizen's key."""
    with pytest.raises(ConsentError, match="sandbox = true"):
        sign(replace(profile, sandbox=False), draft(profile, WISH, given_at=NOW), parties().citizen)


def test_a_detached_signature_is_put_into_the_draft(profile: Profile) -> None:
    """Some signers return the ds:Signature and not the document."""
    drawn_up = draft(profile, WISH, given_at=NOW)
    signature = etree.fromstring(sign(profile, drawn_up, parties().citizen))[-1]
    signature.tail = None

    together = attach(drawn_up, etree.tostring(signature))

    assert valid(together)
    assert read_unsafe(together).signed is True


def test_another_content_is_not_attached(profile: Profile) -> None:
    """The citizen must sign exactly the drawn-up document."""
    drawn_up = draft(profile, WISH, given_at=NOW)
    other = draft(profile, replace(WISH, attributes=("surname",)), given_at=NOW)
    with pytest.raises(ConsentError, match="not this draft"):
        attach(drawn_up, sign(profile, other, parties().citizen))


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda b: b.replace(b"P5Y", b"P9Y"), "signature"),
        (
            lambda b: re.sub(rb"<ds:Signature .*</ds:Signature>", b"", b, flags=re.DOTALL),
            "signature",
        ),
        (lambda b: b.replace(b"<withdrawal>", b"<withdrawal><!-- -->"), "comment"),
        (lambda b: b.replace(b"SigningCertificateV2", b"SigningCertificateV9"), "signature"),
        (lambda b: b[:-9], "XML"),
    ],
)
def test_a_bad_signature_is_found_before_sending(
    profile: Profile, spoil: Callable[[bytes], bytes], complaint: str
) -> None:
    """It is better to find it with the citizen present than as CNS-02 later."""
    drawn_up = draft(profile, WISH, given_at=NOW)
    signed = sign(profile, drawn_up, parties().citizen)
    with pytest.raises(ConsentError, match=complaint):
        attach(drawn_up, spoil(signed))


def test_times_are_written_in_utc(profile: Profile) -> None:
    """Every instant has its offset."""
    wish = replace(WISH, valid_from=datetime.fromisoformat("2026-11-02T10:15:00+06:00"))
    view = read_unsafe(draft(profile, wish, given_at=NOW))

    assert view.valid_from == datetime(2026, 11, 2, 4, 15, tzinfo=UTC)


@pytest.mark.parametrize("names", [{"surname": SURNAME}, {"given_name": "Тест"}])
def test_a_person_with_one_name_can_consent(profile: Profile, names: dict[str, str]) -> None:
    """A surname alone or a given name alone is drawn up, signed, attached and shown."""
    wish = replace(WISH, subject=Subject(pin=PIN, **names))
    drawn_up = draft(profile, wish, given_at=NOW)
    view = read_unsafe(sign(profile, drawn_up, parties().citizen))

    assert valid(drawn_up)
    assert (view.subject.surname, view.subject.given_name) == (
        names.get("surname"),
        names.get("given_name"),
    )


def test_a_person_without_a_name_cannot_consent(profile: Profile) -> None:
    """The schema permits one absent name, but not both."""
    with pytest.raises(ConsentError, match="no name"):
        draft(profile, replace(WISH, subject=Subject(pin=PIN)), given_at=NOW)
