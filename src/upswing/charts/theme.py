"""Colours, marker shapes, sizes and fonts of every figure, for light and dark paper.

Families are told by colour and by shape; verdicts by colour, sign and word: never by colour alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

Mode = Literal["light", "dark"]
Width = int | Literal["column", "page", "container"]

DPI = 96
WIDTHS: dict[str, int] = {"column": round(3.25 * DPI), "page": round(6.75 * DPI)}
"""Widths of a column (3.25 in) and of a page (6.75 in) [px at 96 per inch]."""

FONT = "Liberation Sans, Helvetica, Arial, sans-serif"
FONT_POWERS = "DejaVu Sans, Helvetica, Arial, sans-serif"
"""Font of powers of ten: Liberation Sans has no superscript 4 to 9."""

CATEGORY: dict[Mode, tuple[str, ...]] = {
    "light": (
        "#0072b2", "#c75300", "#00835f", "#a3479b", "#8f6b00", "#4d4d4d", "#7b2d26", "#2f86ab",
    ),
    "dark": (
        "#4ba3db", "#f08a3c", "#2fc79a", "#de8bd0", "#e3bc45", "#b9bdc3", "#e5847b", "#8cc9ea",
    ),
}  # fmt: skip
"""Colours of families in order of their names; after Okabe and Ito, darkened or lightened until
each has a contrast of 3 with the paper."""

SEQUENCE: dict[Mode, tuple[str, ...]] = {
    "light": ("#dc7616", "#cf3f61", "#9a2b93", "#5f2ba3", "#1f1a94"),
    "dark": ("#8a6ad6", "#c965b8", "#f27a80", "#ffac52", "#ffe65c"),
}
"""Colours of an ordered quantity from little to much: they differ in lightness and in hue, and the
more, the farther from the paper. See :func:`sequence`."""

SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right")
"""Marker shapes; seven of them beside eight colours, so that 56 families differ."""


class VerdictStyle(NamedTuple):
    """How a verdict looks: a sign, and a colour for light and for dark paper."""

    sign: str
    light: str
    dark: str


VERDICTS: dict[str, VerdictStyle] = {
    "emergent": VerdictStyle("▲", "#b8430b", "#ff9a5c"),
    "metric artifact": VerdictStyle("◆", "#8a3f94", "#dc97e6"),
    "u-shaped": VerdictStyle("∪", "#7a5c00", "#dcbc4b"),
    "inverted-u": VerdictStyle("∩", "#7a5c00", "#dcbc4b"),
    "smooth": VerdictStyle("↑", "#0a67a3", "#6cb8ee"),
    "falling": VerdictStyle("↓", "#8c2f39", "#f0909a"),
    "flat": VerdictStyle("→", "#0f766e", "#5cc9bf"),
    "under-resolved": VerdictStyle("○", "#555d68", "#b6bec8"),
    "undecided": VerdictStyle("?", "#6a727d", "#939ba6"),
}
"""Verdicts, the one that says most first."""

_UNKNOWN = VERDICTS["undecided"]

_INK: dict[Mode, dict[str, str]] = {
    "light": {"text": "#1d2127", "soft": "#565d67", "grid": "#e6e8eb", "line": "#9aa1ab"},
    "dark": {"text": "#e8eaed", "soft": "#a9b0ba", "grid": "#2b3038", "line": "#6c7480"},
}


def verdict_style(word: str) -> VerdictStyle:
    """Return the style of a verdict; words that are not known get that of ``undecided``."""
    return VERDICTS.get(word, _UNKNOWN)


def verdict_rank(word: str) -> int:
    """Return the place of a verdict in the order of :data:`VERDICTS`."""
    return list(VERDICTS).index(word) if word in VERDICTS else len(VERDICTS)


def pixels(width: Width) -> Any:
    """Return a width in pixels; ``container`` stays as it is."""
    return WIDTHS.get(width, width) if isinstance(width, str) else width


def text_colour(mode: Mode = "light") -> str:
    """Return the colour of text, for marks that stand beside coloured ones."""
    return _INK[mode]["text"]


def sequence(count: int, mode: Mode = "light") -> list[str]:
    """Return that many colours for an ordered quantity, from little to much.

    >>> sequence(1), sequence(3)
    (['#9a2b93'], ['#dc7616', '#9a2b93', '#1f1a94'])
    """
    anchors = SEQUENCE[mode]
    last = len(anchors) - 1
    if count == 1:
        return [_between(anchors, last / 2)]
    places = [i / (count - 1) * last for i in range(count)]
    return [_between(anchors, place) for place in places]


def _between(anchors: Sequence[str], place: float) -> str:
    """Return the colour at a place between anchors, straight from one to the next in sRGB."""
    left = min(int(place), len(anchors) - 2)
    share = place - left
    pair = [[int(anchors[i][j : j + 2], 16) for j in (1, 3, 5)] for i in (left, left + 1)]
    mixed = [round(a + share * (b - a)) for a, b in zip(*pair, strict=True)]
    return "#" + "".join(f"{value:02x}" for value in mixed)


def config(mode: Mode = "light") -> dict[str, Any]:
    """Return the Vega-Lite configuration of all figures.

    Parameters
    ----------
    mode
        ``light`` (white paper) or ``dark`` (transparent, for a dark page).
    """
    ink = _INK[mode]
    text = {"labelColor": ink["soft"], "titleColor": ink["text"], "labelFontSize": 11}
    return {
        "background": "white" if mode == "light" else "transparent",
        "font": FONT,
        "padding": 6,
        "range": {"category": list(CATEGORY[mode]), "symbol": list(SHAPES)},
        "view": {"stroke": None},
        "axis": {
            **text,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "gridColor": ink["grid"],
            "domainColor": ink["line"],
            "tickColor": ink["line"],
            "labelFlush": False,
            "titlePadding": 8,
        },
        "legend": {
            **text,
            "title": None,
            "orient": "top",
            "direction": "horizontal",
            "columns": 4,
            "labelLimit": 180,
            "symbolSize": 60,
            "offset": 4,
        },
        "title": {
            "anchor": "start",
            "color": ink["text"],
            "subtitleColor": ink["soft"],
            "fontSize": 13,
            "subtitleFontSize": 11,
            "subtitlePadding": 4,
            "offset": 8,
            "limit": 560,
        },
        "header": {"labelColor": ink["text"], "titleColor": ink["text"], "labelFontSize": 12},
        "style": {
            "ink": {"stroke": ink["soft"], "fill": ink["soft"], "color": ink["soft"]},
            "text": {"fill": ink["text"], "color": ink["text"]},
        },
    }
