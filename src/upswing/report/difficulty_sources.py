"""Which tasks of a reading have questions, or groups of questions, that can be sorted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import polars as pl

from upswing.curves.curve import RUN_AXES
from upswing.difficulty.groups.answers import answer_matrix
from upswing.difficulty.groups.source import AnswerGroups, GroupSource
from upswing.difficulty.groups.stored import stored_source
from upswing.errors import InputError
from upswing.findings.finding import Detection
from upswing.notes import Note
from upswing.report.difficulty_right_answers import right_answers
from upswing.sources.wu_lo import stored_groups
from upswing.tables.bundle import Tables

_SETTING = ("task", "task_version", "filter", "n_shot", "elicitation")
_RUN = ("model", "revision", "harness")
_JUDGED = ("family", "task", "n_shot")


class Setting(NamedTuple):
    """What was asked, and in which way; ``kind`` says what is known of it.

    Attributes
    ----------
    task, task_version, filter, n_shot, elicitation
        As in the tables; of published groups only the task is known.
    kind
        ``options`` (log-likelihoods of options), ``answers`` (right or wrong) or ``groups`` (scores
        of groups that somebody else made).
    """

    task: str
    task_version: str = ""
    filter: str = "none"
    n_shot: int | None = None
    elicitation: str = ""
    kind: str = "options"


class TaskSource(NamedTuple):
    """A task whose questions can be sorted."""

    setting: Setting
    groups: GroupSource


def difficulty_sources(tables: Tables, detection: Detection) -> Iterator[TaskSource | Note]:
    """Yield the tasks of a reading, one at a time, or a note on why one cannot be sorted.

    Models of all families enter together, each once with its last revision; on ``tokens`` and
    ``loss`` all checkpoints. What the detection's selection left out is left out here too.

    Parameters
    ----------
    tables
        What :func:`upswing.read` returned.
    detection
        What was judged, and on which axis.
    """
    left_out = _left_out(tables, detection)
    located = tables.scales.filter(pl.col("flops").is_finite() & (pl.col("flops") > 0))
    items = tables.items.join(
        located, on=["model", "revision"], how="semi", maintain_order="left"
    ).join(left_out, on=_JUDGED, how="anti", nulls_equal=True, maintain_order="left")
    checkpoints = detection.axis in RUN_AXES
    parts = items.partition_by(_SETTING, as_dict=True, maintain_order=True)
    keys = pl.DataFrame(list(parts), schema=items.select(_SETTING).schema, orient="row")
    for key in keys.sort(_SETTING).iter_rows():
        for part in _one_harness(parts[key]):
            options = part.filter(
                pl.col("option_logprobs").is_not_null() & pl.col("target_index").is_not_null()
            )
            kind = "options" if len(options) else "answers"
            setting = Setting(**dict(zip(_SETTING, key, strict=True)), kind=kind)
            own = Tables(items=part, scales=tables.scales)
            read = answer_matrix if len(options) else right_answers
            try:
                matrix = read(own, setting.task, checkpoints=checkpoints)
            except InputError as error:
                yield Note("difficulty-left-out", "info", f"{setting.task}: {error}")
                continue
            yield TaskSource(setting, AnswerGroups(matrix))
    yield from _published(tables, left_out)


def _left_out(tables: Tables, detection: Detection) -> pl.DataFrame:
    """Return what the detection could have judged on its axis and did not."""
    on_axis = tables.scales.filter(pl.col(detection.axis).is_not_null())
    scored = tables.scores.join(on_axis, on=["model", "revision"], how="semi")
    scored = scored.filter(pl.col("level") == "task").select(_JUDGED).unique()
    if not len(detection):
        return scored.clear()
    judged = pl.DataFrame(
        [(f.curve.family, f.curve.task, f.curve.n_shot) for f in detection],
        schema={"family": pl.String, "task": pl.String, "n_shot": pl.Int64},
        orient="row",
    )
    return scored.join(judged, on=_JUDGED, how="anti", nulls_equal=True)


def _one_harness(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """Split questions that several harnesses asked the same model."""
    runs = rows.select(_RUN).unique()
    if runs.select("model", "revision").is_duplicated().any():
        return rows.partition_by("harness", maintain_order=True)
    return [rows]


def _published(tables: Tables, left_out: pl.DataFrame) -> Iterator[TaskSource | Note]:
    known = stored_groups(tables.scores)
    for task in known["of_task"].unique().sort().to_list():
        families = left_out.filter(pl.col("task") == task)["family"].implode()
        of_task = pl.col("task").is_in([task, *known.filter(of_task=task)["task"]])
        scores = tables.scores.filter(of_task & ~pl.col("family").is_in(families))
        setting = Setting(task, kind="groups")
        try:
            yield TaskSource(setting, stored_source(Tables(scores=scores, scales=tables.scales)))
        except InputError as error:
            yield Note("difficulty-left-out", "info", f"{task}: {error}")
