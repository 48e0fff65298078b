"""`makul notification`: send what is due, show what waits, begin again (Procedure, cl. 4)."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from makul.composition.adapters import utc_now
from makul.domain.notifications import MAX_REFUSALS
from makul.store import Store
from makul_testing.builders.entries import a_release
from makul_testing.builders.notifications import a_notification
from makul_testing.builders.records import a_key, register_parties
from makul_testing.cli_runner import CommandLine
from makul_testing.raw_sql import raw

CHANNEL = 'directory = "out"'
UNKNOWN = "7d9a3c1e-0000-4000-8000-000000000001"

Configure = Callable[[str], None]


@pytest.fixture
def configure(makul: CommandLine) -> Configure:
    """Return a function that sets the channel."""
    file = makul.directory / "makul.toml"
    without = file.read_text()

    def write(channel: str) -> None:
        section = f'\n[notifications]\nlink_prefix = "https://portal.example/"\n{channel}\n'
        file.write_text(without + section)

    return write


def record(store: Store, *, age: timedelta = timedelta()) -> str:
    """Record a release whose notification has waited so long, and return its id."""
    at = utc_now() - age
    entry = a_release(a_notification(visible_at=at), key=a_key(), at=at)
    store.recorder.record(entry)
    return str(entry.disclosure_id)


@pytest.fixture
def furnished(store: Store) -> Store:
    register_parties(store.registry)
    return store


def test_what_is_due_is_sent_once(
    makul: CommandLine, furnished: Store, configure: Configure
) -> None:
    """The second run finds nothing more."""
    configure(CHANNEL)
    disclosure_id = record(furnished)

    sent = makul.run_json("notification", "send", "--once")
    again = makul.run_json("notification", "send", "--once")

    assert (sent["delivered"], again["delivered"]) == (1, 0)
    (file,) = (makul.directory / "out").iterdir()
    assert json.loads(file.read_bytes())["disclosureId"] == disclosure_id
    assert makul.run_json("notification", "list") == []
    assert makul.run_json("notification", "status")["waiting"] == 0


def test_without_a_channel_nothing_is_lost(makul: CommandLine, furnished: Store) -> None:
    """The notification waits, and the command says what to set."""
    disclosure_id = record(furnished)

    refused = makul("notification", "send", "--once")

    assert refused.code == 3
    assert "[notifications]" in refused.err
    (row,) = makul.run_json("notification", "list")
    assert (row["disclosure_id"], row["attempts"]) == (disclosure_id, 0)


def test_an_unusable_channel_is_reported_and_nothing_is_lost(
    makul: CommandLine, furnished: Store, configure: Configure
) -> None:
    """Exit code 1, for a timer; the next attempt comes later."""
    configure(CHANNEL)
    (makul.directory / "out").write_bytes(b"a file")
    record(furnished)

    failed = makul("notification", "send", "--once")

    assert failed.code == 1
    (row,) = makul.run_json("notification", "list")
    assert row["attempts"] == 1


def test_a_late_notification_is_reported(
    makul: CommandLine, furnished: Store, configure: Configure
) -> None:
    """`max_delay` is the operator's promise."""
    configure(CHANNEL)
    record(furnished, age=timedelta(minutes=59))
    assert makul("notification", "status").code == 0

    record(furnished, age=timedelta(minutes=61))

    assert makul("notification", "status").code == 1


def test_a_notification_that_was_given_up_begins_again(
    makul: CommandLine, furnished: Store, configure: Configure
) -> None:
    """A preview changes nothing, and the change needs a reason."""
    addresses = makul.directory / "addresses.csv"
    addresses.write_text("")
    addresses.chmod(0o600)
    configure(
        '[notifications.smtp]\nhost = "127.0.0.1"\nsender = "a@b.example"\n'
        'addresses = "addresses.csv"'
    )
    disclosure_id = record(furnished)
    with raw(makul.directory / "makul.db") as connection:
        connection.execute("UPDATE notification SET attempts = ?", (MAX_REFUSALS - 1,))

    assert makul.run_json("notification", "send", "--once")["given_up"] == 1
    assert makul("notification", "status").code == 1
    retry = ("notification", "retry", disclosure_id, "--reason", "test")
    assert makul(*retry).code == 0
    assert len(makul.run_json("notification", "list", "--given-up")) == 1
    makul.run_json(*retry, "--apply")

    assert makul.run_json("notification", "list", "--given-up") == []
    assert makul(*retry, "--apply").code == 1
    assert makul("notification", "retry", UNKNOWN, "--reason", "x", "--apply").code == 1
    assert makul("notification", "retry", disclosure_id, "--reason", " ", "--apply").code != 0


@pytest.mark.parametrize(
    "channel",
    [
        "",
        f'{CHANNEL}\n[notifications.webhook]\nurl = "https://n.example/"\nsecret = "s"',
        '[notifications.webhook]\nurl = "http://n.example/hook"\nsecret = "s"',
        '[notifications.webhook]\nurl = "https://u:p@n.example/hook"\nsecret = "s"',
        '[notifications.webhook]\nurl = "http://127.0.0.1.evil.example/"\nsecret = "s"',
        'claim_seconds = 20\n[notifications.webhook]\nurl = "https://n.example"\nsecret = "s"',
    ],
)
def test_unsafe_channels_are_refused(
    makul: CommandLine, configure: Configure, channel: str
) -> None:
    """The message has a PIN: it goes over TLS, or to this machine, and to one receiver."""
    configure(channel)

    assert makul("notification", "status").code == 3


def test_a_short_secret_is_refused(makul: CommandLine, configure: Configure) -> None:
    """A short key makes the signature guessable."""
    secret = makul.directory / "secret"
    secret.write_text("guessable-7\n")
    secret.chmod(0o600)
    configure('[notifications.webhook]\nurl = "https://n.example/"\nsecret = "secret"')

    refused = makul("notification", "send", "--once")

    assert refused.code == 1
    assert "guessable-7" not in refused.err
