"""What is in the tables, counted: by task, by model, by finetuning, by file."""

from __future__ import annotations

import polars as pl

from upswing.tables.bundle import Tables

_RUN = ("model", "revision", "task", "method", "d", "draw", "seed")
"""What tells one finetuned model from another."""


def list_tasks(tables: Tables) -> pl.DataFrame:
    """Return one row per family, task, metric and number of shots."""
    return (
        tables.scores.group_by("family", "task", "metric", "n_shot")
        .agg(
            pl.col("model").n_unique().alias("models"),
            pl.struct("model", "revision").n_unique().alias("checkpoints"),
            pl.col("n").min().alias("questions"),
            pl.col("chance").mean().alias("chance"),
            pl.col("value").min().alias("lowest"),
            pl.col("value").max().alias("highest"),
        )
        .sort("family", "task", "metric", "n_shot")
    )


def list_models(tables: Tables) -> pl.DataFrame:
    """Return one row per model with its sizes and how many scores it has.

    Where models were finetuned, the last column counts the finetuned models made of each.
    """
    counts = tables.scores.group_by("model").agg(pl.len().alias("scores"))
    listed = (
        tables.scales.group_by("model")
        .agg(
            pl.col("family").first(),
            pl.len().alias("checkpoints"),
            pl.col("params").max(),
            pl.col("tokens").max(),
            pl.col("flops").max(),
            pl.col("flops_source").drop_nulls().unique().sort().str.join(", "),
            pl.col("loss").min(),
            pl.col("reference").first(),
        )
        .join(counts, on="model", how="left")
        .sort("family", "params", "model")
    )
    if tables.finetunes.is_empty():
        return listed
    runs = _finetuned(tables).group_by("model").agg(pl.struct(*_RUN).n_unique().alias("finetuned"))
    return listed.join(runs, on="model", how="left", maintain_order="left")


def list_finetunes(tables: Tables) -> pl.DataFrame:
    """Return one row per family, task, metric and method of finetuned models.

    ``d`` are the amounts of examples, ``prompted`` how many of the checkpoints were scored without
    finetuning too.
    """
    key = ["family", "task", "metric"]
    prompted = (
        tables.finetunes.filter("few_shot")
        .group_by(key)
        .agg(pl.struct("model", "revision").n_unique().alias("prompted"))
    )
    return (
        _finetuned(tables)
        .group_by(*key, "method")
        .agg(
            pl.struct("model", "revision").n_unique().alias("checkpoints"),
            pl.col("d").drop_nulls().unique().sort().cast(pl.String).str.join(", "),
            pl.col("draw").n_unique().alias("draws"),
            pl.col("seed").n_unique().alias("seeds"),
            pl.len().alias("runs"),
            pl.col("n").min().alias("questions"),
            pl.col("value").min().alias("lowest"),
            pl.col("value").max().alias("highest"),
        )
        .join(prompted, on=key, how="left")
        .with_columns(pl.col("prompted").fill_null(0))
        .sort(*key, "method")
    )


def _finetuned(tables: Tables) -> pl.DataFrame:
    """Return the rows of finetuned models, without those of prompted ones."""
    prompted = pl.col("few_shot").fill_null(False)
    return tables.finetunes.filter(~prompted).with_columns(pl.col("method").fill_null(""))


def list_files(tables: Tables) -> pl.DataFrame:
    """Return one row per file."""
    return tables.files.sort("source")
