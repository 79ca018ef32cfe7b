"""``Curve``: one task under one metric against one scale axis, for one family or one run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from upswing.errors import InputError
from upswing.notes import Note

Array = npt.NDArray[np.float64]
Axis = Literal["flops", "params", "tokens", "loss"]

AXES: dict[str, str] = {
    "flops": "Training compute, 6ND [FLOP]",
    "params": "Parameters (total)",
    "tokens": "Training tokens [tokens]",
    "loss": "Loss [nats/token]",
}
"""Label of each axis."""

RUN_AXES = ("tokens", "loss")
"""Axes on which a curve follows one model along its checkpoints instead of a family."""


@dataclass(frozen=True, eq=False)
class Curve:
    """Scores of one task over scale, sorted from the weakest model to the strongest.

    On ``params`` and ``flops`` a curve joins the models of a family, each once; on ``tokens`` and
    ``loss`` it follows one model along its checkpoints. On the loss axis scale grows to the right
    as loss falls, so ``x`` is descending there.

    Attributes
    ----------
    x
        Scale in the axis's unit, shape (n_scales,).
    y
        Score in the metric's unit, shape (n_scales,).
    axis
        ``flops`` [FLOP], ``params``, ``tokens`` [tokens] or ``loss`` [nats/token].
    stderr
        Standard error of each score over questions; NaN where unknown.
    n
        Questions behind each score; NaN where unknown.
    chance
        Score of a model that knows nothing; None where unknown.
    family, model, task, task_version, metric, filter, n_shot, elicitation
        What the curve is of; ``model`` is None for a curve over a family.
    models
        Label of each point.
    clustered
        Whether the questions come in clusters, so that ``stderr`` counts and the binomial does not.
    lowest, highest
        Range of the metric; None where unbounded.
    higher_is_better
        Direction of the metric.
    proportion
        Whether the score is a share of questions.
    params_slope
        How parameters grow along the compute axis, d ln N / d ln C: 1 where all models saw the same
        tokens, 1/2 where tokens grow with parameters. None where unknown and on other axes.
    notes
        Remarks on how the curve was put together.
    """

    x: Array
    y: Array
    axis: Axis = "flops"
    stderr: Array | None = None
    n: Array | None = None
    chance: float | None = None
    family: str = ""
    model: str | None = None
    task: str = "task"
    task_version: str = ""
    metric: str = "acc"
    filter: str = "none"
    n_shot: int | None = None
    elicitation: str = ""
    models: tuple[str, ...] = ()
    clustered: bool = False
    lowest: float | None = 0.0
    highest: float | None = 1.0
    higher_is_better: bool = True
    proportion: bool = True
    chance_source: str = ""
    n_source: str = ""
    harness: str = ""
    params_slope: float | None = None
    notes: tuple[Note, ...] = field(default=())

    def __post_init__(self) -> None:
        """Sort by scale, fill what is missing, and check shapes.

        Raises
        ------
        InputError
            If the arrays differ in length or hold NaN or infinities.
        """
        if self.axis not in AXES:
            raise InputError(f"no axis {self.axis!r}", hint=f"choose one of {', '.join(AXES)}")
        x = np.atleast_1d(np.asarray(self.x, dtype=float))
        y = np.atleast_1d(np.asarray(self.y, dtype=float))
        if x.ndim != 1 or x.shape != y.shape:
            raise InputError(f"x has shape {x.shape} and y {y.shape}: they must agree")
        if not (np.isfinite(x).all() and np.isfinite(y).all()):
            raise InputError("a curve has NaN or infinities in x or y")
        self._check_values(y)
        if (x < 0).any():
            raise InputError(f"a curve has a negative scale, {x.min():g}")
        if self.axis != "loss" and len(x) and not (x > 0).any():
            raise InputError("a curve needs a scale above 0")
        order = np.argsort(-x if self.axis == "loss" else x, kind="stable")
        object.__setattr__(self, "x", x[order])
        object.__setattr__(self, "y", y[order])
        for name in ("stderr", "n"):
            object.__setattr__(self, name, _column(getattr(self, name), x.shape, name)[order])
        labels = self.models or tuple("" for _ in x)
        if len(labels) != len(x):
            raise InputError(f"{len(labels)} labels for {len(x)} points")
        object.__setattr__(self, "models", tuple(labels[i] for i in order))
        for array in (self.x, self.y, self.stderr, self.n):
            array.flags.writeable = False  # type: ignore[union-attr]

    def _check_values(self, y: Array) -> None:
        """Refuse scores outside the metric's range, which are percent more often than not."""
        low = -np.inf if self.lowest is None else self.lowest
        high = np.inf if self.highest is None else self.highest
        if ((y < low - 1e-9) | (y > high + 1e-9)).any():
            raise InputError(
                f"{self.metric} has values outside [{low:g}, {high:g}]",
                hint="divide percent by 100, or say what its lowest and highest values are",
            )
        if self.chance is not None and not low <= self.chance <= high:
            raise InputError(f"chance is {self.chance:g}, outside [{low:g}, {high:g}]")
        if self.n is not None and (np.asarray(self.n, dtype=float) < 1).any():
            raise InputError("n must be at least 1")

    def __len__(self) -> int:
        return len(self.x)

    @property
    def key(self) -> tuple[Any, ...]:
        """What the curve is of, as a sortable tuple."""
        return (
            self.family,
            self.model or "",
            self.task,
            self.metric,
            self.filter,
            -1 if self.n_shot is None else self.n_shot,
            self.elicitation,
            self.axis,
            self.harness,
        )


def _column(value: object, shape: tuple[int, ...], name: str) -> Array:
    if value is None:
        return np.full(shape, np.nan)
    array = np.asarray(value, dtype=float)
    try:
        return np.broadcast_to(array, shape).copy()
    except ValueError:
        raise InputError(f"{name} has shape {array.shape}, x has {shape}") from None
