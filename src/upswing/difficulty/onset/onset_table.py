"""The onset of a task's soar from below several cut-offs, beside the observed one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from upswing.difficulty.groups.groups import Array, DifficultyGroups, gains
from upswing.difficulty.groups.source import GroupSource, groups_at
from upswing.difficulty.onset.soar_onset import (
    DRAWS,
    Soar,
    TurningPoint,
    observed_soar,
    turning_point,
)
from upswing.difficulty.sandwich.sandwich_data import left_out, left_out_notes
from upswing.difficulty.sandwich.slice_and_sandwich import known_chance
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
        If the groups hold no accuracy, or the accuracy of a guess is not known or not in [0, 1).
    """
    found: list[SoarOnset] = []
    notes: list[Note] = []
    for cutoff in cutoffs:
        groups = groups_at(source, count, "brier", cutoff)
        measured = _measured(groups, exclude)
        notes += [*groups.notes, *left_out_notes(groups, measured.models, "onset")]
        guess = known_chance(groups, chance)
        found.append(_onset(measured, cutoff, guess, draws, seed))
    return found, unique(notes)


def _measured(groups: DifficultyGroups, exclude: Sequence[str] | None) -> DifficultyGroups:
    """Return the groups of the models that have compute, a score of the easiest and accuracy."""
    if "acc" not in groups.whole:
        raise InputError(
            f"the accuracy of {groups.task} as a whole is not known",
            hint="read a table with a column acc, or answers to single questions",
        )
    kept = groups.without(left_out(groups, exclude))
    known = np.isfinite(kept.flops) & np.isfinite(_easiest(kept)) & np.isfinite(kept.whole["acc"])
    if not known.any():
        raise InputError(
            f"no model of {groups.task} has compute, groups and accuracy",
            hint="give the compute in a model table",
        )
    return kept.keep(known)


def _easiest(groups: DifficultyGroups) -> Array:
    return gains(groups.values[groups.metric], groups.metric)[:, groups.by_easiness[0]]


def _onset(
    groups: DifficultyGroups, cutoff: float, chance: float, draws: int, seed: int
) -> SoarOnset:
    x, family = groups.log10_flops, groups.clusters
    return SoarOnset(
        groups.task,
        cutoff,
        groups.limit,
        turning_point(x, _easiest(groups), family, cutoff=cutoff, draws=draws, seed=seed),
        observed_soar(x, groups.whole["acc"], chance, family, draws=draws, seed=seed),
    )
