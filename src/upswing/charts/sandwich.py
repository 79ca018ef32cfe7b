"""Slice-and-Sandwich step by step: the link, the two groups, the score, and the accuracy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from upswing.charts.difficulty_groups import threshold_rule
from upswing.charts.names import shown, without_owner
from upswing.charts.scale_axis import scale_x, short_number
from upswing.charts.theme import CATEGORY, Mode, config

if TYPE_CHECKING:
    import altair as alt

WIDTH = 300
HEIGHT = 210

GROUPS = {"easy": "easiest group", "hard": "hardest group"}
"""Name of each group in the legend."""

SCORES = {"score_pred": "Slice-and-Sandwich", "score_hard_lift": "hard-lift"}
ACCURACIES = {
    "acc_pred": "Slice-and-Sandwich",
    "acc_hard_lift": "hard-lift",
    "acc_baseline": "baseline",
    "acc_oracle": "oracle",
}
"""Name of each forecast in the legend."""

UNIT = [-0.03, 1.03]
"""Range of an accuracy, with room for points at its ends."""

_SCORE = "− TC Brier score"
_ROOM = 0.08


def sandwich(
    predictions: pl.DataFrame,
    curves: pl.DataFrame,
    *,
    threshold: float,
    title: str = "",
    width: int = WIDTH,
    height: int = HEIGHT,
    mode: Mode = "light",
) -> alt.ConcatChart:
    """Draw a forecast by Slice-and-Sandwich in four panels.

    The line that links accuracy and Brier score; the polynomials of the easiest and the hardest
    group; their average, beside hard-lift; and the accuracy that follows, beside the baseline and
    the oracle. Full points are models below the threshold, which were fitted; open ones were held
    out. Lines are dashed where they extrapolate, and may leave the panel. (The oracle is the
    baseline fitted to all models.)

    Parameters
    ----------
    predictions, curves
        Tables of :func:`upswing.difficulty.sandwich.slice_and_sandwich.slice_and_sandwich`.
    threshold
        Training compute at which the forecast begins [FLOP].
    title
        Text above the figure.
    width, height
        Size of one panel [px].
    mode
        ``light`` or ``dark``.

    Returns
    -------
    altair.ConcatChart
        The grid, over the data sets ``link``, ``groups``, ``score`` and ``accuracy`` with points,
        the same with ``_lines``, and ``threshold``.
    """
    import altair as alt

    panels = [
        _link_panel(predictions, mode),
        _over_compute(
            1, "groups", _SCORE, list(GROUPS.values()), measured_range(predictions, *GROUPS)
        ),
        _over_compute(
            2, "score", _SCORE, list(SCORES.values()), measured_range(predictions, "score")
        ),
        _over_compute(3, "accuracy", "Accuracy", list(ACCURACIES.values()), UNIT),
    ]
    heads = ("1 · Link", "2 · Groups", "3 · Score of the task", "4 · Accuracy of the task")
    for panel, head in zip(panels, heads, strict=True):
        panel.width, panel.height = width, height
        panel.title = alt.TitleParams(head, frame="group")
    return panel_grid(panels, 2, sandwich_rows(predictions, curves, threshold), title, mode)


def panel_grid(
    panels: list[alt.LayerChart],
    columns: int,
    datasets: dict[str, list[dict[str, Any]]],
    title: str,
    mode: Mode,
) -> alt.ConcatChart:
    """Return a grid of panels, each with a legend of its own.

    Everything is given at once, since each of Altair's methods copies the whole figure.
    """
    import altair as alt

    own = alt.LegendResolveMap(color="independent", strokeDash="independent")
    scales = alt.ScaleResolveMap(color="independent", strokeDash="independent")
    named: dict[str, Any] = {}
    if title:
        named["title"] = alt.TitleParams(shown(title, 90), fontSize=15)
    return alt.ConcatChart(
        concat=panels,
        columns=columns,
        spacing={"row": 18, "column": 40},
        resolve=alt.Resolve(scale=scales, legend=own),
        config=alt.Config(**config(mode)),
        datasets=datasets,
        **named,
    )


def sandwich_rows(
    predictions: pl.DataFrame, curves: pl.DataFrame, threshold: float
) -> dict[str, list[dict[str, Any]]]:
    """Return the data sets of the figure."""
    line = predictions.sort("acc")[[0, -1]]  # it is straight
    ends = {"x": line["acc"].to_list(), "value": line["score_of_acc"].to_list()}
    return {
        "link": mark_rows(predictions.select("model", "split", x="acc", value="score")),
        "link_lines": [ends],
        "groups": _points(predictions, GROUPS),
        "groups_lines": _lines(curves, {f"{n}_pred": label for n, label in GROUPS.items()}),
        "score": _points(predictions, {"score": "models"}),
        "score_lines": _lines(curves, SCORES),
        "accuracy": _points(predictions, {"acc": "models"}),
        "accuracy_lines": _lines(curves, ACCURACIES),
        "threshold": [{"x": threshold}],
    }


def _points(predictions: pl.DataFrame, columns: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {"series": label, **row}
        for column, label in columns.items()
        for row in mark_rows(predictions.select("model", "split", x="flops", value=column))
    ]


def _lines(curves: pl.DataFrame, columns: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {"series": label, **part}
        for column, label in columns.items()
        for part in line_parts(curves.select("flops", "split", pl.col(column).alias("value")))
    ]


def _link_panel(predictions: pl.DataFrame, mode: Mode) -> alt.LayerChart:
    import altair as alt

    x = alt.X(
        "x:Q",
        title="Accuracy",
        scale=alt.Scale(zero=False, nice=False, padding=10),
        axis=alt.Axis(format=".2~f", tickCount=5),
    )
    y = value_y(_SCORE, measured_range(predictions, "score"))
    line = (
        alt.Chart(alt.NamedData("link_lines"))
        .transform_flatten(["x", "value"])
        .mark_line(color=CATEGORY[mode][0], strokeWidth=2, clip=True)
        .encode(x=x, y=y)
    )
    return alt.LayerChart(layer=[line, *model_marks("link", x, y, at="'–'")])


def _over_compute(
    place: int, name: str, title: str, series: list[str], domain: list[float]
) -> alt.LayerChart:
    import altair as alt

    scale_name = f"concat_{place}_x"
    x, y = scale_x("flops", "log", scale_name=scale_name), value_y(title, domain)
    colour = alt.Color("series:N", scale=alt.Scale(domain=series), legend=alt.Legend(columns=4))
    own = colour if name == "groups" else None
    return alt.LayerChart(
        layer=[
            fit_lines(f"{name}_lines", x, y, colour),
            *model_marks(name, x, y, own),
            threshold_rule("threshold", scale_name),
        ]
    )


def mark_rows(marks: pl.DataFrame) -> list[dict[str, Any]]:
    """Return models as the figure holds them: one row per split, with lists.

    Parameters
    ----------
    marks
        ``model``, ``x``, ``value`` and ``split``.
    """
    return [
        {
            "split": split,
            "model": [shown(without_owner(name)) for name in part["model"]],
            "x": part["x"].to_list(),
            "value": part["value"].to_list(),
        }
        for (split,), part in marks.partition_by("split", as_dict=True).items()
    ]


def line_parts(line: pl.DataFrame) -> list[dict[str, Any]]:
    """Return a line in two parts that meet at the threshold, one row each, with lists.

    Parameters
    ----------
    line
        ``flops``, ``value`` and ``split``, by compute.
    """
    fitted, beyond = (line.filter(pl.col("split") == split) for split in ("train", "test"))
    parts = {"train": pl.concat([fitted, beyond.head(1)]), "test": beyond}
    return [
        {"part": name, "x": part["flops"].to_list(), "value": part["value"].to_list()}
        for name, part in parts.items()
    ]


def measured_range(points: pl.DataFrame, *columns: str) -> list[float]:
    """Return a range that holds what was measured, with some room; forecasts may leave it."""
    values = pl.concat([points[name].alias("value") for name in columns])
    low, high = float(values.min()), float(values.max())  # type: ignore[arg-type]
    room = _ROOM * (high - low or 1.0)
    return [low - room, high + room]


def value_y(title: str, domain: list[float]) -> alt.Y:
    """Return the encoding of ``value`` in a fixed range."""
    import altair as alt

    return alt.Y(
        "value:Q",
        title=title,
        scale=alt.Scale(domain=domain, nice=False, zero=False),
        axis=alt.Axis(format=".2~f", tickCount=5),
    )


def fit_lines(data: str, x: alt.X, y: alt.Y, colour: alt.Color) -> alt.Chart:
    """Return lines, dashed where the ``part`` of the data set is ``test`` and not ``train``."""
    import altair as alt

    parts = alt.Scale(domain=["train", "test"], range=[[1, 0], [5, 4]])
    dash = alt.StrokeDash("part:N", scale=parts, legend=None)
    lines: alt.Chart = (
        alt.Chart(alt.NamedData(data))
        .transform_flatten(["x", "value"])
        .mark_line(strokeWidth=2, clip=True)
        .encode(x=x, y=y, color=colour, strokeDash=dash)
    )
    return lines


def model_marks(
    data: str, x: alt.X, y: alt.Y, colour: alt.Color | None = None, at: str | None = None
) -> list[alt.Chart]:
    """Return models as points: full where they were fitted, open where they were held out.

    Parameters
    ----------
    data
        Name of a data set of :func:`mark_rows`.
    x, y, colour
        Encodings; without a colour the points are those of text.
    at
        Vega expression of what the tooltip says of compute; by default ``x``.
    """
    import altair as alt

    told = [
        alt.Tooltip("model:N", title="Model"),
        alt.Tooltip("at:N", title="Compute [FLOP]"),
        alt.Tooltip("value:Q", title="Value", format=".4f"),
        alt.Tooltip("split:N", title="Split"),
    ]
    base = alt.Chart(alt.NamedData(data))
    style: dict[str, Any] = {} if colour is not None else {"style": "ink"}
    drawn = []
    for split, filled in (("train", True), ("test", False)):
        points = (
            base.transform_filter(f"datum.split == '{split}'")
            .transform_flatten(["model", "x", "value"])
            .transform_calculate(at=at or short_number("flops"))
            .mark_point(filled=filled, opacity=0.85, size=26, strokeWidth=1.2, clip=True, **style)
            .encode(x=x, y=y, tooltip=told)
        )
        drawn.append(points if colour is None else points.encode(color=colour))
    return drawn
