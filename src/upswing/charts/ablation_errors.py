"""Errors of a forecast with parts of its data held out, or under other laws.

After table 2 and figure 6 of Snell et al. 2024, arXiv:2411.16035.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from upswing.charts.names import distinct_labels, shown
from upswing.charts.theme import CATEGORY, Mode, Width, config, pixels, text_colour

if TYPE_CHECKING:
    import altair as alt

CRITERION = 0.1
"""Snell et al. call a forecast right that is within this of the truth [nats/token]."""

RESULTS = ("within 0.1 nats", "not within")
"""What became of a forecast, in the legend."""

NAIVE = {
    "best_still_random_error": "just past the best random checkpoint",
    "smallest_amount_error": "elbow at the smallest D",
    "others_mean_error": "mean truth of other tasks",
}
"""Columns of naive forecasts, and their names in the legend."""

NAIVE_SHAPES = dict(zip(NAIVE.values(), ("diamond", "triangle-up", "square"), strict=True))
"""Their shapes."""

HEADS = {
    "full": "All data",
    "amounts": "Amounts of data",
    "draws": "Draws of the examples",
    "checkpoints": "Checkpoints",
    "form": "Form of the law",
    "d0": "Low-data limit",
}
"""Heading over the settings of each study."""

TICKS = (0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
_FINE_TICKS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.5)
"""Errors with a label; the axis is even up to about 0.1 and logarithmic beyond."""

_LABELS = 200
_NARROWEST = 100
_GAP = 14


def ablation_errors(
    table: pl.DataFrame,
    *,
    title: str = "",
    subtitle: str = "bars: most likely elbow; lines: 5 to 95 % of the posterior",
    width: Width = "page",
    step: int = 15,
    mode: Mode = "light",
) -> alt.HConcatChart:
    """Draw the absolute error of every setting, with its 5th to 95th percentile.

    Failures differ in colour and in shape, the criterion is a dashed line, naive forecasts are open
    marks, and a setting from which nothing can be forecast says so. A line that leaves the panel
    ends with a number.

    Parameters
    ----------
    table
        One row per setting: ``task``, ``study``, ``setting``, ``status``, ``reason``,
        ``absolute_error``, ``error_q05``, ``error_q95``, ``within_criterion`` and the columns of
        :data:`NAIVE`, errors in [nats/token]. Every task is a panel.
    title, subtitle
        Text above the figure.
    width
        ``column``, ``page`` or pixels; panels and names together, unless that leaves too little.
    step
        Height of a row [px].
    mode
        ``light`` or ``dark``.

    Returns
    -------
    altair.HConcatChart
        The figure, over the data sets ``errors`` and ``naive``.
    """
    import altair as alt

    tasks = table["task"].unique(maintain_order=True).to_list()
    labels = setting_labels(table)
    top = highest_shown(table)
    errors, naive = error_rows(table, top), naive_rows(table, top)
    known = list(dict.fromkeys(row["mark"] for row in naive))
    each = (pixels(width) - _LABELS - _GAP * (len(tasks) - 1)) // max(len(tasks), 1)
    panels = [
        _panel(place, labels, top, known, mode).properties(
            width=max(each, _NARROWEST),
            height=step * len(labels),
            title=alt.TitleParams(shown(task, 40), fontSize=12, frame="group"),
        )
        for place, task in enumerate(tasks)
    ]
    chart = alt.hconcat(*panels, spacing=_GAP).properties(
        datasets={"errors": errors, "naive": naive}
    )
    if title:
        chart = chart.properties(title=alt.TitleParams(title, subtitle=subtitle or alt.Undefined))
    figure: alt.HConcatChart = chart.configure(**config(mode))
    return figure


def setting_labels(table: pl.DataFrame) -> list[str]:
    """Return the labels of all rows from above, headings among them."""
    labels: list[str] = []
    names = distinct_labels(table["setting"].to_list(), 44)
    for study in sorted(table["study"].unique(), key=_rank):
        own = table.filter(pl.col("study") == study)["setting"].unique(maintain_order=True)
        if study != "full":
            labels.append(HEADS.get(study, study))
        labels += [names[setting] for setting in own]
    return labels


def highest_shown(table: pl.DataFrame) -> float:
    """Return the end of the axis [nats/token]: a little beyond the largest error.

    Lines may be far longer than bars; they are cut, so that the bars stay visible.
    """
    columns = ("absolute_error", *NAIVE)
    errors: list[float] = [e for name in columns for e in table[name].drop_nulls().to_list()]
    return 1.15 * max([*errors, 2.0 * CRITERION])


def error_rows(table: pl.DataFrame, top: float) -> list[dict[str, Any]]:
    """Return one row per bar."""
    places = {task: i for i, task in enumerate(table["task"].unique(maintain_order=True))}
    names = distinct_labels(table["setting"].to_list(), 44)
    rows = []
    for row in table.iter_rows(named=True):
        error, high = row["absolute_error"], row["error_q95"]
        cut = high is not None and high > top
        rows.append(
            {
                "panel": places[row["task"]],
                "setting": names[row["setting"]],
                "error": error,
                "low": None if row["error_q05"] is None else min(row["error_q05"], top),
                "high": None if high is None else min(high, top),
                "interval": ""
                if high is None
                else f"{row['error_q05']:.3g} to {high:.3g} nats/token",
                "beyond": f"{high:.2g}" if cut else "",
                "mark": RESULTS[0] if row["within_criterion"] else RESULTS[1],
                "refused": "" if error is not None else "refused",
                "reason": shown(row["reason"] or "", 90),
            }
        )
    return rows


def naive_rows(table: pl.DataFrame, top: float) -> list[dict[str, Any]]:
    """Return one row per naive forecast that is known."""
    places = {task: i for i, task in enumerate(table["task"].unique(maintain_order=True))}
    names = distinct_labels(table["setting"].to_list(), 44)
    return [
        {
            "panel": places[row["task"]],
            "setting": names[row["setting"]],
            "mark": name,
            "error": row[column],
        }
        for row in table.iter_rows(named=True)
        for column, name in NAIVE.items()
        if row[column] is not None
    ]


def error_scale(top: float) -> dict[str, Any]:
    """Return scale and ticks of an axis of errors up to ``top`` [nats/token]."""
    import altair as alt

    # The scale bends at the criterion: below 1 nat too few ticks would pass it for a straight one.
    ticks = [tick for tick in (TICKS if top >= 1.0 else _FINE_TICKS) if tick <= top]
    return {
        "scale": alt.Scale(type="symlog", constant=CRITERION, domain=[0.0, top], nice=False),
        "axis": alt.Axis(values=ticks, format="~g", grid=True),
    }


def mark_scales(naive: Sequence[str], mode: Mode) -> tuple[alt.Scale, alt.Scale]:
    """Return colours and shapes of forecasts, by result, and of the naive ones that are known."""
    import altair as alt

    soft = config(mode)["style"]["ink"]["stroke"]
    known = [(name, shape) for name, shape in NAIVE_SHAPES.items() if name in naive]
    domain = [*RESULTS, *(name for name, _ in known)]
    colours = [CATEGORY[mode][0], CATEGORY[mode][1], *(soft for _ in known)]
    shapes = ["circle", "cross", *(shape for _, shape in known)]
    return alt.Scale(domain=domain, range=colours), alt.Scale(domain=domain, range=shapes)


def _rank(study: str) -> int:
    return list(HEADS).index(study) if study in HEADS else len(HEADS)


def _panel(
    place: int, labels: list[str], top: float, known: Sequence[str], mode: Mode
) -> alt.LayerChart:
    import altair as alt

    heads = [name for study, name in HEADS.items() if study != "full"]
    bold = f"indexof({heads!r}, datum.value) >= 0"
    axis = alt.Axis(
        labels=place == 0,
        ticks=False,
        domain=False,
        labelLimit=_LABELS,
        labelPadding=8,
        labelFontWeight={"condition": {"test": bold, "value": "bold"}, "value": "normal"},
    )
    y = alt.Y("setting:N", title=None, scale=alt.Scale(domain=labels), axis=axis)
    x: dict[str, Any] = {"title": "|error| [nats/token]", **error_scale(top)}
    colours, shapes = mark_scales(known, mode)
    legend = alt.Legend(columns=3, labelLimit=240, symbolStrokeWidth=2)
    colour = alt.Color("mark:N", scale=colours, legend=legend)
    shape = alt.Shape("mark:N", scale=shapes, legend=legend)
    ink = text_colour(mode)

    def own(name: str) -> alt.Chart:
        return alt.Chart(alt.NamedData(name)).transform_filter(f"datum.panel == {place}")

    told = [
        alt.Tooltip("setting:N", title="Setting"),
        alt.Tooltip("error:Q", title="|error| [nats/token]", format=".3~g"),
        alt.Tooltip("interval:N", title="5 to 95 %"),
        alt.Tooltip("reason:N", title="Why not"),
    ]
    errors = own("errors")
    made = errors.transform_filter("datum.refused == ''")
    passed = alt.value(CATEGORY[mode][0])
    filled = alt.condition(alt.datum.mark == RESULTS[0], passed, alt.value(CATEGORY[mode][1]))
    bars = made.mark_bar(height={"band": 0.62}, opacity=0.55).encode(
        x=alt.X("error:Q", **x), x2=alt.datum(0), y=y, color=filled, tooltip=told
    )
    limit = (
        alt.Chart(alt.InlineData(values=[{"limit": CRITERION}]))
        .mark_rule(style="ink", strokeDash=[5, 4], strokeWidth=1.2)
        .encode(x=alt.X("limit:Q", **x))
    )
    lines = (
        made.transform_filter("isValid(datum.low)")
        .mark_rule(strokeWidth=1.3, color=ink)
        .encode(x=alt.X("low:Q", **x), x2="high:Q", y=y)
    )
    points = made.mark_point(size=34, filled=False, strokeWidth=2, opacity=1).encode(
        x=alt.X("error:Q", **x),
        y=y,
        color=colour,
        shape=shape,
        tooltip=told,
    )
    beyond = made.mark_text(align="right", baseline="bottom", fontSize=9, dx=-1, color=ink).encode(
        x=alt.X("high:Q", **x),
        y=y,
        text=alt.condition("datum.beyond == ''", alt.value(""), alt.Text("beyond:N")),
    )
    refused = (
        errors.transform_filter("datum.refused != ''")
        .mark_text(align="left", dx=4, fontSize=10, fontStyle="italic", style="text")
        .encode(x=alt.value(0), y=y, text="refused:N", tooltip=told)
    )
    naive = (
        own("naive")
        .mark_point(size=26, filled=False, strokeWidth=1.2, opacity=0.9)
        .encode(
            x=alt.X("error:Q", **x),
            y=y,
            color=colour,
            shape=shape,
            tooltip=[
                alt.Tooltip("mark:N", title="Naive forecast"),
                alt.Tooltip("error:Q", title="|error| [nats/token]", format=".3~g"),
            ],
        )
    )
    return alt.LayerChart(layer=[bars, limit, lines, naive, points, beyond, refused])
