"""Losses and sizes of LLaMA 2 that go together in Snell et al. 2024: inferred, not printed as such.

The paper fits a law of loss over parameters to LLaMA 2's four sizes and prints its values in a
figure only. The text gives the elbow of APPS in nats (table 3: most likely 1.361, 5 to 95 % 1.324
to 1.386) and in parameters (figure 10: about 325B, 250B to 500B). That these go together pair by
pair is our inference. Sizes are rounded to a few digits by the source.
"""

from __future__ import annotations

from importlib.resources import files

import polars as pl

from upswing.notes import Note

LLAMA2_NOTE = Note(
    "llama2-inferred",
    "warning",
    "The LLaMA 2 pairs of loss and parameters are INFERRED from two places of Snell et al. 2024 "
    "(table 3 and figure 10); they lie on that paper's own law, so they are no measurements, a fit "
    "to them has no error of its own, and its irreducible loss is not known.",
)
"""Goes with every result made from these pairs."""


def read_llama2_loss() -> pl.DataFrame:
    """Return the three INFERRED pairs of parameters and loss of LLaMA 2.

    Columns: ``params``, ``loss`` [nats/token], ``quantile`` of the elbow of APPS that the pair is
    from, ``inferred`` (true in every row).

    References
    ----------
    Snell et al. 2024, arXiv:2411.16035, table 3 and figure 10.

    Examples
    --------
    >>> read_llama2_loss().select("params", "loss").rows()[1]
    (325000000000.0, 1.361)
    """
    content = files("upswing.sources.published").joinpath("llama2_loss.csv").read_bytes()
    return pl.read_csv(content)
