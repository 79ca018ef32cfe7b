"""Tables 2 and 3 of Snell et al. 2024: errors and percentiles of predicted elbows.

They are read by :func:`read_snell_errors` and :func:`read_snell_percentiles`.
"""

from __future__ import annotations

from importlib.resources import files

import polars as pl


def read_snell_errors() -> pl.DataFrame:
    """Return table 2: errors of the forecast with part of the data held out.

    Columns: ``held_out`` (all for none, subsets, or checkpoints), ``data`` (the paper's name of
    the row), ``task``, ``error`` of the most likely elbow, ``error_q05`` and ``error_q95`` over the
    posterior; absolute, all in [nats/token]. Since the brackets are quantiles of absolute errors,
    the error itself can lie outside.

    References
    ----------
    Snell et al. 2024, arXiv:2411.16035, table 2.

    Examples
    --------
    >>> read_snell_errors().filter(pl.col("data") == "Full Data")["error"].to_list()
    [0.022, 0.041, 0.003, 0.064]
    """
    return _read("snell_2024_table2")


def read_snell_percentiles() -> pl.DataFrame:
    """Return table 3: percentiles of the predicted elbow, and the true one.

    Columns: ``study`` (main, data quality, apps), ``task``, ``method`` (posterior by Markov chain,
    or bootstrap), ``q05`` ... ``q95``, ``mle``, ``truth``, all in [nats/token]. The truth of APPS
    is not known.

    References
    ----------
    Snell et al. 2024, arXiv:2411.16035, table 3.

    Examples
    --------
    >>> read_snell_percentiles().filter(pl.col("study") == "main")["truth"].unique().to_list()
    [1.814, 1.827, 1.833, 1.984]
    """
    return _read("snell_2024_table3")


def _read(name: str) -> pl.DataFrame:
    content = files("upswing.sources.published").joinpath(f"{name}.csv").read_bytes()
    return pl.read_csv(content)
