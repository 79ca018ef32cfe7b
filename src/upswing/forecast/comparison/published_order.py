"""The order of two corpora from the figures of Snell et al.: a check of the comparison."""

from __future__ import annotations

from typing import Any

import polars as pl

from upswing.forecast.comparison.elbow_distribution import elbows_of_quantiles, probability_first
from upswing.forecast.finetuning.emergence_forecast import QUANTILES
from upswing.sources.published.snell import read_snell_percentiles


def published_order() -> pl.DataFrame:
    """Compare OpenLLaMA V1 with V2 by the published percentiles of their elbows on MMLU.

    Between the seven percentiles the distributions are interpolated, and beyond them the tails are
    normal, so the probabilities are approximate.

    Returns
    -------
    polars.DataFrame
        One row per ``method`` (posterior, bootstrap): ``p_v2_first``, the probability that V2
        emerges at the higher loss; ``mle_difference`` and ``truth_difference``, V2 minus V1
        [nats/token of C4]; ``order_right``.

    References
    ----------
    Snell et al. 2024, arXiv:2411.16035, table 3.

    Examples
    --------
    >>> published_order()["order_right"].to_list()
    [True, True]
    """
    table = read_snell_percentiles().filter(pl.col("study") == "data quality")
    rows: list[dict[str, Any]] = []
    for method in table["method"].unique(maintain_order=True):
        first, second = (
            table.filter(pl.col("method") == method, pl.col("task").str.ends_with(version)).row(
                0, named=True
            )
            for version in ("V1", "V2")
        )
        one, other = (
            elbows_of_quantiles({name: row[name] for name in QUANTILES}) for row in (first, second)
        )
        predicted, true = second["mle"] - first["mle"], second["truth"] - first["truth"]
        rows.append(
            {
                "method": method,
                "p_v2_first": probability_first(other, one),
                "mle_difference": predicted,
                "truth_difference": true,
                "order_right": (predicted > 0) == (true > 0),
            }
        )
    return pl.DataFrame(rows)
