"""The words of a monthly report for the codes of a statement, for the catalogs.

Readers of a statement must accept codes that they do not know, because the lists may grow. Such a
code is shown as it is.
"""

from collections.abc import Mapping
from typing import Final

from makul.domain.attributes import Attribute
from makul.domain.disclosures import GroundKind, Operation, Outcome
from makul.domain.monthly_statements import ExceptionFact, ExceptionKind
from makul.domain.reason_texts import text
from makul.domain.reasons import Code
from makul.domain.report_tables import NONE, UNLISTED, Part
from makul.domain.sample_answers import AnswerState
from makul.language.translation import current_language, mark, translate

MONTHS: Final = (
    *(mark("January {year}"), mark("February {year}"), mark("March {year}")),
    *(mark("April {year}"), mark("May {year}"), mark("June {year}")),
    *(mark("July {year}"), mark("August {year}"), mark("September {year}")),
    *(mark("October {year}"), mark("November {year}"), mark("December {year}")),
)

_OPERATIONS: Final[Mapping[str, str]] = {
    Operation.VERIFY_PERSON: mark("Comparison with an answer yes or no"),
    Operation.GET_PERSON_DATA: mark("Giving of data"),
    Operation.EXPLAIN_DECISION: mark("Dry run"),
    Operation.REGISTER_CONSENT: mark("Registration of a consent"),
    Operation.REVOKE_CONSENT: mark("Revocation of a consent"),
}

_OUTCOMES: Final[Mapping[str, str]] = {
    Outcome.RELEASED: mark("Data were given"),
    Outcome.MATCHED: mark("The person matches"),
    Outcome.NOT_MATCHED: mark("No match"),
    Outcome.REFUSED: mark("Refused"),
    Outcome.UNDETERMINED: mark("Could not be determined"),
    Outcome.ACCEPTED: mark("Accepted, without data"),
}

_GROUNDS: Final[Mapping[str, str]] = {
    GroundKind.CONSENT: mark("Consent of the subject (cl. 4)"),
    GroundKind.BASIS: mark("Basis in law (cl. 5)"),
    NONE: mark("Without a ground"),
}

_PURPOSES: Final[Mapping[str, str]] = {
    NONE: mark("Without a purpose"),
    UNLISTED: mark("Purposes that no agreement names"),
}

_ATTRIBUTES: Final[Mapping[str, str]] = {
    Attribute.PIN: mark("Personal identification number"),
    Attribute.SURNAME: mark("Surname"),
    Attribute.GIVEN_NAME: mark("Given name"),
    Attribute.PATRONYMIC: mark("Patronymic"),
    Attribute.SEX: mark("Sex"),
    Attribute.BIRTH_DATE: mark("Date of birth"),
    Attribute.BIRTH_PLACE: mark("Place of birth"),
    Attribute.CITIZENSHIP: mark("Citizenship"),
    Attribute.ADDRESS: mark("Address"),
    Attribute.DOCUMENT_TYPE: mark("Type of the document"),
    Attribute.DOCUMENT_NUMBER: mark("Number of the document"),
    Attribute.DOCUMENT_ISSUER: mark("Issuer of the document"),
    Attribute.DOCUMENT_ISSUED: mark("Date of issue of the document"),
    Attribute.DOCUMENT_EXPIRES: mark("Expiry date of the document"),
    Attribute.DOCUMENT_STATE: mark("State of the document"),
    Attribute.PERSON_STATE: mark("State of the person"),
    Attribute.FACE_IMAGE: mark("Face image"),
    Attribute.FINGERPRINT_TEMPLATES: mark("Fingerprint templates"),
    Attribute.FINGERPRINT_IMAGES: mark("Fingerprint images"),
    Attribute.SIGNATURE_IMAGE: mark("Image of the handwritten signature"),
}

_KINDS: Final[Mapping[str, str]] = {
    ExceptionKind.NO_GROUND: mark("No ground"),
    ExceptionKind.OVERUSED: mark("Ground used too often"),
    ExceptionKind.OUT_OF_SCOPE: mark("Outside the ground or the agreement"),
    ExceptionKind.OUT_OF_TERM: mark("Outside the term"),
    ExceptionKind.REVOKED_BEFORE: mark("Ground revoked before"),
    ExceptionKind.NO_LONGER_PROVABLE: mark("Ground not provable now"),
    ExceptionKind.PAPER_TO_INSPECT: mark("Consent on paper"),
    ExceptionKind.NECESSITY_UNCONFIRMED: mark("Vital necessity not confirmed"),
    ExceptionKind.DENIED_BY_SUBJECT: mark("Denied by the subject"),
    ExceptionKind.SUBJECT_SILENT: mark("The subject did not answer"),
    ExceptionKind.TO_INSPECT: mark("To inspect"),
}

_EXPLANATIONS: Final[Mapping[str, str]] = {
    ExceptionKind.NO_GROUND: mark(
        "Data or a yes were given, and the record has no suitable consent and no basis in law for"
        " it. Ask the recipient for the document. If there is none, clause 12 applies."
    ),
    ExceptionKind.OVERUSED: mark(
        "The ground was used more often in the month than it allows. Compare the number in the"
        " document with the decisions."
    ),
    ExceptionKind.OUT_OF_SCOPE: mark(
        "The subject, the recipient, the form, the purpose or an attribute is not that of the"
        " ground or of the agreement. Compare the decision with both documents."
    ),
    ExceptionKind.OUT_OF_TERM: mark(
        "The decision was made outside the term of the ground or of the agreement. Compare the"
        " dates."
    ),
    ExceptionKind.REVOKED_BEFORE: mark(
        "The ground was revoked before the decision. If it was less than a minute before, the"
        " order of both in the ledger decides."
    ),
    ExceptionKind.NO_LONGER_PROVABLE: mark(
        "The ground was registered when it was used, and what is stored does not prove it now. Ask"
        " the operator to restore the evidence, or the recipient for the document."
    ),
    ExceptionKind.PAPER_TO_INSPECT: mark(
        "The consent was signed on paper. Compare the paper with its scan, and ask the subject if"
        " there is a doubt."
    ),
    ExceptionKind.NECESSITY_UNCONFIRMED: mark(
        "The recipient invoked the vital interests of the subject (clause 5.2), and the record"
        " holds no confirmation of the need. Ask the recipient why it was necessary."
    ),
    ExceptionKind.DENIED_BY_SUBJECT: mark(
        "The subject said that it was not them, or that they did not consent. Compare the decision"
        " with its consent, and ask the recipient how the subject was identified."
    ),
    ExceptionKind.SUBJECT_SILENT: mark(
        "The subject was asked for the monthly check and did not answer in the term. It proves"
        " nothing by itself."
    ),
    ExceptionKind.TO_INSPECT: mark(
        "The record cannot answer the question. A person must look at the documents."
    ),
}

UNKNOWN_KIND: Final = mark(
    "This version of the program does not know the kind. Ask the operator what it means."
)

_FACTS: Final[Mapping[str, str]] = {
    ExceptionFact.GROUND_NOT_NAMED: mark("The decision names no ground."),
    ExceptionFact.GROUND_NOT_REGISTERED: mark("The ground is not registered."),
    ExceptionFact.OTHER_DOCUMENT_REGISTERED: mark(
        "The ground is registered with another document."
    ),
    ExceptionFact.DOCUMENT_NOT_STORED: mark("The document of the ground is not stored."),
    ExceptionFact.REPORT_NOT_STORED: mark("The validation report of the ground is not stored."),
    ExceptionFact.SIGNATURE_NOT_PROVED: mark(
        "The validation report does not say that the signature is valid."
    ),
    ExceptionFact.PROOF_NOT_STORED: mark(
        "A certificate or revocation evidence of the signature is not stored."
    ),
    ExceptionFact.ANCHOR_NOT_TRUSTED: mark("The anchor of the certificate is not trusted now."),
    ExceptionFact.CERTIFICATE_REVOKED: mark(
        "A certificate was revoked with effect from before the signature was proved."
    ),
    ExceptionFact.MORE_USES_THAN_ALLOWED: mark("The ground has more uses than it allows."),
    ExceptionFact.OTHER_LIMIT_REGISTERED: mark(
        "The document allows another number of uses than is registered."
    ),
    ExceptionFact.GROUND_SUBJECT: mark("The ground is about another subject."),
    ExceptionFact.GROUND_RECIPIENT: mark("The ground is for another recipient."),
    ExceptionFact.GROUND_FORM: mark("The ground is for another form of the result."),
    ExceptionFact.GROUND_AGREEMENT: mark("The ground names another agreement."),
    ExceptionFact.GROUND_PURPOSE: mark("The ground is for another purpose."),
    ExceptionFact.GROUND_ATTRIBUTE: mark("The ground does not cover the attribute."),
    ExceptionFact.GROUND_TERM: mark("The decision is outside the term of the ground."),
    ExceptionFact.NO_AGREEMENT: mark("The recipient has no such agreement."),
    ExceptionFact.AGREEMENT_PURPOSE: mark("The agreement does not have the purpose."),
    ExceptionFact.AGREEMENT_ATTRIBUTE: mark("The agreement does not have the attribute."),
    ExceptionFact.AGREEMENT_TERM: mark("The decision is outside the term of the agreement."),
    ExceptionFact.AGREEMENT_CHANGED_SINCE: mark(
        "The agreement changed later, and its terms of that time cannot be read."
    ),
    ExceptionFact.GROUND_REVOKED: mark("The ground was revoked."),
    ExceptionFact.REVOKED_ABOUT_THEN: mark("The ground was revoked less than a minute before."),
    ExceptionFact.CONSENT_ON_PAPER: mark("The consent is on paper."),
    ExceptionFact.VITAL_INTEREST_INVOKED: mark(
        "The need that clause 5.2 requires is not confirmed."
    ),
    ExceptionFact.SUBJECT_REPORTED: mark("The subject reported it after a notification."),
    ExceptionFact.SUBJECT_ANSWERED_NO: mark("The subject answered no when asked."),
    ExceptionFact.NO_ANSWER_IN_TERM: mark("The subject did not answer in the term."),
}

_ANSWERS: Final[Mapping[str, str]] = {
    AnswerState.YES: mark("Yes, I consented"),
    AnswerState.NO: mark("No, I did not consent"),
    AnswerState.DONT_KNOW: mark("I do not know"),
    AnswerState.SILENT: mark("No answer in the term"),
    AnswerState.WAITING: mark("No answer yet"),
}

_WORDS: Final[Mapping[Part, Mapping[str, str]]] = {
    Part.OPERATIONS: _OPERATIONS,
    Part.OUTCOMES: _OUTCOMES,
    Part.GROUNDS: _GROUNDS,
    Part.PURPOSES: _PURPOSES,
    Part.ATTRIBUTES: _ATTRIBUTES,
    Part.EXCEPTIONS: _KINDS,
    Part.ANSWERS: _ANSWERS,
}


def label_of(part: Part, key: str) -> str:
    """Return the words for a code in the language in use; empty if there are none."""
    if part is Part.REFUSALS:
        return _reason(key)
    word = _WORDS.get(part, {}).get(key)
    return "" if word is None else translate(word)


def explain_kind(kind: str) -> str:
    """Return what a kind of exception means and what a person has to do."""
    return translate(_EXPLANATIONS.get(kind, UNKNOWN_KIND))


def label_of_fact(fact: str) -> str:
    """Return what was found as a sentence; empty if the fact is unknown."""
    word = _FACTS.get(fact)
    return "" if word is None else translate(word)


def _reason(code: str) -> str:
    """Return the first sentence of the text that the service sends for a reason."""
    if code not in set(Code):
        return ""
    sentence = getattr(text(Code(code)), current_language())
    return f"{str(sentence).partition('. ')[0].rstrip('.')}."
