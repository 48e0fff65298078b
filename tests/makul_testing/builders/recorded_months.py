"""An October in a real store: decisions that are recorded and published. Everybody is invented."""

from datetime import timedelta

from makul.composition.adapters import utc_now
from makul.config.settings import load_settings
from makul.store import Store
from makul.store.log.tile_files import LogDirectory
from makul.trust.tlog.note_keys import NoteSigner
from makul_testing.builders.entries import a_metered_release, a_refusal, a_release
from makul_testing.builders.months import IN_OCTOBER, a_consent_document
from makul_testing.builders.records import a_consent, an_evidence
from makul_testing.cli_runner import CommandLine
from makul_testing.tlog.builder import sequence


def publish(makul: CommandLine, store: Store) -> None:
    """Sequence all that waits and publish the checkpoint, as `makul ledger run` does."""
    ledger = load_settings(makul.directory / "makul.toml").ledger
    assert ledger is not None
    sequence(store, NoteSigner.load(ledger.key, ledger.origin), at=utc_now())
    signed = store.ledger.latest()
    assert signed is not None
    LogDirectory(ledger.publish).write_checkpoint(signed.note)


def record(store: Store) -> None:
    """Record a release by consent, one without a ground, and a refusal, all in October."""
    document = a_consent_document()
    store.recorder.record(
        a_metered_release(
            a_consent(document, valid_from=IN_OCTOBER - timedelta(days=1)),
            decided_at=IN_OCTOBER,
            evidence=(an_evidence(document),),
        )
    )
    store.recorder.record(a_release(decided_at=IN_OCTOBER + timedelta(hours=1)))
    store.recorder.record(a_refusal(decided_at=IN_OCTOBER + timedelta(hours=2)))
