"""How many questions, or draws, a plan needs: power over plans that double."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import polars as pl

from upswing.errors import InputError
from upswing.forecast.planning.power import EmergencePower, power
from upswing.simulate.finetuning import FinetuningWorld

Varied = Literal["questions", "draws"]

LIMITS: dict[str, int] = {"questions": 64_000, "draws": 16}
"""Where the search stops."""


@dataclass(frozen=True, eq=False)
class PowerSearch:
    """Plans that differ in one number, and the first that is good enough.

    Attributes
    ----------
    vary
        ``questions`` or ``draws``.
    target_width, target_probability
        What was asked for: a mean width of 90 % intervals of at most so much [nats/token], a share
        of forecasts within 0.1 nats of the truth of at least so much.
    needed
        The first value that reaches the target; None where none of them does.
    powers
        The plans that were tried, ascending.
    """

    vary: Varied
    target_width: float | None
    target_probability: float | None
    needed: int | None
    powers: tuple[EmergencePower, ...]

    def to_frame(self) -> pl.DataFrame:
        """Return one row per plan: ``draws``, ``questions``, ``runs``, ``within``, ``within_low``,
        ``within_high``, ``refused``, ``median_error``, ``width``, ``coverage``, ``reached``.
        """
        rows = [{**one.summary(), "reached": self._reached(one)} for one in self.powers]
        numbers = [
            name for name in rows[0] if name not in ("draws", "questions", "runs", "reached")
        ]
        return pl.DataFrame(rows, schema_overrides=dict.fromkeys(numbers, pl.Float64))

    def _reached(self, one: EmergencePower) -> bool:
        return reached(one, self.target_width, self.target_probability)

    @property
    def sentence(self) -> str:
        """What was found, for a person."""
        if self.needed is not None:
            return f"{self.needed} {self.vary} reach the target"
        most = getattr(self.powers[-1].world, self.vary)
        other = "draws" if self.vary == "questions" else "questions or models nearer the elbow"
        return f"no number of {self.vary} up to {most} reaches the target: plan more {other}"

    def to_dict(self) -> dict[str, Any]:
        """Return the search as plain values."""
        return {
            "vary": self.vary,
            "target_width": self.target_width,
            "target_probability": self.target_probability,
            "needed": self.needed,
            "plans": self.to_frame().to_dicts(),
        }


def reached(one: EmergencePower, width: float | None, probability: float | None) -> bool:
    """Tell whether a plan reaches a target; a plan that mostly refuses reaches none."""
    narrow = width is None or (one.width is not None and one.width <= width and one.p_refused < 0.5)
    return narrow and (probability is None or one.p_within >= probability)


def needed_plan(
    world: FinetuningWorld,
    losses: Sequence[float],
    *,
    vary: Varied = "questions",
    target_width: float | None = None,
    target_probability: float | None = None,
    most: int | None = None,
    replicates: int = 100,
    intervals: int = 20,
    seed: int = 0,
) -> PowerSearch:
    """Double questions or draws until a plan reaches a target.

    Every plan is simulated with the same seeds. The answer is right up to the doubling and to the
    error of the simulation, which the table shows for shares.

    Parameters
    ----------
    world, losses, replicates, intervals, seed
        The plan with the fewest questions or draws; see
        :func:`~upswing.forecast.planning.power.power`. Without a target for the width no
        intervals are computed.
    vary
        What is doubled.
    target_width
        Largest mean width of 90 % intervals [nats/token].
    target_probability
        Smallest share of forecasts within 0.1 nats of the truth.
    most
        Where to stop; by default :data:`LIMITS`.

    Raises
    ------
    InputError
        If there is no target, or nothing to double.
    """
    if target_width is None and target_probability is None:
        raise InputError("no target", hint="give a width or a probability")
    if vary not in LIMITS:
        raise InputError(f"no plans over {vary!r}", hint=f"there are {', '.join(LIMITS)}")
    value = getattr(world, vary)
    if value is None:
        raise InputError("the number of questions is needed to double it")
    if target_width is not None and intervals < 1:
        raise InputError("a target for the width needs intervals")
    limit = LIMITS[vary] if most is None else most
    powers: list[EmergencePower] = []
    while True:
        powers.append(
            power(
                replace(world, **{vary: value}),
                losses,
                replicates=replicates,
                intervals=0 if target_width is None else intervals,
                seed=seed,
            )
        )
        good = reached(powers[-1], target_width, target_probability)
        if good or 2 * value > limit:
            break
        value *= 2
    return PowerSearch(
        vary, target_width, target_probability, value if good else None, tuple(powers)
    )
