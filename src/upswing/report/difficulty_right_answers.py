"""Right and wrong answers without options, as the matrix that sorts questions by accuracy."""

from __future__ import annotations

import numpy as np
import polars as pl

from upswing.curves.build import last_revision
from upswing.detection.item_matrix import Cells
from upswing.difficulty.groups.answers import LEAST_COVERAGE, AnswerMatrix
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
        If no answer was judged or can be compared, or no question was answered by all models.
    """
    scales = tables.scales.select("model", "revision", "step", "tokens", "flops", "loss")
    settings = ("family", "task", "task_version", "filter", "n_shot", "elicitation")
    runs = tables.items.select(*settings, *_RUN).unique(maintain_order=True)
    runs = runs.join(scales, on=["model", "revision"], how="left", maintain_order="left")
    if not checkpoints:
        runs = last_revision(runs.with_columns(pl.lit("").alias("metric")), None)
    models = (
        runs.group_by("model", "revision")
        .agg(pl.col("family").first(), pl.col("flops").first())
        .sort("flops", "model", "revision", nulls_last=True)
    )
    numbered = models.select("model", "revision").with_row_index("_model")
    rows = tables.items.join(numbered, on=["model", "revision"], maintain_order="left")
    judged = rows["correct"].is_not_null().any()
    right = item_values(rows, find_metric("pass@1" if judged else "exact_match"))
    rows = rows.with_columns(right.alias("_right"))
    names = rows["item"].unique().sort()
    code = rows["item"].rank("dense").cast(pl.Int64).to_numpy() - 1
    cells = Cells(code, rows["_model"].cast(pl.Int64).to_numpy(), names, len(models))
    means = cells.mean(rows["_right"].fill_null(np.nan).to_numpy()[:, None])[..., 0].T
    there: Mask = np.asarray(np.isfinite(means))
    share = there.mean(axis=1)
    enough: Mask = np.asarray((share > 0) & (share >= LEAST_COVERAGE * share.max()))
    common: Mask = np.asarray(there[enough].all(axis=0))
    if not common.any() or not enough.any():
        raise InputError(f"no question of {task} has an answer of all models that was judged")
    questions = pl.DataFrame(
        {"task": task, "item": names, "options": np.inf}  # a guess is never right
    )
    return AnswerMatrix(
        task,
        models.filter(pl.Series(enough)),
        questions.filter(pl.Series(common)),
        None,
        {"acc": means[enough][:, common]},
    )
