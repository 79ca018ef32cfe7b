"""The grids that come with Upswing: ``quick``, ``full``, and the one behind the shipped results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from upswing.lab.corpus import Corpus
from upswing.lab.mixture import Mixture
from upswing.lab.plans import EvaluationPlan, FinetunePlan, LadderPlan
from upswing.lab.runner.job import Job

QUICK_MIXTURE = Mixture("quick", 0.3, {"reverse": 1.0, "sort": 1.0})
"""Two tasks only, so that small models learn them in a minute."""

_WEIGHTS = {
    "copy": 0.5,
    "reverse": 1.0,
    "sort": 0.75,
    "addition-1": 0.5,
    "addition-2": 1.5,
    "addition-3": 0.75,
    "addition-4": 0.25,
    "multiplication-2": 0.5,
    "lookup": 0.25,
    "modular-addition": 0.25,
}

V1_MIXTURE = Mixture("v1", 0.4, _WEIGHTS)
"""All tasks."""

V2_MIXTURE = Mixture("v2", 0.4, {**_WEIGHTS, "addition-2": 3.0})
"""The same with twice the weight on 2-digit addition, so less of every other task: better data for
that task. The share of the text is the same."""

_STEPS = 4000
_CHECKPOINTS = (30, 60, 120, 250, 500, 1000, 2000, 3000, 4000)
_QUICK_CHECKPOINTS = (40, 100, 200, 300, 400, 550, 700, 850, 1000)
_KEPT = ("reverse", *(f"addition-{digits}" for digits in range(1, 5)), "multiplication-2")


@dataclass(frozen=True)
class Preset:
    """Models to train, questions to ask them, checkpoints to finetune.

    Attributes
    ----------
    ladders
        What to train.
    evaluation
        What to ask every checkpoint.
    finetunes
        What to finetune.
    """

    ladders: tuple[LadderPlan, ...]
    evaluation: EvaluationPlan
    finetunes: tuple[FinetunePlan, ...]

    def ladder_jobs(self, corpus: Corpus, seed: int) -> list[Job]:
        """Return the pretraining jobs."""
        return [job for ladder in self.ladders for job in ladder.jobs(corpus, seed)]

    def jobs(self, corpus: Corpus, seed: int) -> list[Job]:
        """Return the whole grid."""
        pretrained = self.ladder_jobs(corpus, seed)
        return [
            *pretrained,
            *self.evaluation.jobs(pretrained, seed),
            *self.finetune_jobs(pretrained, seed),
        ]

    def finetune_jobs(self, pretrained: Sequence[Job], seed: int) -> list[Job]:
        """Return the finetuning jobs."""
        return [job for plan in self.finetunes for job in plan.jobs(pretrained, seed)]


QUICK = Preset(
    (LadderPlan(QUICK_MIXTURE, ("d16L2", "d24L2", "d32L3", "d48L3"), 1000, _QUICK_CHECKPOINTS),),
    EvaluationPlan(),
    (
        FinetunePlan(
            "reverse",
            (32, 128, 512),
            draws=2,
            seeds=1,
            checkpoints=tuple(
                f"*-{shape}*@step{step}" for shape in ("d32L3", "d48L3") for step in (200, 400, 700)
            ),
            learning_rates=(1e-3, 3e-3),
            steps=160,
            rows=16,
        ),
    ),
)

FULL = Preset(
    (LadderPlan(V1_MIXTURE, ("d16L2", "d24L2", "d32L3", "d48L3", "d64L4"), _STEPS, _CHECKPOINTS),),
    EvaluationPlan(kept=_KEPT),
    (
        FinetunePlan(
            "addition-2",
            (256, 1024, 4096),
            draws=2,
            seeds=1,
            checkpoints=(
                "*-d24L2*@step1000",
                "*-d32L3*@step1000",
                "*-d48L3*@step500",
                "*-d48L3*@step1000",
                "*-d48L3*@step2000",
                "*-d64L4*@step1000",
                "*-d64L4*@step4000",
            ),
        ),
        FinetunePlan(
            "addition-2",
            (1024,),
            draws=1,
            seeds=2,
            checkpoints=("*-d48L3*@step2000",),
            methods=("lora-1", "lora-2", "lora-4", "lora-16"),
            shots=None,
        ),
    ),
)

_RESULT_CHECKPOINTS = (
    "*-d16L2*@step4000",
    "*-d24L2*@step1000",
    "*-d24L2*@step4000",
    "*-d32L3*@step500",
    "*-d32L3*@step1000",
    "*-d32L3*@step2000",
    "*-d32L3*@step4000",
    "*-d48L3*@step250",
    "*-d48L3*@step500",
    "*-d48L3*@step1000",
    "*-d48L3*@step2000",
    "*-d48L3*@step4000",
    "*-d64L4*@step500",
    "*-d64L4*@step1000",
    "*-d64L4*@step4000",
)
_AMOUNTS = (256, 512, 1024, 2048, 4096)

RESULTS = Preset(
    (
        LadderPlan(
            V1_MIXTURE,
            ("d16L2", "d24L2", "d32L3", "d48L3", "d64L4", "d96L4"),
            _STEPS,
            _CHECKPOINTS,
        ),
        LadderPlan(V2_MIXTURE, ("d24L2", "d32L3", "d48L3", "d64L4"), _STEPS, _CHECKPOINTS),
    ),
    EvaluationPlan(kept=_KEPT),
    (
        FinetunePlan(
            "addition-2",
            _AMOUNTS,
            draws=2,
            seeds=3,
            checkpoints=tuple(f"char-v1{pattern[1:]}" for pattern in _RESULT_CHECKPOINTS),
        ),
        FinetunePlan(
            "addition-2",
            _AMOUNTS,
            draws=2,
            seeds=1,
            checkpoints=(
                "char-v2-d32L3*@*000",
                "char-v2-d48L3*@*00",
                "char-v2-d64L4*@step1000",
                "char-v2-d64L4*@step4000",
            ),
        ),
        FinetunePlan(
            "addition-2",
            (512, 2048),
            draws=1,
            seeds=2,
            checkpoints=("char-v1-d48L3*@step500", "char-v1-d48L3*@step4000"),
            methods=("lora-1", "lora-2", "lora-4", "lora-16"),
            shots=None,
        ),
    ),
)
"""What ``make lab-results`` runs."""
