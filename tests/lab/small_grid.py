"""A grid of a few seconds: one size, two checkpoints, one tiny finetuning."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from upswing.lab.mixture import Mixture
from upswing.lab.plans import EvaluationPlan, FinetunePlan, LadderPlan
from upswing.lab.presets import Preset
from upswing.lab.runner.job import Job
from upswing.lab.runner.kinds import KINDS, load_function
from upswing.lab.runner.making import making
from upswing.lab.runner.output import keep, prepare
from upswing.lab.runner.record import Stopwatch
from upswing.lab.runner.workplace import Workplace

LADDER = LadderPlan(
    Mixture("tiny", 0.5, {"copy": 1.0, "addition-2": 1.0}), ("d8L1",), 20, (10, 20), rows=4
)
EVALUATION = EvaluationPlan(("copy", "addition-2"), 12, kept=("copy",))
FINETUNE = FinetunePlan(
    "addition-2",
    (8, 16),
    draws=2,
    seeds=2,
    checkpoints=("*@step20",),
    steps=4,
    rows=4,
    questions=12,
)
PRESET = Preset((LADDER,), EVALUATION, (FINETUNE, replace(FINETUNE, d=(8,), methods=("lora-1",))))


def finish(jobs: Iterable[Job], store: Path) -> None:
    """Do the work of jobs in this process, as a worker does it."""
    prepare(store)
    for job in jobs:
        with making(store, job.key) as folder:
            readings = load_function(KINDS[job.kind])(job.config, Workplace(folder, job, store))
            keep(folder, job, readings, store, Stopwatch())
