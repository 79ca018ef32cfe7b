"""``upswing mirage check``: is each jump the metric, the test set, or real?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upswing.cli.options import Format, Paths, Reading, Selection
from upswing.cli.output import exit_code, print_notes, print_records, say, working
from upswing.cli.work import read_tables

if TYPE_CHECKING:
    import polars as pl

_READING, _SELECTION = Reading(), Selection()
_SHORT = (
    "task",
    "metric",
    "n_shot",
    "verdict",
    "cause",
    "emergence_score",
    "p_smooth",
    "p_test_size",
    "n",
    "questions_needed",
    "exponent_needed",
    "exponent_before",
    "continuous_metric",
    "continuous_outcome",
    "rise_before_onset",
)


def check(
    paths: Paths,
    /,
    *,
    format: Format = "table",
    selection: Selection = _SELECTION,
    reading: Reading = _READING,
) -> int:
    """Say of every curve whether its jump is the metric, the test set, or real.

    Every other metric that the results state, or that saved answers allow, is laid beside it.
    """
    import numpy as np

    from upswing.findings.detect import detect
    from upswing.findings.mirage_check import check_pairs, check_rows
    from upswing.mirage.intervention import intervention_effects

    tables = read_tables(paths, reading)
    with working("Testing curves under every metric"):
        detection = detect(tables, alternatives="all", **selection.arguments())
    rows = check_rows(detection)
    if format == "table":
        print_records([_short(row) for row in rows], format, "Metric, test set, or real?")
        effects = intervention_effects(
            check_pairs(detection), np.random.default_rng(selection.seed)
        )
        _print_effects(effects)
    else:
        print_records(rows if format == "json" else [_flat(row) for row in rows], format)
    notes = (*tables.notes, *detection.all_notes)
    say(f"{len(rows)} curves: " + ", ".join(f"{n} {w}" for w, n in detection.counts().items()))
    print_notes(notes)
    return exit_code(notes, reading.strict)


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row whose alternatives are JSON in one cell."""
    import msgspec

    return {**row, "alternatives": msgspec.json.encode(row["alternatives"]).decode()}


def _short(row: dict[str, Any]) -> dict[str, Any]:
    score, status = row["emergence_score"], row["emergence_score_status"]
    short = {"family": row["model"] or row["family"], **{name: row[name] for name in _SHORT}}
    return {**short, "emergence_score": score if status == "finite" else status}


def _print_effects(effects: pl.DataFrame) -> None:
    if len(effects):
        print_records(
            effects.to_dicts(), "table", "What a continuous metric of the same outputs changes"
        )
