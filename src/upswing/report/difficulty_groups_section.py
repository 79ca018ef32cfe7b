"""The section on easy and hard questions: its tables, what it says, and its figures."""

from __future__ import annotations

import re
from typing import Any

import polars as pl

from upswing.charts.difficulty_groups import (
    curve_rows,
    difficulty_groups,
    point_rows,
    rank_names,
)
from upswing.charts.names import shown, without_owner
from upswing.charts.shape_test import shape_test
from upswing.charts.theme import sequence
from upswing.difficulty.groups.groups import to_flops
from upswing.difficulty.shapes.task_shapes import TaskShapes
from upswing.report import difficulty_text
from upswing.report.difficulty_tasks import Difficulty, DifficultyTask, is_bent
from upswing.report.numbers import short_scale, whole
from upswing.report.payload import bare, columnar

Row = dict[str, Any]
Figure = tuple[Row, dict[str, list[Row]], int]
"""A specification without data, its data sets, and the number of groups."""

MOST_ROWS = 400
"""Rows of the table on the page; ``tables/difficulty_shapes.csv`` has all."""

MOST_NOTES = 20

DIFFICULTY_TABLES = (
    "difficulty_tasks",
    "difficulty_groups",
    "difficulty_curves",
    "difficulty_shapes",
    "difficulty_null",
)
"""Names of the tables behind the section: one row per task; scores of the groups that are drawn,
and the polynomials through them; one row per tested group; and, of the tasks that are drawn, the
tested scores beside worlds without ability."""

_HEIGHT = 300
_SHAPES_WIDTH, _SHAPES_HEIGHT = 1080, 210
_THINNED = 2
_PART = re.compile(r"(points|lines)_(\d+)")


def difficulty_frames(found: Difficulty | None) -> dict[str, pl.DataFrame | None]:
    """Return the tables behind the section, see :data:`DIFFICULTY_TABLES`."""
    if found is None:
        return dict.fromkeys(DIFFICULTY_TABLES)
    drawn = found.tasks[: found.drawn]
    frames = (
        [(task, pl.DataFrame([_facts(task)], schema=_FACTS)) for task in found.tasks],
        [(task, task.curves.points.drop("task")) for task in found.tasks],
        [(task, task.curves.curves) for task in drawn],
        [(task, task.shapes) for task in found.tasks],
        [(task, task.null.points) for task in drawn if task.null is not None],
    )
    return {
        name: pl.concat(_labelled(task, frame) for task, frame in parts) if parts else None
        for name, parts in zip(DIFFICULTY_TABLES, frames, strict=True)
    }


def shape_table(found: Difficulty) -> pl.DataFrame:
    """Return the table of tested groups with lists of numbers as lists of text."""
    table = pl.concat(_labelled(task, task.shapes) for task in found.tasks)
    return table.with_columns(pl.col("turns", "arms").cast(pl.List(pl.String)))


def _labelled(task: DifficultyTask, frame: pl.DataFrame) -> pl.DataFrame:
    labels = task.setting._asdict().items()
    kinds = {name: pl.Int64 if name == "n_shot" else pl.String for name, _ in labels}
    return frame.select(*(pl.lit(v, kinds[k]).alias(k) for k, v in labels), pl.all())


_FACTS: dict[str, Any] = {
    "questions": pl.Int64,
    "models": pl.Int64,
    "sorted_by": pl.String,
    "sorting_limit": pl.Float64,
    "opposite_from": pl.Float64,
    "opposite_to": pl.Float64,
    "opposite_easy": pl.Float64,
    "opposite_hard": pl.Float64,
    "opposite_whole": pl.Float64,
    "turn_status": pl.String,
    "turn": pl.Float64,
    "turn_low": pl.Float64,
    "turn_high": pl.Float64,
    "turn_share": pl.Float64,
    "null_worlds": pl.Int64,
}
"""Facts of one task: places and limits are log10 of training compute [1e21 FLOP]; ``opposite_…``
is the stretch over which easy and hard questions go opposite ways, with the changes along it."""


def _facts(task: DifficultyTask) -> Row:
    facts: Row = dict.fromkeys(_FACTS)
    facts |= {
        "questions": int(task.tested.edges[-1]),
        "models": len(task.tested.models),
        "sorted_by": task.tested.metric,
        "sorting_limit": task.tested.limit,
    }
    if task.opposite is not None:
        names = [name for name in _FACTS if name.startswith("opposite")]
        facts |= dict(zip(names, task.opposite, strict=True))
    if task.turn is not None:
        place = {f"turn_{name}": value for name, value in task.turn.place._asdict().items()}
        facts |= {"turn": place.pop("turn_x"), **place}
        facts |= {"turn_status": task.turn.status, "turn_share": task.turn.share}
    if task.null is not None:
        facts["null_worlds"] = task.null.null["worlds"]
    return facts


def difficulty_section(found: Difficulty) -> Row:
    """Return what the template shows."""
    drawn = found.tasks[: found.drawn]
    rows = difficulty_text.shape_rows(found)
    points_name = "checkpoints" if found.checkpoints else "models"
    told = [*found.notes, *(note for task in found.tasks for note in task.notes)]
    notes = list(dict.fromkeys(shown(note.message, 400) for note in told))
    worlds = {task.null.null["worlds"] for task in drawn if task.null is not None}
    return {
        "sentence": difficulty_text.counts_sentence(found),
        "points": points_name,
        "checkpoints": found.checkpoints,
        "worlds": whole(max(worlds)) if worlds else "",
        "blocks": [_block(i, task, points_name) for i, task in enumerate(drawn)],
        "more": len(found.tasks) - found.drawn,
        "rows": rows[:MOST_ROWS],
        "more_rows": max(0, len(rows) - MOST_ROWS),
        "notes": notes[:MOST_NOTES],
        "more_notes": max(0, len(notes) - MOST_NOTES),
    }


def _block(number: int, task: DifficultyTask, points_name: str) -> Row:
    points = task.curves.points
    groups, models = points["group"].n_unique(), points.select("model", "revision").n_unique()
    limit = task.tested.limit
    upto = "" if limit is None else f" up to {short_scale(float(to_flops(limit)), 'flops')} FLOP"
    return {
        "number": number,
        **difficulty_text.task_labels(task),
        "sentences": difficulty_text.task_sentences(task),
        "facts": f"{whole(int(task.tested.edges[-1]))} questions in {groups} groups, by "
        f"{difficulty_text.score_name(task)} over the {points_name}{upto}; {whole(models)} drawn",
        "groups": f"groups-{number}",
        "shapes": f"shapes-{number}" if _shapes(task) is not None else None,
    }


def difficulty_figures(found: Difficulty) -> tuple[Row, Row]:
    """Return templates by name, and figures by id."""
    templates: Row = {}
    figures: Row = {}
    for i, task in enumerate(found.tasks[: found.drawn]):
        made = {f"groups-{i}": _groups_figure(task, found.checkpoints)}
        shapes = _shapes(task)
        if shapes is not None:
            made[f"shapes-{i}"] = _shapes_figure(shapes)
        for name, (spec, data, count) in made.items():
            figures[name] = {
                "kind": name,
                "data": {key: columnar(rows) for key, rows in data.items()},
            }
            dark = dict(zip(sequence(count), sequence(count, "dark"), strict=True))
            templates[f"{name}/light"] = spec
            templates[f"{name}/dark"] = _replaced(spec, dark)
    return templates, figures


def _shapes(task: DifficultyTask) -> TaskShapes | None:
    """Return the tested groups where they are drawn: with a turn, or where ends go apart."""
    bent = any(is_bent(shape) for shape in task.shapes["shape"])
    return task.null if bent or task.opposite is not None else None


def _groups_figure(task: DifficultyTask, checkpoints: bool) -> Figure:
    """Return the figure of all groups; its data have a row per point."""
    points, curves = task.curves.points, task.curves.curves
    if checkpoints:
        label = pl.concat_str("model", "revision", separator=" ")
        points = points.with_columns(label.alias("model"))
    names = rank_names(points["group"].n_unique())
    chart = difficulty_groups(
        _extremes(points, ["score"], "easiness_rank"),
        curves[:0],
        title=difficulty_text.task_labels(task)["task"],
        width="container",
        height=_HEIGHT,
    )
    spec = bare(chart)
    spec.pop("datasets")
    for layer in spec["layer"]:
        if "transform" in layer:
            layer["transform"] = [step for step in layer["transform"] if "flatten" not in step]
    place = pl.int_range(pl.len()).over("group")
    thinned = curves.filter((place % _THINNED == 0) | (place == pl.len().over("group") - 1))
    data = {
        "points": [one for row in point_rows(points, names) for one in _unfolded(row)],
        "curves": [one for row in curve_rows(thinned, names) for one in _unfolded(row)],
        "threshold": [],
    }
    return spec, data, len(names)


def _shapes_figure(null: TaskShapes) -> Figure:
    """Return the figure of the tested groups; its panels read parts of one table."""
    small = _extremes(null.points, ["score", "low", "high"], "group")
    spec = bare(
        shape_test(null.table, small, null.lines[:0], width=_SHAPES_WIDTH, height=_SHAPES_HEIGHT)
    )
    spec.pop("datasets")
    _read_parts(spec)
    rank = pl.col("easiness_rank").alias("place")
    columns = ("flops", "score", "low", "high")
    points = null.points.sort("easiness_rank", "flops").with_columns(
        pl.col("model").map_elements(lambda name: shown(without_owner(name)), pl.String),
        pl.col("family").map_elements(shown, pl.String),
    )
    return (
        spec,
        {
            "points": points.select(rank, "model", "family", *columns).to_dicts(),
            "lines": null.lines.select(rank, "arm", "flops", "score").to_dicts(),
        },
        len(null.table),
    )


def _extremes(frame: pl.DataFrame, names: list[str], group: str) -> pl.DataFrame:
    """Return the rows that the look of a figure depends on: charts copy what they hold."""
    ends = [
        pl.col("_row").filter(pl.col(name) == getattr(pl.col(name), end)()).first()
        for name in names
        for end in ("min", "max")
    ]
    numbered = frame.with_row_index("_row")
    rows = set(numbered.select(pl.concat_list(ends)).to_series().explode())
    rows |= set(numbered.group_by(group).agg(pl.col("_row").first())["_row"])
    return numbered.filter(pl.col("_row").is_in(sorted(rows))).drop("_row")


def _unfolded(row: Row) -> list[Row]:
    """Return a row that holds lists as one per element."""
    lists = {name: value for name, value in row.items() if isinstance(value, list)}
    columns = zip(*lists.values(), strict=True)
    return [{**row, **dict(zip(lists, values, strict=True))} for values in columns]


def _read_parts(node: Any) -> None:
    """Let marks that read ``points_0`` read the rows of ``points`` in place 1, and so on."""
    for child in node.values() if isinstance(node, dict) else node:
        if isinstance(child, dict | list):
            _read_parts(child)
    if isinstance(node, dict) and isinstance(node.get("data"), dict):
        found = _PART.fullmatch(node["data"]["name"])
        if found:
            only = {"filter": f"datum.place === {int(found[2]) + 1}"}
            node["data"] = {"name": found[1]}
            node["transform"] = [only, *node.get("transform", [])]


def _replaced(node: Any, words: dict[str, str]) -> Any:
    """Return a copy of a specification with some of its texts replaced."""
    if isinstance(node, dict):
        return {key: _replaced(value, words) for key, value in node.items()}
    if isinstance(node, list):
        return [_replaced(value, words) for value in node]
    return words.get(node, node) if isinstance(node, str) else node
