"""The signers of the corpus: a root, CAs under it with one fault each, and their citizens.

Everything is made on demand, and nothing is committed.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from makul.config.trust import TrustSettings
from makul.documents import render_consent
from makul.trust.pki.certificates import PinRule
from makul.trust.pki.trust_material import TrustDirectories
from makul.trust.pki.trust_store import TrustStore
from makul.trust.validation.documents import XadesVerifier
from makul_testing.builders.documents import CONSENT, CONSENT_DISPLAY, SUBJECT
from makul_testing.pki.authorities import (
    DAY,
    NOW,
    Authority,
    Holder,
    Key,
    Profile,
    _build,
    key_usage,
    name_of,
    new_key,
    new_rsa_key,
    policies_of,
)
from makul_testing.pki.crls import crl_of
from vectors.attacks import proofs

POLICY = x509.ObjectIdentifier("1.3.6.1.4.1.99999.1")
ORGANISATIONS = x509.ObjectIdentifier("1.3.6.1.4.1.99999.2")
ORDINARY = render_consent(CONSENT, CONSENT_DISPLAY).decode()
HOUR = timedelta(hours=1)


class Cast:
    """A citizen with a consent, and all parties that would like to have signed it."""

    def __init__(
        self,
        *,
        content: str = ORDINARY,
        pin: str = SUBJECT.digits,
        policy: x509.ObjectIdentifier = POLICY,
    ) -> None:
        """Make the parties; `content` is an unsigned consent of the citizen with that PIN."""
        self.pin = pin
        self.policy = policy
        self._content = content

    def content(self) -> str:
        """Return the unsigned consent, with a new id and an `Id` as the target of a reference."""
        found = (self._content.partition("?>")[2] or self._content).strip()
        opening, closing, rest = found.partition(">")
        opening = re.sub(r' Id="[^"]*"', "", opening)
        return _with_new_id(f'{opening} Id="consent"{closing}{rest}')

    def profile(self, **changes: object) -> Profile:
        """Return a correct profile of a citizen's certificate, with changes."""
        ordinary: dict[str, object] = {
            "subject": name_of("Corpus Citizen", f"PNOKG-{self.pin}"),
            "extra": [(policies_of(self.policy), False)],
        }
        return Profile(**(ordinary | changes))  # type: ignore[arg-type]

    def citizen_of(
        self, authority: Authority, *, key: Key | None = None, **changes: object
    ) -> Holder:
        return authority.issue(self.profile(**changes), key=key)

    def another(self, *, key: Key | None = None, **changes: object) -> Holder:
        """Issue a certificate by the good CA that differs in one respect."""
        return self.citizen_of(self.ca, key=key, **changes)

    # --- who is trusted ------------------------------------------------------------------------

    @cached_property
    def root(self) -> Authority:
        return Authority.root("Corpus Root")

    @cached_property
    def ca(self) -> Authority:
        return self.root.subordinate("Corpus Citizens CA")

    @cached_property
    def rsa_ca(self) -> Authority:
        return self.root.subordinate("Corpus RSA CA", key=new_rsa_key())

    @cached_property
    def citizen(self) -> Holder:
        return self.another()

    @cached_property
    def rsa_citizen(self) -> Holder:
        return self.another(key=new_rsa_key())

    @cached_property
    def p384_citizen(self) -> Holder:
        return self.another(key=ec.generate_private_key(ec.SECP384R1()))

    @cached_property
    def p521_citizen(self) -> Holder:
        return self.another(key=ec.generate_private_key(ec.SECP521R1()))

    @cached_property
    def attacker(self) -> Holder:
        """Return another citizen with a proper certificate, whose key the attacker holds."""
        return self.another(subject=name_of("Corpus Attacker", "PNOKG-20202199000028"))

    @cached_property
    def revoked(self) -> Holder:
        holder = self.another()
        self.ca.revoke(holder)
        return holder

    # --- authorities with one fault ------------------------------------------------------------

    @cached_property
    def stale_ca(self) -> Authority:
        """Return a CA whose CRL should have been replaced an hour ago."""
        return self.root.subordinate("Corpus Stale CA")

    @cached_property
    def early_ca(self) -> Authority:
        """Return a CA whose CRL begins in an hour."""
        return self.root.subordinate("Corpus Early CA")

    @cached_property
    def silent_ca(self) -> Authority:
        """Return a CA without a CRL."""
        return self.root.subordinate("Corpus Silent CA")

    @cached_property
    def usurped_ca(self) -> Authority:
        """Return a CA whose CRL is signed by a key that is not its own."""
        return self.root.subordinate("Corpus Usurped CA")

    @cached_property
    def revoked_ca(self) -> Authority:
        ca = self.root.subordinate("Corpus Revoked CA")
        self.root.revoke(ca.holder)
        return ca

    @cached_property
    def expired_ca(self) -> Authority:
        return self._ca_under(self.root, "Corpus Expired CA", not_after=NOW - DAY)

    @cached_property
    def constrained_ca(self) -> Authority:
        """Return a CA that may certify only members of one organisation (RFC 5280, 4.2.1.10)."""
        permitted = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "KG"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Corpus Organisation"),
            ]
        )
        constraints = x509.NameConstraints([x509.DirectoryName(permitted)], None)
        return self._ca_under(self.root, "Corpus Constrained CA", extra=[(constraints, True)])

    @cached_property
    def organisations_ca(self) -> Authority:
        """Return a CA for organisations: its certificate names only their policy."""
        return self.root.subordinate("Corpus Organisations CA", policies=[ORGANISATIONS])

    @cached_property
    def citizens_alone_ca(self) -> Authority:
        """Return a CA that may give the policy of citizens; the good CA may give any."""
        return self.root.subordinate("Corpus CA of Citizens Alone", policies=[self.policy])

    @cached_property
    def silent_on_policies_ca(self) -> Authority:
        """Return a CA without a policy, so that it can give none (RFC 5280, 6.1.3, e)."""
        return self.root.subordinate("Corpus CA Without Policies", policies=())

    @cached_property
    def deep_ca(self) -> Authority:
        """Return a CA under a CA whose path length is zero."""
        return self._ca_under(self.ca, "Corpus Deep CA")

    @cached_property
    def crl_only_ca(self) -> Authority:
        """Return a CA whose key usage allows CRLs, not certificates."""
        return self._ca_under(self.root, "Corpus CRL CA", usage=key_usage("crl_sign"))

    def _ca_under(self, issuer: Authority, name: str, **changes: object) -> Authority:
        ordinary: dict[str, object] = {
            "subject": name_of(name),
            "not_before": NOW - 500 * DAY,
            "not_after": NOW + 500 * DAY,
            "usage": key_usage("key_cert_sign", "crl_sign"),
            "ca": True,
            "path_length": 0,
        }
        profile, key = Profile(**(ordinary | changes)), new_key()  # type: ignore[arg-type]
        certificate = _build(profile, key, issuer.certificate.subject, issuer.holder.key)
        return Authority(Holder(key, certificate, tuple(issuer.holder.chain)))

    # --- OCSP, and time --------------------------------------------------------------------------

    @cached_property
    def ocsp_ca(self) -> Authority:
        """Return a CA without a CRL: only OCSP responses state the status of its citizens."""
        return self.root.subordinate("Corpus OCSP CA")

    @cached_property
    def answered(self) -> dict[str, tuple[Holder, bytes]]:
        return proofs.answers_of(self)

    @cached_property
    def dated_ca(self) -> Authority:
        """Return a CA of citizens whose certificates have ended."""
        return self.root.subordinate("Corpus Dated CA")

    @cached_property
    def ended(self) -> dict[str, Holder]:
        return proofs.ended_of(self)

    @cached_property
    def tsa_root(self) -> Authority:
        """Return a root that is trusted only for timestamps."""
        return Authority.root("Corpus TSA Root")

    @cached_property
    def tsa(self) -> Holder:
        return proofs.tsa_of(self.tsa_root)

    @cached_property
    def lax_tsa(self) -> Holder:
        return proofs.tsa_of(self.tsa_root, critical=False)

    @cached_property
    def lost_tsa(self) -> Holder:
        holder = proofs.tsa_of(self.tsa_root)
        self.tsa_root.revoke(holder)
        return holder

    @cached_property
    def citizens_tsa(self) -> Holder:
        return proofs.tsa_of(self.ca)

    @cached_property
    def foreign_tsa(self) -> Holder:
        return proofs.tsa_of(Authority.root("Corpus TSA Root"))

    # --- authorities that nobody trusts --------------------------------------------------------

    @cached_property
    def foreign_ca(self) -> Authority:
        return Authority.root("Foreign Root").subordinate("Foreign CA")

    @cached_property
    def namesake_ca(self) -> Authority:
        """Return a CA with the good CA's name over another key."""
        return self.root_namesake.subordinate("Corpus Citizens CA")

    @cached_property
    def root_namesake(self) -> Authority:
        return Authority.root("Corpus Root")

    @cached_property
    def citizen_as_ca(self) -> Authority:
        """Return a citizen's certificate, without the CA flag, that certifies others."""
        return Authority(self.citizen)

    # --- on disk -------------------------------------------------------------------------------

    def verifier(self, home: Path) -> XadesVerifier:
        """Write all trusted material into a directory, and return a verifier with it."""
        places = places_in(home)
        self.install(**places)
        stamping = places.pop("tsa_anchors")
        tsa = TrustStore(TrustDirectories(anchors=stamping, crls=places["crls"]))
        rule = PinRule(policies=frozenset({self.policy.dotted_string}))
        return XadesVerifier(TrustStore(TrustDirectories(**places)), pin_rule=rule, tsa=tsa)

    def install_in(self, trust: TrustSettings) -> None:
        """Add the trusted material to a service; its workers notice it at their next check."""
        assert trust.intermediates is not None
        assert trust.ocsp is not None
        assert trust.tsa_anchors is not None
        self.install(
            anchors=trust.anchors,
            intermediates=trust.intermediates,
            crls=trust.crls,
            ocsp=trust.ocsp,
            tsa_anchors=trust.tsa_anchors,
        )

    def install(
        self, *, anchors: Path, intermediates: Path, crls: Path, ocsp: Path, tsa_anchors: Path
    ) -> None:
        """Write the trusted material beside the files that are already there."""
        for directory in (anchors, intermediates, crls, ocsp, tsa_anchors):
            directory.mkdir(parents=True, exist_ok=True)
        (tsa_anchors / "corpus-tsa.crt").write_bytes(_pem(self.tsa_root))
        for number, (_, response) in enumerate(self.answered.values()):
            (ocsp / f"corpus-{number}.ors").write_bytes(response)
        (anchors / "corpus-root.crt").write_bytes(_pem(self.root))
        for number, ca in enumerate(self._intermediates()):
            (intermediates / f"corpus-{number}.crt").write_bytes(_pem(ca))
        for number, crl in enumerate(self._crls()):
            (crls / f"corpus-{number}.crl").write_bytes(crl)

    def _intermediates(self) -> tuple[Authority, ...]:
        return (
            self.ca,
            self.rsa_ca,
            self.stale_ca,
            self.early_ca,
            self.silent_ca,
            self.usurped_ca,
            self.revoked_ca,
            self.expired_ca,
            self.constrained_ca,
            self.deep_ca,
            self.crl_only_ca,
            self.ocsp_ca,
            self.dated_ca,
            self.organisations_ca,
            self.citizens_alone_ca,
            self.silent_on_policies_ca,
        )

    def _crls(self) -> Iterator[bytes]:
        _ = self.revoked, self.revoked_ca, self.lost_tsa
        healthy = (self.root, self.ca, self.rsa_ca, self.revoked_ca, self.expired_ca)
        others = (self.constrained_ca, self.deep_ca, self.crl_only_ca)
        policies = (self.organisations_ca, self.citizens_alone_ca, self.silent_on_policies_ca)
        for ca in (*healthy, *others, *policies):
            yield ca.crl()
        yield self.tsa_root.crl()
        yield crl_of(self.dated_ca, proofs.entries_of(self))
        yield self.stale_ca.crl(this_update=NOW - 2 * DAY, next_update=NOW - HOUR)
        yield self.early_ca.crl(this_update=NOW + HOUR)
        yield self.usurped_ca.crl(signed_by=new_key())


def places_in(home: Path) -> dict[str, Path]:
    """Return the directories into which `install` writes."""
    names = ("anchors", "intermediates", "crls", "ocsp", "tsa_anchors")
    return {name: home / name for name in names}


def _pem(authority: Authority) -> bytes:
    return authority.certificate.public_bytes(Encoding.PEM)


def _with_new_id(content: str) -> str:
    before, opening, rest = content.partition("consentId>")
    _, closing, after = rest.partition("</")
    return f"{before}{opening}{uuid4()}{closing}{after}"
