"""The scenes of a month, in their order: each goes on where the one before ended."""

from makul_sandbox.demo import month_steps as steps
from makul_sandbox.demo.scene import Scene

MONTH_SCENES = (
    Scene(
        "A month has 300 decisions, and the protection body counts them",
        "11",
        "300 decisions, 300 disclosed",
        steps.count_requests,
    ),
    Scene(
        "A citizen sees who asked, and says of one: that was not me",
        "4, 11",
        "every disclosure notified; not me: DONE, the same link again: REFUSED OVR-06",
        steps.deny_disclosure,
    ),
    Scene(
        "A key was stolen: the statement names what rests on it, and what was denied",
        "11",
        "300 lines; DENIED_BY_SUBJECT 1, NO_LONGER_PROVABLE 3; exactly those",
        steps.build_statement,
    ),
    Scene(
        "The bank compares the month with its receipts, and contests the denied line",
        "11",
        "every line agrees with its receipts, 0 differ; CONTESTED, the body signs: REFUSED OVR-02",
        steps.contest_line,
    ),
    Scene(
        "The contested line is answered before the authorised body signs",
        "11",
        "answered, the body signs: SIGNED",
        steps.answer_line,
    ),
    Scene(
        "The notary's month is signed by three, and closes once",
        "11",
        "CONFIRMED, SIGNED, again: REFUSED OVR-02",
        steps.close_by_three,
    ),
    Scene(
        "The bank is cut off while its requests are in flight",
        "12",
        "CUT_OFF, 0 released after it, asked again: REFUSED RCP-03",
        steps.cut_off_in_flight,
    ),
    Scene(
        "The bank's agreement is terminated by two officers",
        "12",
        "PROPOSED, by the head TERMINATED",
        steps.terminate_agreement,
    ),
    Scene(
        "The proposed case is opened and handed to the protection body with its evidence",
        "12",
        "PROPOSED OPEN REFERRED ACKNOWLEDGED; before it is referred: REFUSED OVR-06",
        steps.refer_case,
    ),
    Scene(
        "The evidence file is verified offline, without the service",
        "12",
        "4 decisions, PASSED; with one byte changed: refused",
        steps.verify_case_offline,
    ),
)
