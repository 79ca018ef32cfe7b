"""Whether the losses of two series were measured on one text, without which none can compare."""

from __future__ import annotations

import polars as pl

from upswing.notes import Note
from upswing.tables.bundle import Tables


def loss_corpora(data: pl.DataFrame | Tables, family: str | None) -> list[str]:
    """Return the texts that a series' losses were measured on, as far as the table says."""
    frame = data.scales if isinstance(data, Tables) else data
    if "loss_corpus" not in frame.columns:
        return []
    if family is not None and "family" in frame.columns:
        frame = frame.filter(pl.col("family") == family)
    return frame.filter(pl.col("loss").is_not_null())["loss_corpus"].drop_nulls().unique().to_list()


def corpora_notes(names: tuple[str, str], corpora: list[list[str]]) -> list[Note]:
    """Remark on what the losses were measured on."""
    if not corpora[0] or not corpora[1]:
        return [
            Note(
                "loss-corpus-unknown",
                "info",
                "The tables do not say which text the losses were measured on. The comparison "
                "means nothing unless both were measured on the same one.",
            )
        ]
    if set(corpora[0]) == set(corpora[1]) and len(corpora[0]) == 1:
        return []
    said = {name: sorted(found) for name, found in zip(names, corpora, strict=True)}
    return [
        Note(
            "loss-corpora-differ",
            "warning",
            "The losses were measured on different texts ("
            + "; ".join(f"{name}: {', '.join(found)}" for name, found in said.items())
            + "). Losses of different texts cannot be compared: which series emerges first is "
            "not known.",
            {"corpora": said},
        )
    ]
