"""The shape test of a task's difficulty groups: who sorts, the null, and the tables of a figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from upswing.difficulty.groups.groups import Array, DifficultyGroups, Mask, gains, to_flops
from upswing.difficulty.sandwich.sandwich_data import left_out, left_out_notes
from upswing.difficulty.shapes.drifting_null import WORLDS, NullGroups, null_groups
from upswing.difficulty.shapes.group_shapes import GroupShape, group_shapes
from upswing.difficulty.shapes.null_test import with_scatter
from upswing.difficulty.shapes.scatter import smoother
from upswing.difficulty.shapes.shape_tests import ALPHA
from upswing.difficulty.shapes.two_lines import clusters
from upswing.errors import InputError
from upswing.notes import Note

LEAST_MODELS = 6
_OPTIONS = 4
_BAND = (0.05, 0.95)


@dataclass(frozen=True, eq=False)
class TaskShapes:
    """The shapes of a task's groups.

    Attributes
    ----------
    task, by
        Name of the task, and what sorted its questions.
    table
        One row per group: ``task``, ``group``, ``easiness_rank`` (1 is the easiest), ``lo``,
        ``hi``, ``n``, then those of :meth:`GroupShape.to_dict`. ``turns`` are log10 of compute
        [1e21 FLOP], ``arms`` are in units of the score.
    points
        One row per group and model: ``group``, ``easiness_rank``, ``model``, ``family``, ``flops``
        [FLOP], ``score`` (minus a Brier score, or accuracy), and ``low`` and ``high``, between
        which 90 % of null worlds have their smooth curve there, moved to the observed mean.
    lines
        The ends of the line of every arm: ``group``, ``easiness_rank``, ``arm``, ``flops``,
        ``score``.
    null
        Questions, options and worlds of the null, and how many models sort.
    notes
        Remarks.
    """

    task: str
    by: str
    table: pl.DataFrame
    points: pl.DataFrame
    lines: pl.DataFrame
    null: dict[str, Any]
    notes: tuple[Note, ...] = ()


def task_shapes(
    groups: DifficultyGroups,
    *,
    cutoff: float | None = None,
    exclude: Sequence[str] | None = None,
    options: int | None = None,
    worlds: int = WORLDS,
    seed: int = 0,
) -> TaskShapes:
    """Test the shapes of difficulty groups against the null that sorting alone produces.

    Models whose compute is not known have no place in a curve; where they sorted questions, the
    null leaves them out there too.

    Parameters
    ----------
    groups
        The groups.
    cutoff
        log10 of training compute [1e21 FLOP]; models at it or beyond are left out of the curves,
        though they may sort.
    exclude
        Models to leave out; see :func:`~.sandwich_data.sandwich_data`.
    options
        Options of a question of the null; by default as many as those of the task have on average,
        or as the accuracy of a guess says.
    worlds
        Null worlds of each setting.
    seed
        Seed of the null and of the bootstraps.

    Raises
    ------
    InputError
        If fewer than six models have compute and scores.
    """
    kept = groups.without(left_out(groups, exclude))
    values = kept.values[groups.metric]
    kept = kept.keep(np.isfinite(kept.flops) & np.isfinite(values).all(axis=1))
    shown: Mask = np.asarray(
        np.ones(len(kept.models), dtype=bool) if cutoff is None else kept.log10_flops < cutoff
    )
    if shown.sum() < LEAST_MODELS:
        raise InputError(
            f"{int(shown.sum())} models of {groups.task} have compute and scores of the groups: "
            f"{LEAST_MODELS} are needed for a shape",
            hint="give compute in a model table, take checkpoints as points, or a later cut-off",
        )
    notes = [*groups.notes, *left_out_notes(groups, kept.models, "shapes")]
    notes += [*_other_answers(groups), *_few_worlds(groups, worlds)]
    sorts = _sorting(kept, notes)
    count = _options(kept, notes) if options is None else options
    null = null_groups(
        kept.log10_flops,
        sorts,
        groups.count,
        questions=int(groups.edges[-1]),
        options=count,
        by=groups.by,
        worlds=worlds,
        seed=seed,
    )
    null = NullGroups(null.scores[..., shown], null.settings, null.questions, null.options)
    kept = kept.keep(shown)
    scores = gains(kept.values[groups.metric], groups.metric).T
    family = kept.clusters
    shapes = group_shapes(kept.log10_flops, scores, null, family, seed=seed)
    about = {
        "questions": null.questions,
        "options": count,
        "worlds": worlds,
        "sorting_models": int(sorts.sum()),
        "settings": [drift._asdict() for drift in null.settings],
    }
    return TaskShapes(
        groups.task,
        groups.by,
        _table(kept, shapes),
        _points(kept, scores, family, null, shapes, seed),
        _lines(kept, shapes),
        about,
        tuple(notes),
    )


def least_worlds(groups: int) -> int:
    """Return the fewest worlds with which one of that many groups can be beyond sorting.

    >>> least_worlds(3), least_worlds(10)
    (59, 199)
    """
    return round(groups / ALPHA) - 1


def _few_worlds(groups: DifficultyGroups, worlds: int) -> list[Note]:
    if worlds >= least_worlds(groups.count):
        return []
    text = (
        f"No shape of {groups.count} groups can be beyond sorting with {worlds} worlds: draw "
        f"{least_worlds(groups.count)} or more."
    )
    return [Note("few-worlds", "warning", text, {"worlds": worlds})]


def _other_answers(groups: DifficultyGroups) -> list[Note]:
    if groups.metric != "tc_brier_undistributed":
        return []
    text = (
        "The worlds of the null know no answers but the options: scores that are not redistributed "
        "also change as options become likelier than other text, which sorting has no part in."
    )
    return [Note("null-redistributed", "warning", text)]


def _sorting(groups: DifficultyGroups, notes: list[Note]) -> Mask:
    """Return which models sorted: as the groups say, else those up to the limit, else all."""
    known = groups.models["sorts"]
    if known.is_not_null().all() and known.any():
        return known.to_numpy().astype(bool)
    if groups.limit is not None:
        below: Mask = np.asarray(groups.log10_flops <= groups.limit + 1e-9)
        if below.any():
            return below
    text = f"Which models sorted the questions of {groups.task} is not known; the null lets all."
    notes.append(Note("sorting-unknown", "warning", text))
    return np.ones(len(groups.models), dtype=bool)


def _options(groups: DifficultyGroups, notes: list[Note]) -> int:
    if groups.questions is not None:
        return max(2, round(float(groups.questions["options"].mean())))  # type: ignore[arg-type]
    if groups.chance:
        return max(2, round(1.0 / groups.chance))
    text = f"How many options {groups.task} has is not known; the null gives it {_OPTIONS}."
    notes.append(Note("options-unknown", "warning", text))
    return _OPTIONS


def _table(groups: DifficultyGroups, shapes: list[GroupShape]) -> pl.DataFrame:
    rank = np.argsort(groups.by_easiness) + 1
    edges = groups.edges
    rows = [
        {
            "task": groups.task,
            "group": one.group,
            "easiness_rank": int(rank[one.group]),
            "lo": int(edges[one.group]),
            "hi": int(edges[one.group + 1]),
            "n": int(edges[one.group + 1] - edges[one.group]),
            **one.to_dict(),
        }
        for one in shapes
    ]
    lists = {
        name: pl.List(pl.Float64) for name in ("turns", "arms", "arms_p_value_null", "arms_turns")
    }
    numbers = dict.fromkeys(("p_two_lines", "p_likelihood_ratio"), pl.Float64)
    return pl.DataFrame(rows, schema_overrides={**lists, **numbers})


def _points(
    groups: DifficultyGroups,
    scores: Array,
    family: Any,
    null: NullGroups,
    shapes: list[GroupShape],
    seed: int,
) -> pl.DataFrame:
    x, cluster = groups.log10_flops, clusters(family, len(family))
    smooth = smoother(x)
    rank = np.argsort(groups.by_easiness) + 1
    frames = []
    for one in shapes:
        setting = null.settings.index(one.setting)
        rng = np.random.default_rng([seed, one.group])
        row = scores[one.group]
        drawn = null.scores[setting : setting + 1, :, one.group].astype(float)
        curves = with_scatter(x, row, cluster, drawn, rng)[0] @ smooth.T
        curves += row.mean() - curves.mean(axis=1, keepdims=True)
        low, high = np.quantile(curves, _BAND, axis=0)
        frames.append(
            pl.DataFrame(
                {
                    "group": one.group,
                    "easiness_rank": int(rank[one.group]),
                    "model": groups.models["model"],
                    "family": pl.Series(family, dtype=pl.String),
                    "flops": groups.flops,
                    "score": row,
                    "low": low,
                    "high": high,
                }
            )
        )
    return pl.concat(frames)


def _lines(groups: DifficultyGroups, shapes: list[GroupShape]) -> pl.DataFrame:
    x = groups.log10_flops
    rank = np.argsort(groups.by_easiness) + 1
    rows = []
    for one in shapes:
        edges = (0, *one.test.turns, len(x))
        for arm, line in enumerate(one.test.lines):
            for place, score in ((edges[arm], line.first), (edges[arm + 1] - 1, line.last)):
                rows.append(
                    {
                        "group": one.group,
                        "easiness_rank": int(rank[one.group]),
                        "arm": arm,
                        "flops": float(to_flops(x[place])),
                        "score": score,
                    }
                )
    return pl.DataFrame(rows)
