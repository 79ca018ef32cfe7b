"""Helpers of the pages: a table and a figure from code."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any

import polars as pl

_figures = count(1)


def cell(value: object) -> str:
    """Return a value as a page shows it: three significant digits, a dash for nothing."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list | tuple):
        return "; ".join(cell(item) for item in value)
    return str(value).replace("|", "\\|").replace("\n", " ")


def table(rows: pl.DataFrame | Iterable[Mapping[str, Any]], columns: str = "") -> str:
    """Return rows as a Markdown table; ``columns`` chooses some, separated by commas."""
    rows = rows.to_dicts() if isinstance(rows, pl.DataFrame) else list(rows)
    if not rows:
        return "There are none.\n"
    names = columns.split(", ") if columns else list(rows[0])
    numeric = [all(isinstance(r[n], int | float | None) for r in rows) for n in names]
    lines = [
        "| " + " | ".join(names) + " |",
        "|" + "|".join(" ---: " if right else " --- " for right in numeric) + "|",
    ]
    lines += ["| " + " | ".join(cell(row[name]) for name in names) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def figure(chart: Any, caption: str) -> str:
    """Return a chart as an SVG inside a figure with a caption, for a block with ``html="on"``."""
    from upswing.charts.save import render_chart

    svg = render_chart(chart, ".svg").decode()
    # Names inside a drawing must not meet those of another drawing on the page.
    prefix = f"figure{next(_figures)}-"
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}\1)", svg)
    svg = re.sub(r'(xlink:href|href)="#([^"]+)"', rf'\1="#{prefix}\2"', svg)
    text = html.escape(caption)
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{text}" ', 1)
    return f'<figure class="drawing">{svg}<figcaption>{text}</figcaption></figure>'


def p_text(p: float | None) -> str | None:
    """Return a p-value in words where the computer's zero is none."""
    return p if p is None else "below 1e-16" if p < 1e-16 else f"{p:.1g}"
