"""``ablate``: how much a forecast depends on each part of its data and on the form of its law.

After table 2 and figure 6 of Snell et al. 2024, arXiv:2411.16035. A method that is right with all
its data and wrong without some of them is right by luck.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import polars as pl

from upswing.errors import UnknownNameError
from upswing.forecast.finetuning.emergence_law import EmergenceLaw
from upswing.forecast.finetuning.scores import CRITERION
from upswing.forecast.finetuning.truth import ElbowTruth
from upswing.forecast.studies.settings import Study, settings
from upswing.forecast.studies.study import SCORES, forecast_study
from upswing.notes import Note
from upswing.tables.bundle import Tables

STUDIES: tuple[Study, ...] = ("full", "amounts", "draws", "checkpoints", "form", "d0")
"""What can be varied: nothing; amounts of finetuning data; draws of the examples; pretrained
checkpoints; the form of the law; and D0, to which it is extrapolated."""

COLUMNS: dict[str, type[pl.DataType]] = {
    "task": pl.String,
    "study": pl.String,
    "setting": pl.String,
    **SCORES,
}
"""Columns of an ablation: which task and setting, and
:data:`~upswing.forecast.studies.study.SCORES`."""


@dataclass(frozen=True, eq=False)
class Ablations:
    """Forecasts of one elbow from parts of the data, with their errors.

    Attributes
    ----------
    task, metric
        What was forecast.
    truth
        The true elbow.
    law
        The law of the full data.
    table
        One row per setting, columns :data:`COLUMNS`.
    notes
        Remarks on the data and on the studies.
    """

    task: str
    metric: str
    truth: ElbowTruth
    law: EmergenceLaw
    table: pl.DataFrame
    notes: tuple[Note, ...]

    def summary(self) -> pl.DataFrame:
        """Return counts per study; see :func:`summarise_ablations`."""
        return summarise_ablations(self.table)

    def to_dict(self) -> dict[str, Any]:
        """Return the ablations as plain values."""
        return {
            "task": self.task,
            "metric": self.metric,
            "d0": self.law.d0,
            "intervals": self.law.intervals,
            "before": self.law.before,
            "criterion": CRITERION,
            "truth": dict(vars(self.truth)),
            "summary": self.summary().to_dicts(),
            "settings": self.table.to_dicts(),
            "notes": [note.to_dict() for note in self.notes],
        }

    def to_json(self) -> str:
        """Return the ablations as JSON."""
        return msgspec.json.format(msgspec.json.encode(self.to_dict()), indent=1).decode()


def ablate(
    data: pl.DataFrame | Tables,
    law: EmergenceLaw,
    *,
    task: str | None = None,
    metric: str | None = None,
    family: str | None = None,
    method: str | None = None,
    scales: pl.DataFrame | None = None,
    truth: float | None = None,
    other_truths: Sequence[float] = (),
    studies: Sequence[Study] = STUDIES,
) -> Ablations:
    """Forecast again from parts of the data and under other forms of the law.

    Checkpoints are counted by capability, that is, by falling loss, among those before emergence;
    the last is the most capable. Of the last six, "even" holds the second, fourth and sixth. In the
    study of D0 the number of shots is the ``d0`` of the law.

    Parameters
    ----------
    data, task, metric, family, method, scales
        The table and what to take from it; see
        :func:`~upswing.forecast.finetuning.table.finetune_table`.
    law
        The law. Only models before the true elbow are used unless it has a limit of its own
        (``before``).
    truth
        True elbow [nats/token]; by default that of the prompted models in the table.
    other_truths
        True elbows of other tasks [nats/token], for a baseline.
    studies
        Which of :data:`STUDIES`; all data are always among them.

    Returns
    -------
    Ablations
        Settings from which nothing can be forecast are rows with the status ``refused``.

    Raises
    ------
    InputError
        If the table or a setting of the law is impossible, or no truth is known.
    UnknownNameError
        If there is no such study.

    Examples
    --------
    >>> import numpy as np
    >>> from upswing.simulate.finetuning import FinetuningWorld, simulate_finetuning
    >>> world = FinetuningWorld(amounts=(256, 1448, 8192), draws=2)
    >>> runs = simulate_finetuning(world, np.random.default_rng(0))
    >>> law = EmergenceLaw(d0=5, intervals="iid", cap=False)
    >>> found = ablate(runs, law, truth=1.95, studies=["draws"])
    >>> found.table["setting"].to_list()
    ['all data', 'only subset draw 0', 'only subset draw 1']
    """
    for name in studies:
        if name not in STUDIES:
            raise UnknownNameError(f"no study {name!r}", hint=f"there are {', '.join(STUDIES)}")
    study, notes = forecast_study(
        data,
        law,
        task=task,
        metric=metric,
        family=family,
        method=method,
        scales=scales,
        truth=truth,
        other_truths=other_truths,
    )
    asked = ["full", *(name for name in STUDIES[1:] if name in studies)]
    chosen = [setting for name in asked for setting in settings(study, name)]
    known: dict[tuple[EmergenceLaw, bytes], dict[str, Any]] = {}
    rows = []
    for setting in chosen:
        row = {"task": study.table.task, "study": setting.study, "setting": setting.text}
        if setting.impossible:
            rows.append(row | study.refused(setting.impossible))
            continue
        mask = study.used.select(pl.repeat(True, pl.len()) & setting.kept).to_series()
        key = (setting.law, mask.to_numpy().tobytes())
        if key not in known:
            known[key] = study.scored(setting.law, setting.kept)
        rows.append(row | known[key])
    table = pl.DataFrame(rows, COLUMNS)
    return Ablations(
        study.table.task, study.table.metric, study.truth, study.law, table, tuple(notes)
    )


def summarise_ablations(table: pl.DataFrame) -> pl.DataFrame:
    """Count failures per task and study.

    Parameters
    ----------
    table
        Columns :data:`COLUMNS`.

    Returns
    -------
    polars.DataFrame
        ``task``, ``study``, ``settings``, ``refused`` of them, ``failed`` (a forecast that is not
        within the criterion), ``inside_90``, ``median_absolute_error`` and
        ``largest_absolute_error`` [nats/token], and how often each naive forecast failed, where it
        is known: ``best_still_random_failed``, ``smallest_amount_failed``, ``others_mean_failed``.
    """
    naive = ("best_still_random", "smallest_amount", "others_mean")
    error = pl.col("absolute_error")
    return table.group_by("task", "study", maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("settings"),
        (pl.col("status") == "refused").sum().cast(pl.Int64).alias("refused"),
        (~pl.col("within_criterion")).sum().cast(pl.Int64).alias("failed"),
        pl.when(pl.col("inside_90").count() > 0)
        .then(pl.col("inside_90").sum())
        .cast(pl.Int64)
        .alias("inside_90"),
        error.median().alias("median_absolute_error"),
        error.max().alias("largest_absolute_error"),
        *(_failed(name) for name in naive),
    )


def _failed(name: str) -> pl.Expr:
    error = pl.col(f"{name}_error")
    failed = (error > CRITERION + 1e-9).sum().cast(pl.Int64)
    return pl.when(error.count() > 0).then(failed).alias(f"{name}_failed")
