"""CPU compared with the floor of primitives: a consent, and a whole GetPersonData by stage.

The message and the consent are signed, certificate paths are cached, the decision is committed, and
the receipt is signed. The service and the floor run interleaved, round by round, and the best round
of each counts: machines are noisy, and the quietest moment is nearest to the truth.
"""

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.floor import Floor, Script, Tape, new_floor
from bench.requests import PAPER, ask
from bench.stages import Meter
from bench.verification import measure_verification
from makul.store.db.sqlite import connect
from makul_sandbox.world.build import RSA_CITIZEN
from makul_testing.in_process_service import InProcessService, ServiceAnswer, build_installation


def measure_trust(directory: Path, *, rounds: int, per_round: int) -> dict[str, Any]:
    """Measure the CPU of verifying one consent, and its floor."""
    directory.mkdir()
    installation = build_installation(directory)
    measured = measure_verification(
        installation,
        installation.document(PAPER).document,
        installation.world.citizens[RSA_CITIZEN].certificate,
        rounds=rounds,
        per_round=per_round,
    )
    installation.close()
    return measured


def measure_cpu(directory: Path, *, rounds: int, per_round: int) -> dict[str, Any]:
    """Measure the CPU of one request in process, its floor, and its stages."""
    directory.mkdir()
    tape, meter = Tape(), Meter()
    stop_listening = tape.attach()
    installation = build_installation(directory)
    warm, first, second = ask(installation, 3)
    installation.post(warm)
    script = Script.of_two(
        tape.record(lambda: installation.post(first)),
        tape.record(lambda: installation.post(second)),
    )
    stop_listening()
    installation.store.close()
    floor = _floor(installation, script, directory)
    real, raw = [], []
    for _ in range(rounds):
        messages = ask(installation, per_round)
        real.append(cpu_of_answers(installation, messages))
        raw.append(cpu_of(lambda: [floor.once() for _ in range(per_round)]))
    ratio = min(real) / min(raw)
    print(f"one GetPersonData: {min(real) / per_round * 1e6:7.0f} µs CPU")
    print(f"its floor:         {min(raw) / per_round * 1e6:7.0f} µs CPU")
    print(f"disclose cpu / floor: {ratio:.2f}")
    installation.close()
    shares = _by_stage(directory.with_name("stages"), meter, rounds=rounds, per_round=per_round)
    return {
        "disclose_cpu_ratio": round(ratio, 3),
        "disclose_cpu_us": round(min(real) / per_round * 1e6, 1),
        "floor_cpu_us": round(min(raw) / per_round * 1e6, 1),
        "cpu_us_by_stage": shares,
    }


def _floor(installation: InProcessService, script: Script, directory: Path) -> Floor:
    document = installation.document(PAPER)
    copy = directory / "floor.db"
    shutil.copy(installation.settings.store.database, copy)
    return new_floor(
        message=ask(installation, 1)[0],
        sender=installation.world.messages["bank"].certificate,
        consent=document.document,
        citizen=installation.world.citizens[RSA_CITIZEN].certificate,
        script=script,
        connection=connect(copy),
    )


def _by_stage(directory: Path, meter: Meter, *, rounds: int, per_round: int) -> dict[str, float]:
    directory.mkdir()
    installation = build_installation(directory, parts=meter.over)
    for message in ask(installation, per_round):
        installation.post(message)
    best: dict[str, float] = {}
    for _ in range(rounds):
        messages = ask(installation, per_round)
        meter.spent.clear()
        took = cpu_of_answers(installation, messages)
        round_ = {stage: spent / 1e3 / per_round for stage, spent in meter.spent.items()}
        round_["soap, app and domain"] = took / per_round * 1e6 - sum(round_.values())
        best = {stage: min(spent, best.get(stage, spent)) for stage, spent in round_.items()}
    total = sum(best.values())
    for stage, spent in sorted(best.items(), key=lambda item: -item[1]):
        print(f"  {stage:32} {spent:7.0f} µs {spent / total:6.1%}")
    installation.close()
    return {stage: round(spent, 1) for stage, spent in best.items()}


def cpu_of_answers(installation: InProcessService, messages: Sequence[bytes]) -> float:
    """Return the process CPU of answering all of these; each must have released something."""
    answers: list[ServiceAnswer] = []
    took = cpu_of(lambda: answers.extend(map(installation.post, messages)))
    assert all(b">RELEASED<" in answer.body for answer in answers), "not every answer is a release"
    return took


def cpu_of(work: Callable[[], object]) -> float:
    """Return the process CPU of a call, in seconds."""
    began = time.process_time()
    work()
    return time.process_time() - began
