"""Data of emergence laws for tests: the world of the specification, section 11, as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from upswing.forecast.finetuning.table import finetune_table
from upswing.laws.emergence.rows import EmergenceRows
from upswing.simulate.finetuning import FinetuningWorld, simulate_finetuning


def rows_of(seed: int = 0, gap: float | None = 0.0, **world: Any) -> EmergenceRows:
    """Simulate 16 checkpoints that have not emerged, finetuned on six amounts of data."""
    prompted = world.pop("prompted", "none")
    rng = np.random.default_rng(seed)
    frame = simulate_finetuning(FinetuningWorld(**world), rng, gap, prompted)
    return finetune_table(frame).rows(5.0)
