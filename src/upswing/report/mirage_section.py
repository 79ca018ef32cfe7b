"""The section on jumps: is it the metric, the test set, or a real jump?"""

from __future__ import annotations

from typing import Any

import polars as pl

from upswing.charts.metric_pair import (
    HEIGHT,
    jump_rows,
    legend_labels,
    pair_layers,
    pair_rows,
    pair_subtitle,
    pair_title,
)
from upswing.charts.names import shown
from upswing.charts.scale_axis import XScale
from upswing.charts.score_vs_scale import titled
from upswing.report import mirage_text
from upswing.report.mirage_jumps import Jump, Jumps, drawn_jumps
from upswing.report.payload import bare, columnar

Row = dict[str, Any]

MOST_ROWS = 400
"""Rows of the table on the page; ``tables/findings.csv`` has all."""

MOST_TOLD = 100
"""Jumps that are told in words and not drawn."""

_X: tuple[XScale, ...] = ("log", "linear")


def mirage_section(found: Jumps) -> Row:
    """Return what the template shows."""
    drawn = drawn_jumps(found)
    rows = mirage_text.jump_rows(found)
    others = [jump for jump in found.jumps if jump not in drawn]
    return {
        "sentence": mirage_text.counts_sentence(found),
        "drawn": [{"id": f"pair-{i}", **_told(found, jump)} for i, jump in enumerate(drawn)],
        "told": [_told(found, jump) for jump in others[:MOST_TOLD]],
        "more_told": max(0, len(others) - MOST_TOLD),
        "rows": rows[:MOST_ROWS],
        "more_rows": max(0, len(rows) - MOST_ROWS),
    }


def _told(found: Jumps, jump: Jump) -> Row:
    text = mirage_text.jump_text(jump, found.pair_row(jump))
    return {
        **mirage_text.jump_labels(jump), "metric": shown(jump.row["metric"], 40), "text": text
    }  # fmt: skip


def mirage_figures(found: Jumps, axis: str) -> tuple[Row, Row]:
    """Return templates by name, and figures by id."""
    figures: Row = {}
    for i, jump in enumerate(drawn_jumps(found)):
        row = found.pair_row(jump)
        if row is None:
            continue
        points = found.points.filter(pl.col("pair") == jump.pair)
        figures[f"pair-{i}"] = {
            "kind": "pair",
            "title": [pair_title(row), pair_subtitle(row)],
            "curves": legend_labels(row),
            "data": {
                "points": columnar(pair_rows(points, row)),
                "jump": columnar(jump_rows(points)),
            },
        }
    if not figures:
        return {}, {}
    return {f"pair/{x}": _template(axis, x) for x in _X}, figures


def _template(axis: str, x: XScale) -> Row:
    import altair as alt

    layers = pair_layers(axis, x).properties(height=HEIGHT)
    named = layers.add_params(alt.param(name="curves", value=["", ""]))
    room = {"left": 6, "top": 6, "bottom": 6, "right": 16}  # half a label may stand at the end
    return bare(titled(named, " ", " ", "container").properties(padding=room))
