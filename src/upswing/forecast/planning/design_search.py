r"""Greedy choice of finetuning runs by their expected reduction of an interval's width.

The candidate with the largest reduction per cost is taken, then the next given the first, until
the budget is spent or nothing helps. So that a budget is not eaten by runs that are cheap and tell
next to nothing, only candidates with at least a quarter of the best affordable reduction compete.
A second plan, by reduction whatever the cost, is kept instead where it ends narrower.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from upswing.forecast.planning.expected_scores import PosteriorPoints
from upswing.forecast.planning.preposterior import Preposterior, scenarios_of
from upswing.laws.emergence.law import Array
from upswing.laws.emergence.rows import Mask

HELPS = 0.01
"""Smallest reduction that counts, as a share of the width."""

_COMPETES = 0.25
_SURE = 2.0
_FEW = 25.0
_SHORT = 32
_CANDIDATE = ("model", "revision", "loss", "d", "draws", "n", "cost")


class DesignSearch:
    """Greedy choice of candidates.

    Parameters
    ----------
    grid
        Candidates with ``cost``.
    laws
        Points of the posterior.
    budget
        What may be spent.
    rng
        Source of randomness.
    """

    def __init__(
        self, grid: pl.DataFrame, laws: PosteriorPoints, budget: float, rng: np.random.Generator
    ) -> None:
        self.grid, self.laws, self.budget, self.rng = grid, laws, budget, rng
        self.cost = grid["cost"].to_numpy()
        self.scores = [
            laws.scores(row["loss"], row["d"], row["draws"], row["n"])
            for row in grid.iter_rows(named=True)
        ]

    def found(self, scenarios: int, most: int) -> tuple[pl.DataFrame, pl.DataFrame, bool]:
        """Return the candidates alone, the chosen ones, and whether points became few.

        Both orders are tried, by reduction per cost and by reduction, and the better one is kept:
        the first spends a tight budget well, the second a loose one.
        """
        start = scenarios_of(self.laws.forecast, scenarios, self.rng)
        luck = self.rng.standard_normal((most, 2, scenarios))
        width = start.widths()
        affordable = self.cost <= self.budget
        gains = self._gains(start, width, luck[0, 0], np.ones(len(self.cost), dtype=bool))
        alone = self._alone(float(width.mean()), *gains, affordable)
        plans = [self._chosen(start, luck, gains, frugal) for frugal in (True, False)]
        steps, thin = min(plans, key=lambda plan: plan[0][-1]["width_after"] if plan[0] else np.inf)
        return alone, self._steps(steps), thin

    def _chosen(
        self, state: Preposterior, luck: Array, gains: tuple[Array, Array], frugal: bool
    ) -> tuple[list[dict[str, Any]], bool]:
        """Take one candidate after the other, each given those before it."""
        rows: list[dict[str, Any]] = []
        spent, thin, before = 0.0, False, state.widths()
        short = self._shortlist(gains[0])
        for step, (searched, done) in enumerate(luck):
            affordable = self.cost <= self.budget - spent
            if step:
                gains = self._gains(state, before, searched, affordable & short)
            best = self._best(*gains, affordable, float(before.mean()), frugal)
            if best is None or thin:
                break
            # Scored with luck of its own: the best of many is partly the luckiest.
            state = state.after(*self.scores[best], done)
            after = state.widths()
            thin = state.effective() < _FEW
            spent += self.cost[best]
            gain = before - after
            rows.append(
                {
                    "rank": step + 1,
                    **self.grid.row(best, named=True),
                    "spent": spent,
                    "width_before": float(before.mean()),
                    "width_after": float(after.mean()),
                    "reduction_per_cost": float(gain.mean()) / self.cost[best],
                    "standard_error": float(gain.std(ddof=1) / np.sqrt(len(gain))),
                }
            )
            before = after
        return rows, thin

    def _gains(
        self,
        state: Preposterior,
        before: Array,
        luck: Array,
        wanted: Mask,
    ) -> tuple[Array, Array]:
        """Return the expected reduction by each candidate and its standard error."""
        mean, error = np.zeros(len(self.scores)), np.zeros(len(self.scores))
        for i in np.flatnonzero(wanted):
            gain = before - state.after(*self.scores[i], luck).widths()
            mean[i] = gain.mean()
            error[i] = gain.std(ddof=1) / np.sqrt(len(gain))
        return mean, error

    def _shortlist(self, mean: Array) -> Mask:
        """Tell which candidates come into question after the first step: the best so far."""
        ranked = np.concatenate(
            [np.argsort(-mean)[:_SHORT], np.argsort(-mean / self.cost)[:_SHORT]]
        )
        return np.isin(np.arange(len(mean)), ranked)

    def _best(
        self, mean: Array, error: Array, affordable: Mask, width: float, frugal: bool
    ) -> int | None:
        """Return the candidate to take; None where none helps."""
        helps = affordable & (mean > np.maximum(HELPS * width, _SURE * error))
        if not helps.any():
            return None
        competes = helps & (mean >= _COMPETES * mean[helps].max())
        worth = mean / self.cost if frugal else mean
        return int(np.where(competes, worth, -np.inf).argmax())

    def _alone(self, width: float, mean: Array, error: Array, affordable: Mask) -> pl.DataFrame:
        return (
            self.grid.select(_CANDIDATE)
            .with_columns(
                pl.lit(width).alias("width_before"),
                pl.Series("width_after", width - mean),
                pl.Series("reduction_per_cost", mean / self.cost),
                pl.Series("standard_error", error),
                pl.Series("affordable", affordable),
            )
            .sort("width_after", maintain_order=True)
        )

    def _steps(self, rows: list[dict[str, Any]]) -> pl.DataFrame:
        kinds = {name: self.grid.schema[name] for name in _CANDIDATE}
        after = ("spent", "width_before", "width_after", "reduction_per_cost", "standard_error")
        schema: dict[str, Any] = {"rank": pl.Int64, **kinds, **dict.fromkeys(after, pl.Float64)}
        return pl.DataFrame([{name: row[name] for name in schema} for row in rows], schema)
