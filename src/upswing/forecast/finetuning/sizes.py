"""Whether loss says all there is to say of a model: do sizes differ at equal loss?

The emergence law takes the pretraining loss for the only thing that matters about a model. Snell et
al. found their three sizes to agree at equal loss; small models that were trained from scratch do
not. Where they differ, neither the elbow nor its interval means much.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from upswing.notes import Note

SIGNIFICANT = 0.01
"""Level of the test."""


def size_differences(models: pl.DataFrame, residual: npt.ArrayLike) -> pl.DataFrame | None:
    """Compare what a fitted law leaves over, between sizes of models.

    The scores of one checkpoint are averaged, since they share its luck; sizes are then compared by
    a one-way analysis of variance over checkpoints.

    Parameters
    ----------
    models
        Finetuned models, with ``params``, ``checkpoint`` and ``d``.
    residual
        Score minus fitted score of each, shape (n,).

    Returns
    -------
    polars.DataFrame or None
        ``params``, ``checkpoints``, ``residual`` (mean, on the scale of the score) and ``p_value``
        of the whole comparison, one row per size. None with one size, sizes that are not known, or
        fewer than three checkpoints more than sizes.

    Examples
    --------
    >>> models = pl.DataFrame({"params": [1e6] * 3 + [1e7] * 3, "checkpoint": range(6), "d": 512})
    >>> size_differences(models, [-0.1, -0.12, -0.09, 0.1, 0.12, 0.09])["p_value"][0] < 1e-3
    True
    """
    from scipy.stats import f_oneway

    if models["params"].null_count():
        return None
    means = (
        models.select("params", "checkpoint", "d")
        .with_columns(pl.Series("residual", np.asarray(residual, dtype=float)))
        .with_columns(pl.col("residual") - pl.col("residual").mean().over("d"))
        .group_by("params", "checkpoint")
        .agg(pl.col("residual").mean())
    )
    sizes = (
        means.group_by("params")
        .agg(pl.len().alias("checkpoints"), pl.col("residual"))
        .sort("params")
    )
    if len(sizes) < 2 or len(means) < len(sizes) + 3:
        return None
    groups = [np.asarray(values) for values in sizes["residual"]]
    if all(np.ptp(values) < 1e-12 for values in groups):
        return None
    p_value = float(f_oneway(*groups).pvalue)
    return sizes.with_columns(pl.col("residual").list.mean(), pl.lit(p_value).alias("p_value"))


def size_note(differences: pl.DataFrame | None) -> list[Note]:
    """Return a warning where sizes differ at equal loss by more than chance."""
    if differences is None or not differences["p_value"][0] < SIGNIFICANT:
        return []
    order = differences.sort("residual")
    worst, best = order.row(0, named=True), order.row(-1, named=True)
    return [
        Note(
            "sizes-differ",
            "warning",
            f"At equal loss, models of {best['params']:.3g} parameters score "
            f"{best['residual'] - worst['residual']:.2g} higher than those of {worst['params']:.3g}"
            f" (p = {differences['p_value'][0]:.1g}). The law takes loss for all that matters "
            "about a model; fit sizes apart, or do not trust this fit.",
            {"sizes": differences.to_dicts()},
        )
    ]
