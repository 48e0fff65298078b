"""The channels of notifications: a directory, a webhook, and the example with SMTP."""

import hmac
import json
import smtplib
import ssl
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from makul.admin.notifications import read_addresses
from makul.app.ports.notifications import (
    ChannelUnavailableError,
    Notification,
    NotificationRefusedError,
    SingleUseLink,
)
from makul.domain.notification_texts import describe
from makul.net.fetcher import Fetcher
from makul.net.files import FileError
from makul.notifications.directory import DirectoryChannel
from makul.notifications.message import write_message
from makul.notifications.smtp import MailServer, SmtpChannel
from makul.notifications.webhook import MEDIA_TYPE, WebhookChannel
from makul_testing.builders.notifications import PREFIX, some_notification_facts
from makul_testing.builders.records import AZAMAT, BANK, NOON
from makul_testing.servers.crl_ocsp import PublishedPaths, run_publisher

SECRET = b"s" * 32
LINK = SingleUseLink(url=f"{PREFIX}token", expires_at=NOON + timedelta(days=30))


def a_message(attempt: int = 1, **changes: Any) -> Notification:
    facts = some_notification_facts(**changes)
    return Notification(
        facts=facts,
        recipient_name="Ала-Тоо Банк",
        attempt=attempt,
        link=LINK,
        answer_by=None,
        text=describe(
            facts,
            recipient_name="Ала-Тоо Банк",
            link=LINK.url,
            link_expires_at=LINK.expires_at,
            answer_by=None,
        ),
    )


def test_the_message_names_attributes_and_no_values() -> None:
    """Who, when, on which ground, for what, which data; the link and the attempt."""
    content = json.loads(write_message(a_message(attempt=2)))

    assert content.pop("text").keys() == {"ky", "ru", "en"}
    assert content == {
        "format": "makul notification/1",
        "id": "00000000-0000-0000-0000-000000000007-disclosure",
        "kind": "DISCLOSURE",
        "attempt": 2,
        "subject": {"pin": AZAMAT.digits},
        "disclosureId": "00000000-0000-0000-0000-000000000007",
        "recipient": {"code": BANK, "name": "Ала-Тоо Банк"},
        "decidedAt": "2026-11-02T12:00:00Z",
        "operation": "GetPersonData",
        "outcome": "RELEASED",
        "purpose": some_notification_facts().purpose,
        "ground": "CONSENT",
        "provision": None,
        "onPaper": False,
        "attributes": ["givenName", "surname"],
        "link": {"url": f"{PREFIX}token", "expiresAt": "2026-12-02T12:00:00Z"},
        "answerBy": None,
    }


def test_a_file_is_complete_and_named_by_its_attempt(tmp_path: Path) -> None:
    """A repetition does not replace a file that is being read."""
    channel = DirectoryChannel(tmp_path / "out")

    channel.send(a_message(), at=NOON)
    channel.send(a_message(attempt=2), at=NOON)

    names = sorted(each.name for each in (tmp_path / "out").iterdir())
    base = "00000000-0000-0000-0000-000000000007-disclosure"
    assert names == [f"{base}.1.json", f"{base}.2.json"]
    assert (tmp_path / "out" / names[1]).read_bytes() == write_message(a_message(attempt=2))


def test_a_directory_that_cannot_be_written_loses_nothing(tmp_path: Path) -> None:
    """The notification stays in the outbox."""
    (tmp_path / "out").write_bytes(b"a file")

    with pytest.raises(ChannelUnavailableError):
        DirectoryChannel(tmp_path / "out").send(a_message(), at=NOON)


@pytest.fixture
def web() -> Any:
    with run_publisher() as published:
        published.at["/hook"] = b"ok"
        yield published


def a_webhook(web: PublishedPaths, path: str = "/hook") -> WebhookChannel:
    return WebhookChannel(Fetcher(5.0, media_type=MEDIA_TYPE), f"{web.url}{path}", SECRET)


def test_a_post_is_signed_over_time_and_body(web: PublishedPaths) -> None:
    """The notifier recognises the sender, an altered body, and a repetition."""
    a_webhook(web).send(a_message(attempt=3), at=NOON)

    ((headers, body),) = web.posted
    time = str(int(NOON.timestamp()))
    mac = hmac.new(SECRET, time.encode() + b"." + body, sha256).hexdigest()
    assert body == write_message(a_message(attempt=3))
    assert headers["Content-Type"] == "application/json"
    assert (headers["Makul-Timestamp"], headers["Makul-Signature"]) == (time, f"v1={mac}")
    assert headers["Makul-Attempt"] == "3"
    assert headers["Idempotency-Key"] == "00000000-0000-0000-0000-000000000007-disclosure"


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_a_stored_notification_is_delivered(web: PublishedPaths, status: int) -> None:
    """The answer is not read, so its encoding and size do not matter."""
    web.status, web.headers = status, {"Content-Encoding": "gzip"}

    a_webhook(web).send(a_message(), at=NOON)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refused_message_delays_no_other(web: PublishedPaths, status: int) -> None:
    """The status says that this message is wrong."""
    web.status = status

    with pytest.raises(NotificationRefusedError, match=f"HTTP status {status}"):
        a_webhook(web).send(a_message(), at=NOON)


@pytest.mark.parametrize("status", [301, 302, 307, 401, 403, 404, 429, 500, 502, 503])
def test_any_other_answer_means_that_the_notifier_cannot_be_used(
    web: PublishedPaths, status: int
) -> None:
    """A redirect is not followed: the PIN goes to the address of the settings only."""
    web.status, web.headers = status, {"Location": f"{web.url}/elsewhere"}

    with pytest.raises(ChannelUnavailableError):
        a_webhook(web).send(a_message(), at=NOON)
    assert web.requested_paths == ["/hook"]


def test_a_notifier_that_is_away_cannot_be_used() -> None:
    channel = WebhookChannel(Fetcher(5.0), "http://127.0.0.1:9/hook", SECRET)

    with pytest.raises(ChannelUnavailableError) as raised:
        channel.send(a_message(), at=NOON)
    assert AZAMAT.digits not in str(raised.value)


class _Server:
    """A mail server that remembers, in place of `smtplib.SMTP`."""

    sent: list[Any] = []  # noqa: RUF012 -- one for each test, by the fixture
    error: Exception | None = None
    encrypted = False

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def __enter__(self) -> "_Server":
        return self

    def __exit__(self, *_: object) -> None: ...

    def starttls(self, **_: Any) -> None:
        type(self).encrypted = True

    def send_message(self, message: Any) -> None:
        assert self.encrypted, "the mail would leave unencrypted"
        if self.error is not None:
            raise self.error
        self.sent.append(message)


@pytest.fixture
def mail(monkeypatch: pytest.MonkeyPatch) -> type[_Server]:
    server = type("Server", (_Server,), {"sent": [], "error": None, "encrypted": False})
    monkeypatch.setattr(smtplib, "SMTP", server)
    return server


def a_mailer(addresses: dict[str, str]) -> SmtpChannel:
    server = MailServer(
        host="mail.example",
        port=587,
        sender="makul@gov.example",
        context=ssl.create_default_context(),
    )
    return SmtpChannel(server, addresses)


def test_mail_has_the_text_and_no_pin(mail: type[_Server]) -> None:
    """Mail is read by others on its way."""
    a_mailer({AZAMAT.digits: "azamat@example.org"}).send(a_message(), at=NOON)

    (sent,) = mail.sent
    assert sent["To"] == "azamat@example.org"
    assert LINK.url in sent.get_content()
    assert AZAMAT.digits not in sent.as_string()


def test_a_subject_without_an_address_is_refused(mail: type[_Server]) -> None:
    with pytest.raises(NotificationRefusedError):
        a_mailer({}).send(a_message(), at=NOON)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (smtplib.SMTPDataError(550, b"no azamat@example.org"), NotificationRefusedError),
        (smtplib.SMTPServerDisconnected("azamat@example.org"), ChannelUnavailableError),
        (OSError("azamat@example.org"), ChannelUnavailableError),
    ],
)
def test_errors_of_the_mail_server_repeat_no_address(
    mail: type[_Server], error: Exception, kind: type[Exception]
) -> None:
    mail.error = error

    with pytest.raises(kind) as raised:
        a_mailer({AZAMAT.digits: "azamat@example.org"}).send(a_message(), at=NOON)
    assert "azamat" not in str(raised.value)


@pytest.mark.parametrize(
    "line",
    [
        f"{AZAMAT.digits}",
        f"{AZAMAT.digits},a@b.example,c",
        "1,a@b.example",
        f"{AZAMAT.digits},a b@c.example",
        f"{AZAMAT.digits},a@b@c.example",
        f"{AZAMAT.digits},a@b.example\n{AZAMAT.digits},c@d.example",
        f'{AZAMAT.digits},"a@b.example\r\nBcc: x@y.example"',
        f"{AZAMAT.digits},а@б.example",
    ],
)
def test_a_wrong_line_of_addresses_is_named_by_its_number(tmp_path: Path, line: str) -> None:
    """The message has neither PIN nor address."""
    file = tmp_path / "addresses.csv"
    file.write_text(line, newline="")
    file.chmod(0o600)

    with pytest.raises(FileError, match="line") as raised:
        read_addresses(file)
    assert AZAMAT.digits not in str(raised.value)
    assert "example" not in str(raised.value)


def test_addresses_are_read_from_a_private_file(tmp_path: Path) -> None:
    file = tmp_path / "addresses.csv"
    file.write_text(f"{AZAMAT.digits}, azamat@example.org\n\n")
    file.chmod(0o600)
    assert read_addresses(file) == {AZAMAT.digits: "azamat@example.org"}

    file.chmod(0o644)
    with pytest.raises(FileError):
        read_addresses(file)
