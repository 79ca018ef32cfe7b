"""A sharp curve beside a continuous metric of the same outputs, each as a share of its own rise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from upswing.charts.names import distinct_labels, shown, without_owner
from upswing.charts.scale_axis import XScale, default_x, scale_x, short_number
from upswing.charts.theme import Mode, config
from upswing.curves.curve import RUN_AXES

if TYPE_CHECKING:
    import altair as alt

HEIGHT = 220
WIDTH = 320

REACH = 0.5
"""How far beyond the curve's lowest and highest point an interval is drawn [share of the rise]."""

OUTCOMES = {
    "earlier": "smooth, and rises before",
    "sharp": "sharp itself",
    "same place": "leaves its floor there too",
    "unclear": "does not decide",
    "not compared": "not compared",
}
"""What the other metric says of the jump, in few words."""


def metric_pair(
    points: pl.DataFrame,
    pairs: pl.DataFrame,
    *,
    title: str = "",
    subtitle: str = "",
    columns: int = 2,
    x: XScale | None = None,
    width: int = WIDTH,
    height: int = HEIGHT,
    mode: Mode = "light",
) -> alt.ConcatChart:
    """Draw one panel per pair: both curves on one scale, from their lowest to their highest point.

    The band is the jump of the curve in question, from the last scale before its onset to the
    onset. Bars are 95 % intervals over questions, cut off half a rise beyond the curve. Raw values
    are in the tooltips.

    Parameters
    ----------
    points
        :func:`upswing.mirage.pair_points.pair_points`.
    pairs
        The rows of :func:`upswing.mirage.intervention.pair_table` that belong to it: the column
        ``pair`` of the points is a row of this table.
    title, subtitle
        Text above the figure.
    columns
        Panels side by side.
    x
        ``log`` or ``linear``; default log, and linear for loss.
    width, height
        Size of one panel [px].
    mode
        ``light`` or ``dark``.

    Returns
    -------
    altair.ConcatChart
        The grid, over the data sets ``points_0``, ``jump_0``, ...; empty without pairs.
    """
    import altair as alt

    drawn, names = [], []
    datasets: dict[str, Any] = {}
    for i, group in enumerate(points.partition_by("pair", maintain_order=True)):
        row = pairs.row(int(group["pair"][0]), named=True)
        layers = pair_layers(
            str(row["axis"]), x, f"points_{i}", f"jump_{i}", f"concat_{i}_x", f"curves_{i}"
        )
        head = alt.TitleParams(
            pair_title(row), subtitle=pair_subtitle(row), limit=width + 40, frame="group"
        )
        drawn.append(layers.properties(width=width, height=height, title=head))
        datasets[f"points_{i}"] = pair_rows(group, row)
        datasets[f"jump_{i}"] = jump_rows(group)
        names.append(alt.param(name=f"curves_{i}", value=legend_labels(row)))
    grid = (
        alt.concat(*drawn, columns=columns)
        .resolve_scale(color="independent", shape="independent")
        .properties(datasets=datasets)
        .add_params(*names)
    )
    if title:
        under = subtitle or alt.Undefined
        grid = grid.properties(title=alt.TitleParams(title, subtitle=under, fontSize=15, offset=14))
    figure: alt.ConcatChart = grid.configure(**config(mode))
    return figure


def pair_title(row: dict[str, Any]) -> str:
    """Return the task and whose outputs these are."""
    who = without_owner(row["model"] or row["family"])
    return " · ".join(shown(part, 40) for part in (row["task"], who) if part)


def pair_subtitle(row: dict[str, Any]) -> str:
    """Return what the other metric says of the jump."""
    outcome = OUTCOMES.get(row["outcome"], str(row["outcome"]))
    return f"{curve_names(row)[1]}: {outcome}"


def legend_labels(row: dict[str, Any]) -> list[str]:
    """Return the names of the two curves with their emergence scores.

    >>> row = {"task": "sums", "metric": "exact_match", "other_task": "sums", "other_metric": "f1",
    ...        "emergence_score": None, "emergence_score_status": "+inf",
    ...        "other_score": 12.3, "other_score_status": "finite"}
    >>> legend_labels(row)
    ['exact_match, emergence score +∞', 'f1, emergence score 12']
    """
    scores = (
        _score(row["emergence_score"], row["emergence_score_status"]),
        _score(row["other_score"], row["other_score_status"]),
    )
    pairs = zip(curve_names(row), scores, strict=True)
    return [f"{name}, emergence score {score}" for name, score in pairs]


def curve_names(row: dict[str, Any]) -> list[str]:
    """Return what the two curves are called: their metrics, with the task where it differs."""
    names = [str(row["metric"]), str(row["other_metric"])]
    if row["other_task"] != row["task"]:
        names = [f"{name} of {task}" for name, task in zip(
            names, (row["task"], row["other_task"]), strict=True
        )]  # fmt: skip
    labels = distinct_labels(names, 40)
    return [labels[name] for name in names]


def _score(value: float | None, status: str) -> str:
    if value is None:
        return {"+inf": "+∞", "-inf": "−∞", "too_few": "–"}.get(status, status)
    text = f"{value:.0f}" if abs(value) >= 9.95 else f"{value:.2g}"
    return text.replace("-", "−")


def pair_rows(points: pl.DataFrame, row: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the points of one pair; the curve in question last, so that it is drawn on top."""
    labels = dict(zip(("own", "other"), curve_names(row), strict=True))
    return [
        {
            "role": one["role"],
            "metric": labels[one["role"]],
            "point": shown(one["point"], 80),
            **{name: one[name] for name in ("x", "value", "share", "low", "high")},
        }
        for role in ("other", "own")
        for one in points.filter(role=role).iter_rows(named=True)
    ]


def jump_rows(points: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the ends of the jump, at most one row."""
    known = points.select("onset_low", "onset").drop_nulls().unique()
    return known.to_dicts()


def pair_layers(
    axis: str,
    x: XScale | None = None,
    data: str = "points",
    jump: str = "jump",
    scale_name: str = "x",
    labels: str = "curves",
) -> alt.LayerChart:
    """Return the panel of one pair without data, title and size.

    Its legend takes the labels of the two curves from the parameter ``labels``.
    """
    import altair as alt

    kind = x or default_x(axis)
    base = alt.Chart(alt.NamedData(data))
    marks = alt.Chart(alt.NamedData(jump))
    if kind == "log":
        base = base.transform_filter("datum.x > 0")
        marks = marks.transform_filter("datum.onset_low > 0")
    look: dict[str, Any] = {
        "scale": alt.Scale(domain=["own", "other"]),
        "legend": alt.Legend(
            columns=1, labelLimit=360, labelExpr=f"{labels}[datum.value == 'own' ? 0 : 1]"
        ),
    }
    colour, shape = alt.Color("role:N", **look), alt.Shape("role:N", **look)

    def at(field: str) -> alt.X:
        return scale_x(axis, kind, field=field, scale_name=scale_name)

    def y(field: str) -> alt.Y:
        return alt.Y(
            f"{field}:Q",
            title="Share of its own rise",
            scale=alt.Scale(nice=False, padding=4),
            axis=alt.Axis(values=[0, 0.25, 0.5, 0.75, 1], format=".0%"),
        )

    ends = f"{short_number(axis, 'datum.onset_low')} + ' to ' + {short_number(axis, 'datum.onset')}"
    band = (
        marks.transform_calculate(ends=ends)
        .mark_rect(style="ink", opacity=0.16)
        .encode(x=at("onset_low"), x2="onset:Q", tooltip=[alt.Tooltip("ends:N", title="Jump")])
    )
    line = base.mark_line(strokeWidth=1.6, opacity=0.7).encode(
        x=at("x"), y=y("share"), color=colour, order=alt.Order("x:Q")
    )
    bars = (
        base.transform_filter("isValid(datum.low)")
        .transform_calculate(
            drawn_low=f"max(datum.low, -{REACH})", drawn_high=f"min(datum.high, {1 + REACH})"
        )
        .mark_rule(strokeWidth=1.1, opacity=0.7)
        .encode(x=at("x"), y=y("drawn_low"), y2="drawn_high:Q", color=colour)
    )
    dots = base.transform_calculate(
        scale=short_number(axis),
        interval="isValid(datum.low) ? format(datum.low, '.0%') + ' to ' +"
        " format(datum.high, '.0%') : 'not known'",
    ).mark_point(filled=True, opacity=1).encode(
        x=at("x"),
        y=y("share"),
        color=colour,
        shape=shape,
        size=alt.condition("datum.role == 'own'", alt.value(30), alt.value(60)),
        tooltip=[
            alt.Tooltip("point:N", title="Checkpoint" if axis in RUN_AXES else "Model"),
            alt.Tooltip("metric:N", title="Metric"),
            alt.Tooltip("scale:N", title="Scale"),
            alt.Tooltip("value:Q", title="Score", format=".4~g"),
            alt.Tooltip("share:Q", title="Share of its rise", format=".0%"),
            alt.Tooltip("interval:N", title="95 % interval"),
        ],
    )  # fmt: skip
    chart: alt.LayerChart = alt.LayerChart(layer=[band, line, bars, dots])
    return chart
