"""What every run tells at its end: how the attack corpus was answered."""

from collections import Counter
from typing import Any

CORPUS = "corpus"
"""The property under which a test of the corpus records its answer: `accepted`, or the reason."""


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line of counts; with xdist too, for properties travel with the reports."""
    answers: Counter[str] = Counter()
    wrong = 0
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, ()):
            said = [value for name, value in report.user_properties if name == CORPUS]
            if outcome == "passed":
                answers.update(said)
            elif said:
                wrong += 1
    if not answers and not wrong:
        return
    accepted = answers.pop("accepted", 0)
    by_reason = " · ".join(f"{reason} {count}" for reason, count in sorted(answers.items()))
    terminalreporter.write_sep("-", "attack corpus")
    told = f"corpus: {answers.total()} refused, {accepted} accepted, as expected"
    terminalreporter.write_line(f"{told}; {wrong} otherwise; by reason: {by_reason}")
