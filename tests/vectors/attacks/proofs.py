"""Revocation by OCSP, and time: what responses and timestamps prove, and imitations of them.

Each document is good except for its certificate, which needs a response or a timestamp.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from makul.domain.reasons import Code
from makul.trust.xades.signing import add_timestamp
from makul_sandbox.data.timestamp_authority import StampingAuthority
from makul_testing.pki.authorities import DAY, NOW, Authority, Holder, Profile, key_usage, name_of
from makul_testing.pki.crls import entry, serial_of
from makul_testing.pki.ocsp import REVOKED, UNKNOWN, responder_of, response_of
from vectors.attacks.drafts import signed
from vectors.attacks.vector import Vector

if TYPE_CHECKING:
    from vectors.attacks.cast import Cast

HOUR = timedelta(hours=1)
SIGNED = NOW - 10 * DAY
NO_CHECK = (x509.OCSPNoCheck(), False)
STAMPING = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])

# --- OCSP: a CA without a CRL, each of whose citizens is spoken of by one response ---------------

Answer = Callable[["Cast", Authority, Holder], bytes]
ANSWERS: dict[str, tuple[Answer, Code | None, str]] = {
    "good": (lambda _, ca, holder: response_of(ca, holder), None, "RFC 6960, by the CA itself"),
    "good-by-a-responder": (
        lambda _, ca, holder: response_of(ca, holder, by=responder_of(ca, NO_CHECK)),
        None,
        "RFC 6960, 4.2.2.2: whom the CA certified for that",
    ),
    "unknown": (
        lambda _, ca, holder: response_of(ca, holder, status=UNKNOWN),
        Code.SIG_07,
        "RFC 6960, 2.2: unknown is never good",
    ),
    "revoked": (
        lambda _, ca, holder: response_of(ca, holder, status=REVOKED),
        Code.SIG_06,
        "RFC 6960, 2.2",
    ),
    "stale": (
        lambda _, ca, holder: response_of(
            ca, holder, this_update=NOW - 2 * DAY, next_update=NOW - HOUR
        ),
        Code.SIG_07,
        "a good answer of before the loss, kept and shown again",
    ),
    "responder-without-eku": (
        lambda _, ca, holder: response_of(ca, holder, by=responder_of(ca, NO_CHECK, purpose=False)),
        Code.SIG_07,
        "RFC 6960, 4.2.2.2: any certificate of the CA could answer",
    ),
    "responder-of-another-ca": (
        lambda cast, ca, holder: response_of(ca, holder, by=responder_of(cast.ca, NO_CHECK)),
        Code.SIG_07,
        "RFC 6960, 4.2.2.2: certified by this very CA, or nothing",
    ),
    "by-itself": (
        lambda _, ca, holder: response_of(ca, holder, by=holder),
        Code.SIG_07,
        "who lost the key would say that it is good",
    ),
    "of-another-serial": (
        lambda _, ca, __: response_of(ca, ca.issue()),
        Code.SIG_07,
        "another certificate is good",
    ),
    "by-a-namesake": (
        lambda cast, ca, holder: response_of(
            ca, holder, by=cast.root_namesake.subordinate("Corpus OCSP CA").holder
        ),
        Code.SIG_07,
        "the CA's name, another key",
    ),
}


def answered(cast: "Cast", *, name: str) -> bytes:
    return signed(cast, holder=cast.answered[name][0])


def answers_of(cast: "Cast") -> dict[str, tuple[Holder, bytes]]:
    """Return by name a citizen of the CA without a CRL, and the response about them."""
    ca, responses = cast.ocsp_ca, {}
    for name, (answer, _, _) in ANSWERS.items():
        holder = cast.citizen_of(ca)
        responses[name] = (holder, answer(cast, ca, holder))
    return responses


# --- time: a citizen whose certificate has ended, by its term or by revocation -------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationEntry:
    """The reason why a certificate is no longer good, and the timestamp of the signature."""

    code: Code | None
    why: str
    not_after: datetime = NOW + 100 * DAY
    revoked_at: datetime | None = None
    reason: x509.ReasonFlags | None = None
    invalid_since: datetime | None = None
    stamped: datetime | None = SIGNED
    tsa: str = "tsa"
    departures: dict[str, Any] = field(default_factory=dict)
    octets: bytes | None = None
    """The bytes that are timestamped instead of the signature's value."""


LAPSED = NOW - HOUR / 2
"""An end of term after the CA's last list, and before now."""
COMPROMISE = x509.ReasonFlags.key_compromise


def _future(info: Any) -> None:
    info["gen_time"] = NOW + HOUR


ENDED: dict[str, RevocationEntry] = {
    "expired": RevocationEntry(code=None, why="dated while it was in its term", not_after=LAPSED),
    "revoked-later": RevocationEntry(
        code=None, why="EN 319 102-1, 5.5.4: older than the revocation", revoked_at=NOW - DAY
    ),
    "compromised-later": RevocationEntry(
        code=None,
        why="older than the day since which the key is suspect",
        revoked_at=NOW - DAY,
        reason=COMPROMISE,
        invalid_since=SIGNED + DAY,
    ),
    "compromised-before": RevocationEntry(
        code=Code.SIG_06,
        why="RFC 5280, 5.3.2: invalidityDate lies before the timestamp",
        revoked_at=NOW - DAY,
        reason=COMPROMISE,
        invalid_since=SIGNED - DAY,
    ),
    "revoked-before": RevocationEntry(
        code=Code.SIG_06, why="dated after the revocation", revoked_at=SIGNED - DAY
    ),
    "revoked-undated": RevocationEntry(
        code=Code.SIG_06,
        why="SigningTime alone proves nothing",
        revoked_at=NOW - DAY,
        stamped=None,
    ),
    "expired-undated": RevocationEntry(
        code=Code.SIG_05, why="SigningTime alone proves nothing", not_after=LAPSED, stamped=None
    ),
    "dated-after-its-end": RevocationEntry(
        code=Code.SIG_05, why="dated too late", not_after=LAPSED, stamped=NOW - HOUR / 4
    ),
    "by-an-untrusted-tsa": RevocationEntry(
        code=Code.SIG_05, why="anybody can run a TSA", not_after=LAPSED, tsa="foreign_tsa"
    ),
    "by-a-tsa-of-the-citizens-ca": RevocationEntry(
        code=Code.SIG_05,
        why="an authority that certifies citizens may not date their signatures",
        not_after=LAPSED,
        tsa="citizens_tsa",
    ),
    "of-another-signature": RevocationEntry(
        code=Code.SIG_02, why="a token moved here", not_after=LAPSED, octets=b"another"
    ),
    "without-critical-eku": RevocationEntry(
        code=Code.SIG_05, why="RFC 3161, 2.3", not_after=LAPSED, tsa="lax_tsa"
    ),
    "by-a-revoked-tsa": RevocationEntry(
        code=Code.SIG_05, why="RFC 3161, 4: every token is void", not_after=LAPSED, tsa="lost_tsa"
    ),
    "of-the-future": RevocationEntry(
        code=Code.SIG_02,
        why="genTime lies an hour ahead",
        not_after=LAPSED,
        departures={"amend_info": _future},
    ),
    "by-sha1": RevocationEntry(
        code=Code.SIG_05,
        why="an imprint that fits twins as well",
        not_after=LAPSED,
        departures={"digest": "sha1"},
    ),
}


def dated(cast: "Cast", *, name: str) -> bytes:
    """Sign ten days ago, as the document states, by a certificate that has ended since."""
    ended = ENDED[name]
    document = signed(cast, holder=cast.ended[name], time=SIGNED)
    if ended.stamped is None:
        return document
    tsa: Holder = getattr(cast, ended.tsa)
    authority = StampingAuthority(key=tsa.key, certificate=tsa.certificate, **ended.departures)
    at = ended.stamped
    return add_timestamp(document, lambda octets: authority.stamp(ended.octets or octets, at=at))


def ended_of(cast: "Cast") -> dict[str, Holder]:
    return {
        name: cast.citizen_of(cast.dated_ca, not_after=ended.not_after)
        for name, ended in ENDED.items()
    }


def entries_of(cast: "Cast") -> list[x509.RevokedCertificate]:
    """Return the entries of the list of those citizens' CA."""
    entries = []
    for name, ended in ENDED.items():
        extensions: list[tuple[x509.ExtensionType, bool]] = []
        if ended.reason is not None:
            extensions.append((x509.CRLReason(ended.reason), False))
        if ended.invalid_since is not None:
            extensions.append(
                (x509.InvalidityDate(ended.invalid_since.replace(tzinfo=None)), False)
            )
        if ended.revoked_at is not None:
            entries.append(entry(serial_of(cast.ended[name]), *extensions, at=ended.revoked_at))
    return entries


def tsa_of(authority: Authority, *, critical: bool = True) -> Holder:
    """Return a time-stamping authority's certificate (RFC 3161, 2.3)."""
    return authority.issue(
        Profile(
            subject=name_of("Corpus TSA"),
            usage=key_usage("digital_signature"),
            extra=[(STAMPING, critical)],
        )
    )


_ALL: tuple[Vector, ...] = (
    *(
        Vector(name=f"ocsp/{name}", why=why, build=partial(answered, name=name), code=code)
        for name, (_, code, why) in ANSWERS.items()
    ),
    *(
        Vector(
            name=f"dated/{name}", why=ended.why, build=partial(dated, name=name), code=ended.code
        )
        for name, ended in ENDED.items()
    ),
)
VECTORS = tuple(vector for vector in _ALL if vector.code is not None)
GOOD = tuple(vector for vector in _ALL if vector.code is None)
