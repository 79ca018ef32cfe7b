"""What a finetuning run costs: compute, or simply one run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from upswing.errors import InputError
from upswing.laws.emergence.law import Array
from upswing.scales.compute import training_flops

Unit = Literal["FLOP", "runs"]

_FORWARD = 1.0 / 3.0
"""Share of a training step's compute that a forward pass takes: 2N of 6N [FLOP per token]."""


@dataclass(frozen=True)
class RunCost:
    r"""Cost of finetuning and testing a model.

    In FLOP, for a model with :math:`N` parameters finetuned on :math:`D` examples and asked
    :math:`n` questions, :math:`6 N D \cdot \text{epochs} \cdot \text{tokens per example} + 2 N n
    \cdot \text{tokens per question}`; or one per run.

    Attributes
    ----------
    unit
        ``FLOP`` or ``runs``.
    epochs
        Passes over the examples.
    tokens_per_example, tokens_per_question
        Mean lengths [tokens].
    """

    unit: Unit = "FLOP"
    epochs: float = 1.0
    tokens_per_example: float = 100.0
    tokens_per_question: float = 100.0

    def of(self, candidates: pl.DataFrame) -> Array:
        """Return the cost of each candidate, shape (n_candidates,).

        Parameters
        ----------
        candidates
            Columns ``params``, ``d``, ``draws``, ``n``; or ``cost``, which wins.

        Raises
        ------
        InputError
            If compute is asked for and a model has no number of parameters, or a cost is not
            positive.

        Examples
        --------
        >>> one = pl.DataFrame({"params": [1e6], "d": [100.0], "draws": [2], "n": [300.0]})
        >>> RunCost().of(one), RunCost("runs").of(one)
        (array([2.4e+11]), array([2.]))
        """
        if "cost" in candidates.columns:
            cost = candidates["cost"].cast(pl.Float64).to_numpy()
        elif self.unit == "runs":
            cost = candidates["draws"].cast(pl.Float64).to_numpy()
        else:
            cost = self._flops(candidates)
        if not np.all(np.isfinite(cost)) or np.any(cost <= 0):
            raise InputError("a cost is missing or not positive")
        return np.asarray(cost, dtype=float)

    def _flops(self, candidates: pl.DataFrame) -> Array:
        unknown = candidates.filter(pl.col("params").is_null())
        if len(unknown):
            raise InputError(
                f"the number of parameters of {unknown['model'][0]} is not known",
                hint="count the budget in runs, or give each candidate a cost",
            )
        params, d, draws, n = (
            candidates[name].cast(pl.Float64).fill_null(0.0).to_numpy()
            for name in ("params", "d", "draws", "n")
        )
        tuning = training_flops(params, self.epochs * d * self.tokens_per_example)
        testing = _FORWARD * training_flops(params, n * self.tokens_per_question)
        return np.asarray(draws * (tuning + testing))
