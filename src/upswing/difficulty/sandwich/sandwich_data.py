"""What Slice-and-Sandwich is fitted to: compute, accuracy and the scores of three groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from upswing.difficulty.groups.groups import FLOP_UNIT, Array, DifficultyGroups, Mask, to_flops
from upswing.errors import InputError
from upswing.notes import Note, listing

REMOVED_WHEN_FITTING = (
    "microsoft/phi-1_5",
    "microsoft/phi-2",
    "Qwen/Qwen1.5-0.5B",
    "Qwen/Qwen1.5-1.8B",
    "Qwen/Qwen1.5-4B",
    "stabilityai/stablelm-2-1_6b",
)
"""Models that Wu and Lo leave out of fits and figures as likely over-trained: small ones that know
much for their compute."""


@dataclass(frozen=True, eq=False)
class SandwichData:
    """Models by compute, with minus the TC Brier scores, so that more is better.

    Attributes
    ----------
    models
        One row per model: ``model``, ``revision``, ``family``.
    flops
        Training compute [FLOP], ascending.
    accuracy, score
        Accuracy and minus the TC Brier score of the whole task.
    groups
        Minus the TC Brier score of each group, the easiest first, shape (n_models, n_groups).
    sizes
        Questions of each group, in the same order.
    train
        Whether a model is below the threshold.
    threshold
        log10 of training compute [1e21 FLOP].
    notes
        Which models were left out.
    """

    models: pl.DataFrame
    flops: Array
    accuracy: Array
    score: Array
    groups: Array
    sizes: Array
    train: Mask
    threshold: float
    notes: tuple[Note, ...] = ()

    @property
    def x(self) -> Array:
        """log10 of training compute [1e21 FLOP]."""
        return np.log10(self.flops / FLOP_UNIT)

    def grid(self, count: int = 120) -> Array:
        """Return evenly spaced x from the smallest to the largest model."""
        return np.linspace(self.x[0], self.x[-1], count)

    @property
    def easy(self) -> Array:
        """Minus the TC Brier score of the easiest group."""
        return self.groups[:, 0]

    @property
    def hard(self) -> Array:
        """Minus the TC Brier score of the hardest group."""
        return self.groups[:, -1]

    @property
    def split(self) -> list[str]:
        """``train`` or ``test`` for each model."""
        return ["train" if one else "test" for one in self.train]


def left_out(groups: DifficultyGroups, exclude: Sequence[str] | None) -> Sequence[str]:
    """Return which models are left out: those named, or the published ones of published groups."""
    if exclude is None:
        return REMOVED_WHEN_FITTING if groups.published else ()
    return exclude


def left_out_notes(groups: DifficultyGroups, kept: pl.DataFrame, what: str) -> tuple[Note, ...]:
    """Tell which models of groups are not in a fit, a curve or a test; nothing where all are.

    Parameters
    ----------
    groups
        All models.
    kept
        Those that are in, ``model`` and ``revision``.
    what
        What the others are left out of.
    """
    point = ["model", "revision"]
    gone = groups.models.join(kept.select(point), on=point, how="anti")
    names = sorted(f"{model} {revision}".rstrip() for model, revision in gone[point].iter_rows())
    if not names:
        return ()
    text = f"{len(names)} models are left out of the {what}: {listing(names, 9)}."
    return (Note("models-left-out", "info", text, {"models": names}),)


def sandwich_data(
    groups: DifficultyGroups, threshold: float, exclude: Sequence[str] | None = None
) -> SandwichData:
    """Return what the forecast is fitted to and judged on.

    Models without compute, accuracy or the score of a group are left out. A model is in the
    training set if its compute is below ``10**threshold`` times 1e21 FLOP.

    Parameters
    ----------
    groups
        At least two groups, sorted by Brier score.
    threshold
        log10 of training compute [1e21 FLOP].
    exclude
        Globs on names of models to leave out; by default :data:`REMOVED_WHEN_FITTING` for groups
        that were published, and none for others.

    Raises
    ------
    InputError
        If the groups are not of that kind, hold no accuracy, or no model is below the threshold.
    """
    if groups.by != "brier" or groups.count < 2:
        raise InputError("Slice-and-Sandwich needs groups of questions sorted by Brier score")
    if "acc" not in groups.whole or groups.metric not in groups.whole:
        raise InputError(
            f"the accuracy or the TC Brier score of {groups.task} as a whole is missing"
        )
    kept = groups.without(left_out(groups, exclude))
    flops, values = kept.flops, -kept.values[groups.metric]
    accuracy, score = kept.whole["acc"], -kept.whole[groups.metric]
    measured = np.column_stack([values, accuracy, score, flops])
    usable: Mask = np.asarray(np.isfinite(measured).all(axis=1))
    order = np.argsort(flops, kind="stable")
    order = order[usable[order]]
    models = kept.models[order.tolist()].select("model", "revision", "family")
    train: Mask = flops[order] < to_flops(threshold)
    if not train.any():
        raise InputError(
            f"no model with scores has less than 10^{threshold:g} times 1e21 FLOP",
            hint="the threshold is log10 of compute in 1e21 FLOP: 1.5 is 3.2e22 FLOP",
        )
    notes = left_out_notes(groups, models, "fit")
    if train.all():
        text = (
            f"No model of {groups.task} has 10^{threshold:g} times 1e21 FLOP or more, so there is "
            "nothing to judge a forecast by."
        )
        notes = (*notes, Note("nothing-held-out", "warning", text, {"threshold": threshold}))
    return SandwichData(
        models,
        flops[order],
        accuracy[order],
        score[order],
        values[order],
        np.diff(groups.edges).astype(float),
        train,
        threshold,
        notes,
    )
