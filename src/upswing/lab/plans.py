"""What experiments to run, and the grid of jobs that follows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from upswing.errors import InputError
from upswing.lab.corpus import Corpus
from upswing.lab.mixture import CONTEXT, Mixture
from upswing.lab.model_shape import ModelShape
from upswing.lab.runner.job import Job
from upswing.lab.tasks import find_task

_SECONDS_PER_CHARACTER = 4e-6
_SECONDS_PER_FLOP = 3.3e-11
_FORWARD = 1 / 3
"""Share of a training step that reading alone takes."""

_METHOD = re.compile(r"full|lora-[1-9][0-9]*")


@dataclass(frozen=True)
class LadderPlan:
    """Models to train from scratch.

    Attributes
    ----------
    mixture
        What they read.
    shapes
        Sizes, such as ``d48L3``.
    steps, rows, learning_rate
        Length, batch and speed of the training.
    checkpoints
        Steps at which a checkpoint is kept.
    models
        Models per size, which differ in their seed and are trained as one stack.
    """

    mixture: Mixture
    shapes: tuple[str, ...]
    steps: int
    checkpoints: tuple[int, ...]
    rows: int = 32
    learning_rate: float = 4e-3
    models: int = 1

    def changed(
        self,
        shapes: tuple[str, ...] | None,
        steps: int | None,
        models: int,
        learning_rate: float | None,
    ) -> LadderPlan:
        """Return the plan with other sizes, length, models per size or rate; None keeps a value.

        Checkpoints keep their share of the steps.
        """
        length = self.steps if steps is None else steps
        scaled = {max(1, round(step * length / self.steps)) for step in self.checkpoints}
        return replace(
            self,
            shapes=shapes or self.shapes,
            steps=length,
            checkpoints=tuple(sorted(scaled)),
            models=models,
            learning_rate=self.learning_rate if learning_rate is None else learning_rate,
        )

    def jobs(self, corpus: Corpus, seed: int) -> list[Job]:
        """Return one job per size.

        Raises
        ------
        InputError
            If a checkpoint lies outside the training, or there would be no model.
        """
        if self.models < 1:
            raise InputError(f"{self.models} models of a size cannot be trained")
        outside = [step for step in self.checkpoints if not 1 <= step <= self.steps]
        if outside:
            raise InputError(
                f"no checkpoint at step {outside[0]}", hint=f"the training has {self.steps} steps"
            )
        return [self._job(ModelShape.named(name), corpus, seed) for name in self.shapes]

    def _job(self, shape: ModelShape, corpus: Corpus, seed: int) -> Job:
        config = {
            "corpus": corpus.name,
            "corpus_sha256": corpus.sha256,
            "mixture": {
                "name": self.mixture.name,
                "task_share": self.mixture.task_share,
                "weights": dict(self.mixture.weights),
            },
            "shape": shape.name,
            "seeds": [seed + i for i in range(self.models)],
            "steps": self.steps,
            "rows": self.rows,
            "learning_rate": self.learning_rate,
            "checkpoints": list(self.checkpoints),
        }
        characters = self.models * self.steps * self.rows * CONTEXT
        label = f"pretrain {self.mixture.name} {shape.name}"
        return Job("pretrain", config, cost=characters * _seconds(shape), label=label)


@dataclass(frozen=True)
class EvaluationPlan:
    """Questions to ask.

    Attributes
    ----------
    tasks
        Names of tasks; None for those of each model's mixture.
    questions
        Per task, at most.
    shots
        Solved examples before each.
    kept
        Tasks of which every answer is kept, not only the scores; None for all.
    revisions
        Checkpoints to ask; None for all.
    """

    tasks: tuple[str, ...] | None = None
    questions: int = 500
    shots: int = 2
    kept: tuple[str, ...] | None = None
    revisions: tuple[str, ...] | None = None

    def jobs(self, pretrained: Sequence[Job], seed: int) -> list[Job]:
        """Return one job per pretraining job and task.

        Raises
        ------
        InputError
            If there is no question, fewer than no shots, or more of them than the models read, or
            no model has one of the revisions.
        UnknownNameError
            If a task does not exist.
        """
        _check_counts(questions=self.questions)
        there_are = {r for job in pretrained for _, r in _checkpoints(job)}
        missing = sorted(set(self.revisions or ()) - there_are)
        if missing:
            raise InputError(
                f"no checkpoint {', '.join(missing)}",
                hint=f"there are {', '.join(sorted(there_are, key=lambda r: (len(r), r)))}",
            )
        jobs = []
        for job in pretrained:
            revisions = dict.fromkeys(revision for _, revision in _checkpoints(job))
            asked = [r for r in revisions if self.revisions is None or r in self.revisions]
            for task in self.tasks or job.config["mixture"]["weights"]:
                _check_shots(task, self.shots)
                if asked:
                    jobs.append(self._job(job, task, asked, seed))
        return jobs

    def _job(self, pretrained: Job, task: str, revisions: Sequence[str], seed: int) -> Job:
        config = {
            "pretrain": pretrained.key,
            "task": task,
            "revisions": list(revisions),
            "questions": self.questions,
            "shots": self.shots,
            "keeps_answers": self.kept is None or task in self.kept,
            "seed": seed,
        }
        shape = ModelShape.named(pretrained.config["shape"])
        models = len(revisions) * len(pretrained.config["seeds"])
        characters = models * self.questions * 2 * CONTEXT
        return Job(
            "evaluate",
            config,
            needs=(pretrained.key,),
            cost=characters * _FORWARD * _seconds(shape),
            label=f"evaluate {pretrained.config['mixture']['name']} {shape.name} {task}",
        )


@dataclass(frozen=True)
class FinetunePlan:
    """Checkpoints to finetune, and how often.

    Attributes
    ----------
    task
        Task of the examples.
    d
        Amounts of examples.
    draws, seeds
        Subsets of the examples, and runs on each.
    checkpoints
        Globs on ``MODEL@REVISION``, such as ``*-d48L3@step1000``.
    methods
        ``full``, ``lora-4``, …
    learning_rates
        To choose from.
    steps, rows
        Length and batch of a run.
    questions
        Test problems.
    shots
        Of the prompted model to compare with; None for none.
    """

    task: str
    d: tuple[int, ...]
    draws: int
    seeds: int
    checkpoints: tuple[str, ...] = ("*",)
    methods: tuple[str, ...] = ("full",)
    learning_rates: tuple[float, ...] = (2e-3, 6e-3)
    steps: int = 640
    rows: int = 32
    questions: int = 300
    shots: int | None = 2

    def jobs(self, pretrained: Sequence[Job], seed: int) -> list[Job]:
        """Return one job per checkpoint and method.

        Raises
        ------
        InputError
            If no checkpoint matches, there would be nothing to run, a method does not exist, or
            there are more shots than the models read.
        UnknownNameError
            If the task does not exist.
        """
        find_task(self.task)
        _check_counts(
            draws=self.draws, seeds=self.seeds, steps=self.steps, questions=self.questions
        )
        if not self.d or min(self.d) < 1:
            raise InputError("finetuning needs at least one example")
        unknown = [method for method in self.methods if not _METHOD.fullmatch(method)]
        if unknown:
            raise InputError(f"no method {unknown[0]!r}", hint="choose full, lora-1, lora-4, …")
        if self.shots is not None:
            _check_shots(self.task, self.shots)
        jobs = [
            self._job(job, model, revision, method, seed)
            for job in pretrained
            for model, revision in _checkpoints(job)
            if any(fnmatchcase(f"{model}@{revision}", pattern) for pattern in self.checkpoints)
            for method in self.methods
        ]
        if not jobs:
            raise InputError(
                f"no checkpoint matches {', '.join(self.checkpoints)}",
                hint="write globs on MODEL@REVISION, such as '*-d48L3@step1000'",
            )
        return jobs

    def _job(self, pretrained: Job, model: str, revision: str, method: str, seed: int) -> Job:
        config = {
            "pretrain": pretrained.key,
            "model": model,
            "revision": revision,
            "task": self.task,
            "method": method,
            "d": list(self.d),
            "draws": self.draws,
            "seeds": self.seeds,
            "learning_rates": list(self.learning_rates),
            "steps": self.steps,
            "rows": self.rows,
            "questions": self.questions,
            "shots": self.shots,
            "seed": seed,
        }
        shape = ModelShape.named(pretrained.config["shape"])
        rates = len(self.learning_rates)
        runs = len(self.d) * (self.draws * self.seeds + (rates if rates > 1 else 0))
        task = find_task(self.task).problem(0)
        characters = runs * self.steps * self.rows * (len(task.prompt) + len(task.answer))
        return Job(
            "finetune",
            config,
            needs=(pretrained.key,),
            cost=characters * _seconds(shape),
            label=f"finetune {model}@{revision} {self.task} {method}",
        )


def _check_counts(**counts: int) -> None:
    """Refuse a number of something that is below one."""
    for name, count in counts.items():
        if count < 1:
            raise InputError(f"{count} {name} are too few", hint="ask for at least one")


def _check_shots(task: str, shots: int) -> None:
    """Refuse prompts that no model of the lab has learnt to read."""
    prompt, answer = map(len, find_task(task).problem(0))
    most = (CONTEXT - prompt - answer) // (prompt + answer + 1)
    if not 0 <= shots <= most:
        raise InputError(
            f"{task} cannot have {shots} shots",
            hint=f"give 0 to {most}: the models read {CONTEXT} characters",
        )


def _checkpoints(pretrained: Job) -> Iterator[tuple[str, str]]:
    """Yield model and revision of what a pretraining job will make."""
    config = pretrained.config
    for seed in config["seeds"]:
        model = model_name(config["mixture"]["name"], config["shape"], seed)
        for step in config["checkpoints"]:
            yield model, revision_name(step)


def family_name(mixture: str) -> str:
    """Return the family of models that read a mixture."""
    return f"char-{mixture}"


def model_name(mixture: str, shape: str, seed: int) -> str:
    """Return the name of a model.

    >>> model_name("v1", "d48L3", 0), model_name("v1", "d48L3", 7)
    ('char-v1-d48L3', 'char-v1-d48L3-seed7')
    """
    return f"{family_name(mixture)}-{shape}" + (f"-seed{seed}" if seed else "")


def revision_name(step: int) -> str:
    """Return the name of a checkpoint."""
    return f"step{step}"


def _seconds(shape: ModelShape) -> float:
    """Return the CPU seconds that training takes per character, as measured on one core."""
    return _SECONDS_PER_CHARACTER + 6.0 * shape.params * _SECONDS_PER_FLOP
