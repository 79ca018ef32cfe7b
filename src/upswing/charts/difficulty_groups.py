"""Groups of questions from easy to hard over compute, each with its polynomial and band."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from upswing.charts.names import shown, without_owner
from upswing.charts.scale_axis import scale_x, short_number
from upswing.charts.theme import Mode, Width, config, pixels, sequence

if TYPE_CHECKING:
    import altair as alt

HEIGHT = 320
_ROOM = 0.06
TITLES = {
    "acc": "Accuracy",
    "tc_brier": "− TC Brier score (higher is better)",
    "tc_brier_undistributed": "− TC Brier score, not redistributed (higher is better)",
    "option_mass": "Probability of all options",
}
"""What the y axis shows, by metric."""


def difficulty_groups(
    points: pl.DataFrame,
    curves: pl.DataFrame,
    *,
    threshold: float | None = None,
    title: str = "",
    subtitle: str = "",
    width: Width = "page",
    height: int = HEIGHT,
    mode: Mode = "light",
) -> alt.LayerChart:
    """Draw the scores of groups of questions over compute, from the easiest to the hardest.

    A point is a model on a group; a line is the polynomial through all models, which describes and
    does not forecast, and the band around it 1.96 standard deviations of the residuals. The dashed
    vertical line is the threshold.

    Parameters
    ----------
    points, curves
        Tables of :func:`upswing.difficulty.groups.group_curves.group_curves`; ``curves`` may be
        empty.
    threshold
        Training compute to mark [FLOP].
    title, subtitle
        Text above the figure.
    width
        ``column``, ``page``, pixels, or ``container``.
    height
        Height of the plot [px].
    mode
        ``light`` or ``dark``.

    Returns
    -------
    altair.LayerChart
        The figure, over the data sets ``points``, ``curves`` and ``threshold``.
    """
    import altair as alt

    metric = str(points["metric"][0]) if len(points) else "acc"
    ranks = points["easiness_rank"].unique().sort().to_list()
    names = rank_names(len(ranks))
    colour = alt.Color(
        "difficulty:N",
        scale=alt.Scale(domain=names, range=sequence(max(1, len(ranks)), mode)),
        legend=alt.Legend(
            title="Groups of questions", columns=10, symbolOpacity=1, symbolType="circle"
        )
        if len(ranks) > 1
        else None,
    )
    y: dict[str, Any] = {
        "title": TITLES.get(metric, metric),
        "scale": alt.Scale(domain=score_domain(points), nice=False, zero=False),
        "axis": alt.Axis(format=".2~f", tickCount=6),
    }
    told = [
        alt.Tooltip("model:N", title="Model"),
        alt.Tooltip("difficulty:N", title="Group"),
        alt.Tooltip("at:N", title="Compute [FLOP]"),
        alt.Tooltip("score:Q", title="Score", format=".4f"),
        alt.Tooltip("stderr:Q", title="Standard error", format=".4f"),
        alt.Tooltip("n:Q", title="Questions", format=","),
    ]
    base = alt.Chart(alt.NamedData("curves")).transform_flatten(["x", "score", "low", "high"])
    band = base.mark_area(opacity=0.09, line=False, clip=True).encode(
        x=scale_x("flops", "log"), y=alt.Y("low:Q", **y), y2="high:Q", color=colour
    )
    line = base.mark_line(strokeWidth=2, clip=True).encode(
        x=scale_x("flops", "log"), y=alt.Y("score:Q", **y), color=colour
    )
    marks = (
        alt.Chart(alt.NamedData("points"))
        .transform_flatten(["model", "x", "score", "stderr"])
        .transform_calculate(at=short_number("flops"))
        .mark_point(filled=True, opacity=0.8, size=24, clip=True)
        .encode(x=scale_x("flops", "log"), y=alt.Y("score:Q", **y), color=colour, tooltip=told)
    )
    datasets = {
        "points": point_rows(points, names),
        "curves": curve_rows(curves, names),
        "threshold": [] if threshold is None else [{"x": threshold}],
    }
    named: dict[str, Any] = {}
    if title:
        under = subtitle or alt.Undefined
        named["title"] = alt.TitleParams(shown(title, 90), subtitle=under)
    return alt.LayerChart(
        layer=[band, line, marks, threshold_rule()],
        width=pixels(width),
        height=height,
        config=alt.Config(**config(mode)),
        datasets=datasets,
        **named,
    )


def threshold_rule(data: str = "threshold", scale_name: str = "x") -> alt.Chart:
    """Return the dashed line at a threshold of compute, over a data set with ``x`` [FLOP]."""
    import altair as alt

    rule: alt.Chart = (
        alt.Chart(alt.NamedData(data))
        .mark_rule(style="ink", strokeDash=[5, 4], strokeWidth=1.5)
        .encode(x=scale_x("flops", "log", scale_name=scale_name))
    )
    return rule


def rank_names(count: int) -> list[str]:
    """Return the names of groups from the easiest to the hardest.

    >>> rank_names(3), rank_names(1)
    (['1 (easy)', '2', '3 (hard)'], ['all'])
    """
    if count == 1:
        return ["all"]
    ends = {1: " (easy)", count: " (hard)"}
    return [f"{rank}{ends.get(rank, '')}" for rank in range(1, count + 1)]


def score_domain(points: pl.DataFrame) -> list[float]:
    """Return a range that holds all points with some room: polynomials may leave it."""
    if points.is_empty():
        return [0.0, 1.0]
    low, high = float(points["score"].min()), float(points["score"].max())  # type: ignore[arg-type]
    room = _ROOM * (high - low or 1.0)
    return [low - room, high + room]


def point_rows(points: pl.DataFrame, names: list[str]) -> list[dict[str, Any]]:
    """Return the points as the figure holds them: one row per group, with lists."""
    return [
        {
            "difficulty": names[int(rank) - 1],
            "n": part["n"][0],
            "model": [shown(without_owner(name)) for name in part["model"]],
            "x": part["flops"].to_list(),
            **{name: part[name].to_list() for name in ("score", "stderr")},
        }
        for (rank,), part in points.partition_by("easiness_rank", as_dict=True).items()
    ]


def curve_rows(curves: pl.DataFrame, names: list[str]) -> list[dict[str, Any]]:
    """Return the curves as the figure holds them: one row each, with lists."""
    return [
        {
            "difficulty": names[int(rank) - 1],
            "x": part["flops"].to_list(),
            **{name: part[name].to_list() for name in ("score", "low", "high")},
        }
        for (rank,), part in curves.partition_by("easiness_rank", as_dict=True).items()
    ]
