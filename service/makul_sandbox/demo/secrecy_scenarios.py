"""The scenes of people bound to secrecy. They need an agreement that demands undertakings."""

from makul_sandbox.demo import secrecy_steps as steps
from makul_sandbox.demo.scene import Scene

SECRECY_SCENES = (
    Scene(
        "An employee without an undertaking, with another signature, bound, and gone",
        "15, 16",
        "REFUSED RCP-05; signed by another: REFUSED RCP-05 (SIG-08); recorded, RELEASED;"
        " ended, REFUSED RCP-05",
        steps.undertake_and_leave,
    ),
    Scene(
        "The bank reports a leak, attests an erasure, and attests it twice",
        "12, 15",
        "a case is PROPOSED; attested 1, again: REFUSED OVR-02",
        steps.report_and_erase,
    ),
)
