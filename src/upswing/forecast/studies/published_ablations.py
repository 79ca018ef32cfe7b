"""Table 2 of Snell et al. in the columns of our own ablations, to be counted and drawn alike."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import polars as pl

from upswing.forecast.finetuning.scores import interval_score, score_elbow
from upswing.forecast.studies.ablations import COLUMNS
from upswing.forecast.studies.settings import (
    every_other_checkpoint,
    last_checkpoints,
    only_draw,
    without_amounts,
    without_checkpoints,
)
from upswing.sources.published.snell import read_snell_errors, read_snell_percentiles


def published_ablations() -> pl.DataFrame:
    """Return table 2 of Snell et al. with the columns of an ablation of ours.

    Where the paper is silent there are nulls: the direction of an error and the forecast itself are
    known for the full data alone (from table 3), models and compute for no row. The mean truth of
    the other three tasks is added as the one naive forecast that can be computed.

    References
    ----------
    Snell et al. 2024, arXiv:2411.16035, tables 2 and 3.

    Examples
    --------
    >>> published_ablations().filter(~pl.col("within_criterion")).height  # of 76
    26
    """
    found = read_snell_percentiles().filter(
        pl.col("study") == "main", pl.col("method") == "posterior"
    )
    full = {row["task"]: row for row in found.iter_rows(named=True)}
    rows = []
    for row in read_snell_errors().iter_rows(named=True):
        study, setting = _setting(row["data"])
        own = full[row["task"]]
        truth = own["truth"]
        others = [other["truth"] for task, other in full.items() if task != row["task"]]
        naive = score_elbow(float(np.mean(others)), truth, truth)
        rows.append(
            dict.fromkeys(COLUMNS)
            | {
                "task": row["task"],
                "study": study,
                "setting": setting,
                "status": "forecast",
                "reason": "",
                "truth": truth,
                "absolute_error": row["error"],
                "error_q05": row["error_q05"],
                "error_q95": row["error_q95"],
                "within_criterion": score_elbow(row["error"], 0.0, 0.0).within_criterion,
                "others_mean_error": naive.absolute_error,
            }
            | (_known(own) if study == "full" else {})
        )
    return pl.DataFrame(rows, COLUMNS)


def _known(own: dict[str, Any]) -> dict[str, Any]:
    """Return what table 3 says of a task."""
    low, high, truth = own["q05"], own["q95"], own["truth"]
    return {
        "elbow": own["mle"],
        **{name: own[name] for name in ("q05", "q50", "q95")},
        "error": own["mle"] - truth,
        "interval_score": interval_score(low, high, truth),
        "inside_90": low <= truth <= high,
    }


def _setting(data: str) -> tuple[str, str]:
    """Return study and setting in our words for the paper's name of a row."""
    if data == "Full Data":
        return "full", "all data"
    number = re.search(r"\d+", data)
    count = int(number.group()) if number else 0
    if "Sample" in data:
        return "draws", only_draw(count)
    if "Subset" in data:
        return "amounts", without_amounts(count, "smallest" if "Smallest" in data else "largest")
    if "Every Other" in data:
        return "checkpoints", every_other_checkpoint(count, data.split()[-1].lower())
    said = without_checkpoints if data.startswith("-") else last_checkpoints
    return "checkpoints", said(count)
