"""``Finding``: one curve with its verdict, flat enough for a table; ``Detection``: all of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from upswing.curves.curve import AXES, Curve
from upswing.detection.evidence import Evidence, Settings
from upswing.difficulty.shapes.curve_shape import CurveShape
from upswing.findings.verdict import Verdict
from upswing.mirage.explanation import Explanation
from upswing.mirage.same_outputs import Comparison
from upswing.notes import Note, unique, warnings_in

COLUMNS: dict[str, type[pl.DataType]] = {
    "family": pl.String,
    "model": pl.String,
    "task": pl.String,
    "metric": pl.String,
    "filter": pl.String,
    "n_shot": pl.Int64,
    "elicitation": pl.String,
    "harness": pl.String,
    "axis": pl.String,
    "n_scales": pl.Int64,
    "n": pl.Int64,
    "chance": pl.Float64,
    "verdict": pl.String,
    "shape": pl.String,
    "cause": pl.String,
    "reason": pl.String,
    "onset": pl.Float64,
    "onset_low": pl.Float64,
    "onset_high": pl.Float64,
    "onset_models_low": pl.Float64,
    "onset_models_high": pl.Float64,
    "onset_model": pl.String,
    "sharpness": pl.Float64,
    "emergence_score": pl.Float64,
    "emergence_score_status": pl.String,
    "p_chance": pl.Float64,
    "p_smooth": pl.Float64,
    "p_verdict": pl.Float64,
    "q_value": pl.Float64,
    "p_at_chance": pl.Float64,
    "p_test_size": pl.Float64,
    "p_turn": pl.Float64,
    "p_up": pl.Float64,
    "p_down": pl.Float64,
    "monotonicity": pl.Float64,
    "delta": pl.Float64,
    "detectable_gain": pl.Float64,
    "between_model_sd": pl.Float64,
    "form": pl.String,
    "exponent_needed": pl.Float64,
    "exponent_needed_low": pl.Float64,
    "exponent_needed_high": pl.Float64,
    "exponent_needed_status": pl.String,
    "exponent_before": pl.Float64,
    "questions_needed": pl.Int64,
    "continuous_metric": pl.String,
    "continuous_outcome": pl.String,
    "rise_before_onset": pl.Float64,
    "rise_before_low": pl.Float64,
    "rise_before_high": pl.Float64,
    "published_category": pl.String,
    "value_first": pl.Float64,
    "value_last": pl.Float64,
    "chance_source": pl.String,
    "n_source": pl.String,
    "notes": pl.List(pl.String),  # type: ignore[dict-item]
}
"""Columns of :meth:`Detection.to_frame`, the JSON of ``upswing detect`` and ``findings.json``."""


@dataclass(frozen=True, eq=False)
class Finding:
    """Evidence on one curve and the verdict on it.

    Attributes
    ----------
    evidence
        What was measured on the curve.
    verdict
        One word, with shape, cause and reason.
    p_verdict, q_value
        p-value of the verdict, and corrected over the tasks looked at.
    notes
        What a reader of this verdict has to know.
    explanation
        What may explain its shape: other metrics, the steepness of a smooth curve, the questions.
    turn
        Whether the whole curve is a U or an inverted U; None where that was not tested.
    """

    evidence: Evidence
    verdict: Verdict
    p_verdict: float | None
    q_value: float | None
    notes: tuple[Note, ...] = ()
    explanation: Explanation = field(default_factory=Explanation)
    turn: CurveShape | None = None

    @property
    def curve(self) -> Curve:
        """The curve."""
        return self.evidence.curve

    @property
    def comparison(self) -> Comparison:
        """The other metrics of the same outputs."""
        return self.explanation.comparison

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as plain values; infinities and NaN become None."""
        e, c = self.evidence, self.curve
        questions = [n for n in (float(v) for v in c.n) if math.isfinite(n)]  # type: ignore[union-attr]
        onset = None if e.onset is None else float(c.x[e.onset])
        low, high = e.questions
        models_low, models_high = e.models
        if c.axis == "loss":  # scale grows as loss falls, an interval still runs from low to high
            low, high = high, low
            models_low, models_high = models_high, models_low
        return {
            "family": c.family,
            "model": c.model,
            "task": c.task,
            "metric": c.metric,
            "filter": c.filter,
            "n_shot": c.n_shot,
            "elicitation": c.elicitation,
            "harness": c.harness,
            "axis": c.axis,
            "n_scales": len(c),
            "n": int(min(questions)) if questions else None,
            "chance": c.chance,
            "verdict": self.verdict.word,
            "shape": self.verdict.shape,
            "cause": self.verdict.cause,
            "reason": self.verdict.reason,
            "onset": onset,
            "onset_low": low,
            "onset_high": high,
            "onset_models_low": models_low,
            "onset_models_high": models_high,
            "onset_model": None if e.onset is None else c.models[e.onset],
            "sharpness": _finite(e.sharpness),
            "emergence_score": _finite(e.score.score),
            "emergence_score_status": e.score.status,
            "p_chance": e.p_chance,
            "p_smooth": e.p_smooth,
            "p_verdict": self.p_verdict,
            "q_value": self.q_value,
            "p_at_chance": e.p_at_chance,
            "p_test_size": e.p_test_size,
            "p_turn": None if self.turn is None else self.turn.p_value,
            "p_up": e.trend.p_up,
            "p_down": e.trend.p_down,
            "monotonicity": e.trend.tau,
            "delta": e.delta,
            "detectable_gain": _finite(e.detectable_gain),
            "between_model_sd": e.tau,
            "form": e.form,
            **_exponent(self.explanation),
            **_deciding(self.comparison),
            "published_category": None if e.published is None else e.published.category,
            "value_first": float(c.y[0]) if len(c) else None,
            "value_last": float(c.y[-1]) if len(c) else None,
            "chance_source": c.chance_source or None,
            "n_source": c.n_source or None,
            "notes": [note.message for note in self.notes],
        }


@dataclass(frozen=True, eq=False)
class Detection:
    """All findings of one reading on one axis.

    Attributes
    ----------
    findings
        One per curve, sorted by family, model, task and metric.
    axis
        The scale axis.
    settings
        What the verdicts rest on.
    rule
        ``upswing`` or ``wei2022``.
    notes
        Remarks that are about no single curve.
    """

    findings: tuple[Finding, ...]
    axis: str
    settings: Settings
    rule: str
    notes: tuple[Note, ...] = ()

    def __len__(self) -> int:
        return len(self.findings)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __repr__(self) -> str:
        counts: dict[str, int] = {}
        for finding in self.findings:
            counts[finding.verdict.word] = counts.get(finding.verdict.word, 0) + 1
        words = ", ".join(f"{count} {word}" for word, count in sorted(counts.items()))
        return f"Detection({len(self)} curves on {self.axis}: {words or 'none'})"

    def to_frame(self) -> pl.DataFrame:
        """Return one row per curve; the columns are :data:`COLUMNS`."""
        return pl.DataFrame(
            [finding.to_dict() for finding in self.findings], schema=COLUMNS, orient="row"
        )

    def points(self) -> pl.DataFrame:
        """Return one row per point of every curve, with the fitted value and 95 % interval.

        The table behind the curves that charts draw.
        """
        from upswing.findings.points import points_of

        return points_of(self)

    @property
    def all_notes(self) -> tuple[Note, ...]:
        """Notes on the detection and, if they are warnings, on single curves; each once."""
        on_curves = [note for finding in self.findings for note in warnings_in(finding.notes)]
        return unique((*self.notes, *on_curves))

    def counts(self) -> Mapping[str, int]:
        """Return how many curves got each verdict, most first."""
        words = [finding.verdict.word for finding in self.findings]
        return {w: words.count(w) for w in sorted(set(words), key=lambda w: (-words.count(w), w))}

    @property
    def axis_label(self) -> str:
        """Label of the axis with its unit."""
        return AXES[self.axis]


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _exponent(explanation: Explanation) -> dict[str, Any]:
    """Return how steep p^L would have to be across the jump and before it, and the questions."""
    needed = explanation.exponent
    return {
        "exponent_needed": None if needed is None else needed.jump.value,
        "exponent_needed_low": None if needed is None else needed.jump.low,
        "exponent_needed_high": None if needed is None else needed.jump.high,
        "exponent_needed_status": None if needed is None else needed.jump.status,
        "exponent_before": None if needed is None else needed.before.value,
        "questions_needed": explanation.questions_needed,
    }


def _deciding(comparison: Comparison) -> dict[str, Any]:
    """Return what the continuous metric that decides says about the jump."""
    deciding = comparison.deciding
    share = None if deciding is None else deciding.share
    return {
        "continuous_metric": None if deciding is None else deciding.curve.metric,
        "continuous_outcome": None if deciding is None else deciding.outcome,
        "rise_before_onset": None if share is None else _finite(share.value),
        "rise_before_low": None if share is None else _finite(share.low),
        "rise_before_high": None if share is None else _finite(share.high),
    }
