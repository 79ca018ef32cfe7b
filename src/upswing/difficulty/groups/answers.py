"""``AnswerMatrix``: every model's answers to the same multiple-choice questions, as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

import numpy as np
import polars as pl

from upswing.curves.build import last_revision
from upswing.detection.item_matrix import Cells
from upswing.difficulty.groups.groups import Array, Mask, Whole
from upswing.errors import InputError, UnknownNameError
from upswing.metrics.item_values import item_values
from upswing.metrics.registry import find_metric
from upswing.notes import Note, listing
from upswing.tables.bundle import Tables

METRICS = ("tc_brier", "tc_brier_undistributed", "acc", "option_mass")
"""What is known of every answer."""

LEAST_COVERAGE = 0.9
"""A model that answered a smaller share of the questions is left out, rather than the questions."""

_SETTING = ("task_version", "filter", "n_shot", "elicitation")
_RUN = ("model", "revision", "harness")
_NEEDED = ("option_logprobs", "target_index")


@dataclass(frozen=True, eq=False)
class AnswerMatrix:
    """Answers of models to the questions that all of them answered.

    Attributes
    ----------
    task
        Name of the task, or the glob that pools several.
    models
        One row per model, by compute: ``model``, ``revision``, ``family``, ``flops`` [FLOP].
    questions
        One row per question, by task and number: ``task``, ``item``, ``options`` (how many).
    cluster
        Cluster of each question, from 0; None where the log knows none.
    values
        Mean over a model's repeats, by metric of :data:`METRICS`; shape (n_models, n_questions).
    notes
        Remarks on what was left out.
    """

    task: str
    models: pl.DataFrame
    questions: pl.DataFrame
    cluster: Whole | None
    values: Mapping[str, Array]
    notes: tuple[Note, ...] = ()

    @property
    def chance(self) -> float:
        """Expected accuracy of a guess among the options of each question."""
        return float((1.0 / self.questions["options"]).mean())  # type: ignore[arg-type]


def answer_matrix(
    tables: Tables,
    task: str | None = None,
    *,
    family: str | None = None,
    n_shot: int | None = None,
    filter: str | None = None,
    elicitation: str | None = None,
    checkpoints: bool = False,
) -> AnswerMatrix:
    """Return the answers to a task's questions, over all families.

    Parameters
    ----------
    tables
        What :func:`upswing.read` returned, with items that have log-likelihoods of options.
    task
        Name of a task, or a glob whose tasks are pooled, such as ``mmlu_*``; may be left out where
        there is one task.
    family
        Glob on the model family.
    n_shot, filter, elicitation
        Which way of asking, where there are several.
    checkpoints
        Whether every revision of a model is a point; else the last one is. Checkpoints of one run
        are not independent.

    Raises
    ------
    UnknownNameError
        If no task or family matches.
    InputError
        If questions were asked in several ways and it is not said which one counts.
    """
    wanted = {"n_shot": n_shot, "filter": filter, "elicitation": elicitation}
    usable = pl.all_horizontal(pl.col(name).is_not_null() for name in _NEEDED)
    items = _of_tasks(tables.items.filter(usable), task, family)
    asked = [pl.col(name) == value for name, value in wanted.items() if value is not None]
    items = items.filter(*asked)
    if items.is_empty():
        raise UnknownNameError("no question was asked that way", hint=f"asked for: {wanted}")
    runs = items.select("family", "task", *_SETTING, *_RUN).unique(maintain_order=True)
    _one_setting(runs)
    models, numbered = models_of_runs(tables, runs, checkpoints)
    columns = ("task", *_RUN, "item", "cluster", *_NEEDED)
    rows = items.select(columns).join(numbered, on=["task", *_RUN], maintain_order="left")
    name = task if task is not None else str(rows["task"][0])
    matrix = _matrix(rows, name, models)
    others = tables.items.filter(
        pl.col("task").is_in(items["task"].unique().implode()), ~usable, *asked
    )
    if family is not None:
        others = others.filter(pl.col("family").is_in(items["family"].unique().implode()))
    notes = [*_without_options(name, others, items), *matrix.notes]
    if matrix.models["model"].is_duplicated().any():
        text = "Checkpoints of one run are points of their own; they are not independent."
        notes.append(Note("checkpoints-dependent", "info", text))
    return replace(matrix, notes=tuple(notes))


def has_answers(tables: Tables, task: str | None = None) -> bool:
    """Tell whether there are questions of a task with log-likelihoods of options."""
    items = tables.items.filter(pl.col(name).is_not_null() for name in _NEEDED)
    return any(task is None or fnmatchcase(name, task) for name in items["task"].unique())


def _of_tasks(items: pl.DataFrame, task: str | None, family: str | None) -> pl.DataFrame:
    names = items["task"].unique().sort().to_list()
    if task is None and len(names) > 1:
        raise InputError(
            f"there are {len(names)} tasks with answers: {listing(names)}",
            hint="name one, or a glob that pools several",
        )
    for column, glob in (("task", task), ("family", family)):
        if glob is None:
            continue
        names = items[column].unique().sort().to_list()
        chosen = [name for name in names if name == glob] or [
            name for name in names if fnmatchcase(name, glob)
        ]
        if not chosen:
            raise UnknownNameError(
                f"no {column} with log-likelihoods of options matches {glob!r}",
                hint=f"there are {len(names)}, such as {listing(names, 3)}",
            )
        if len(chosen) < len(names):
            items = items.filter(pl.col(column).is_in(chosen))
    return items


def _one_setting(runs: pl.DataFrame) -> None:
    """Refuse a task that was asked in several ways, and a model that two harnesses asked."""
    for name in _SETTING:
        several = (
            runs.group_by("task").agg(pl.col(name).unique()).filter(pl.col(name).list.len() > 1)
        )
        if len(several):
            values = several[name].list.sort(nulls_last=False)[0].to_list()
            way_out = "read" if name == "task_version" else f"choose one with {name}, or read"
            raise InputError(
                f"{several['task'][0]} was asked with several values of {name}: {listing(values)}",
                hint=f"{way_out} the files of one",
            )
    asked = runs.group_by("task", "model", "revision").len().filter(pl.col("len") > 1)
    if len(asked):
        raise InputError(
            f"{asked['model'][0]} has answers to {asked['task'][0]} from several harnesses",
            hint="read the files of one harness",
        )


def models_of_runs(
    tables: Tables, runs: pl.DataFrame, checkpoints: bool
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the models by compute, and the runs with the number of their model, ``_model``.

    Parameters
    ----------
    tables
        With the scales.
    runs
        One row per task, way of asking, model, revision and harness.
    checkpoints
        Whether every revision of a model stays; else the last one does.
    """
    scales = tables.scales.select("model", "revision", "step", "tokens", "flops", "loss")
    runs = runs.join(scales, on=["model", "revision"], how="left", maintain_order="left")
    if not checkpoints:
        runs = last_revision(runs.with_columns(pl.lit("").alias("metric")), None)
    models = (
        runs.group_by("model", "revision")
        .agg(pl.col("family").first(), pl.col("flops").first())
        .sort("flops", "model", "revision", nulls_last=True)
    )
    number = models.select("model", "revision").with_row_index("_model")
    return models, runs.select("task", *_RUN).join(number, on=["model", "revision"])


def _matrix(rows: pl.DataFrame, task: str, models: pl.DataFrame) -> AnswerMatrix:
    questions, code = _questions(rows)
    cells = Cells(code, rows["_model"].cast(pl.Int64).to_numpy(), questions["item"], len(models))
    stacked = np.stack([item_values(rows, find_metric(name)).to_numpy() for name in METRICS], -1)
    means = cells.mean(stacked).transpose(2, 1, 0)  # metric, model, question
    there: Mask = np.asarray(np.isfinite(means).all(axis=0))
    enough, common, notes = common_answers(task, models, there)
    return AnswerMatrix(
        task,
        models.filter(pl.Series(enough)),
        questions.filter(pl.Series(common)).drop("cluster"),
        _clusters(questions["cluster"].filter(pl.Series(common))),
        {name: values[enough][:, common] for name, values in zip(METRICS, means, strict=True)},
        notes,
    )


def _questions(rows: pl.DataFrame) -> tuple[pl.DataFrame, Whole]:
    """Return the questions by task and number, and the number of each row's question."""
    place = rows.select(pl.struct("task", "item").rank("dense")).to_series().to_numpy() - 1
    _, first = np.unique(place, return_index=True)
    questions = rows[first].select(
        "task", "item", "cluster", pl.col("option_logprobs").list.len().alias("options")
    )
    number = pl.col("item").cast(pl.Int64, strict=False)
    order = questions.select(
        pl.arg_sort_by("task", number, "item", nulls_last=True, maintain_order=True)
    )
    ordered = order.to_series().to_numpy()
    return questions[ordered], np.argsort(ordered)[place].astype(np.int64)


def _clusters(names: pl.Series) -> Whole | None:
    """Return a number per cluster; a question without one stands by itself."""
    if names.is_null().all():
        return None
    own = pl.when(pl.col("name").is_null()).then(pl.int_range(pl.len())).alias("own")
    codes = names.alias("name").to_frame().select(pl.struct("name", own).rank("dense"))
    return codes.to_series().cast(pl.Int64).to_numpy() - 1


def _without_options(task: str, others: pl.DataFrame, items: pl.DataFrame) -> tuple[Note, ...]:
    """Tell of models that answered, but of which no log-likelihoods of options are known."""
    names = sorted(set(others["model"]) - set(items["model"]))
    if not names:
        return ()
    text = (
        f"{len(names)} models answered {task} without log-likelihoods of its options and are left "
        f"out: {listing(names)}."
    )
    return (Note("models-without-options", "warning", text, {"models": names}),)


def common_answers(
    task: str, models: pl.DataFrame, there: Mask
) -> tuple[Mask, Mask, tuple[Note, ...]]:
    """Return which models and which questions make a matrix without gaps, and what is left out.

    Parameters
    ----------
    task
        Its name, for messages.
    models
        One row per model.
    there
        Whether a model has an answer to a question, shape (n_models, n_questions).

    Raises
    ------
    InputError
        If no question was answered by all models.
    """
    share = there.mean(axis=1)
    enough: Mask = share >= LEAST_COVERAGE * share.max()
    common: Mask = np.asarray(there[enough].all(axis=0))
    notes = []
    few = models.filter(pl.Series(~enough))["model"].to_list()
    if few:
        text = f"{len(few)} models answered too few of the questions of {task}: {listing(few)}."
        notes.append(Note("models-left-out", "warning", text, {"models": few}))
    lost = int((~common).sum())
    if lost == len(common):
        raise InputError(
            f"no question of {task} was answered by all models",
            hint="leave models away whose questions are others",
        )
    if lost:
        text = f"{lost} questions of {task} that not every model answered are left out."
        notes.append(Note("questions-left-out", "info", text, {"questions": lost}))
    return enough, common, tuple(notes)
