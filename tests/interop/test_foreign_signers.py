"""Consents that other tools sign inside the profile are all accepted.

The tools are xmlsec1 (the program), python-xmlsec, xml-crypto and xadesjs from JavaScript, and EU
DSS and xades4j from Java. Each gets the unsigned consent and makes digests and signature itself.
"""

import json
import os
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
import xmlsec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from lxml import etree

from makul.domain.disclosures import ProofStatus
from makul.trust.validation.documents import XadesVerifier
from makul_testing.builders.xades import C14N, ENVELOPED, MORE, instant
from makul_testing.external.foreign_software import run
from makul_testing.external.requirements import needs
from makul_testing.pki.authorities import NOW, Holder, pem_of
from vectors.attacks.cast import Cast
from vectors.attacks.drafts import C14N_11, MORE_2007, XMLENC, draft

SIGNERS = Path(__file__).parent / "signers"
Recorder = Callable[[str, object], None]

FORMS: dict[str, dict[str, object]] = {
    "exclusive": {},
    "whole-document": {"uri": ""},
    "inclusive": {"transforms": (ENVELOPED, C14N), "c14n": C14N},
    "inclusive-11": {"transforms": (ENVELOPED, C14N_11), "c14n": C14N_11},
    "default-namespace": {"prefix": ""},
    "sha512": {"digest": f"{XMLENC}sha512", "method": f"{MORE}ecdsa-sha512"},
    "rsa": {"holder": "rsa_citizen"},
    "rsa-sha512": {"holder": "rsa_citizen", "method": f"{MORE}rsa-sha512"},
    "pss": {"holder": "rsa_citizen", "method": f"{MORE_2007}sha256-rsa-MGF1"},
    "p-384": {"holder": "p384_citizen", "method": f"{MORE}ecdsa-sha384"},
    "p-521": {"holder": "p521_citizen", "method": f"{MORE}ecdsa-sha512"},
}


@pytest.fixture(scope="module")
def cast() -> Cast:
    return Cast()


@pytest.fixture(scope="module")
def verifier(cast: Cast, tmp_path_factory: pytest.TempPathFactory) -> XadesVerifier:
    return cast.verifier(tmp_path_factory.mktemp("signers"))


def template(cast: Cast, form: str, *, pretty: bool) -> tuple[etree._Element, Holder]:
    """Return the consent with an empty signature, and its signer."""
    departures = dict(FORMS[form])
    holder: Holder = getattr(cast, str(departures.pop("holder", "citizen")))
    drawn = draft(cast, holder=holder, **departures)  # type: ignore[arg-type]
    if pretty:
        etree.indent(drawn.root)
    return drawn.root, holder


def accept(verifier: XadesVerifier, cast: Cast, document: bytes, record: Recorder) -> None:
    verified = verifier.verify(document, at=NOW)

    assert verified.proof.status is ProofStatus.PASSED, verified.report
    assert verified.proof.signer is not None
    assert verified.proof.signer.pin is not None
    assert verified.proof.signer.pin.digits == cast.pin
    record("corpus", "accepted")


@pytest.mark.parametrize("pretty", [False, True], ids=["compact", "pretty"])
@pytest.mark.parametrize("form", FORMS)
def test_consents_of_python_xmlsec_are_accepted(
    cast: Cast, verifier: XadesVerifier, form: str, pretty: bool, record_property: Recorder
) -> None:
    root, holder = template(cast, form, pretty=pretty)
    signature = next(root.iter("{http://www.w3.org/2000/09/xmldsig#}Signature"))
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(pem_of(holder.key), xmlsec.KeyFormat.PEM)
    context.register_id(root, "Id")
    context.register_id(next(root.iter("{*}SignedProperties")), "Id")

    context.sign(signature)

    accept(verifier, cast, etree.tostring(root, encoding="UTF-8"), record_property)


@needs("xmlsec1")
@pytest.mark.parametrize("form", [form for form in FORMS if form != "pss"])
def test_consents_of_xmlsec1_are_accepted(
    cast: Cast, verifier: XadesVerifier, tmp_path: Path, form: str, record_property: Recorder
) -> None:
    """All forms are signed except PSS, which xmlsec1 supports from 1.3."""
    root, holder = template(cast, form, pretty=False)
    unsigned, key = tmp_path / "template.xml", tmp_path / "key.pem"
    unsigned.write_bytes(etree.tostring(root, encoding="UTF-8"))
    key.write_bytes(pem_of(holder.key))
    certificate = tmp_path / "certificate.pem"
    certificate.write_bytes(holder.certificate.public_bytes(Encoding.PEM))

    result = subprocess.run(
        [
            "xmlsec1",
            "--sign",
            *("--privkey-pem", f"{key},{certificate}"),
            *("--id-attr:Id", "urn:makul:consent:1:Consent"),
            *("--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties"),
            str(unsigned),
        ],
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert result.returncode == 0, result.stderr
    accept(verifier, cast, result.stdout, record_property)


@pytest.fixture(scope="module")
def node() -> str:
    """Return node with the two libraries installed from the lock."""
    if os.environ.get("MAKUL_INTEROP") != "1":
        pytest.skip("needs Node.js and packages of its own; run it with: make interop")
    npm, program = shutil.which("npm"), shutil.which("node")
    if npm is None or program is None:
        pytest.fail("needs node and npm, found nowhere on the PATH")
    result = subprocess.run(
        [npm, "ci"], cwd=SIGNERS, capture_output=True, encoding="utf-8", timeout=300, check=False
    )
    assert result.returncode == 0, result.stderr
    return program


@pytest.mark.parametrize("who", ["citizen", "rsa_citizen"])
@pytest.mark.parametrize("tool", ["xml-crypto", "xadesjs"])
def test_consents_of_javascript_are_accepted(  # noqa: PLR0917 - fixtures and parameters
    cast: Cast, verifier: XadesVerifier, node: str, tool: str, who: str, record_property: Recorder
) -> None:
    holder: Holder = getattr(cast, who)
    task = {
        "tool": tool,
        "content": cast.content(),
        "key": pem_of(holder.key).decode(),
        "certificate": b64encode(holder.der).decode(),
        "kind": "EC" if who == "citizen" else "RSA",
        "time": instant(NOW),
    }

    result = subprocess.run(
        [node, "sign.js"],
        cwd=SIGNERS,
        input=json.dumps(task).encode(),
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert result.returncode == 0, result.stderr.decode()
    accept(verifier, cast, result.stdout, record_property)


@pytest.fixture(scope="module")
def signed_by_java(
    cast: Cast, java: list[str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    """Let EU DSS and xades4j sign one consent in two profiles each, all in one JVM."""
    home = tmp_path_factory.mktemp("java-signers")
    (home / "content.xml").write_text(cast.content(), encoding="utf-8")
    for who in ("citizen", "rsa_citizen"):
        holder: Holder = getattr(cast, who)
        store = serialize_key_and_certificates(
            b"signer", holder.key, holder.certificate, None, BestAvailableEncryption(b"interop")
        )
        (home / f"{who}.p12").write_bytes(store)
    run([*java, "interop.Sign", str(home), instant(NOW)])
    return {file.stem: file.read_bytes() for file in (home / "signed").iterdir()}


@pytest.mark.parametrize("who", ["citizen", "rsa_citizen"])
@pytest.mark.parametrize("profile", ["default", "inclusive"])
@pytest.mark.parametrize("tool", ["dss", "xades4j"])
def test_consents_of_java_are_accepted(  # noqa: PLR0917 - fixtures and parameters
    cast: Cast,
    verifier: XadesVerifier,
    signed_by_java: dict[str, bytes],
    tool: str,
    profile: str,
    who: str,
    record_property: Recorder,
) -> None:
    """`default` sets only what must be set; `inclusive` is an older style.

    By default DSS writes the XPath Filter 2 transform, and xades4j the first version of
    SigningCertificate. `inclusive` has inclusive canonicalisation, the first version, and a signed
    KeyInfo.
    """
    accept(verifier, cast, signed_by_java[f"{tool}-{profile}-{who}"], record_property)
