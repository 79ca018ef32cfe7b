"""Which metrics sharp curves are measured with, beside chance and beside base rates.

After figure 5 of Schaeffer et al. 2023, arXiv:2304.15004, with what its bars rest on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from upswing.charts.names import distinct_labels
from upswing.charts.theme import CATEGORY, Mode, config, pixels, text_colour

if TYPE_CHECKING:
    import altair as alt

NULLS = {"flat": "expected if scale did nothing", "smooth": "expected if all rose smoothly"}
"""Name of each null in the legend."""

_KINDS = ("infinite score", "finite score")
_SHARES = ("emergent tasks", "all tasks")
_UNKNOWN = "not known"
_LABELS = 220
_COUNTS = 170
_GAP = 18
_NARROWEST = 560


def meta_analysis_figure(
    by_metric: pl.DataFrame,
    expected: pl.DataFrame | None = None,
    preferred: pl.DataFrame | None = None,
    *,
    width: int | Literal["page"] = "page",
    step: int = 20,
    mode: Mode = "light",
) -> alt.VConcatChart:
    """Draw shares of sharp curves per metric and, below, metrics of the annotated tasks.

    Parameters
    ----------
    by_metric, expected, preferred
        Tables of a meta-analysis: counts above the cut-offs by metric, the counts that chance
        gives, and preferred metrics of annotated tasks. Without rows in the last, the lower part
        is left out.
    width
        ``page`` or pixels; at least 560, for names and counts need room.
    step
        Height of a row [px].
    mode
        ``light`` or ``dark``.

    Returns
    -------
    altair.VConcatChart
        The figure, over the data sets ``shares``, ``expected`` and ``annotated``.
    """
    import altair as alt

    total = max(pixels(width), _NARROWEST)
    shares, marks = share_rows(by_metric), expected_rows(expected, by_metric)
    parts: list[Any] = [_shares(shares, marks, total, step, mode)]
    annotated = annotated_rows(preferred)
    if annotated:
        parts.append(_annotated(annotated, total, step, mode))
    data = {"shares": shares, "expected": marks, "annotated": annotated}
    chart: alt.VConcatChart = (
        alt.vconcat(*parts, spacing=2 * _GAP)
        .resolve_scale(color="independent", shape="independent")
        .properties(datasets=data)
        .configure(**config(mode))
    )
    return chart


def share_rows(by_metric: pl.DataFrame) -> list[dict[str, Any]]:
    """Return one row per metric, cut-off and kind of score, the sharpest metric first."""
    if not len(by_metric):
        return []
    labels = distinct_labels(by_metric["metric"].to_list(), 32)
    sharp: dict[str, list[float]] = {}
    for row in by_metric.sort("cutoff", descending=True).iter_rows(named=True):
        sharp.setdefault(row["metric"], []).append(-row["share"])
    place = {name: i for i, name in enumerate(sorted(sharp, key=lambda name: (sharp[name], name)))}
    rows = []
    for row in by_metric.iter_rows(named=True):
        infinite, total = row["above_infinite"], row["curves"]
        ends = (0, infinite, row["above"])
        for kind, start, end in zip(_KINDS, ends[:-1], ends[1:], strict=True):
            rows.append(
                {
                    "metric": labels[row["metric"]],
                    "place": place[row["metric"]],
                    "cutoff": row["cutoff"],
                    "kind": kind,
                    "start": start / total,
                    "end": end / total,
                    "count": end - start,
                    "text": f"{row['above']} of {total}",
                    "share": row["share"],
                }
            )
    return sorted(rows, key=lambda row: (row["place"], row["cutoff"], row["kind"]))


def expected_rows(expected: pl.DataFrame | None, by_metric: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the share of curves of each metric that each null puts above each cut-off."""
    if expected is None:
        return []
    labels = distinct_labels(by_metric["metric"].to_list(), 32)
    return [
        {
            "metric": labels[row["group"]],
            "cutoff": row["cutoff"],
            "null": NULLS.get(row["null"], row["null"]),
            "share": row["expected"] / row["curves"],
            "expected": row["expected"],
            "low": row["low"],
            "high": row["high"],
        }
        for row in expected.filter(pl.col("by") == "metric").iter_rows(named=True)
        if row["group"] in labels
    ]


def annotated_rows(preferred: pl.DataFrame | None) -> list[dict[str, Any]]:
    """Return the preferred metrics of the emergent tasks and of all, by source of the metric.

    Metrics of a single task that is not emergent are one row together.
    """
    if preferred is None:
        return []
    rows: list[dict[str, Any]] = []
    for part in preferred.filter(pl.col("tasks") > 0).partition_by("rule", maintain_order=True):
        if not part["emergent"].sum():
            continue
        alone = (pl.col("tasks") == 1) & (pl.col("emergent") == 0) & pl.col("metric").is_not_null()
        single, others = part.filter(alone), part.filter(~alone.fill_null(False))
        records = others.filter(pl.col("metric").is_not_null()).to_dicts()
        if len(single):
            word = "metric" if len(single) == 1 else "metrics"
            records.append(
                {
                    "rule": part["rule"][0],
                    "metric": f"{len(single)} {word} of one task",
                    **{name: single[name].sum() for name in ("tasks", "emergent", "share_tasks")},
                    "share_emergent": 0.0,
                }
            )
        records += others.filter(pl.col("metric").is_null()).to_dicts()
        whole, emergent = int(part["tasks"].sum()), int(part["emergent"].sum())
        labels = distinct_labels([row["metric"] or _UNKNOWN for row in records], 32)
        rows += [
            {
                "rule": row["rule"],
                "metric": labels[row["metric"] or _UNKNOWN],
                "emergent": row["share_emergent"],
                "all": row["share_tasks"],
                "text": f"{row['emergent']} of {emergent} emergent, {row['tasks']} of {whole}",
            }
            for row in records
        ]
    return rows


def _title(text: str) -> Any:
    import altair as alt

    return alt.TitleParams(text, fontSize=12, frame="group")


def _shares(
    rows: list[dict[str, Any]], marks: list[dict[str, Any]], total: int, step: int, mode: Mode
) -> Any:
    import altair as alt

    cutoffs = sorted({row["cutoff"] for row in rows})
    labels = list(dict.fromkeys(row["metric"] for row in rows))
    most = max([row["end"] for row in rows] + [row["share"] for row in marks], default=0.0) or 0.01
    each = max(100, (total - _LABELS - _GAP * (len(cutoffs) - 1)) // max(len(cutoffs), 1))
    x: dict[str, Any] = {"scale": alt.Scale(domain=[0, most * 1.45], nice=False)}
    axis = alt.Axis(format="~%", tickCount=3, grid=True)
    colours = alt.Scale(domain=list(_KINDS), range=[CATEGORY[mode][1], CATEGORY[mode][0]])
    shapes = alt.Scale(domain=list(NULLS.values()), range=["circle", "diamond"])
    panels = []
    for i, cutoff in enumerate(cutoffs):
        y = alt.Y(
            "metric:N",
            sort=None,
            title=None,
            scale=alt.Scale(domain=labels),
            axis=alt.Axis(labelLimit=_LABELS - 10, ticks=False, domain=False, labelPadding=6)
            if i == 0
            else None,
        )
        chosen = alt.Chart(alt.NamedData("shares")).transform_filter(alt.datum.cutoff == cutoff)
        bars = chosen.mark_bar(height=step - 8, opacity=0.9).encode(
            x=alt.X("start:Q", title="Share of curves", axis=axis, **x),
            x2="end:Q",
            y=y,
            color=alt.Color(
                "kind:N", scale=colours, legend=alt.Legend(symbolType="square", symbolOpacity=0.9)
            ),
            tooltip=[
                alt.Tooltip("metric:N", title="Metric"),
                alt.Tooltip("kind:N", title="Kind"),
                alt.Tooltip("count:Q", title="Curves above"),
                alt.Tooltip("text:N", title="All above"),
            ],
        )
        null = alt.Chart(alt.NamedData("expected")).transform_filter(alt.datum.cutoff == cutoff)
        points = null.mark_point(
            filled=False, size=34, strokeWidth=1.6, opacity=1, color=text_colour(mode)
        ).encode(
            x=alt.X("share:Q", **x),
            y=y,
            shape=alt.Shape("null:N", scale=shapes, legend=alt.Legend(symbolStrokeWidth=1.6)),
            tooltip=[
                alt.Tooltip("metric:N", title="Metric"),
                alt.Tooltip("null:N", title="Null"),
                alt.Tooltip("expected:Q", title="Curves above", format=".2f"),
                alt.Tooltip("low:Q", title="from"),
                alt.Tooltip("high:Q", title="to"),
            ],
        )
        end = f"datum.kind == '{_KINDS[1]}'"
        text = (
            chosen.transform_filter(end)
            .mark_text(align="right", fontSize=10, style="text")
            .encode(x=alt.XDatum(most * 1.44, **x), y=y, text="text:N")
        )
        panels.append(
            alt.layer(bars, text, points).properties(
                width=each,
                height=step * max(1, len(labels)),
                title=_title(f"Emergence score above {cutoff:g}"),
            )
        )
    return alt.hconcat(*panels, spacing=_GAP)


def _annotated(rows: list[dict[str, Any]], total: int, step: int, mode: Mode) -> Any:
    import altair as alt

    width = total - _LABELS - _COUNTS
    colours = alt.Scale(domain=list(_SHARES), range=[CATEGORY[mode][1], CATEGORY[mode][0]])
    shapes = alt.Scale(domain=list(_SHARES), range=["diamond", "circle"])
    rules = list(dict.fromkeys(row["rule"] for row in rows))
    panels = []
    for i, rule in enumerate(rules):
        labels = [row["metric"] for row in rows if row["rule"] == rule]
        chosen = alt.Chart(alt.NamedData("annotated")).transform_filter(alt.datum.rule == rule)
        y = alt.Y(
            "metric:N",
            title=None,
            scale=alt.Scale(domain=labels),
            axis=alt.Axis(labelLimit=_LABELS - 10, ticks=False, domain=False, labelPadding=6),
        )
        x: dict[str, Any] = {
            "scale": alt.Scale(domain=[0, 1]),
            "axis": alt.Axis(format="~%", tickCount=5, grid=True),
            "title": "Share of tasks that prefer the metric" if i == len(rules) - 1 else None,
        }
        bars = chosen.mark_rule(style="ink", strokeWidth=1.5, opacity=0.6).encode(
            x=alt.X("all:Q", **x), x2="emergent:Q", y=y
        )
        told = [
            alt.Tooltip("metric:N", title="Metric"),
            alt.Tooltip("emergent:Q", title="Of emergent tasks", format=".1%"),
            alt.Tooltip("all:Q", title="Of all tasks", format=".1%"),
            alt.Tooltip("text:N", title="Tasks"),
        ]
        dots = [
            chosen.transform_calculate(of=f"'{name}'")
            .mark_point(size=60, opacity=1, filled=False, strokeWidth=2)
            .encode(
                x=alt.X(field, **x),
                y=y,
                color=alt.Color("of:N", scale=colours, legend=alt.Legend(symbolStrokeWidth=2)),
                shape=alt.Shape("of:N", scale=shapes, legend=alt.Legend(symbolStrokeWidth=2)),
                tooltip=told,
            )
            for name, field in zip(_SHARES, ("emergent:Q", "all:Q"), strict=True)
        ]
        text = chosen.mark_text(align="left", fontSize=10, style="text").encode(
            x=alt.value(width + 8), y=y, text="text:N"
        )
        panels.append(
            alt.layer(bars, *dots, text).properties(
                width=width,
                height=step * len(labels),
                title=_title(f"Preferred metric by {rule}"),
            )
        )
    return alt.vconcat(*panels, spacing=_GAP)
