"""The table of finetuned models that can be made by hand: one row per run.

``model,params,tokens,flops,loss,task,d,draw,seed,metric,value,n,few_shot``: ``model``, ``loss``,
``task``, ``d`` and ``value`` are needed. Rows with ``few_shot`` are prompted models; their ``d``
says nothing. ``family``, ``revision``, ``method``, ``stderr``, ``n_shot`` (solved examples in the
prompt) and ``loss_corpus`` are read too.
"""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from upswing.errors import InputError
from upswing.notes import Note
from upswing.sources.tabular import LARGEST_COUNT, numeric, read_text_table, with_lines
from upswing.sources.tidy import columns_ignored, direction, named_checkpoints
from upswing.tables.reading import Reading, padded, scale_rows, with_defaults
from upswing.tables.schemas import FINETUNES, IDENTITY, SCORES

NEEDED = ("model", "loss", "task", "d", "value")
"""Columns that a table of finetuned models has."""

_WHOLE = ("draw", "seed", "n_shot")
_NUMBERS = ("params", "tokens", "flops", "loss", "d", "value", "stderr", "n")
_TEXT = ("model", "family", "revision", "task", "metric", "method", "loss_corpus")
_SCALES = ("model", "revision", "params", "tokens", "flops", "loss", "loss_corpus", "source")
_YES, _NO = ("true", "1", "1.0", "yes"), ("false", "0", "0.0", "no", "")
_LEAST = {"params": 1, "tokens": 0, "flops": 0, "d": 0, "draw": 0, "n": 1, "stderr": 0}


def looks_finetuned(columns: Collection[str]) -> bool:
    """Tell whether a header is that of a table of finetuned models."""
    return set(NEEDED) <= set(columns)


def finetune_frame(content: bytes, source: str) -> pl.DataFrame:
    """Read CSV or Parquet with numbers as numbers and ``few_shot`` as a truth value.

    Columns that are not known stay text; ``source`` and ``line`` are added.

    Raises
    ------
    InputError
        With file and line, if the file is malformed or a cell is no number.
    """
    frame = with_lines(read_text_table(content, source))
    frame = frame.filter(~pl.all_horizontal(pl.exclude("line").fill_null("") == ""))
    if frame.is_empty():
        raise InputError("the table has a header and no rows", where=f"{source}:1")
    frame = frame.with_columns(
        *(numeric(frame, name, source) for name in _NUMBERS if name in frame.columns),
        *(numeric(frame, name, source, whole=True) for name in _WHOLE if name in frame.columns),
        pl.lit(source).alias("source"),
    )
    if "few_shot" not in frame.columns:
        return frame
    text = pl.col("few_shot").fill_null("").str.to_lowercase()
    bad = frame.filter(~text.is_in([*_YES, *_NO]))
    if not bad.is_empty():
        raise InputError(
            f"few_shot is {bad['few_shot'][0]!r}, and must be true or false",
            where=f"{source}:{bad['line'][0]}",
        )
    return frame.with_columns(text.is_in(_YES).alias("few_shot"))


def unknown_columns(frame: pl.DataFrame, source: str) -> list[Note]:
    """Return a note on columns of a table of finetuned models that are not known."""
    known = (*_NUMBERS, *_WHOLE, *_TEXT, "few_shot", "source", "line")
    return columns_ignored(source, [name for name in frame.columns if name not in known])


def read_finetuned(content: bytes, source: str) -> Reading:
    """Read a table of finetuned models: runs, scales of the models, scores of prompted ones.

    Raises
    ------
    InputError
        With file and line, if a cell is missing, no number, or impossible.
    """
    frame = finetune_frame(content, source)
    notes = unknown_columns(frame, source)
    frame = _checked(_completed(frame), source)
    frame, named = named_checkpoints(frame)
    notes += named
    said = pl.col("revision").fill_null("") if "revision" in frame.columns else pl.lit("")
    frame = frame.with_columns(said.alias("revision"))
    scales = frame.select(name for name in _SCALES if name in frame.columns).unique(
        maintain_order=True
    )
    frame = _with_values(frame, source, notes)
    tuned = frame.select(name for name in frame.columns if name in FINETUNES.polars)
    return Reading(
        scores=_prompted(frame, notes),
        scales=pl.concat([scale_rows([]), scales], how="diagonal_relaxed"),
        finetunes=padded(tuned, FINETUNES),
        notes=tuple(notes),
    )


def _completed(frame: pl.DataFrame) -> pl.DataFrame:
    """Fill what need not be said."""
    absent = {"few_shot": False, "metric": "acc", "method": ""}
    frame = frame.with_columns(
        *(pl.col(name).replace("", None) for name in _TEXT if name in frame.columns),
        *(pl.lit(value).alias(name) for name, value in absent.items() if name not in frame.columns),
    )
    return frame.with_columns(pl.col(name).fill_null(value) for name, value in absent.items())


def _checked(frame: pl.DataFrame, source: str) -> pl.DataFrame:
    """Stop at cells that cannot be; counts become whole numbers."""
    for name in ("model", "task"):
        _stop(frame, pl.col(name).is_null(), f"column {name!r} is empty", source)
    for name, least in _LEAST.items():
        if name in frame.columns:
            small = (pl.col(name) < least) | pl.col(name).is_infinite()
            _stop(frame, small, f"{name} is impossible; it must be at least {least}", source)
    unknown = pl.col("d").is_null() & ~pl.col("few_shot")
    _stop(
        frame,
        unknown,
        "a finetuned model without D",
        source,
        "write few_shot = true for models that were prompted and not finetuned",
    )
    counts = [name for name in ("d", "n") if name in frame.columns]
    for name in counts:
        part = (pl.col(name) != pl.col(name).round()) | (pl.col(name) > LARGEST_COUNT)
        _stop(frame, part, f"column {name!r} holds no whole number", source)
    return frame.with_columns(pl.col(counts).cast(pl.Int64))


def _stop(frame: pl.DataFrame, wrong: pl.Expr, message: str, source: str, hint: str = "") -> None:
    bad = frame.filter(wrong)
    if not bad.is_empty():
        raise InputError(message, where=f"{source}:{bad['line'][0]}", hint=hint)


def _with_values(frame: pl.DataFrame, source: str, notes: list[Note]) -> pl.DataFrame:
    """Leave out rows without a finite score, with a note."""
    kept = frame.filter(pl.col("value").is_finite())
    lost = len(frame) - len(kept)
    if lost:
        said = f"{source}: {lost} {'row' if lost == 1 else 'rows'} without a finite value left out."
        notes.append(Note("value-missing", "warning", said, {"source": source, "rows": lost}))
    return kept


def _prompted(frame: pl.DataFrame, notes: list[Note]) -> pl.DataFrame:
    """Return the prompted models as plain scores: they are what any evaluation gives."""
    prompted = frame.filter("few_shot").with_columns(direction(frame))
    kept = [name for name in prompted.columns if name in SCORES.polars]
    scores = with_defaults(padded(prompted.select(kept), SCORES))
    single = scores.filter(pl.len().over(IDENTITY) == 1)
    if len(single) < len(scores):
        message = (
            f"{len(scores) - len(single)} scores of prompted models that were measured several "
            "times are used beside finetuned models, not as curves of their own."
        )
        notes.append(Note("prompted-repeated", "info", message))
    return single
