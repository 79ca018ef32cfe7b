"""How far in advance a forecast succeeds: its error over the lead.

After figure 7 of Snell et al. 2024, arXiv:2411.16035.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from upswing.charts.ablation_errors import CRITERION, NAIVE, RESULTS, error_scale
from upswing.charts.theme import CATEGORY, Mode, Width, config, pixels

if TYPE_CHECKING:
    import altair as alt

Lead = Literal["flops", "gap"]

LAW = "emergence law"
"""Name of the law in the legend."""

LEADS: dict[Lead, tuple[str, str]] = {
    "flops": ("lead_flops", "Compute of the first model to emerge, × the largest used"),
    "gap": ("gap", "Distance of the best model used from the true elbow [nats/token]"),
}
"""Column and title of each measure of lead."""

_DASHES = {LAW: [1, 0], **dict(zip(NAIVE.values(), ([2, 2], [6, 3], [8, 2, 2, 2]), strict=True))}


def forecast_advance(
    table: pl.DataFrame,
    *,
    x: Lead | None = None,
    title: str = "",
    subtitle: str = "most likely elbow; lines: 5 to 95 % of the posterior; crosses: not within",
    width: Width = "page",
    height: int = 260,
    mode: Mode = "light",
) -> alt.LayerChart:
    """Draw the absolute error of ever earlier forecasts, beside those that cost nothing.

    Circles are within the criterion, which is a dashed line, and crosses are not. Leads at which
    nothing can be forecast are marked on the axis.

    Parameters
    ----------
    table
        One row per lead: ``dropped``, ``gap`` [nats/token], ``lead_flops``, ``status``, ``reason``,
        ``absolute_error``, ``error_q05``, ``error_q95`` and naive errors [nats/token].
    x
        Measure of lead: ``flops``, a ratio, or ``gap``; by default compute where it is known and
        tells the rows apart.
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
        The figure, over the data sets ``errors`` and ``refused``.
    """
    import altair as alt

    lead = x or default_lead(table)
    errors, refused = advance_rows(table, lead)
    names = list(dict.fromkeys(row["forecast"] for row in errors)) or [LAW]
    top = 1.15 * max([row["error"] for row in errors] + [2.0 * CRITERION])
    for row in errors:
        row["shown_high"] = None if row["high"] is None else min(row["high"], top)
        row["shown_low"] = None if row["low"] is None else min(row["low"], top)
    layers = _layers(lead, names, top, mode)
    chart = layers.properties(
        width=pixels(width), height=height, datasets={"errors": errors, "refused": refused}
    )
    if title:
        chart = chart.properties(title=alt.TitleParams(title, subtitle=subtitle or alt.Undefined))
    figure: alt.LayerChart = chart.configure(**config(mode))
    return figure


def default_lead(table: pl.DataFrame) -> Lead:
    """Return how the lead is measured where nobody says."""
    leads = table["lead_flops"]
    return "flops" if not leads.null_count() and leads.n_unique() == len(leads) else "gap"


def advance_rows(
    table: pl.DataFrame, lead: Lead
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return one row per lead and forecast with an error, and one per refusal."""
    column = LEADS[lead][0]
    errors, refused = [], []
    for row in table.filter(pl.col(column).is_not_null()).iter_rows(named=True):
        at = {"lead": row[column], "dropped": row["dropped"]}
        if row["absolute_error"] is None:
            refused.append({**at, "reason": row["reason"] or row["status"]})
        own = {LAW: row["absolute_error"], **{name: row[key] for key, name in NAIVE.items()}}
        for name, error in own.items():
            if error is None:
                continue
            errors.append(
                {
                    **at,
                    "forecast": name,
                    "error": error,
                    "low": row["error_q05"] if name == LAW else None,
                    "high": row["error_q95"] if name == LAW else None,
                    # 2.0 - 1.9 is more than 0.1 in binary
                    "result": RESULTS[0] if error <= CRITERION + 1e-9 else RESULTS[1],
                }
            )
    return errors, refused


def _layers(lead: Lead, names: list[str], top: float, mode: Mode) -> alt.LayerChart:
    import altair as alt

    soft = config(mode)["style"]["ink"]["stroke"]
    colours = [CATEGORY[mode][0] if name == LAW else soft for name in names]
    legend = alt.Legend(columns=2, labelLimit=240, symbolType="stroke", symbolSize=400)
    colour = alt.Color("forecast:N", scale=alt.Scale(domain=names, range=colours), legend=legend)
    dash = alt.StrokeDash(
        "forecast:N",
        scale=alt.Scale(domain=names, range=[_DASHES[name] for name in names]),
        legend=legend,
    )
    shape = alt.Shape(
        "result:N",
        scale=alt.Scale(domain=list(RESULTS), range=["circle", "cross"]),
        legend=alt.Legend(columns=1, symbolStrokeWidth=2, symbolStrokeColor=soft),
    )
    missed = (alt.datum.forecast == LAW) & (alt.datum.result == RESULTS[1])
    at = _lead_axis(lead)
    scale: dict[str, Any] = {"title": "|error| [nats/token]", **error_scale(top)}

    def y(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", **scale)

    base = alt.Chart(alt.NamedData("errors"))
    limit = (
        alt.Chart(alt.InlineData(values=[{"limit": CRITERION}]))
        .mark_rule(style="ink", strokeDash=[5, 4], strokeWidth=1.2)
        .encode(y=y("limit"))
    )
    lines = base.mark_line(strokeWidth=1.5).encode(
        x=at, y=y("error"), color=colour, strokeDash=dash, order=alt.Order("dropped:Q")
    )
    spans = (
        base.transform_filter("isValid(datum.low)")
        .mark_rule(strokeWidth=1.3, opacity=0.8)
        .encode(x=at, y=y("shown_low"), y2="shown_high:Q", color=colour)
    )
    points = base.mark_point(size=50, filled=False, strokeWidth=1.8, opacity=1).encode(
        x=at,
        y=y("error"),
        color=alt.condition(missed, alt.value(CATEGORY[mode][1]), colour),
        shape=shape,
        tooltip=[
            alt.Tooltip("forecast:N", title="Forecast"),
            alt.Tooltip("dropped:Q", title="Checkpoints left out"),
            alt.Tooltip("lead:Q", title="Lead", format=".3~g"),
            alt.Tooltip("error:Q", title="|error| [nats/token]", format=".3~g"),
            alt.Tooltip("low:Q", title="5 %", format=".3~g"),
            alt.Tooltip("high:Q", title="95 %", format=".3~g"),
        ],
    )
    nothing = alt.Chart(alt.NamedData("refused"))
    told = [alt.Tooltip("reason:N", title="Refused")]
    refused = nothing.mark_text(
        text="refused", angle=270, align="left", dx=5, fontSize=10, fontStyle="italic", style="text"
    ).encode(x=at, y=alt.value("height"), tooltip=told)
    return alt.LayerChart(layer=[limit, lines, spans, points, refused])


def _lead_axis(lead: Lead) -> alt.X:
    import altair as alt

    title = LEADS[lead][1]
    if lead == "gap":
        return alt.X(
            "lead:Q",
            title=title,
            scale=alt.Scale(zero=False, nice=False, padding=14),
            axis=alt.Axis(grid=False, format="~r", tickCount=8),
        )
    return alt.X(
        "lead:Q",
        title=title,
        scale=alt.Scale(type="log", base=2, nice=False, padding=14),
        axis=alt.Axis(grid=False, labelExpr="format(datum.value, '.3~r') + ' ×'", tickCount=6),
    )
