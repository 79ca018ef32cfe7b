"""The three predictions about arithmetic, put to test on the lab's real outputs."""

from __future__ import annotations

import time
from collections.abc import Iterator

import polars as pl

from upswing.mirage.arithmetic import QUESTIONS, arithmetic_predictions


def run() -> Iterator[str]:
    """Print the verdicts, and per checkpoint how many more questions it answered right."""
    start = time.perf_counter()
    found = arithmetic_predictions()
    elapsed = time.perf_counter() - start
    yield f"up to {QUESTIONS:,} questions per task and checkpoint: {elapsed:.0f} s"
    yield from _lines(found.summary)
    yield from _lines(found.more_questions.drop("prediction", "family", "length", "low", "high"))
    jumping = found.metric_change.filter(pl.col("onset").is_not_null())
    yield from _lines(jumping.drop("prediction", "family", "scales", "first", "best"))
    yield from _lines(found.length_claims.drop("prediction", "family", "revision"))


def _lines(frame: pl.DataFrame) -> list[str]:
    with pl.Config(
        tbl_rows=-1,
        tbl_cols=-1,
        tbl_width_chars=400,
        fmt_str_lengths=60,
        tbl_formatting="ASCII_BORDERS_ONLY_CONDENSED",
        tbl_hide_column_data_types=True,
        tbl_hide_dataframe_shape=True,
        float_precision=4,
    ):
        return str(frame).splitlines()
