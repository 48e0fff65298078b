"""The scenes of corrections and of the supervising bodies.

The last ones end the rights of two parties permanently.
"""

from makul_sandbox.demo import correction_steps, oversight_steps
from makul_sandbox.demo.scene import Scene

OVERSIGHT_SCENES = (
    Scene(
        "A wrong surname is corrected, and the two who were given it are informed",
        "14",
        "withheld: REL-02; CORRECTED, named to 2 of 2, acknowledged and waiting",
        correction_steps.correct_and_recall,
    ),
    # The supervising bodies; these scenes end the rights of two parties, so they are the last
    Scene(
        "The authorised body signs an agreement at its own port, and it comes into force",
        "7",
        "signed by OPERATOR RECIPIENT; the operator: REFUSED OVR-03 (SIG-08), the body: IN_FORCE",
        oversight_steps.sign_agreement,
    ),
    Scene(
        "The protection body reads the numbers of the month, before and after a release",
        "11",
        "RELEASED, 1 more in the statistics",
        oversight_steps.count_of_month,
    ),
    Scene(
        "An officer's message changed on its way to cut off another recipient",
        "12",
        "FAULT SIG-02",
        oversight_steps.change_cut_off,
    ),
    Scene(
        "An inspector cuts a recipient off",
        "12",
        "RELEASED, CUT_OFF, then REFUSED RCP-03",
        oversight_steps.cut_off,
    ),
    Scene(
        "Two officers, one of them the head, end the stop",
        "12",
        "PROPOSED, again REFUSED OVR-05, REFUSED RCP-03; by the head REINSTATED, then RELEASED",
        oversight_steps.reinstate_by_two,
    ),
    Scene(
        "The protection body tries to cut a recipient off",
        "11, 12",
        "REFUSED OVR-01, then RELEASED",
        oversight_steps.cut_off_by_protection_body,
    ),
    Scene(
        "An agreement is terminated, by two officers",
        "12",
        "PROPOSED, again REFUSED OVR-05, RELEASED; by the head TERMINATED, then REFUSED AGR-02",
        oversight_steps.terminate_by_two,
    ),
)
