r"""What a planned study would tell of an elbow, before anything is run: power by simulation.

A plan is a world (:class:`~upswing.simulate.finetuning.FinetuningWorld`: amounts of data, draws,
seeds, questions, and the assumed elbows, slope and shifts) and the losses of the models that will
be finetuned. It is carried out many times on paper; each time the law is fitted and its forecast
of E(D0) compared with the assumed truth, beside forecasts that cost nothing. A plan that does not
beat those is not worth its compute: the fixed criterion of 0.1 nats is passed for nothing where
the truth is near.

Noise counts as :math:`\sigma / A`, so with accuracy :math:`p` on :math:`n` questions the slope
:math:`A` [score per nat] and :math:`\sqrt{p(1-p)/n}` decide together; shifts of the elbow per
subset of examples are not lessened by questions, only by draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import polars as pl

from upswing.errors import InputError
from upswing.forecast.finetuning.emergence_law import FEWEST_LOSSES
from upswing.forecast.finetuning.scores import CRITERION, baselines
from upswing.forecast.finetuning.table import finetune_table
from upswing.laws.emergence.evidence import emerging_amounts
from upswing.laws.emergence.fit import fit_emergence
from upswing.laws.emergence.hierarchy import hierarchical_posterior
from upswing.laws.emergence.law import Array, EmergenceForm, lowest_amount, position
from upswing.laws.emergence.rows import Mask
from upswing.metrics.intervals import wilson_interval
from upswing.simulate.finetuning import FinetuningWorld, simulate_finetuning

LAW = "emergence law, most likely"

_ASSUMED = (
    "elbow",
    "d0",
    "highest",
    "alpha",
    "amounts",
    "draws",
    "seeds",
    "questions",
    "slope",
    "base",
    "cap",
    "subset_sd",
    "run_sd",
)


@dataclass(frozen=True, eq=False)
class EmergencePower:
    """How a plan fares, carried out many times in an assumed world.

    Attributes
    ----------
    world
        What was assumed.
    losses
        Losses of the models that are finetuned [nats/token], descending: those above the elbow.
    runs
        Finetuning runs of the plan.
    forecasts
        E(D0) of each replicate [nats/token] by each method, NaN where the law refused;
        the law's own is :data:`LAW`.
    low, high
        5 and 95 % of the posterior [nats/token] in the first replicates; NaN where refused. Empty
        where no intervals were asked for.
    reasons
        Why the law refused, by replicate; empty where it did not.
    seed
        Of the simulation.
    """

    world: FinetuningWorld
    losses: tuple[float, ...]
    runs: int
    forecasts: dict[str, Array]
    low: Array
    high: Array
    reasons: tuple[str, ...]
    seed: int

    @property
    def replicates(self) -> int:
        """Times that the plan was carried out."""
        return len(self.reasons)

    @property
    def p_refused(self) -> float:
        """Share of replicates in which the law refused."""
        return float(np.mean([bool(reason) for reason in self.reasons]))

    @property
    def p_within(self) -> float:
        """Share with a forecast of the law within 0.1 nats of the truth; a refusal is none."""
        return float(np.mean(self._within(LAW)))

    @property
    def width(self) -> float | None:
        """Mean width of the 90 % interval [nats/token], where there was a forecast."""
        width = (self.high - self.low)[np.isfinite(self.low)]
        return float(width.mean()) if len(width) else None

    @property
    def coverage(self) -> float | None:
        """Share of 90 % intervals that hold the truth, where there was a forecast."""
        made = np.isfinite(self.low)
        inside = (self.low <= self.world.elbow) & (self.world.elbow <= self.high)
        return float(inside[made].mean()) if made.any() else None

    @property
    def gap(self) -> float:
        """How far the assumed elbow is beyond the best model used [nats/token]."""
        return min(self.losses) - self.world.elbow

    def _within(self, name: str) -> Mask:
        error = np.abs(self.forecasts[name] - self.world.elbow)
        return np.asarray(np.nan_to_num(error, nan=np.inf) <= CRITERION + 1e-9)

    def to_frame(self) -> pl.DataFrame:
        """Return the law beside what costs nothing.

        Columns: ``forecast`` (the method); ``within``, the share within 0.1 nats of the truth, of
        all replicates, with its 95 % interval ``within_low`` and ``within_high`` (Wilson);
        ``median_error`` [nats/token] and ``refused``, of those with a forecast and the share
        without; ``width`` [nats/token] and ``coverage`` of 90 % intervals, null for those that
        have none.
        """
        rows = []
        for name, found in self.forecasts.items():
            within = self._within(name)
            low, high = wilson_interval(within.mean(), len(within))
            made = found[np.isfinite(found)]
            error = float(np.median(np.abs(made - self.world.elbow))) if len(made) else None
            own = name == LAW
            rows.append(
                {
                    "forecast": name,
                    "within": float(within.mean()),
                    "within_low": float(low),
                    "within_high": float(high),
                    "median_error": error,
                    "refused": 1.0 - len(made) / len(found),
                    "width": self.width if own else None,
                    "coverage": self.coverage if own else None,
                }
            )
        kinds: dict[str, Any] = {"forecast": pl.String}
        return pl.DataFrame(rows, kinds | dict.fromkeys(list(rows[0])[1:], pl.Float64))

    def summary(self) -> dict[str, float | int | None]:
        """Return the plan and its power as one row, for tables over plans.

        ``draws``, ``questions``, ``runs``, ``within``, ``within_low``, ``within_high``,
        ``refused``, ``median_error``, ``width``, ``coverage``.
        """
        own = self.to_frame().row(0, named=True)
        del own["forecast"]
        plan = {
            "draws": self.world.draws,
            "questions": self.world.stated_questions,
            "runs": self.runs,
        }
        return {**plan, **own}

    def to_dict(self) -> dict[str, Any]:
        """Return the power as plain values."""
        return {
            "assumed": {name: getattr(self.world, name) for name in _ASSUMED},
            "losses": list(self.losses),
            "gap": self.gap,
            "runs": self.runs,
            "replicates": self.replicates,
            "intervals": len(self.low),
            "seed": self.seed,
            "reasons": sorted({reason for reason in self.reasons if reason}),
            "forecasts": self.to_frame().to_dicts(),
        }

    def to_json(self) -> str:
        """Return the power as JSON."""
        return msgspec.json.format(msgspec.json.encode(self.to_dict()), indent=1).decode()


def power(
    world: FinetuningWorld,
    losses: Sequence[float],
    *,
    replicates: int = 100,
    intervals: int = 20,
    seed: int = 0,
) -> EmergencePower:
    """Carry out a plan many times in an assumed world.

    Parameters
    ----------
    world
        Amounts of data, draws, seeds and questions of the plan, and what is assumed of the task.
        With a ``cap`` a cap is fitted.
    losses
        Losses of the models [nats/token]. Those at or below the assumed elbow are left out: they
        have emerged, and there is nothing to forecast.
    replicates
        How often.
    intervals
        In how many of these the (dearer) hierarchical posterior is computed, for width and
        coverage; 0 for none.
    seed
        Of the simulation; a replicate has the same seed in every plan.

    Raises
    ------
    InputError
        If the plan has fewer than four losses above the elbow or fewer than two amounts of data,
        which no law can be fitted to, or an assumption is impossible.

    Examples
    --------
    >>> world = FinetuningWorld(amounts=(256, 1448, 8192), questions=4000)
    >>> found = power(world, [2.3, 2.2, 2.1, 2.05, 2.0], replicates=4, intervals=0)
    >>> found.runs, found.p_within
    (15, 1.0)
    """
    if not all(0.0 < loss < np.inf for loss in losses):
        raise InputError("a planned loss is no loss", hint="losses are in nats per token")
    used = tuple(sorted({float(loss) for loss in losses if loss > world.elbow}, reverse=True))
    _check(world, used, replicates, intervals)
    found: dict[str, list[float]] = {}
    ends: list[tuple[float, float]] = []
    reasons: list[str] = []
    form = EmergenceForm(world.shape, cap=world.cap is not None)
    for replicate in range(replicates):
        rng = np.random.default_rng([seed, replicate])
        frame = simulate_finetuning(world, rng, gap=None, losses=(used,))
        rows = finetune_table(frame).rows(world.d0)
        mle = fit_emergence(rows, form)
        reasons.append(emerging_amounts(rows, mle).reason)
        naive = baselines(used[-1], mle.curves.elbows.lowest)
        own = {LAW: float("nan") if reasons[-1] else mle.forecast}
        for name, elbow in {**own, **naive}.items():
            found.setdefault(name, []).append(elbow)
        if replicate < intervals:
            nothing = np.full(2, np.nan)
            shares = np.array([0.05, 0.95])
            low, high = (
                nothing if reasons[-1] else hierarchical_posterior(rows, mle).quantile(shares)
            )
            ends.append((float(low), float(high)))
    limits = np.array(ends).reshape(-1, 2)
    return EmergencePower(
        world,
        used,
        len(used) * len(world.amounts) * world.draws * world.seeds,
        {name: np.array(elbows) for name, elbows in found.items()},
        limits[:, 0],
        limits[:, 1],
        tuple(reasons),
        seed,
    )


def assumed_world(
    elbow: float = 1.95,
    *,
    reach: float = 0.3,
    at: float = 8192,
    amounts: Sequence[int] = (256, 512, 1024, 2048, 4096, 8192),
    alpha: float = 2.0,
    d0: float = 5,
    **others: Any,
) -> FinetuningWorld:
    """Return a world whose law does not depend on which amounts of data are planned.

    Parameters
    ----------
    elbow
        Assumed elbow of prompted models, E(D0) [nats/token].
    reach
        How far finetuning on ``at`` examples moves it [nats/token].
    at
        Amount of data that ``reach`` is about [examples].
    amounts
        Planned amounts of data [examples].
    alpha
        Assumed exponent.
    d0
        Solved examples in the prompt.
    others
        More of :class:`~upswing.simulate.finetuning.FinetuningWorld`.

    Raises
    ------
    InputError
        If an amount is not above ``d0``, which the law extrapolates to, or a number is no number.

    Examples
    --------
    >>> few, many = assumed_world(amounts=(256, 1024)), assumed_world(amounts=(256, 8192))
    >>> [round(float(world.law.elbow([256])[0]), 4) for world in (few, many)]
    [2.0575, 2.0575]
    """
    if not (0 < elbow < np.inf and 0 <= reach < np.inf and d0 >= 0 and alpha > 0 and at < np.inf):
        raise InputError(
            f"an elbow of {elbow:g}, reach of {reach:g}, D0 of {d0:g} and exponent of {alpha:g}",
            hint="elbow and exponent must be positive, reach and D0 not negative",
        )
    place = lowest_amount(d0)
    if not amounts or min(amounts) <= place or at <= place:
        raise InputError(f"amounts of data must be above D0 = {place:g}")
    share = float(position([max(amounts)], alpha, place, at, "log power law")[0])
    planned = tuple(sorted({int(amount) for amount in amounts}))
    highest = elbow + reach * share
    return FinetuningWorld(elbow, d0, highest, alpha, amounts=planned, **others)


def _check(world: FinetuningWorld, used: tuple[float, ...], replicates: int, most: int) -> None:
    """Stop at plans that cannot be simulated or fitted."""
    if replicates < 1 or most < 0:
        raise InputError("a simulation needs at least one replicate")
    if len(used) < FEWEST_LOSSES:
        raise InputError(
            f"{len(used)} of the planned models have a loss above the assumed elbow of "
            f"{world.elbow:g} nats; the law needs {FEWEST_LOSSES}",
            hint="plan weaker models",
        )
    if len(set(world.amounts)) < 2 or min(world.amounts) < 1:
        raise InputError("a plan needs two positive amounts of data or more")
    if min(world.draws, world.seeds) < 1 or (world.questions is not None and world.questions < 1):
        raise InputError("draws, seeds and questions must be at least 1")
    if world.highest < world.elbow:
        raise InputError(
            f"the elbow at the largest amount of data, {world.highest:g}, is below that of "
            f"prompted models, {world.elbow:g}",
            hint="finetuning moves the elbow to higher losses",
        )
    shifts_fit = all(0.0 <= sd < np.inf for sd in (world.subset_sd, world.run_sd))
    if not (0.0 <= world.base < 1.0 and 0.0 < world.slope < np.inf and shifts_fit):
        raise InputError("the slope must be positive, the base in [0, 1), shifts not negative")
    if world.cap is not None and not world.base < world.cap <= 1.0:
        raise InputError(f"the cap, {world.cap:g}, must be above the base and at most 1")
