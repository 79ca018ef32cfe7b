"""Curves that jump: with a continuous metric that rises before, jumps too, or is not there."""

from __future__ import annotations

import numpy as np

from upswing import Curve, Detection, detect

SIZES = np.geomspace(1e8, 1e11, 8)
JUMP = [0.0, 0.0, 0.0, 0.0, 0.0, 0.4, 0.7, 0.9]
EARLY = [0.97, 0.94, 0.88, 0.8, 0.7, 0.3, 0.2, 0.1]
STEP = [0.95, 0.951, 0.949, 0.95, 0.95, 0.4, 0.2, 0.1]


def jump(task: str, n: int = 500, y: list[float] = JUMP, family: str = "Alpha") -> Curve:
    return Curve(
        SIZES, y, metric="exact_match", task=task, family=family, n=n, chance=0.0, axis="params",
        models=tuple(f"{family}-{i}" for i in range(len(SIZES))),
    )  # fmt: skip


def edits(
    task: str, y: list[float], metric: str = "character_edit_distance_norm", family: str = "Alpha"
) -> Curve:
    return Curve(
        SIZES, y, metric=metric, task=task, family=family, n=500, stderr=0.005, axis="params",
        higher_is_better=False, proportion=False,
        models=tuple(f"{family}-{i}" for i in range(len(SIZES))),
    )  # fmt: skip


def jumping(early: str = "early", family: str = "Alpha") -> Detection:
    """Return an artifact, a real jump, one with nothing beside it, a small test, a flat curve."""
    return detect(
        [
            jump(early, family=family),
            edits(early, EARLY, family=family),
            jump("step", family=family),
            edits("step", STEP, family=family),
            jump("alone", family=family),
            jump("small", n=20, family=family),
            jump("flat", y=[0.0] * 8, family=family),
        ]
    )
