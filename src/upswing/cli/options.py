"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from upswing.errors import InputError

STDIN = "<stdin>"
"""What the parser sees for ``-``."""

INVOCATION: ContextVar[tuple[str, ...]] = ContextVar("invocation", default=())
"""The arguments as the user typed them, for reports."""

Paths = Annotated[list[str], Parameter(help="Files, folders, globs, stores, or - for stdin.")]
AxisName = Literal["flops", "params", "tokens", "loss"]
FormatName = Literal["table", "json", "csv", "md"]


@Parameter(name="*")
@dataclass(frozen=True)
class Reading:
    """How results are read.

    Attributes
    ----------
    strict
        Stop at the first malformed file or contradiction; exit 2 on warnings.
    models
        Model table (TOML) that wins over the shipped one.
    wide
        Accept sheets with a row per model and a column per task.
    chance
        Chance level of tasks, as TASK=0.25; TASK may be a glob. May be repeated.
    model
        Model of question-level logs that do not name theirs.
    mapping
        Mapping (TOML) for tables with columns of their own, such as exports of a run tracker.
    workers
        Processes that read [default: one per processor for many megabytes].
    """

    strict: bool = False
    models: Path | None = None
    wide: bool = False
    chance: Annotated[list[str], Parameter(consume_multiple=False, negative=())] = field(
        default_factory=list
    )
    model: str | None = None
    mapping: Path | None = None
    workers: int | None = None

    def arguments(self) -> dict[str, Any]:
        """Return the options as arguments of :func:`upswing.read` and :func:`upswing.ingest`."""
        return {
            "strict": self.strict,
            "models": self.models,
            "wide": self.wide,
            "chance": self.chance_levels(),
            "model": self.model,
            "mapping": self.mapping,
            "workers": self.workers,
        }

    def chance_levels(self) -> Mapping[str, float]:
        """Return the chance levels by glob.

        Raises
        ------
        InputError
            If an entry is not TASK=NUMBER.
        """
        levels = {}
        for entry in self.chance:
            task, _, number = entry.rpartition("=")
            try:
                levels[task] = float(number)
            except ValueError:
                levels[task] = -1.0
            if not task or not 0.0 <= levels[task] < 1.0:
                raise InputError(
                    f"--chance {entry!r} is not TASK=NUMBER", hint="write --chance 'mmlu*=0.25'"
                )
        return levels


@Parameter(name="*")
@dataclass(frozen=True)
class Selection:
    """Which curves are looked at, and how.

    Attributes
    ----------
    axis
        Scale axis.
    task
        Glob on the task.
    family
        Glob on the model family.
    n_shot
        Number of solved examples.
    revision
        Revision to take instead of each model's last (on flops and params).
    level
        task, or group for tasks that pool others.
    scale
        log, or linear, which keeps points at zero scale.
    rule
        upswing, or wei2022 for the published rule.
    delta
        Smallest gain over chance that counts, in units of the metric [default: a tenth of the way
        from chance to the best score].
    seed
        Seed of every bootstrap.
    """

    axis: AxisName = "flops"
    task: str | None = None
    family: str | None = None
    n_shot: Annotated[int | None, Parameter(name=["--n-shot", "--num_fewshot"])] = None
    revision: str | None = None
    level: Literal["task", "group"] = "task"
    scale: Literal["log", "linear"] = "log"
    rule: Literal["upswing", "wei2022"] = "upswing"
    delta: float | None = None
    seed: Annotated[int, Parameter(validator=Number(gte=0))] = 0

    def arguments(self) -> dict[str, Any]:
        """Return the options as arguments of :func:`upswing.detect`."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


Format = Annotated[FormatName, Parameter(name="--format", help="table, json, csv or md.")]
