"""What is odd about a table of finetuned models, though it can be read."""

from __future__ import annotations

import polars as pl

from upswing.notes import Note, listing


def find_finetune_anomalies(frame: pl.DataFrame) -> list[Note]:
    """Return remarks on one task's finetuned models.

    Parameters
    ----------
    frame
        Columns of :data:`~upswing.forecast.finetuning.table.COLUMNS` and ``checkpoint``.
    """
    tuned = frame.filter(~pl.col("few_shot"))
    notes = [*_draws(tuned), *_rising_loss(frame)]
    unknown = frame["n"].null_count()
    if unknown:
        notes.append(
            Note(
                "n-missing",
                "warning",
                f"{unknown} of {len(frame)} scores have no number of questions; their noise is "
                "judged by the residuals alone.",
                {"rows": unknown},
            )
        )
    return notes


def _draws(tuned: pl.DataFrame) -> list[Note]:
    missing = tuned["draw"].null_count()
    if missing:
        return [
            Note(
                "draws-missing",
                "warning",
                f"{missing} of {len(tuned)} finetuned models do not say which draw of the "
                "examples they saw; those of one amount are taken for one draw. How much luck "
                "there is in a draw is then known from the prior alone.",
                {"rows": missing},
            )
        ]
    counts = tuned.group_by("d").agg(pl.col("draw").n_unique().alias("draws"))
    if len(counts) and counts["draws"].to_numpy().max() == 1:
        return [
            Note(
                "single-draw",
                "info",
                "Every amount of data was drawn once, so luck of the draw shows only as scatter "
                "around the law.",
            )
        ]
    return []


def _rising_loss(frame: pl.DataFrame) -> list[Note]:
    """Tell of models whose loss rises as they see more tokens."""
    if frame["tokens"].null_count() == len(frame):
        return []
    checkpoints = (
        frame.select("model", "tokens", "loss")
        .drop_nulls()
        .unique()
        .sort("model", "tokens")
        .with_columns(pl.col("loss").diff().over("model").alias("rise"))
    )
    rising = checkpoints.filter(pl.col("rise") > 0)
    if rising.is_empty():
        return []
    models = rising["model"].unique().sort().to_list()
    return [
        Note(
            "loss-rises",
            "warning",
            f"The loss of {listing(models)} rises with tokens, by up to "
            f"{rising['rise'].to_numpy().max():.3g} nats: are losses and checkpoints matched?",
            {"models": models},
        )
    ]
