"""The texts of a monthly report, for the catalogs: titles, headings and notes."""

from collections.abc import Mapping
from typing import Final

from makul.domain.report_tables import Part
from makul.language.translation import mark

TEXTS: Final[Mapping[str, str]] = {
    "title": mark("Monthly report"),
    "subtitle": mark("Giving of data from the national biometric database (Procedure, clause 11)"),
    "draft": mark("DRAFT"),
    "draft_note": mark(
        "This report is of a draft that was built before the month ended. It proves nothing about"
        " the month."
    ),
    "for_public": mark("For the public, without small numbers"),
    "for_parties": mark("For the parties of the agreement. Not for publication"),
    "for_authorities": mark("For the operator and the authorised body. Not for publication"),
    "month": mark("Month"),
    "operator": mark("Operator"),
    "recipient": mark("Recipient"),
    "agreements": mark("Agreements"),
    "built_at": mark("Statement built"),
    "checkpoint": mark("Checkpoint of the ledger"),
    "checkpoint_size": mark("{size} entries"),
    "digest": mark("SHA-256 of the signed statement"),
    "binding": mark(
        "The signed statement is the evidence, and this report shows it. A reader who has the"
        " statement can verify that this report is of it: makul month report DIR --verify FILE"
    ),
    "statements": mark("Statements of this report"),
    "figures": mark("Main numbers"),
    "lines": mark("Decisions"),
    "disclosures": mark("Disclosures"),
    "subjects": mark("Subjects"),
    "subjects_added": mark("Subjects, added over the recipients"),
    "repetitions": mark("Repeated answers"),
    "exceptions": mark("Exceptions"),
    "hidden": mark("hidden"),
    "hidden_mark": mark("A small number is hidden here"),
    "rest": mark("All others"),
    "meaning": mark("Meaning"),
    "count": mark("Number"),
    "share": mark("Share"),
    "total": mark("Total"),
    "none_found": mark("There are none."),
    "may_repeat": mark("A decision may be in several rows, so there is no total."),
    "suppression": mark("How small numbers are hidden"),
    "suppression_rule": mark(
        "A number below {k}, also zero, is hidden. If it could be computed from the other numbers"
        " and the total, more numbers are hidden with it. Hidden numbers are marked with {sign}."
        " They may be of any size. A total below {total} is hidden, and so is everything if the"
        " disclosures are about fewer than {k} persons."
    ),
    "decisions_needed": mark("Lines that need a decision"),
    "not_guilt": mark(
        "An exception is a question, and says nothing about guilt. A person looks at each of them."
    ),
    "listed": mark("Here are the first {listed} of {total}. The pages of the statement have all."),
    "no_lines": mark("Single decisions are not shown to the public."),
    "decided_at": mark("Decided (UTC+6)"),
    "operation": mark("Operation"),
    "outcome": mark("Outcome"),
    "finding": mark("What was found"),
    "ids": mark("Decision and request"),
    "earlier": mark("Earlier statements that were compared"),
    "answers_origin": mark(
        "Subjects of the sample were asked whether they consented. The operator wrote the list of"
        " their answers. The operator did not sign it. The report names its SHA-256."
    ),
    "answers_digest": mark("SHA-256 of the list of answers"),
    "chart_of_days": mark("Decisions by day. The table below has the same numbers."),
    "chart_of_months": mark("Decisions by month. The table below has the same numbers."),
    "day": mark("Day"),
    "class": mark("Class"),
}
"""The texts by the names that the template uses."""

HEADINGS: Final[Mapping[Part, str]] = {
    Part.DAYS: mark("By day"),
    Part.OPERATIONS: mark("By operation"),
    Part.OUTCOMES: mark("By outcome"),
    Part.GROUNDS: mark("By kind of ground"),
    Part.PURPOSES: mark("By purpose"),
    Part.ATTRIBUTES: mark("Attributes that were given"),
    Part.REFUSALS: mark("Reasons of decisions that gave nothing"),
    Part.EXCEPTIONS: mark("Exceptions by kind"),
    Part.RECIPIENTS: mark("By recipient"),
    Part.CLASSES: mark("By class of recipient"),
    Part.MONTHS: mark("Compared with earlier months"),
    Part.ANSWERS: mark("Answers of the subjects of the sample"),
}
