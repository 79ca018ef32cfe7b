"""Questions and chance levels from a table of tasks, for logs that do not state them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from upswing.curves.curve import Curve
from upswing.metrics.registry import known_metric
from upswing.mirage.meta.preferred_metric import GRADE

SOURCE = "task metadata"


def with_task_metadata(curves: Sequence[Curve], metadata: pl.DataFrame) -> list[Curve]:
    """Fill in what curves lack: questions per point, and the chance level of the grade.

    BIG-bench's score files say neither. What a curve has is never changed.

    Parameters
    ----------
    curves
        The curves; that of a subtask is named ``task:subtask``.
    metadata
        ``task``, ``subtask``, ``n`` and ``chance``, see
        :func:`~upswing.mirage.meta.preferred_metric.read_task_metadata`.
    """
    name = pl.concat_str("task", "subtask", separator=":", ignore_nulls=True)
    known = metadata.select(name.alias("name"), "n", "chance")
    facts = {task: (n, chance) for task, n, chance in known.iter_rows()}
    filled = []
    for curve in curves:
        n, chance = facts.get(curve.task, (None, None))
        changes: dict[str, Any] = {}
        if n is not None and np.isnan(np.asarray(curve.n)).all():
            changes.update(n=np.full(len(curve), n), n_source=SOURCE)
        metric = known_metric(curve.metric)
        is_grade = metric is not None and metric.name == GRADE
        if chance is not None and curve.chance is None and is_grade:
            changes.update(chance=chance, chance_source=SOURCE)
        filled.append(replace(curve, **changes) if changes else curve)
    return filled
