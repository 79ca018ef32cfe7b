"""Accuracy and edit distance over the length of the right answer, with what independence expects.

After figures 2 and 4 of Schaeffer et al. 2023, arXiv:2304.15004, with fits and expectations.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from upswing.charts.names import distinct_labels
from upswing.charts.theme import WIDTHS, Mode, config

if TYPE_CHECKING:
    import altair as alt

YScale = Literal["linear", "log"]

HEIGHT = 170
_GAP = 58

CURVES = ("fitted", "same p at every position", "own p at each position")
"""What the lines are: a geometric or a straight fit; p1^L and L (1 - p1); the product over
positions."""

_LINES = {
    "accuracy": dict(zip(CURVES, ("accuracy_fit", "p1_power", "product"), strict=True)),
    "distance": dict(zip(CURVES, ("distance_fit", "distance_expected"), strict=False)),
}
_TITLES = {"accuracy": "Accuracy", "distance": "Edit distance"}


def target_length(
    lengths: pl.DataFrame,
    *,
    title: str = "",
    subtitle: str = "",
    y: YScale = "linear",
    columns: int = 3,
    width: int = WIDTHS["page"],
    height: int = HEIGHT,
    mode: Mode = "light",
) -> alt.ConcatChart:
    """Draw accuracy above edit distance for each model; side by side where there is one model.

    Points have 95 % intervals. The solid line is fitted, geometric for accuracy and straight for
    edit distance. Dashed is what one probability for every position expects, and dotted what the
    accuracies at the single positions expect; where they part from the points, the symbols of an
    answer are not right independently of each other, or not equally hard.

    Parameters
    ----------
    lengths
        The table ``lengths`` of :func:`upswing.mirage.target_length.target_length`.
    title, subtitle
        Text above the figure.
    y
        ``log`` draws accuracy on a log axis, on which a geometric fall is straight; accuracies of 0
        are left out there.
    columns
        Models side by side.
    width
        Width of the whole figure [px].
    height
        Height of a panel [px].
    mode
        ``light`` or ``dark``.

    Returns
    -------
    altair.ConcatChart
        The panels, over the data sets ``lines_0``, ``points_0``, ...
    """
    import altair as alt

    models = lengths.partition_by("family", "model", "revision", maintain_order=True)
    labels = _labels(models)
    side = 2 if len(models) < 2 else min(columns, len(models))
    unit = str(lengths["unit"][0]) if len(lengths) else "characters"
    limits = _limits(lengths, y)
    panels: list[alt.LayerChart] = []
    datasets: dict[str, Any] = {}
    for start in range(0, len(models), side):
        block = list(zip(models, labels, strict=True))[start : start + side]
        for measure in _LINES:
            for model, label in block:
                place = len(panels)
                rows = length_rows(model, measure, y)
                datasets |= {f"{name}_{place}": values for name, values in rows.items()}
                head = label if measure == "accuracy" else ""
                panel = _panel(measure, y, unit, place, limits[measure]).properties(
                    width=(width - _GAP * side) / side, height=height
                )
                panels.append(panel.properties(title=head) if head else panel)
    grid = alt.concat(*panels, columns=side).resolve_scale(
        color="shared", strokeDash="shared", x="independent", y="independent"
    )
    if title:
        under = subtitle or alt.Undefined
        grid = grid.properties(title=alt.TitleParams(title, subtitle=under, fontSize=15, offset=14))
    figure: alt.ConcatChart = grid.properties(datasets=datasets).configure(**config(mode))
    return figure


def length_rows(
    model: pl.DataFrame, measure: str, y: YScale = "linear"
) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of one panel: ``lines`` and ``points``."""
    drawn = [
        {"length": row["length"], "curve": curve, "value": row[column]}
        for curve, column in _LINES[measure].items()
        for row in model.select("length", column).drop_nulls().iter_rows(named=True)
    ]
    observed = [
        {
            "length": row["length"],
            "value": row[measure],
            "low": row[f"{measure}_low"],
            "high": row[f"{measure}_high"],
            "n": row["n"],
        }
        for row in model.iter_rows(named=True)
    ]
    if measure == "accuracy" and y == "log":
        drawn = [row for row in drawn if row["value"] > 0]
        observed = [row for row in observed if row["value"] > 0]
    return {"lines": drawn, "points": observed}


def _limits(lengths: pl.DataFrame, y: YScale) -> dict[str, tuple[float, float]]:
    """Return the ends of both y axes, the same in all panels.

    On a log axis accuracy ends at the power of ten below the smallest one that was observed.
    """
    smallest = lengths["accuracy"].filter(lengths["accuracy"] > 0).min()
    low = 10.0 ** math.floor(math.log10(float(str(smallest or 1.0)))) if y == "log" else 0.0
    far = [
        float(str(lengths[name].max() or 0.0))
        for name in (*_LINES["distance"].values(), "distance_high")
    ]
    return {"accuracy": (low, 1.0), "distance": (0.0, max(far, default=1.0) or 1.0)}


def _labels(models: list[pl.DataFrame]) -> list[str]:
    """Return model and revision of each; the revision only where they differ in it."""
    names = [(str(m["model"][0] or "model"), str(m["revision"][0] or "")) for m in models]
    several = len({revision for _, revision in names}) > 1
    full = [f"{name} {revision}".strip() if several else name for name, revision in names]
    shown = distinct_labels(full, 26)
    return [shown[name] for name in full]


def _panel(
    measure: str, y: YScale, unit: str, place: int, limits: tuple[float, float]
) -> alt.LayerChart:
    import altair as alt

    log = measure == "accuracy" and y == "log"
    scale = alt.Scale(type="log" if log else "linear", domain=limits, nice=False)
    title = _TITLES[measure] + (f" [{unit}]" if measure == "distance" else "")
    decades = range(round(math.log10(limits[0])), 1) if log else ()
    axis = (
        alt.Axis(values=[10.0**k for k in decades], format="~g")
        if log
        else alt.Axis(tickCount=5, format="~g")
    )
    x = alt.X(
        "length:Q",
        title=f"Length L [{unit}]",
        scale=alt.Scale(nice=False, zero=False, padding=10),
        axis=alt.Axis(tickMinStep=1, format="d", grid=False),
    )

    def at(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", title=title, scale=scale, axis=axis)

    domain = list(CURVES)
    lines = (
        alt.Chart(alt.NamedData(f"lines_{place}"))
        .mark_line(strokeWidth=1.7, clip=True)
        .encode(
            x=x,
            y=at("value"),
            color=alt.Color("curve:N", scale=alt.Scale(domain=domain), legend=alt.Legend()),
            strokeDash=alt.StrokeDash(
                "curve:N",
                scale=alt.Scale(domain=domain, range=[[1, 0], [6, 4], [2, 2]]),
                legend=alt.Legend(),
            ),
        )
    )
    base = alt.Chart(alt.NamedData(f"points_{place}"))
    bars = (
        base.transform_calculate(bottom=f"max(datum.low, {limits[0] / 10})")
        .mark_rule(style="text", strokeWidth=1.2, clip=True)
        .encode(x=x, y=at("bottom"), y2="high:Q")
    )
    points = base.mark_point(style="text", filled=True, size=42, opacity=1).encode(
        x=x,
        y=at("value"),
        tooltip=[
            alt.Tooltip("length:Q", title="Length"),
            alt.Tooltip("value:Q", title=_TITLES[measure], format=".4f"),
            alt.Tooltip("low:Q", title="from", format=".4f"),
            alt.Tooltip("high:Q", title="to", format=".4f"),
            alt.Tooltip("n:Q", title="Answers", format=",d"),
        ],
    )
    return alt.LayerChart(layer=[lines, bars, points])
