"""What figures of an emergence law share: the loss axis, the marks on it, and the answer in words.

The tables are those of :mod:`upswing.forecast.finetuning.figure_tables`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from upswing.charts.theme import CATEGORY, Mode
from upswing.curves.curve import AXES

if TYPE_CHECKING:
    import altair as alt

Row = dict[str, Any]

FORECAST = "forecast, most likely"
MEASURED = "measured"
PROMPTED_USED = "prompted"
PROMPTED_HELD = "prompted, held out"

STAR = (
    "M0,-1 L0.235,-0.324 L0.951,-0.309 L0.38,0.124 L0.588,0.809 L0,0.4 "
    "L-0.588,0.809 L-0.38,0.124 L-0.951,-0.309 L-0.235,-0.324 Z"
)
"""A five-pointed star, as Vega takes shapes."""


_ROOM = 0.06


class Span(NamedTuple):
    """Part of the loss axis that is drawn [nats/token]."""

    low: float
    high: float


def truth_colour(mode: Mode) -> str:
    """Return the colour of what was measured, as opposed to forecast."""
    return CATEGORY[mode][2]


def mark(marks: pl.DataFrame, kind: str) -> Row | None:
    """Return the mark of a kind of which there is at most one."""
    rows = marks.filter(pl.col("kind") == kind)
    return rows.row(0, named=True) if len(rows) else None


def loss_span(loss: pl.Series, marks: pl.DataFrame, stretch: float = 0.35) -> Span:
    """Return the part of the loss axis to draw: all models, and the forecast if it is not far.

    Parameters
    ----------
    loss
        Losses of the models [nats/token].
    marks
        The interval of the forecast is followed as far as there is room; single elbows widen the
        axis only where they then are on it.
    stretch
        How far the axis may go beyond the models, as a share of their range.

    Examples
    --------
    >>> row = {"kind": "forecast", "elbow": 0.2, "low": 1.7, "high": 1.9}
    >>> [round(end, 2) for end in loss_span(pl.Series([2.0, 3.0]), pl.DataFrame([row]))]
    [1.67, 3.03]
    """
    values = loss.to_numpy()
    first, last = float(values.min()), float(values.max())
    extent = max(last - first, 0.05)
    least, most = max(first - stretch * extent, 0.0), last + stretch * extent
    low, high = first, last
    for row in marks.filter(pl.col("kind").is_in(["forecast", "truth"])).to_dicts():
        ends = [row[name] for name in ("low", "high") if row[name] is not None]
        inside = [row["elbow"]] if least <= row["elbow"] <= most else []
        low, high = min([low, *ends, *inside]), max([high, *ends, *inside])
    pad = 0.03 * extent
    return Span(max(max(low, least) - pad, 0.0), min(high, most) + pad)


def loss_x(field: str, span: Span, corpus: str | None = None, title: bool = True) -> alt.X:
    """Return the encoding of pretraining loss; better models stand right."""
    import altair as alt

    label = f"Pretraining {AXES['loss'][0].lower()}{AXES['loss'][1:]}"
    if corpus:
        label += f" on {corpus}"
    return alt.X(
        f"{field}:Q",
        title=f"{label}  (better models →)" if title else None,
        scale=alt.Scale(domain=list(span), reverse=True, nice=False, zero=False),
        axis=alt.Axis(grid=False, format=".3~f", tickCount=6, labelOverlap="greedy"),
    )


def score_range(means: pl.DataFrame, marks: pl.DataFrame) -> tuple[float, float]:
    """Return the scores that are drawn: all of them, chance and the elbows, with some room."""
    on_axis = marks.filter(pl.col("kind").is_in(["chance", "amount", "forecast", "truth"]))
    values = pl.concat([means["lowest"], means["highest"], on_axis["value"].drop_nulls()])
    found = values.to_numpy()
    low, high = float(found.min()), float(found.max())
    room = _ROOM * max(high - low, 1e-3)
    return low - room, high + room


def amount(row: Row) -> str:
    """Return the label of an amount of data.

    >>> amount({"d": 4096.0})
    '4,096'
    """
    return "–" if row["d"] is None else f"{row['d']:,.6g}" if row["d"] % 1 else f"{row['d']:,.0f}"


def nats(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """Return a loss rounded to its interval.

    >>> nats(1.9512), nats(1.9512, 1.949, 1.953)
    ('1.95', '1.951')
    """
    if value is None or not math.isfinite(value):
        return "–"
    narrow = low is not None and high is not None and 0 < high - low < 0.02
    return f"{value:.3f}" if narrow else f"{value:.2f}"


def interval(row: Row) -> str:
    """Return the 90 % interval of a mark in words; empty where it has none."""
    low, high = row["low"], row["high"]
    if low is None or high is None:
        return ""
    return f"{nats(low, low, high)} to {nats(high, low, high)}"


def answer(marks: pl.DataFrame) -> str:
    """Return what the forecast says, and what was measured where that is known, as one line.

    >>> rows = [{"kind": "forecast", "name": "forecast", "elbow": 1.95, "low": 1.9, "high": 1.98},
    ...         {"kind": "quantile", "name": "q50", "elbow": 1.96, "low": None, "high": None},
    ...         {"kind": "truth", "name": "given", "elbow": 1.94, "low": None, "high": None}]
    >>> answer(pl.DataFrame(rows))
    'Forecast: leaves chance at 1.96 (1.90 to 1.98) nats/token; measured: 1.94'
    """
    said, *measured = answer_lines(marks)
    unit = " nats/token"
    if any(sign.isdigit() for sign in said):
        return "; ".join([said + unit, *measured])
    return "; ".join([said, *(line + unit for line in measured)])


def answer_lines(marks: pl.DataFrame) -> list[str]:
    """Return the answer in short lines, without the unit [nats/token].

    The forecast is the median of its distribution where it has one.
    """
    found, truth = mark(marks, "forecast"), mark(marks, "truth")
    lines = ["No forecast"]
    if found is not None:
        inside = interval(found)
        middle = marks.filter((pl.col("kind") == "quantile") & (pl.col("name") == "q50"))["elbow"]
        value = found["elbow"] if middle.is_empty() else middle[0]
        said = f"leaves chance at {nats(value, found['low'], found['high'])}"
        if found["name"] == "beyond reach":
            said = "beyond reach"
        lines = [f"Forecast: {said}" + (f" ({inside})" if inside else "")]
    if truth is not None:
        lines.append(f"measured: {nats(truth['elbow'], truth['low'], truth['high'])}")
    return lines
