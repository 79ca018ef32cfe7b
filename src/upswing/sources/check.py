"""Values that cannot be: percent, NaN, infinities, negative counts, impossible standard errors."""

from __future__ import annotations

import polars as pl

from upswing.errors import InputError
from upswing.metrics.registry import known_metric
from upswing.notes import Note, listing

_TOLERANCE = 1e-9
_NAMES = ("model", "task", "metric")


def check_scores(
    scores: pl.DataFrame, strict: bool, by_task: bool = False
) -> tuple[pl.DataFrame, list[Note]]:
    """Check the scores of one file; drop what is missing, refuse what is impossible.

    A missing or infinite value is dropped with a note, for logs hold them. A metric with a value
    outside its range is an error, or (not strict) left out of this file as a whole: where one value
    is percent, the small ones are too. ``by_task`` keeps the other tasks, for sheets that have a
    column per task. A count below 1 or a negative standard error means that the
    file is not what it seems.

    Raises
    ------
    InputError
        With file and line: percent where a proportion is due, or an impossible number.
    """
    notes: list[Note] = []
    if scores.is_empty() or are_sound_scores(scores):
        return scores, notes
    for name in _NAMES:
        nameless = scores.filter(pl.col(name).is_null())
        if not nameless.is_empty():
            raise InputError(f"a score has no {name}", where=place(nameless.row(0, named=True)))
    value = pl.col("value")
    missing = scores.filter(value.is_null() | ~value.is_finite())
    if not missing.is_empty():
        notes.append(
            Note(
                "value-missing",
                "warning",
                f"{len(missing)} scores have no finite value and are left out "
                f"({_places(missing)}).",
                {"rows": len(missing), "places": _place_list(missing)},
            )
        )
        scores = scores.filter(value.is_not_null() & value.is_finite())
    _refuse(scores, pl.col("n") < 1, "n", "must be at least 1")
    _refuse(scores, pl.col("n_shot") < 0, "n_shot", "must not be negative")
    _refuse(scores, pl.col("stderr") < 0, "stderr", "must not be negative")
    scores = _check_range(scores, strict, by_task, notes)
    _refuse(
        scores, ~pl.col("chance").is_between(0, 1) & _bounded(scores), "chance", "must be in [0, 1]"
    )
    return _check_stderr(scores, notes)


def are_sound_scores(scores: pl.DataFrame) -> bool:
    """Tell in one pass that nothing is to be told, which is so of most files."""
    metrics = scores["metric"].to_list()
    known = {name: known_metric(name) for name in set(metrics)}
    value, error = pl.col("value"), pl.col("stderr")
    low, high = (
        pl.lit(pl.Series([getattr(known[name], bound, None) for name in metrics], dtype=pl.Float64))
        for bound in ("minimum", "maximum")
    )
    shares = [name for name, metric in known.items() if metric is not None and metric.proportion]
    proportion = pl.col("metric").is_in(shares)
    largest = (value.clip(0, 1) * (1 - value.clip(0, 1))).sqrt() * 1.01 + _TOLERANCE
    wrong = pl.any_horizontal(
        *(pl.col(name).is_null() for name in _NAMES),
        ~value.is_finite().fill_null(False),
        value < low - _TOLERANCE,
        value > high + _TOLERANCE,
        pl.col("n") < 1,
        pl.col("n_shot") < 0,
        ~error.is_finite() | (error < 0) | (proportion & (error > largest)),
        proportion & ~pl.col("chance").is_between(0, 1),
    )
    return not scores.select(wrong.any()).item()


def _bounded(scores: pl.DataFrame) -> pl.Expr:
    return pl.col("metric").is_in(_names(scores, proportion=True))


def _names(scores: pl.DataFrame, proportion: bool) -> list[str]:
    return [
        name
        for name in scores["metric"].unique()
        if (metric := known_metric(name)) is not None and metric.proportion == proportion
    ]


def _check_range(
    scores: pl.DataFrame, strict: bool, by_task: bool, notes: list[Note]
) -> pl.DataFrame:
    problems = []
    for name in scores["metric"].unique().sort():
        metric = known_metric(name)
        if metric is None:
            continue
        low = float("-inf") if metric.minimum is None else metric.minimum
        high = float("inf") if metric.maximum is None else metric.maximum
        outside = scores.filter(
            (pl.col("metric") == name)
            & ~pl.col("value").is_between(low - _TOLERANCE, high + _TOLERANCE)
        )
        if outside.is_empty():
            continue
        row = outside.row(0, named=True)
        percent = high == 1 and 1 < row["value"] <= 100
        problem = InputError(
            f"{name} of {row['value']:g} on {row['task']} is outside [{low:g}, {high:g}]"
            + (": it looks like percent" if percent else ""),
            where=place(row),
            hint="divide by 100" if percent else "check the metric and the value",
        )
        if strict:
            raise problem
        problems.append(problem)
        suspect = pl.col("metric") == name
        if by_task:
            suspect = suspect & pl.col("task").is_in(outside["task"].unique().to_list())
        left_out = scores.filter(suspect)
        notes.append(
            Note(
                "percent" if percent else "out-of-range",
                "warning",
                f"{problem}; all {len(left_out)} scores of {name} in this file are left out.",
                {"metric": name, "rows": len(left_out), "places": _place_list(outside)},
            )
        )
        scores = scores.filter(~suspect)
    if problems and scores.is_empty():
        raise problems[0]
    return scores


def _check_stderr(scores: pl.DataFrame, notes: list[Note]) -> tuple[pl.DataFrame, list[Note]]:
    """Forget standard errors that no sample of zeros and ones can have.

    Our own, computed from questions, keep away from 0 where all answers are alike.
    """
    value = pl.col("value").clip(0, 1)
    largest = (value * (1 - value)).sqrt() * 1.01 + _TOLERANCE
    unfit = pl.col("stderr").is_nan() | pl.col("stderr").is_infinite()
    own = pl.col("n_source").is_in(("items", "rescored")).fill_null(False)
    impossible = (_bounded(scores) & (pl.col("stderr") > largest) & ~own) | unfit
    odd = scores.filter(impossible.fill_null(False))
    if odd.is_empty():
        return scores, notes
    row = odd.row(0, named=True)
    notes.append(
        Note(
            "stderr-impossible",
            "warning",
            f"{len(odd)} standard errors are larger than the value allows, and are not used "
            f"(the first: {row['stderr']:g} at {row['value']:g}, {place(row)}).",
            {"rows": len(odd), "places": _place_list(odd)},
        )
    )
    cleared = pl.when(impossible.fill_null(False)).then(None).otherwise(pl.col("stderr"))
    return scores.with_columns(cleared.alias("stderr")), notes


def _refuse(scores: pl.DataFrame, wrong: pl.Expr, column: str, rule: str) -> None:
    bad = scores.filter(wrong.fill_null(False))
    if not bad.is_empty():
        row = bad.row(0, named=True)
        raise InputError(f"{column} is {row[column]:g} and {rule}", where=place(row))


def place(row: dict[str, object]) -> str:
    """Return file and line of a row, as far as it has them."""
    return f"{row['source']}:{row['line']}" if row["line"] is not None else str(row["source"])


def _place_list(rows: pl.DataFrame, most: int = 50) -> list[str]:
    return [place(row) for row in rows.head(most).iter_rows(named=True)]


def _places(rows: pl.DataFrame) -> str:
    return listing(_place_list(rows, most=len(rows)), 3)
