"""Numbers as a person reads them: rounded to their uncertainty, with short units."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

_UNITS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
NOTHING = "–"

SCALE_UNITS = {
    "flops": " FLOP",
    "params": " parameters",
    "tokens": " tokens",
    "loss": " nats/token",
}
"""What follows a scale in a sentence."""


def short_scale(x: float | None, axis: str) -> str:
    """Return a scale in short units.

    Parameters
    ----------
    x
        Scale in the unit of its axis.
    axis
        ``flops``, ``params``, ``tokens`` or ``loss``.

    Examples
    --------
    >>> short_scale(2.775e9, "params"), short_scale(1.234e22, "flops"), short_scale(2.314, "loss")
    ('2.8B', '1.2e22', '2.31')
    """
    if x is None or not math.isfinite(x):
        return NOTHING
    if axis == "flops":
        return f"{x:.1e}".replace("e+", "e")
    if axis == "loss":
        return f"{x:.2f}"
    for size, unit in _UNITS:
        if x >= size * 0.9995:
            value = x / size
            return f"{value:.0f}{unit}" if value >= 9.95 else f"{value:.1f}{unit}"
    return f"{x:.0f}"


def onset_text(row: Mapping[str, Any], prefix: str = "onset") -> str:
    """Return the interval of an onset; an end that is not known is said to be open.

    >>> onset_text({"axis": "params", "onset_low": 1.4e9, "onset_high": None})
    'from 1.4B'
    """
    low, high = row[f"{prefix}_low"], row[f"{prefix}_high"]
    axis = row["axis"]
    if low is None and high is None:
        return "open"
    if low is None:
        return f"up to {short_scale(high, axis)}"
    if high is None:
        return f"from {short_scale(low, axis)}"
    return f"{short_scale(low, axis)} to {short_scale(high, axis)}"


def rounded(value: float | None, uncertainty: float | None = None) -> str:
    """Return a value with the digits that its uncertainty leaves, three significant ones without.

    The uncertainty keeps two digits if it starts with 1 or 2, and one otherwise.

    >>> rounded(0.31826, 0.0136), rounded(0.31826, 0.004), rounded(0.31826), rounded(12.3456, 30)
    ('0.318', '0.318', '0.318', '12')
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    if uncertainty is None or not math.isfinite(uncertainty) or uncertainty <= 0:
        return significant(value)
    exponent = math.floor(math.log10(uncertainty))
    digits = -exponent + (1 if uncertainty / 10**exponent < 3 else 0)
    return _signed(f"{value:.{min(max(digits, 0), 6)}f}")


def significant(value: float | None, digits: int = 3) -> str:
    """Return a value with that many significant digits, without trailing zeros.

    >>> significant(0.25), significant(5.9335), significant(12345.0), significant(None)
    ('0.25', '5.93', '12345', '–')
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    if abs(value) >= 10**digits:
        return _signed(f"{value:.0f}")
    text = f"{value:.{digits}g}"
    return _signed(text.replace("e-0", "e-"))


def p_value(p: float | None) -> str:
    """Return a p-value with two significant digits; below a thousandth only that.

    >>> p_value(0.0312), p_value(0.53), p_value(1e-30), p_value(1.0)
    ('0.031', '0.53', '<0.001', '1')
    """
    if p is None or not math.isfinite(p):
        return NOTHING
    return "<0.001" if p < 0.001 else f"{p:.2g}"


def whole(value: float | None) -> str:
    """Return a count with thousands separated.

    >>> whole(5000), whole(None)
    ('5,000', '–')
    """
    return NOTHING if value is None or not math.isfinite(value) else f"{value:,.0f}"


def score_text(row: Mapping[str, Any]) -> str:
    """Return an emergence score, or the status that it has in place of a number."""
    status = str(row["emergence_score_status"])
    if status == "finite":
        return significant(row["emergence_score"], 2)
    return {"+inf": "+∞", "-inf": "−∞", "flat": "flat", "too_few": NOTHING}.get(status, status)


def _signed(text: str) -> str:
    return text.replace("-", "−") if text.startswith("-") else text
