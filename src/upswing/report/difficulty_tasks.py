"""Easy and hard questions of every task of a report: groups, shapes, turns; tables, no page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from upswing.curves.curve import RUN_AXES
from upswing.difficulty.groups.group_curves import GroupCurves, group_curves
from upswing.difficulty.groups.groups import Array, By, DifficultyGroups, gains
from upswing.difficulty.groups.source import GroupSource
from upswing.difficulty.groups.stored import StoredGroups
from upswing.difficulty.onset.soar_onset import TurningPoint, turning_point
from upswing.difficulty.sandwich.sandwich_data import left_out
from upswing.difficulty.shapes.arms import SIGNS
from upswing.difficulty.shapes.shape_tests import shape_test
from upswing.difficulty.shapes.task_shapes import LEAST_MODELS, TaskShapes, task_shapes
from upswing.errors import InputError
from upswing.findings.finding import Detection
from upswing.notes import Note, unique
from upswing.report.difficulty_movement import Opposite, opposite_movement
from upswing.report.difficulty_sources import Setting, difficulty_sources
from upswing.tables.bundle import Tables

MOST_DRAWN = 4
"""Tasks that are drawn and compared with worlds without ability; the tables hold all of them."""

WORLDS = 99
"""Worlds without ability of each setting for three groups: their smallest p-value, .01, is
significant for three. More groups get more worlds, since p-values are corrected over groups."""

MOST_GROUPS = 10
LEAST_QUESTIONS = 30
LEAST_SCALES = 3
MOST_MODELS = 200
"""Models (or checkpoints) that are tested: ways to cut a curve in three grow with their square."""

_TESTED_GROUPS = 3
_PER_GROUP = 20

SHAPES: dict[str, Any] = {
    "group": pl.Int64,
    "easiness_rank": pl.Int64,
    "lo": pl.Int64,
    "hi": pl.Int64,
    "n": pl.Int64,
    "score_first": pl.Float64,
    "score_last": pl.Float64,
    "shape": pl.String,
    "p_value": pl.Float64,
    "p_value_null": pl.Float64,
    "p_value_null_holm": pl.Float64,
    "beyond_sorting": pl.Boolean,
    "turns": pl.List(pl.Float64),
    "arms": pl.List(pl.Float64),
}
"""Columns of :attr:`DifficultyTask.shapes`: a group and its questions, ``lo`` to ``hi`` in the
order of sorting; its score at the smallest and the largest model (minus a Brier score, or
accuracy); then those of :class:`~upswing.difficulty.shapes.group_shapes.GroupShape`, ``turns`` in
log10 of
compute [1e21 FLOP]. Shape and p-value are null where there are too few models or too many, those of
the null where it was not drawn."""

Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class DifficultyTask:
    """The groups of one task.

    Attributes
    ----------
    setting
        What was asked.
    curves
        Its questions in up to ten groups, which are drawn.
    tested
        Its questions in three groups (those that are drawn, where others are not known), of models
        whose compute is known.
    shapes
        One row per tested group; see :data:`SHAPES`.
    opposite
        Where easy and hard questions go opposite ways.
    turn
        Where the easiest group turns from falling to rising, seen from all models; None with fewer
        than six. log10 of compute [1e21 FLOP].
    clusters
        What counts as one in the tests: ``families``, ``models`` (where there is one family), or
        ``runs`` of checkpoints.
    null
        The comparison with worlds without ability, where it was made.
    notes
        Remarks.
    """

    setting: Setting
    curves: GroupCurves
    tested: DifficultyGroups
    shapes: pl.DataFrame
    opposite: Opposite | None
    turn: TurningPoint | None
    clusters: str
    null: TaskShapes | None = None
    notes: tuple[Note, ...] = ()

    @property
    def ends(self) -> pl.DataFrame:
        """The rows of the easiest and of the hardest group."""
        return self.shapes.sort("easiness_rank")[[0, -1]]


@dataclass(frozen=True, eq=False)
class Difficulty:
    """Every task of a report whose questions can be sorted.

    Attributes
    ----------
    tasks
        The most interesting first.
    drawn
        How many of them are drawn.
    checkpoints
        Whether points are checkpoints rather than models.
    notes
        Why tasks are left out.
    """

    tasks: tuple[DifficultyTask, ...]
    drawn: int
    checkpoints: bool
    notes: tuple[Note, ...] = ()


def difficulty_tasks(
    tables: Tables, detection: Detection, *, worlds: int = WORLDS
) -> Difficulty | None:
    """Sort the questions of every task that the detection looked at, and test their groups.

    Parameters
    ----------
    tables
        What :func:`upswing.read` returned.
    detection
        What was judged; its axis decides whether checkpoints are points, its seed is taken.
    worlds
        Worlds without ability of each setting, for the tasks that are drawn; more in proportion
        where more than three groups are tested.

    Returns
    -------
    Difficulty or None
        None where there are neither answers nor groups.
    """
    seed = detection.settings.seed
    checkpoints = detection.axis in RUN_AXES
    found: list[DifficultyTask] = []
    notes: list[Note] = []
    for one in difficulty_sources(tables, detection):
        if isinstance(one, Note):
            notes.append(one)
            continue
        setting, source = one
        try:
            found.append(_task(setting, source, checkpoints, seed))
        except InputError as error:
            notes.append(Note("difficulty-left-out", "info", f"{setting.task}: {error}"))
    if not found:
        return None
    found.sort(key=_interest)
    drawn = [_with_null(task, worlds, seed) for task in found[:MOST_DRAWN]]
    drawn.sort(key=lambda task: not turns_beyond_sorting(task))
    return Difficulty((*drawn, *found[MOST_DRAWN:]), len(drawn), checkpoints, unique(notes))


def turns_beyond_sorting(task: DifficultyTask) -> bool:
    """Tell whether the easiest or the hardest group has a turn that sorting alone does not make."""
    return any(
        row["beyond_sorting"] and is_bent(row["shape"]) for row in task.ends.iter_rows(named=True)
    )


def is_bent(shape: str | None) -> bool:
    """Tell whether a shape has a turn."""
    return shape is not None and len(SIGNS[shape]) > 1  # type: ignore[index]


def _interest(task: DifficultyTask) -> tuple[bool, bool, float, bool, float]:
    """Return a key that puts tasks first whose easy or hard questions turn, or go opposite ways."""
    bent = any(is_bent(shape) for shape in task.ends["shape"])
    size = 0.0 if task.opposite is None else task.opposite.size
    change = (task.shapes["score_last"] - task.shapes["score_first"]).to_numpy()
    return (
        task.turn is None,
        not bent,
        -size,
        task.setting.kind == "answers",
        -float(np.abs(change).max()),
    )


def _task(setting: Setting, source: GroupSource, checkpoints: bool, seed: int) -> DifficultyTask:
    pictured = _most_groups(source, MOST_GROUPS)
    tested = _most_groups(source, _TESTED_GROUPS, least=_TESTED_GROUPS) or pictured
    if pictured is None or tested is None:
        raise InputError(f"there are fewer than {LEAST_QUESTIONS} questions, or no groups")
    curves = group_curves(pictured)
    tested = _placed(tested)
    x = tested.log10_flops
    if len(np.unique(x)) < LEAST_SCALES:
        raise InputError(f"fewer than {LEAST_SCALES} models of different compute are known")
    scores = gains(tested.values[tested.metric], tested.metric).T
    enough = LEAST_MODELS <= len(x) <= MOST_MODELS
    family = tested.clusters
    easy, hard = scores[tested.by_easiness[0]], scores[tested.by_easiness[-1]]
    whole = np.average(scores, axis=0, weights=np.diff(tested.edges))
    return DifficultyTask(
        setting,
        curves,
        tested,
        _shapes(tested, x, scores, family, enough, seed),
        opposite_movement(x, easy, hard, whole),
        turning_point(x, easy, family, seed=seed) if enough else None,
        "runs" if checkpoints else "families" if len(set(family)) > 1 else "models",
        notes=unique((*pictured.notes, *tested.notes)),
    )


def _most_groups(source: GroupSource, most: int, least: int = 2) -> DifficultyGroups | None:
    """Return the most groups that a source allows; None where there are none."""
    ways: Sequence[By] = ("brier", "accuracy")
    if not isinstance(source, StoredGroups):
        whole = source.groups(1, "accuracy")
        questions = int(whole.edges[-1])
        if questions < LEAST_QUESTIONS:
            return None
        by: By = "brier" if "tc_brier" in whole.values else "accuracy"
        return source.groups(min(most, max(3, questions // _PER_GROUP)), by)
    for by in ways:
        for count in range(most, least - 1, -1):
            limits = source.limits(count, "tc_brier" if by == "brier" else "acc")
            try:
                return source.groups(count, by, limits[-1] if limits else None)
            except InputError:
                continue
    return None


def _placed(groups: DifficultyGroups) -> DifficultyGroups:
    """Keep the models that the tests keep: of known compute, with scores of all groups."""
    kept = groups.without(left_out(groups, None))
    measured = np.isfinite(kept.values[kept.metric]).all(axis=1)
    return kept.keep(np.isfinite(kept.flops) & measured)


def _shapes(
    groups: DifficultyGroups, x: Array, scores: Array, family: Any, enough: bool, seed: int
) -> pl.DataFrame:
    rank = np.argsort(groups.by_easiness) + 1
    first, last = int(x.argmin()), int(x.argmax())
    placed = np.sort(x)
    rows: list[Row] = []
    for group, row in enumerate(scores):
        test = shape_test(x, row, family, seed=seed) if enough else None
        lo, hi = (int(edge) for edge in groups.edges[group : group + 2])
        rows.append(
            {
                **dict.fromkeys(SHAPES),
                "group": group,
                "easiness_rank": int(rank[group]),
                "lo": lo,
                "hi": hi,
                "n": hi - lo,
                "score_first": float(row[first]),
                "score_last": float(row[last]),
                "shape": None if test is None else test.shape,
                "p_value": None if test is None else test.p_value,
                "turns": None
                if test is None
                else [float(placed[turn - 1] + placed[turn]) / 2.0 for turn in test.turns],
            }
        )
    return pl.DataFrame(rows, schema=SHAPES, orient="row")


def _with_null(task: DifficultyTask, worlds: int, seed: int) -> DifficultyTask:
    """Return a task whose shapes are compared with worlds without ability, where that is possible.

    The worlds need options, so answers that are only right or wrong are not compared.
    """
    if task.turn is None or task.setting.kind == "answers":
        return task
    enough = -(-worlds * max(task.tested.count, _TESTED_GROUPS) // _TESTED_GROUPS)
    null = task_shapes(task.tested, worlds=enough, seed=seed)
    ends = task.shapes.select("group", "score_first", "score_last")
    shapes = null.table.join(ends, on="group", maintain_order="left")
    shapes = shapes.select(pl.col(name).cast(dtype) for name, dtype in SHAPES.items())
    return replace(task, shapes=shapes, null=null, notes=unique((*task.notes, *null.notes)))
