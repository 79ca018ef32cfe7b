"""The table that everyone can make by hand: one row per score.

``model,family,revision,params,tokens,flops,loss,task,metric,n_shot,value,stderr,n,chance``: only
``model``, ``task``, ``value`` and one scale column are required. A row without ``metric`` is an
accuracy. Proportions are written 0 to 1, loss in nats per token.
"""

from __future__ import annotations

import polars as pl

from upswing.errors import InputError
from upswing.metrics.registry import known_metric
from upswing.notes import Note
from upswing.sources.tabular import numeric, read_text_table, with_lines
from upswing.tables.reading import Reading, padded, scale_rows, with_defaults
from upswing.tables.schemas import SCORES

SCALE_COLUMNS = ("params", "tokens", "flops", "loss")
_RENAMED = {
    "num_fewshot": "n_shot",
    "n_shots": "n_shot",
    "shots": "n_shot",
    "train_tokens": "tokens",
    "train_flops": "flops",
    "score": "value",
    "n_examples": "n",
    "checkpoint": "revision",
}
_WHOLE = ("n_shot", "n", "n_clusters", "step")
_NUMBERS = ("value", "stderr", "chance", "params_nonembedding", *SCALE_COLUMNS)
_TEXT = (
    "model",
    "family",
    "revision",
    "task",
    "task_version",
    "metric",
    "filter",
    "elicitation",
    "harness",
    "loss_corpus",
    "date",
    "chance_source",
    "n_source",
)


def looks_tidy(columns: list[str]) -> bool:
    """Tell whether a header has what a tidy table needs."""
    names = {_RENAMED.get(name, name) for name in columns}
    return {"model", "task", "value"} <= names


def read_tidy(content: bytes, source: str) -> Reading:
    """Read a tidy CSV or Parquet table of scores.

    Raises
    ------
    InputError
        With file and line, if a required column or cell is missing or a cell is no number.
    """
    return reading_of(with_lines(read_text_table(content, source)), source)


def reading_of(frame: pl.DataFrame, source: str) -> Reading:
    """Turn a tidy frame of text cells, with a ``line`` column, into a reading."""
    renames: dict[str, str] = {}
    for old, new in _RENAMED.items():
        if old in frame.columns and new not in (*frame.columns, *renames.values()):
            renames[old] = new
    frame = frame.rename(renames)
    for name in ("model", "task", "value"):
        if name not in frame.columns:
            raise InputError(
                f"column {name!r} is missing",
                where=f"{source}:1",
                hint="a tidy table needs model, task, value and one of " + ", ".join(SCALE_COLUMNS),
            )
    cells = pl.all_horizontal(pl.exclude("line").fill_null("").str.strip_chars() == "")
    frame = frame.filter(~cells)  # spacer rows
    if frame.is_empty():
        raise InputError("the table has a header and no rows", where=f"{source}:1")
    ignored = [
        name
        for name in frame.columns
        if name not in (*_TEXT, *_NUMBERS, *_WHOLE, "line", "higher_is_better")
    ]
    frame = frame.with_columns(
        *(numeric(frame, name, source) for name in _NUMBERS if name in frame.columns),
        *(numeric(frame, name, source, whole=True) for name in _WHOLE if name in frame.columns),
        *(
            pl.col(name).replace("", None)
            for name in _TEXT
            if name in frame.columns and name != "revision"
        ),
    )
    for name in (*SCALE_COLUMNS, "params_nonembedding"):
        if name in frame.columns:
            _check_scale(frame, name, source)
    for name in ("model", "task"):
        empty = frame.filter(pl.col(name).is_null())
        if not empty.is_empty():
            raise InputError(f"column {name!r} is empty", where=f"{source}:{empty['line'][0]}")
    if "metric" not in frame.columns:
        frame = frame.with_columns(pl.lit("acc").alias("metric"))
    frame = frame.with_columns(pl.col("metric").fill_null("acc"))
    frame = frame.with_columns(direction(frame), pl.lit(source).alias("source"))
    frame, notes = named_checkpoints(frame)
    kept = [name for name in frame.columns if name in SCORES.polars]
    scores = with_defaults(padded(frame.select(kept), SCORES))
    notes += columns_ignored(source, ignored)
    scale_names = [
        name
        for name in (
            "model",
            "revision",
            *SCALE_COLUMNS,
            "params_nonembedding",
            "loss_corpus",
            "step",
        )
        if name in frame.columns
    ]
    scales = frame.select(*scale_names, "source").unique(maintain_order=True)
    if "revision" not in scales.columns:
        scales = scales.with_columns(pl.lit("").alias("revision"))
    return Reading(
        scores=scores,
        scales=pl.concat([scale_rows([]), scales], how="diagonal_relaxed").with_columns(
            pl.col("revision").fill_null("")
        ),
        notes=tuple(notes),
    )


def columns_ignored(source: str, ignored: list[str]) -> list[Note]:
    """Return a note on columns that are not known, if there are any."""
    if not ignored:
        return []
    return [
        Note(
            "columns-ignored",
            "info",
            f"{source}: columns that Upswing does not know are left out: {', '.join(ignored)}.",
            {"source": source, "columns": ignored},
        )
    ]


def _check_scale(frame: pl.DataFrame, name: str, source: str) -> None:
    least = 1.0 if name.startswith("params") else 0.0
    bad = frame.filter(~(pl.col(name).is_finite() & (pl.col(name) >= least)).fill_null(True))
    if not bad.is_empty():
        row = bad.row(0, named=True)
        raise InputError(
            f"{name} is {row[name]:g} and must be a number of at least {least:g}",
            where=f"{source}:{row['line']}",
        )


def direction(frame: pl.DataFrame) -> pl.Expr:
    """Return whether more of each row's metric is better: as stated, else as known."""
    known = {
        name: metric.higher_is_better
        for name in frame["metric"].unique()
        if (metric := known_metric(name)) is not None
    }
    better = pl.col("metric").replace_strict(
        list(known), list(known.values()), default=None, return_dtype=pl.Boolean
    )
    if "higher_is_better" in frame.columns:
        text = pl.col("higher_is_better").str.to_lowercase()
        stated = (
            pl.when(text.is_in(["true", "1", "1.0", "yes"]))
            .then(pl.lit(True))
            .when(text.is_in(["false", "0", "0.0", "no"]))
            .then(pl.lit(False))
        )
        better = pl.coalesce(stated, better)
    return better.alias("higher_is_better")


def named_checkpoints(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[Note]]:
    """Give checkpoints that differ in scale only a revision of their own."""
    if "revision" in frame.columns and frame["revision"].is_not_null().any():
        return frame.with_columns(pl.col("revision").fill_null("")), []
    for name in ("tokens", "flops", "loss"):
        if name not in frame.columns:
            continue
        counts = frame.group_by("model").agg(pl.col(name).drop_nulls().n_unique().alias("count"))
        many = counts.filter(pl.col("count") > 1)["model"].sort().to_list()
        if many:
            label = pl.format(f"{name}={{}}", pl.col(name))
            frame = frame.with_columns(
                pl.when(pl.col("model").is_in(many) & pl.col(name).is_not_null())
                .then(label)
                .otherwise(pl.lit(""))
                .alias("revision")
            )
            return frame, [
                Note(
                    "checkpoints-named",
                    "info",
                    f"{len(many)} models appear at several values of {name} without a revision; "
                    f"each value is read as one checkpoint.",
                    {"models": many[:50]},
                )
            ]
    return frame, []
