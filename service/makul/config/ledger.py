"""`[ledger]` of the settings: the log of all decisions, and its witnesses."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from makul.config.base import Section
from makul.language.translation import translate
from makul.ledger.checkpoint import is_origin
from makul.ledger.signed_note import COSIGNATURE_V1, VerifierKey

LEASE_SECONDS = 3.0
"""Seconds beyond two rounds, for the pause of a busy disk or a stopped process."""


def _origin(text: str) -> str:
    if not is_origin(text):
        raise ValueError(translate("is a printable name without spaces and plus signs"))
    return text


def _witness_key(text: str) -> str:
    if VerifierKey.parse(text).kind != COSIGNATURE_V1:
        raise ValueError(translate("is the verifier key of a witness"))
    return text


class WitnessSettings(Section):
    """A witness of the log, and the location of its cosignatures."""

    key: Annotated[str, AfterValidator(_witness_key)]
    """The witness's verifier key, as the witness provided it."""
    url: Annotated[str, Field(pattern=r"^https?://[^\s@?#]+$")] | None = None
    file: Path | None = None

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if (self.url is None) is (self.file is None):
            raise ValueError(translate("give either url or file"))
        return self


class LedgerSettings(Section):
    """The log of all decisions: its key, its interval, and where it is published."""

    origin: Annotated[str, AfterValidator(_origin)]
    """The permanent name of the log, which every checkpoint contains (C2SP tlog-checkpoint)."""
    key: Path
    """The key that signs checkpoints."""
    publish: Path
    """A directory that witnesses can fetch: tiles and the newest checkpoint."""
    interval: Annotated[float, Field(ge=0.2, le=60)] = 1.0
    """Seconds between two rounds of the sequencer."""
    batch: Annotated[int, Field(ge=1, le=100_000)] = 500
    """Maximum number of leaves in one transaction. On SQLite other writers wait meanwhile."""
    max_merge_delay: Annotated[int, Field(ge=5, le=86_400)] = 60
    """Seconds within which a decision's leaf is in a checkpoint: the operator's promise."""
    bind: Annotated[str, Field(pattern=r"^(127\.0\.0\.1|\[::1\]):[0-9]{1,5}$")] | None = None
    """The address that serves the published files by HTTP, to a reverse proxy on this machine."""
    witnesses: tuple[WitnessSettings, ...] = ()
    """Witnesses whose cosignatures are collected and added to every proof."""

    @property
    def promise(self) -> timedelta:
        """`max_merge_delay` as a duration."""
        return timedelta(seconds=self.max_merge_delay)

    @property
    def lease(self) -> timedelta:
        """The time for which a killed sequencer keeps others waiting."""
        return timedelta(seconds=LEASE_SECONDS + 2 * self.interval)

    @model_validator(mode="after")
    def _keeps_its_promise(self) -> Self:
        if self.max_merge_delay < (self.lease.total_seconds() + 2 * self.interval):
            raise ValueError(translate("max_merge_delay is at least 5 seconds and four intervals"))
        return self
