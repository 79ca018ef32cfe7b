"""Worlds with known truth: curves, and logs of questions, whose answers one has chosen.

The test bed of every claim about error rates. ``curves`` holds true curves of a score over scale;
``multiple_choice`` and ``generation`` hold question-level worlds, which give the tables that a
reading of logs gives.
"""

from __future__ import annotations

from upswing.simulate.answers import TwoMetrics, simulate_answers
from upswing.simulate.curves import (
    Kind,
    World,
    falling_world,
    flat_world,
    simulate_curve,
    smooth_world,
    step_world,
    u_shaped_world,
)
from upswing.simulate.generation import GenerationWorld, simulate_generation
from upswing.simulate.multiple_choice import (
    MultipleChoiceWorld,
    Trend,
    hinge_trend,
    simulate_multiple_choice,
)
from upswing.simulate.questions import DrawnQuestions, draw_questions

__all__ = [
    "DrawnQuestions",
    "GenerationWorld",
    "Kind",
    "MultipleChoiceWorld",
    "Trend",
    "TwoMetrics",
    "World",
    "draw_questions",
    "falling_world",
    "flat_world",
    "hinge_trend",
    "simulate_answers",
    "simulate_curve",
    "simulate_generation",
    "simulate_multiple_choice",
    "smooth_world",
    "step_world",
    "u_shaped_world",
]
