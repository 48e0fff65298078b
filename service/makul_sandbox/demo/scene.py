"""One event of the demo, with its expected result."""

from dataclasses import dataclass

from makul_sandbox.demo.steps import Step


@dataclass(frozen=True, slots=True)
class Scene:
    """One event and its expected result."""

    title: str
    clause: str
    """The clause of the Procedure."""
    expected: str
    step: Step
