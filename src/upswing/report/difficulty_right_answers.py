"""Right and wrong answers without options, as the matrix that sorts questions by accuracy."""

from __future__ import annotations

import numpy as np
import polars as pl

from upswing.detection.item_matrix import Cells
from upswing.difficulty.groups.answers import AnswerMatrix, common_answers, models_of_runs
from upswing.difficulty.groups.groups import Mask
from upswing.errors import InputError
from upswing.metrics.item_values import item_values
from upswing.metrics.registry import find_metric
from upswing.tables.bundle import Tables

_RUN = ("model", "revision", "harness")


def right_answers(tables: Tables, task: str, *, checkpoints: bool = False) -> AnswerMatrix:
    """Return which questions each model answered right.

    The log's own judgement counts where it is there, else exact match. The accuracy of a guess is
    taken as 0.

    Parameters
    ----------
    tables
        Items of one task, asked in one way, and scales.
    task
        Its name.
    checkpoints
        Whether every revision of a model is a point; else the last one is.

    Raises
    ------
    InputError
        If no answer was judged or can be compared, or no question has one of all models.
    """
    settings = ("family", "task", "task_version", "filter", "n_shot", "elicitation")
    runs = tables.items.select(*settings, *_RUN).unique(maintain_order=True)
    models, numbered = models_of_runs(tables, runs, checkpoints)
    rows = tables.items.join(numbered, on=["task", *_RUN], maintain_order="left")
    judged = rows["correct"].is_not_null().any()
    right = item_values(rows, find_metric("pass@1" if judged else "exact_match"))
    rows = rows.with_columns(right.alias("_right"))
    names = rows["item"].unique().sort()
    code = rows["item"].rank("dense").cast(pl.Int64).to_numpy() - 1
    cells = Cells(code, rows["_model"].cast(pl.Int64).to_numpy(), names, len(models))
    means = cells.mean(rows["_right"].fill_null(np.nan).to_numpy()[:, None])[..., 0].T
    there: Mask = np.asarray(np.isfinite(means))
    if not there.any():
        raise InputError(f"no answer to {task} was judged or can be compared")
    enough, common, notes = common_answers(task, models, there)
    questions = pl.DataFrame(
        {"task": task, "item": names, "options": np.inf}  # a guess is never right
    )
    return AnswerMatrix(
        task,
        models.filter(pl.Series(enough)),
        questions.filter(pl.Series(common)),
        None,
        {"acc": means[enough][:, common]},
        notes,
    )
