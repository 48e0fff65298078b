"""The scenes of the demo: the request, the clause that decides it, and the expected result.

Scenes do not depend on each other. A scene that uses something up has a citizen of its own. Only
the acts of the supervising bodies, which end a party's rights permanently, come last.
"""

from makul_sandbox.demo import answer_steps, consent_steps, steps
from makul_sandbox.demo.consent_steps import register_and_use
from makul_sandbox.demo.oversight_scenarios import OVERSIGHT_SCENES
from makul_sandbox.demo.scene import Scene
from makul_sandbox.demo.steps import by_mtls, by_xroad, explain_request, impersonate, use

SCENES = (
    # Data that are released
    Scene(
        "A bank asks for what its customer consented to",
        "4, 10",
        "RELEASED",
        steps.verify_right_person,
    ),
    Scene("A bank asks only: is it they?", "2, 10", "MATCHED", steps.yes_or_no()),
    Scene(
        "The same, with a document that is not theirs",
        "10",
        "NOT_MATCHED MAT-01",
        steps.yes_or_no(document_number=steps.WRONG_DOCUMENT),
    ),
    Scene("A notary, by consent", "3e, 4", "RELEASED", use("notary-00-data")),
    Scene("A mobile operator, by consent", "3d, 4", "RELEASED", use("mobile-00-data")),
    Scene("A bank by X-Road", "8, 9", "RELEASED", by_xroad("bank-00-data")),
    Scene("A bank by its TLS certificate alone", "7, 8", "RELEASED", by_mtls("bank-00-data")),
    Scene(
        "A payment organisation gets its data sealed, and an eavesdropper nothing",
        "7, 10",
        "RELEASED, overheard: nothing",
        steps.encrypted_delivery,
    ),
    Scene(
        "Sealed data, opened with another key",
        "7, 10",
        "withheld: they are encrypted to another key",
        steps.encrypted_to_another_key,
    ),
    Scene(
        "A consent is handed in, then cited by its id",
        "4",
        "ACCEPTED, then RELEASED, 1 counted",
        steps.register_and_cite,
    ),
    Scene("Police, by a judicial act", "5.1", "RELEASED", use("police-judicial")),
    Scene(
        "A municipality, within its powers", "5.3", "RELEASED", use("municipality-within-powers")
    ),
    Scene(
        "An address that is being corrected is left out",
        "14",
        "RELEASED REL-02",
        use("address-disputed"),
    ),
    Scene(
        "An address that is not held is left out", "10", "RELEASED REL-01", use("address-not-held")
    ),
    Scene(
        "A birth date that was corrected counts, and not the digits of the PIN",
        "10, 14",
        "RELEASED, then NOT_MATCHED MAT-01",
        steps.corrected_birth_date,
    ),
    Scene(
        "A person with one name consents, and is matched by it and the PIN",
        "4, 10",
        "RELEASED",
        steps.match_by_one_name,
    ),
    # The match with the person
    Scene("The document shown is not theirs", "10", "NOT_MATCHED MAT-01", steps.wrong_document),
    Scene(
        "Nobody has that number: no different from no match",
        "10",
        "NOT_MATCHED MAT-01, the same answer",
        steps.ask_for_unknown_person,
    ),
    Scene(
        "Guessing is stopped",
        "10",
        "NOT_MATCHED MAT-01, then REFUSED MAT-06",
        steps.guess_until_limit,
    ),
    Scene("The citizen has locked matching", "4", "REFUSED MAT-05", use("locked")),
    # Consents on paper, and by representatives
    Scene(
        "A consent on paper, handed in with its scan, used by another employee",
        "4",
        "ACCEPTED, then RELEASED",
        register_and_use("paper"),
    ),
    Scene(
        "The same without its scan", "4", "REFUSED CNS-13", register_and_use("paper-without-scan")
    ),
    Scene("A scan of another paper", "4", "REFUSED CNS-13", register_and_use("paper-other-scan")),
    Scene(
        "The official who signed a consent on paper uses it alone",
        "4",
        "ACCEPTED, then REFUSED CNS-12",
        register_and_use("paper-used-by-official"),
    ),
    Scene(
        "A consent on paper that was not agreed",
        "4, 7",
        "REFUSED CNS-12",
        register_and_use("paper-not-agreed"),
    ),
    Scene(
        "A parent consents for a child, and proves to be one",
        "4",
        "ACCEPTED, then RELEASED",
        register_and_use("represented"),
    ),
    Scene(
        "A parent without the document",
        "4",
        "REFUSED CNS-11",
        register_and_use("represented-without-document"),
    ),
    Scene(
        "A parent's consent, signed by another",
        "4",
        "REFUSED CNS-02 (SIG-08)",
        register_and_use("represented-by-another"),
    ),
    Scene("A parent of a grown-up", "4", "REFUSED CNS-11", register_and_use("represented-of-age")),
    Scene(
        "A representative where none was agreed",
        "4, 7",
        "REFUSED CNS-11",
        register_and_use("represented-not-agreed"),
    ),
    # Consents signed by other vendors' software
    Scene(
        "A consent signed in the form of EU DSS, with an XPath filter",
        "4",
        "RELEASED",
        use("signed-by-dss"),
    ),
    Scene(
        "A consent signed in the form of xades4j, with SigningCertificate of version 1",
        "4",
        "RELEASED",
        use("signed-by-xades4j"),
    ),
    # Consents that are revoked
    Scene(
        "A consent is used, then revoked",
        "4",
        "RELEASED, ACCEPTED, then REFUSED CNS-05",
        consent_steps.revoke_and_use,
    ),
    Scene(
        "A request repeated after its consent was revoked",
        "4, 10",
        "RELEASED, then REFUSED CNS-05",
        consent_steps.repeat_after_revocation,
    ),
    Scene(
        "A stranger tries to revoke a consent",
        "4",
        "RELEASED, REFUSED CNS-02 (SIG-08), then RELEASED",
        consent_steps.revoke_as_stranger,
    ),
    Scene(
        "The recipient's list shows a revoked consent",
        "4",
        "ACCEPTED, listed as REVOKED",
        consent_steps.revoke_and_list,
    ),
    # Certificates that are revoked later
    Scene(
        "A consent with a timestamp, its certificate revoked later",
        "4",
        "RELEASED",
        use("timestamped"),
    ),
    Scene("The same without a timestamp", "4", "REFUSED CNS-02 (SIG-06)", use("not-timestamped")),
    Scene(
        "A timestamp made when the key was in other hands",
        "4",
        "REFUSED CNS-02 (SIG-06)",
        use("timestamped-compromised"),
    ),
    Scene(
        "A certificate is revoked while the operator holds a consent by it",
        "4",
        "RELEASED, then RELEASED; a new one REFUSED CNS-02 (SIG-06)",
        consent_steps.certificate_ended_later,
    ),
    # Invalid consents
    Scene("No consent at all", "4", "REFUSED CNS-01", steps.ask_without_ground),
    Scene("A consent that has expired", "4", "REFUSED CNS-04", use("expired")),
    Scene("A consent that is not yet in force", "4", "REFUSED CNS-03", use("not-yet-valid")),
    Scene("A consent for another recipient", "4", "REFUSED CNS-07", use("other-recipient")),
    Scene("Another person's consent", "4", "REFUSED CNS-14", use("other-subject")),
    Scene("A consent for another purpose", "2, 4", "REFUSED CNS-08", use("other-purpose")),
    Scene("A consent under another agreement", "4, 7", "REFUSED CNS-15", use("other-agreement")),
    Scene("A notice that was never approved", "4", "REFUSED CNS-10", use("unknown-notice")),
    Scene(
        "A consent for one disclosure, used twice",
        "4",
        "RELEASED, then REFUSED CNS-06",
        steps.use_twice,
    ),
    Scene(
        "Data asked for on a consent to a yes or no",
        "4",
        "REFUSED CNS-09 CNS-16",
        steps.data_for_yes_or_no,
    ),
    Scene("An attribute beyond the consent", "4", "REFUSED CNS-09", use("few-attributes")),
    Scene("An attribute beyond the agreement", "7", "REFUSED AGR-04", use("beyond-agreement")),
    Scene("A consent changed after signing", "4", "REFUSED CNS-02 (SIG-02)", use("tampered")),
    Scene(
        "A consent signed by another person",
        "4",
        "REFUSED CNS-02 (SIG-08)",
        use("signed-by-another"),
    ),
    Scene(
        "A consent signed under a revoked certificate",
        "4",
        "REFUSED CNS-02 (SIG-06)",
        use("revoked-certificate"),
    ),
    Scene(
        "A consent signed under a look-alike authority",
        "4",
        "REFUSED CNS-02 (SIG-09)",
        use("look-alike-authority"),
    ),
    # Invalid basis statements
    Scene("A bank invokes a judicial act", "5.1", "REFUSED LAW-02", use("bank-judicial")),
    Scene(
        "A municipality, beyond its powers",
        "5.3",
        "REFUSED LAW-04",
        use("municipality-beyond-powers"),
    ),
    Scene("Police, on a statement that ran out", "5.1", "REFUSED LAW-07", use("police-expired")),
    Scene(
        "Police, on a statement signed by another body",
        "5.1",
        "REFUSED LAW-09 (SIG-08)",
        use("police-signed-by-another"),
    ),
    # The caller and the channel
    Scene(
        "An agreement that two have signed; then the third signs",
        "7",
        "REFUSED AGR-01, then RELEASED",
        consent_steps.submit_third_signature,
    ),
    Scene("A recipient that is on hold", "7", "REFUSED RCP-02", use("insurer-00-data")),
    Scene(
        "A channel that was not agreed",
        "7, 9",
        "REFUSED REQ-08",
        by_xroad("notary-00-data", party="notary"),
    ),
    Scene(
        "A TLS certificate where messages were agreed to be signed",
        "7",
        "REFUSED REQ-08",
        by_mtls("notary-00-data", party="notary"),
    ),
    Scene(
        "A message signed with a key that nobody registered",
        "7",
        "FAULT RCP-04",
        impersonate("citizens/00/signing"),
    ),
    Scene(
        "A message signed under the look-alike authority",
        "4",
        "FAULT SIG-09",
        impersonate("look-alike/citizen-00"),
    ),
    Scene("A message changed on its way", "10", "FAULT SIG-02", steps.change_signed_message),
    Scene(
        "A message sent again by an eavesdropper",
        "10",
        "RELEASED, then FAULT REQ-09",
        steps.replayed,
    ),
    Scene(
        "A request repeated after a failure of the network",
        "10",
        "RELEASED, the same receipt",
        steps.repeat_request,
    ),
    Scene(
        "Another question under an id that was answered",
        "10",
        "REFUSED REQ-04",
        steps.id_for_another_question,
    ),
    Scene(
        "The same request and id, from another employee, case and subsystem",
        "10, 15",
        "RELEASED; REQ-04 (employee), REQ-04 (caseNumber), REQ-04 (subsystemCode);"
        " then the same answer, 1 recorded",
        answer_steps.repeat_by_others,
    ),
    # Requests for information other than data
    Scene(
        "What would be decided? Nothing against it",
        "7",
        "ACCEPTED",
        explain_request("bank-00-data"),
    ),
    Scene(
        "What would be decided? The reason is given",
        "7",
        "REFUSED CNS-04",
        explain_request("expired"),
    ),
    Scene(
        "The receipt of an earlier request",
        "10, 11",
        "RELEASED, the same receipt",
        steps.receipt_fetched,
    ),
    Scene(
        "The receipt of a disclosure, after other answers under its id, and on hold",
        "7, 10, 11",
        "RELEASED, REFUSED REQ-04, ACCEPTED, then the same receipt;"
        " on hold REFUSED RCP-02; released the same receipt",
        answer_steps.receipt_of_disclosure,
    ),
    Scene(
        "The receipt of another recipient's request",
        "10",
        "REFUSED REQ-01",
        steps.fetch_foreign_receipt,
    ),
    Scene(
        "The terms of one's own agreement",
        "5.3, 7",
        "IN_FORCE, 3 have signed, SOCIAL_BENEFITS covers 4 attributes",
        steps.terms,
    ),
    *OVERSIGHT_SCENES,
)
