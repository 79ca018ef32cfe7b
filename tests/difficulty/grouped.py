"""Groups made by hand, and a small world of multiple-choice questions."""

from __future__ import annotations

import numpy as np
import polars as pl

from upswing.difficulty.groups.groups import DifficultyGroups
from upswing.simulate import MultipleChoiceWorld, simulate_multiple_choice
from upswing.tables.bundle import Tables


def groups_by_hand(
    x: np.ndarray,
    groups: np.ndarray,
    accuracy: np.ndarray,
    score: np.ndarray | None = None,
    names: list[str] | None = None,
    **more: object,
) -> DifficultyGroups:
    """Groups of 10 questions each, from minus their Brier scores; x is log10 of 1e21 FLOP."""
    count = groups.shape[1]
    values = {"tc_brier": -groups}
    whole = {"acc": accuracy, "tc_brier": -(groups.mean(axis=1) if score is None else score)}
    models = pl.DataFrame(
        {
            "model": names or [f"m{i:02}" for i in range(len(x))],
            "revision": "",
            "family": "F",
            "flops": 10.0**x * 1e21,
            "sorts": None,
        }
    )
    settings = {"chance": 0.25, **more}
    return DifficultyGroups(
        "made",
        "brier",
        "tc_brier",
        None,
        np.arange(0, 10 * count + 1, 10),
        models,
        values,
        {"tc_brier": np.full_like(groups, 0.01)},
        whole,
        {name: np.full(len(x), 0.01) for name in whole},
        **settings,
    )


def small_world(models: int = 12, questions: int = 90, seed: int = 0, **more: object) -> Tables:
    """Answers of models from 1e20 to 1e24 FLOP to four-option questions."""
    rng = np.random.default_rng(seed)
    world = MultipleChoiceWorld(
        np.geomspace(1e20, 1e24, models), rng.uniform(20, 24, questions), **more
    )
    return simulate_multiple_choice(world, rng)
