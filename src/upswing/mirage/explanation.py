"""All that this room knows about one curve: other metrics, the exponent and the questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from upswing.detection.evidence import Evidence, Settings
from upswing.mirage.exponent_needed import ExponentNeeded, exponent_needed_of
from upswing.mirage.questions_needed import questions_needed_of_curve
from upswing.mirage.same_outputs import Comparison, Wanted, same_outputs
from upswing.tables.bundle import Tables


@dataclass(frozen=True, eq=False)
class Explanation:
    """What may explain the shape of a curve.

    Attributes
    ----------
    comparison
        The other metrics of the same outputs.
    exponent
        How steep a power law of loss would have to be to make the jump; None where nothing was
        looked at.
    questions_needed
        Questions that would have shown the best smooth curve at the last scale before the onset (at
        the weakest without one); None where that curve is at chance there.
    """

    comparison: Comparison = field(default_factory=Comparison)
    exponent: ExponentNeeded | None = None
    questions_needed: int | None = None


def explain(
    evidence: Sequence[Evidence],
    tables: Tables | None,
    settings: Settings,
    jumps: Wanted,
    rescore: Wanted | None = None,
    revision: str | None = None,
) -> tuple[Explanation, ...]:
    """Explain every curve of a reading; see :func:`upswing.mirage.same_outputs.same_outputs`."""
    compared = same_outputs(evidence, tables, settings, jumps, rescore, revision)
    return tuple(
        Explanation(
            comparison, exponent_needed_of(item, seed=settings.seed), _questions_needed(item)
        )
        for item, comparison in zip(evidence, compared, strict=True)
    )


def _questions_needed(evidence: Evidence) -> int | None:
    if evidence.gain is None or evidence.smooth is None:
        return None
    return questions_needed_of_curve(
        evidence.smooth.values, evidence.gain.chance, evidence.smooth.base, evidence.onset
    )
