"""What finetuning adds, in words: one sentence per metric and one row per amount of data."""

from __future__ import annotations

from typing import Any

import polars as pl

from upswing.charts.finetune_data import UNSAID, amount_label, method_order
from upswing.charts.names import shown, without_owner
from upswing.report.numbers import rounded

Row = dict[str, Any]


def gain_rows(gains: pl.DataFrame) -> list[Row]:
    """Return one row of text per task, family, metric, method and amount of data.

    Parameters
    ----------
    gains
        Columns of :data:`upswing.curves.finetune_gains.GAINS`.
    """
    return [_row(row) for row in _sorted(gains)]


def _sorted(gains: pl.DataFrame) -> list[Row]:
    methods = {name: i for i, name in enumerate(method_order(gains["method"].to_list()))}
    return sorted(
        gains.to_dicts(),
        key=lambda row: (
            row["task"],
            row["family"],
            row["metric"],
            methods[row["method"]],
            -1 if row["d"] is None else row["d"],
        ),
    )


def gain_sentence(gains: pl.DataFrame, several: bool) -> Row | None:
    """Return what one method adds under one metric, one part per amount of data."""
    if gains.is_empty():
        return None
    first = gains.row(0, named=True)
    compared = gains.filter(pl.col("gain").is_not_null())
    rows = compared.to_dicts()
    noises = {_noise(row) for row in rows}
    parts = [
        {
            "amount": amount_label({**row, "few_shot": False}),
            "gain": _signed(row["gain"], row),
            "interval": _interval(row, len(noises) > 1),
        }
        for row in rows
    ]
    counts = sorted({row["compared"] for row in rows})
    repeated, disagreeing = gains["repeated"].sum(), gains["disagreeing"]
    told = disagreeing.null_count() == 0 and repeated > 0
    return {
        "metric": shown(first["metric"], 40),
        "method": shown(first["method"], 24) if several and first["method"] else "",
        "parts": parts,
        "noise": noises.pop() if len(noises) == 1 else "",
        "checkpoints": " to ".join(str(n) for n in dict.fromkeys((*counts[:1], *counts[-1:]))),
        "one": counts[-1:] == [1],
        "disagreeing": disagreeing.sum() if told else None,
        "repeated": repeated,
    }


def _row(row: Row) -> Row:
    told = row["disagreeing"] is not None and row["repeated"]
    extremes = "–"
    if row["gain"] is not None:
        extremes = f"{_signed(row['gain_least'], row)} to {_signed(row['gain_most'], row)}"
    return {
        "task": shown(row["task"], 60),
        "title": shown(row["task"], 300),
        "family": shown(without_owner(row["family"]), 40) or "(no name)",
        "metric": shown(row["metric"], 40),
        "method": shown(row["method"], 24) or UNSAID,
        "amount": amount_label({**row, "few_shot": False}),
        "amount_sort": row["d"],
        "checkpoints": row["checkpoints"],
        "runs": row["runs"],
        "value": rounded(row["value"], _error(row)),
        "value_sort": row["value"],
        "gain": _signed(row["gain"], row),
        "gain_sort": row["gain"],
        "interval": _interval(row),
        "extremes": extremes,
        "extremes_sort": row["gain_most"],
        "disagreeing": f"{row['disagreeing']} of {row['repeated']}" if told else "–",
        "disagreeing_sort": row["disagreeing"] if told else None,
    }


def _error(row: Row) -> float | None:
    """Return the uncertainty to which a mean is rounded: over runs, else over questions."""
    low, high = row["gain_low"], row["gain_high"]
    over_runs = None if low is None or high is None else (high - low) / 4
    return max((e for e in (over_runs, row["question_stderr"]) if e), default=None)


def _signed(value: float | None, row: Row) -> str:
    """Return a gain with its sign, rounded to its uncertainty.

    >>> row = {"gain_low": -0.2, "gain_high": 0.1, "question_stderr": 0.03}
    >>> _signed(-0.0512, row), _signed(0.3, row), _signed(-0.0001, row)
    ('−0.05', '+0.30', '0.00')
    """
    if value is None:
        return "–"
    text = rounded(value, _error(row)).removeprefix("−")
    if not text.strip("0."):
        return text
    return f"−{text}" if value < 0 else f"+{text}"


def _noise(row: Row) -> str:
    """Return over what the interval of a gain is.

    >>> _noise({"interval_over": "draws and seeds", "draws": 2, "seeds": 3})
    '2 draws × 3 seeds'
    """
    over = row["interval_over"]
    if over is None:
        return ""
    counted = [f"{row[name]} {name}" for name in ("draws", "seeds") if name in over.split(" and ")]
    return " × ".join(counted) or over


def _interval(row: Row, named: bool = True) -> str:
    """Return the interval of a gain in words."""
    if row["gain"] is None:
        return ""
    if row["interval_over"] is None:
        return "single runs, no interval"
    low, high = (_signed(row[name], row) for name in ("gain_low", "gain_high"))
    ends = "all runs alike" if row["gain_low"] == row["gain_high"] else f"{low} to {high}"
    return f"{ends}, {_noise(row)}" if named else ends
