"""One published analysis of one task as a plain script: a process per table, as in the original.

``python plain_difficulty.py ANALYSIS CSV THRESHOLD CHANCE DEGREE [FIGURE]``
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

import numpy as np

REMOVED = {
    "microsoft/phi-1_5",
    "microsoft/phi-2",
    "Qwen/Qwen1.5-0.5B",
    "Qwen/Qwen1.5-1.8B",
    "Qwen/Qwen1.5-4B",
    "stabilityai/stablelm-2-1_6b",
}


def load(path: str) -> dict[str, Any]:
    """Return the columns of a table as arrays, by compute."""
    rows = []
    seen = set()
    with open(path, newline="") as stream:
        for row in csv.DictReader(stream):
            name = row["Model"]
            if name and name not in seen and name not in REMOVED and row["FLOPs (1E21)"]:
                seen.add(name)
                rows.append(row)
    groups = [name for name in rows[0] if name.endswith(("_brier", "_acc")) and name[0].isdigit()]
    rows = [row for row in rows if row[groups[0]]]
    rows.sort(key=lambda row: float(row["FLOPs (1E21)"]))
    columns = {name: [float(row[name]) for row in rows] for name in ("FLOPs (1E21)", *groups)}
    for name in ("acc", "brier"):
        if name in rows[0]:
            columns[name] = [float(row[name] or "nan") for row in rows]
    arrays: dict[str, Any] = {name: np.array(values) for name, values in columns.items()}
    arrays["x"] = np.log10(arrays["FLOPs (1E21)"])
    arrays["groups"] = groups
    return arrays


def overall(data: dict[str, Any], column: str, _: float, __: float, ___: int) -> dict[str, Any]:
    """Return accuracy or score over compute."""
    return {"points": data[column]}


def group_pictures(
    data: dict[str, Any], _: str, __: float, ___: float, degree: int
) -> dict[str, Any]:
    """Return a polynomial and its band for every group."""
    lines: dict[str, Any] = {}
    for name in data["groups"]:
        sign = -1.0 if name.endswith("brier") else 1.0
        fitted = np.polyval(np.polyfit(data["x"], sign * data[name], degree), data["x"])
        half = 1.96 * np.std(sign * data[name] - fitted)
        lines |= {name: fitted, f"{name} low": fitted - half, f"{name} high": fitted + half}
    return lines


def forecast(
    data: dict[str, Any], threshold: float, easy: int, hard: int, calibrate: bool = True
) -> Any:
    """Return the accuracy that Slice-and-Sandwich forecasts."""
    x, acc, score = data["x"], data["acc"], -data["brier"]
    train = data["FLOPs (1E21)"] < 10**threshold
    slope, intercept = np.polyfit(acc[train], score[train], 1)
    first, last = data["groups"][0], data["groups"][-1]
    parts = [
        np.polyval(np.polyfit(x[train], -data[name][train], degree), x)
        for name, degree in ((first, easy), (last, hard))
    ]
    predicted = (sum(parts) / 2 - intercept) / slope
    return predicted + (acc[train].mean() - predicted[train].mean() if calibrate else 0.0)


def sandwich(
    data: dict[str, Any], _: str, threshold: float, chance: float, __: int
) -> dict[str, Any]:
    """Return the forecast, the baseline and the oracle."""
    x, train = data["x"], data["FLOPs (1E21)"] < 10**threshold
    y = np.clip(data["acc"] - chance, 0, 1)
    logit = np.log((y + 1e-6) / (1 - y + 1e-6))
    lines = {"sandwich": forecast(data, threshold, 5, 2)}
    for name, mask in (("baseline", train), ("oracle", x == x)):
        lines[name] = 1 / (1 + np.exp(-np.polyval(np.polyfit(x[mask], logit[mask], 1), x))) + chance
    return lines


def degrees(data: dict[str, Any], _: str, threshold: float, __: float, ___: int) -> dict[str, Any]:
    """Return the forecast under every pair of degrees."""
    pairs = [(easy, hard) for easy in (3, 5, 7) for hard in (2, 4, 6)]
    return {f"{e}+{h}": forecast(data, threshold, e, h) for e, h in pairs}


def thresholds(
    data: dict[str, Any], _: str, threshold: float, __: float, ___: int
) -> dict[str, Any]:
    """Return the forecast of one threshold, without calibration."""
    return {f"{e}+2": forecast(data, threshold, e, 2, calibrate=False) for e in (3, 5)}


ANALYSES = {
    "overall_acc": (overall, "acc"),
    "overall_brier": (overall, "brier"),
    "groups": (group_pictures, ""),
    "sandwich": (sandwich, ""),
    "degrees": (degrees, ""),
    "thresholds": (thresholds, ""),
}


def draw(x: Any, lines: dict[str, Any], path: str) -> None:
    """Draw all lines in one panel."""
    import altair as alt
    import vl_convert

    rows = [
        {"x": float(a), "y": float(b), "line": name}
        for name, values in lines.items()
        for a, b in zip(x, values, strict=True)
    ]
    chart = (
        alt.Chart(alt.InlineData(values=rows)).mark_line().encode(x="x:Q", y="y:Q", color="line:N")
    )
    Path(path).write_text(vl_convert.vegalite_to_svg(chart.to_dict()))


def main() -> None:
    """Make the analysis that the command line names."""
    name, path, threshold, chance, degree, *figure = sys.argv[1:]
    make, column = ANALYSES[name]
    data = load(path)
    lines = make(data, column, float(threshold), float(chance), int(degree))
    if figure:
        draw(data["x"], lines, figure[0])
    test = data["FLOPs (1E21)"] >= 10 ** float(threshold)
    for label, values in lines.items():
        if "acc" in data:
            print(label, float(((values - data["acc"])[test] ** 2).mean()))


if __name__ == "__main__":
    main()
