"""The onset of a task's soar from below several cut-offs, beside the observed one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from upswing.difficulty.groups.groups import DifficultyGroups, gains
from upswing.difficulty.groups.source import GroupSource, groups_at
from upswing.difficulty.onset.soar_onset import (
    DRAWS,
    Soar,
    TurningPoint,
    observed_soar,
    turning_point,
)
from upswing.difficulty.sandwich.sandwich_data import left_out
from upswing.errors import InputError
from upswing.notes import Note, unique


@dataclass(frozen=True)
class SoarOnset:
    """The onset of one task's soar, as seen from below one cut-off.

    All places are log10 of training compute [1e21 FLOP].

    Attributes
    ----------
    task
        Name of the task.
    cutoff
        Models below it are seen, and sort the questions where that can be chosen.
    sorted_up_to
        Limit up to which models sorted the questions; None where it is not known.
    turn
        The turn of the easiest group.
    soar
        The soar of accuracy over all models.
    """

    task: str
    cutoff: float
    sorted_up_to: float | None
    turn: TurningPoint
    soar: Soar

    @property
    def error(self) -> float | None:
        """Turn minus the take-off of accuracy [decades]; None where one of them is not there."""
        turn, takeoff = self.turn.place.x, self.soar.takeoff.x
        return None if turn is None or takeoff is None else turn - takeoff

    def to_dict(self) -> dict[str, object]:
        """Return the results as plain values."""
        turn, soar = self.turn, self.soar
        return {
            "task": self.task,
            "cutoff": self.cutoff,
            "sorted_up_to": self.sorted_up_to,
            "models_below": turn.models,
            "status": turn.status,
            "turning_point": turn.place.x,
            "turning_point_low": turn.place.low,
            "turning_point_high": turn.place.high,
            "share_turned": turn.share,
            "soar": soar.crossing.x,
            "soar_low": soar.crossing.low,
            "soar_high": soar.crossing.high,
            "soar_level": soar.level,
            "above_from_the_start": soar.from_the_start,
            "takeoff": soar.takeoff.x,
            "takeoff_low": soar.takeoff.low,
            "takeoff_high": soar.takeoff.high,
            "turning_point_minus_takeoff": self.error,
        }


def soar_onsets(
    source: GroupSource,
    cutoffs: Sequence[float],
    *,
    count: int = 3,
    chance: float | None = None,
    exclude: Sequence[str] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[list[SoarOnset], tuple[Note, ...]]:
    """Return the onset of the soar from below each cut-off, and remarks.

    Parameters
    ----------
    source
        The task. From answers, the questions are sorted by models below the cut-off; groups of
        tables are as they were published, with a note where models beyond it sorted.
    cutoffs
        log10 of training compute [1e21 FLOP].
    count
        Groups, of which the easiest is looked at.
    chance
        Accuracy of a guess; by default what the groups say.
    exclude
        Models to leave out; see :func:`~.sandwich_data.sandwich_data`.
    draws, seed
        Bootstrap over families.

    Raises
    ------
    InputError
        If the groups hold no accuracy, or the accuracy of a guess is not known.
    """
    found: list[SoarOnset] = []
    notes: list[Note] = []
    for cutoff in cutoffs:
        groups = groups_at(source, count, "brier", cutoff)
        notes += groups.notes
        found.append(_onset(groups, cutoff, chance, exclude, draws, seed))
    return found, unique(notes)


def _onset(
    groups: DifficultyGroups,
    cutoff: float,
    chance: float | None,
    exclude: Sequence[str] | None,
    draws: int,
    seed: int,
) -> SoarOnset:
    guess = groups.chance if chance is None else chance
    if "acc" not in groups.whole or guess is None:
        raise InputError(
            f"the accuracy of {groups.task} or of a guess is not known", hint="give --chance"
        )
    kept = groups.without(left_out(groups, exclude))
    easy = gains(kept.values[kept.metric], kept.metric)[:, kept.by_easiness[0]]
    accuracy, x = kept.whole["acc"], kept.log10_flops
    family = kept.clusters
    known = np.isfinite(x) & np.isfinite(easy) & np.isfinite(accuracy)
    if not known.any():
        raise InputError(f"no model of {groups.task} has compute, groups and accuracy")
    x, easy, accuracy, family = x[known], easy[known], accuracy[known], family[known]
    return SoarOnset(
        groups.task,
        cutoff,
        groups.limit,
        turning_point(x, easy, family, cutoff=cutoff, draws=draws, seed=seed),
        observed_soar(x, accuracy, guess, family, draws=draws, seed=seed),
    )
