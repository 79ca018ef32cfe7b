"""The model in which only the loss improves: every metric side by side, few questions, few sizes.

After figure 2 of Schaeffer et al. 2023, arXiv:2304.15004, with emergence scores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import ceil, floor, inf, isfinite, isnan, log10, nan
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import polars as pl

from upswing.charts.scale_axis import scale_x, short_number
from upswing.charts.theme import SHAPES, Mode, config, sequence

if TYPE_CHECKING:
    import altair as alt

HEIGHT = 150
WIDTH = 200

TITLES = {
    "cross_entropy": "Loss [nats/token]",
    "token_probability": "Probability of a right token, p",
    "token_edit_distance": "Edit distance [tokens], L (1 − p)",
    "exact_match": "Exact match, p^L",
    "multiple_choice_grade": "Multiple-choice grade",
    "tc_brier": "Brier score, (1 − p)²",
}
"""Metrics that get a panel, in this order."""

_BEHIND: dict[Mode, str] = {"light": "rgba(255, 255, 255, 0.8)", "dark": "rgba(0, 0, 0, 0.4)"}
"""Behind legends, which stand inside the panels."""

_MOST_LISTED = 5

Corner = Literal["top-left", "top-right", "bottom-right"]


class ModelPanel(NamedTuple):
    """One panel.

    Attributes
    ----------
    title, subtitle
        Text above it.
    rows
        Points: x [parameters], value, curve (its label), n (null for the expected score), chance.
    curves
        Labels of the curves, in the order of their colours.
    corner
        Where there is room for the legend.
    y
        ``share`` from 0 to 1, ``zero`` from 0 on, or ``log``.
    """

    title: str
    subtitle: list[str]
    rows: list[dict[str, Any]]
    curves: list[str]
    corner: Corner
    y: Literal["share", "zero", "log"]


def mirage_model(
    points: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    title: str = "",
    subtitle: str = "",
    columns: int = 3,
    width: int = WIDTH,
    height: int = HEIGHT,
    mode: Mode = "light",
) -> alt.ConcatChart:
    """Draw the model: smooth metrics above, bent ones below, then few questions and few sizes.

    Lines are expected scores. Where tests were drawn there is a panel of exact match for each
    number of questions, with the points of one test over the expected scores, and the share of
    tests with an infinite emergence score. Where sizes were thinned there is a panel for each
    thinning.

    Parameters
    ----------
    points
        :func:`upswing.mirage.model_table.model_points`.
    scores
        :func:`upswing.mirage.model_table.model_scores`, for the numbers above the panels.
    title, subtitle
        Text above the figure.
    columns
        Panels side by side.
    width, height
        Size of one panel [px].
    mode
        ``light`` or ``dark``.

    Returns
    -------
    altair.ConcatChart
        The grid, over the data sets ``panel_0``, ``panel_1``, ...
    """
    import altair as alt

    panels = list(model_panels(points, scores))
    drawn = []
    for i, panel in enumerate(panels):
        head = alt.TitleParams(
            panel.title, subtitle=panel.subtitle, limit=width + 40, frame="group"
        )
        layers = _layers(panel, f"panel_{i}", f"concat_{i}_x", mode)
        drawn.append(layers.properties(width=width, height=height, title=head))
    grid = alt.concat(*drawn, columns=columns).resolve_scale(
        color="independent", shape="independent"
    )
    if title:
        under = subtitle or alt.Undefined
        grid = grid.properties(title=alt.TitleParams(title, subtitle=under, fontSize=15, offset=14))
    figure: alt.ConcatChart = grid.properties(
        datasets={f"panel_{i}": panel.rows for i, panel in enumerate(panels)}
    ).configure(**config(mode))
    return figure


def model_panels(points: pl.DataFrame, scores: pl.DataFrame) -> Iterator[ModelPanel]:
    """Yield the panels: one per metric, then exact match per number of questions and thinning."""
    least = points["every"].min()
    all_sizes = pl.col("every") == least
    expected = pl.col("n").is_null()
    for metric, title in TITLES.items():
        one = pl.col("metric") == metric
        rows = points.filter(one, expected, all_sizes)
        if len(rows):
            found = scores.filter(one, expected, all_sizes)
            lines = [_kind(rows), score_text(found)]
            if metric == "cross_entropy":
                bent = scores.filter(pl.col("metric") == "token_perplexity", expected, all_sizes)
                lines[1] += f"; perplexity {score_text(bent).removeprefix('emergence score ')}"
            yield _panel(title, lines, rows)
    exact = pl.col("metric") == "exact_match"
    for n in points["n"].drop_nulls().unique(maintain_order=True):
        rows = points.filter(exact, expected | (pl.col("n") == n), all_sizes)
        if len(rows):
            found = scores.filter(exact, pl.col("n") == n, all_sizes)
            lines = ["one test, over the expected score", infinite_text(found)]
            yield _panel(f"Exact match, {n:,} question{'s' * (n > 1)}", lines, rows)
    for every in points["every"].unique(maintain_order=True):
        thinned = pl.col("every") == every
        rows = points.filter(exact, expected, thinned)
        if every != least and len(rows):
            found = scores.filter(exact, expected, thinned)
            lines = [f"{found['scales'][0]} sizes, expected score", score_text(found)]
            yield _panel(f"Exact match, 1 in {every} sizes", lines, rows)


def score_text(scores: pl.DataFrame) -> str:
    """Return emergence scores in a few words, in the order of the curves; equal ones once.

    >>> frame = {"emergence_score": [9.42, None], "emergence_score_status": ["finite", "+inf"]}
    >>> score_text(pl.DataFrame(frame))
    'emergence scores 9.4, ∞'
    """
    infinite = {"+inf": inf, "-inf": -inf}
    values = [
        infinite.get(status, nan) if score is None else score
        for score, status in scores.select("emergence_score", "emergence_score_status").iter_rows()
    ]
    text = _listed(values, _number)
    return f"emergence score{'s' if ' ' in text else ''} {text}"


def infinite_text(scores: pl.DataFrame) -> str:
    """Return how often the scores of drawn tests are infinite.

    >>> infinite_text(pl.DataFrame({"share_plus_infinite": [0.0, 0.004, 0.64]}))
    'score is ∞ in 0, <1, 64 % of tests'
    """
    return f"score is ∞ in {_listed(scores['share_plus_infinite'].to_list(), _percent)} % of tests"


def _listed(values: list[float], text: Callable[[float], str]) -> str:
    """Return values in a row; of too many the least and the largest, of equal ones one."""
    texts = list(map(text, values))
    if len(set(texts)) == 1:
        return texts[0]
    if len(texts) <= _MOST_LISTED:
        return ", ".join(texts)
    return f"{text(min(values))} to {text(max(values))}"


def _number(score: float) -> str:
    if not isfinite(score):
        return "none" if isnan(score) else "∞" if score > 0 else "−∞"
    if abs(score) >= 1e5:
        return f"{score:.0e}".replace("e+0", "e").replace("e+", "e")
    return f"{score:.1f}" if abs(score) < 100 else f"{score:.0f}"


def _percent(share: float) -> str:
    if 0 < share < 0.005:
        return "<1"
    return ">99" if 0.995 < share < 1 else f"{100 * share:.0f}"


def _kind(rows: pl.DataFrame) -> str:
    better = "↑ higher is better" if rows["higher_is_better"][0] else "↓ lower is better"
    return f"{rows['shape'][0]} · {better}"


def _panel(title: str, subtitle: list[str], points: pl.DataFrame) -> ModelPanel:
    rows = [
        {
            "x": row["params"],
            "value": row["value"],
            "curve": _curve(row),
            "n": row["n"],
            "chance": row["chance"],
        }
        for row in points.sort("n", "params", nulls_last=False).iter_rows(named=True)
    ]
    metric = points["metric"][0]
    y: Literal["share", "zero", "log"] = "share"
    if metric in ("cross_entropy", "token_edit_distance"):
        y = "log" if metric == "cross_entropy" else "zero"
    curves = list(dict.fromkeys(_curve(row) for row in points.iter_rows(named=True)))
    return ModelPanel(title, subtitle, rows, curves, _corner(points), y)


def _corner(points: pl.DataFrame) -> Corner:
    """Return a corner that the curves leave empty: they fall, or rise late, or rise early."""
    if not points["higher_is_better"][0]:
        return "top-right"
    left = points.filter(pl.col("params") <= points["params"].unique().quantile(0.4, "lower"))
    return "bottom-right" if left["value"].max() > 0.5 else "top-left"  # type: ignore[operator]


def _curve(row: dict[str, Any]) -> str:
    if row["length"] is not None:
        return f"L = {row['length']}"
    return "" if row["spread"] is None else f"s = {row['spread']:g}"


def _layers(panel: ModelPanel, data: str, scale_name: str, mode: Mode) -> alt.LayerChart:
    """Return one panel without data, title and size."""
    import altair as alt

    base = alt.Chart(alt.NamedData(data))
    named = panel.curves != [""]
    legend = alt.Legend(
        orient=panel.corner,
        direction="vertical",
        columns=1 + len(panel.curves) // 8,
        offset=2,
        padding=2,
        labelFontSize=10,
        rowPadding=0,
        symbolOpacity=1,
        fillColor=_BEHIND[mode],
        zindex=1,
        symbolSize=35,
    )
    colour = alt.Color(
        "curve:N",
        scale=alt.Scale(domain=panel.curves, range=sequence(len(panel.curves), mode)),
        legend=legend if named else None,
    )
    shape = alt.Shape(
        "curve:N",
        scale=alt.Scale(domain=panel.curves, range=_cycled(SHAPES, len(panel.curves))),
        legend=legend if named else None,
    )
    y = alt.Y(
        "value:Q",
        title=None,
        scale={
            "share": alt.Scale(domain=[0, 1]),
            "zero": alt.Scale(zero=True, nice=True),
            "log": alt.Scale(type="log", nice=True),
        }[panel.y],
        axis=alt.Axis(format=".6~g", tickCount=5, values=_decades(panel) or alt.Undefined),
    )
    x = scale_x("params", "log", scale_name=scale_name)
    chance = (
        base.transform_filter("isValid(datum.chance)")
        .transform_aggregate(groupby=["chance"])
        .mark_rule(style="ink", strokeDash=[5, 4], strokeWidth=1.2)
        .encode(y=alt.Y("chance:Q", title=None))
    )
    is_drawn = any(row["n"] is not None for row in panel.rows)
    expected = (
        base.transform_filter("!isValid(datum.n)")
        .mark_line(strokeWidth=1.2 if is_drawn else 1.8, opacity=0.7 if is_drawn else 1, clip=True)
        .encode(x=x, y=y, color=colour, order=alt.Order("x:Q"))
    )
    told = [
        alt.Tooltip("curve:N", title="Curve"),
        alt.Tooltip("size:N", title="Parameters"),
        alt.Tooltip("value:Q", title="Score", format=".4~g"),
        alt.Tooltip("n:Q", title="Questions", format=","),
    ]
    marks = (
        base.transform_filter("isValid(datum.n)" if is_drawn else "true")
        .transform_calculate(size=short_number("params"))
        .mark_point(filled=True, opacity=1, size=22, clip=True)
        .encode(x=x, y=y, color=colour, shape=shape, tooltip=told)
    )
    return alt.LayerChart(layer=[chance, expected, marks])


def _decades(panel: ModelPanel) -> list[float]:
    """Return the powers of ten of a log axis, at most seven."""
    values = [row["value"] for row in panel.rows]
    if panel.y != "log" or not values:
        return []
    first, last = floor(log10(min(values))), ceil(log10(max(values)))
    return [10.0**power for power in range(first, last + 1, 1 + (last - first) // 6)]


def _cycled(shapes: Sequence[str], count: int) -> list[str]:
    return [shapes[i % len(shapes)] for i in range(count)]
