"""Each step of a request leaves its work undone if an earlier step refused, and reveals nothing."""

import base64
import threading
from collections.abc import Iterator
from uuid import uuid4

import pytest

from makul_testing.in_process_service import (
    RECIPIENT,
    InProcessService,
    RecordDatabase,
    about,
    build_installation,
    party,
    person_request,
)


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, record_database: RecordDatabase
) -> Iterator[InProcessService]:
    built = build_installation(tmp_path_factory.mktemp("ways"), database=record_database)
    yield built
    built.close()


def test_an_ineligible_recipients_document_is_not_read(installation: InProcessService) -> None:
    """Cheap checks come first: a held recipient's document is neither verified nor stored."""
    document = installation.document("insurer-00-data")
    request = person_request(
        **about(installation.person_of(document), of=document.presented_by, document=document)
    )

    answer = installation.ask(request, by="insurer")

    assert answer.codes == ["RCP-02"]
    assert (
        installation.store.registry.disclosures(recipient=None, since=None, limit=1)[0].ground_kind
        is None
    )


def test_scores_are_withheld_unless_agreed(installation: InProcessService) -> None:
    """The recipient learns yes or no, not how similar, without scores in its agreement."""
    document = installation.document("bank-00-yes-no")
    request = person_request(
        **about(installation.person_of(document), of=installation.bank, document=document)
    )

    answer = installation.ask(request)

    match = answer.child.find("r:match", {"r": RECIPIENT})
    assert answer.outcome == "MATCHED"
    assert match is not None
    assert match.find("r:score", {"r": RECIPIENT}) is None
    assert match.find("r:threshold", {"r": RECIPIENT}) is None


def test_concurrent_guesses_are_counted_one_by_one(installation: InProcessService) -> None:
    """MAT-06: of twelve concurrent guesses about one person, at most five learn anything."""
    document = installation.document("mobile-05-data")
    guesses = [
        person_request(
            **about(
                installation.person_of(document),
                of=document.presented_by,
                document=document,
                document_number=f"ID000{n:04}",
            )
        )
        for n in range(12)
    ]
    outcomes: list[list[str]] = []
    threads = [
        threading.Thread(
            target=lambda each=each: outcomes.append(installation.ask(each, by="mobile").codes)
        )
        for each in guesses
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == [["MAT-01"]] * 5 + [["MAT-06"]] * 7


def test_a_dry_run_predicts_a_used_up_consent(installation: InProcessService) -> None:
    """Procedure, cl. 7: ExplainDecision knows the consent's usage, and adds nothing to it."""
    document = installation.document("single-use")
    person = installation.person_of(document)
    before = installation.ask(explain(installation, document.document)).outcome
    assert installation.ask(
        person_request(**about(person, of=installation.bank, document=document))
    ).outcome == ("RELEASED")

    after = installation.ask(explain(installation, document.document))

    assert before == "ACCEPTED"
    assert after.outcome == "REFUSED"
    assert "CNS-06" in after.codes


def explain(installation: InProcessService, document: bytes) -> bytes:

    bank = party("bank")
    return (
        f'<r:ExplainDecision xmlns:r="{RECIPIENT}">'
        f"<r:requestId>{uuid4()}</r:requestId><r:agreementNumber>{bank.agreement}"
        f"</r:agreementNumber><r:purpose>{installation.bank.purpose}</r:purpose>"
        "<r:operation>GetPersonData</r:operation><r:methods><r:method>demographic</r:method>"
        "</r:methods><r:ground><r:consentDocument>"
        f"{base64.b64encode(document).decode()}</r:consentDocument></r:ground>"
        "<r:requestedAttributes><r:attribute>surname</r:attribute></r:requestedAttributes></r:ExplainDecision>"
    ).encode()
