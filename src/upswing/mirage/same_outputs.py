"""Which curves are other metrics of the same outputs, and what they say about each jump.

Same outputs: the same models asked the same task in the same way. Other metrics come from the
scores of a reading, and from its question-level answers, which are scored again; a score that is
stated wins over one that is computed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from upswing.curves.curve import Curve
from upswing.detection.evaluations import EvaluationItems, evaluations
from upswing.detection.evidence import Evidence, Settings
from upswing.metrics.registry import known_metric
from upswing.mirage.alternative import Alternative, Outcome, compare, describe
from upswing.mirage.progress import TELLING, canonical, is_continuous
from upswing.mirage.scored_answers import answer_curves
from upswing.tables.bundle import Tables

Wanted = Callable[[Evidence], bool]
_Outputs = tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Comparison:
    """One curve beside all other metrics of its outputs.

    Attributes
    ----------
    alternatives
        All of them: first the one that decides, then by the order of :data:`TELLING`.
    deciding
        The continuous metric that decides; None where there is none, or the curve is continuous
        itself or has no jump.
    """

    alternatives: tuple[Alternative, ...] = ()
    deciding: Alternative | None = None

    @property
    def outcome(self) -> Outcome:
        """What the deciding metric says about the jump."""
        return "not compared" if self.deciding is None else self.deciding.outcome


def same_outputs(
    evidence: Sequence[Evidence],
    tables: Tables | None,
    settings: Settings,
    jumps: Wanted,
    rescore: Wanted | None = None,
    revision: str | None = None,
) -> tuple[Comparison, ...]:
    """Lay every curve beside the other metrics of its outputs.

    Parameters
    ----------
    evidence
        Of all curves of a reading on one axis.
    tables
        The reading, for its answers; None for curves made by hand.
    settings
        What the evidence rests on.
    jumps
        Which curves have a jump to be explained: only these are compared, the others described.
    rescore
        For which curves answers are scored again; those with a jump by default.
    revision
        Revision of the models that the curves are of, where it is not the last.

    Returns
    -------
    tuple of Comparison
        One per evidence.
    """
    stated: dict[_Outputs, list[Curve]] = defaultdict(list)
    for item in evidence:
        stated[_outputs_of(item.curve)].append(item.curve)
    wanted = rescore or jumps
    described: dict[int, Alternative] = {}
    need = {_outputs_of(item.curve) for item in evidence if wanted(item)}
    curves = [item.curve for item in evidence]
    scored = {}
    if tables is not None:
        scored = _scored(tables, curves, need, telling=rescore is None, revision=revision)

    def describe_once(curve: Curve) -> Alternative:
        if id(curve) not in described:
            described[id(curve)] = _described(curve)
        return described[id(curve)]

    found = []
    for item in evidence:
        if not jumps(item) and not wanted(item):
            found.append(Comparison())
            continue
        others = sorted(_others(item.curve, stated, scored), key=_rank)
        alternatives = tuple(describe_once(curve) for curve in others)
        found.append(_comparison(item, alternatives, settings, jumps(item)))
    return tuple(found)


def _others(
    own: Curve, stated: dict[_Outputs, list[Curve]], scored: dict[_Outputs, list[Curve]]
) -> list[Curve]:
    """Return the other metrics of a curve's outputs, each once.

    What is stated comes before what is computed, unless it lacks the noise that a comparison needs.
    """
    outputs = _outputs_of(own)
    both = [*stated[outputs], *scored.get(outputs, ())]
    found: dict[str, Curve] = {}
    for curve in sorted(both, key=lambda curve: not np.isfinite(np.asarray(curve.n)).all()):
        name = canonical(curve.metric)
        if name != canonical(own.metric) and curve.filter in (own.filter, "none"):
            found.setdefault(name, curve)
    return list(found.values())


def _comparison(
    item: Evidence, found: tuple[Alternative, ...], settings: Settings, jump: bool
) -> Comparison:
    """Compare a jump with the first continuous metric that can be compared."""
    if not jump or is_continuous(item.curve.metric):
        return Comparison(found)
    for i, alternative in enumerate(found):
        if canonical(alternative.curve.metric) not in TELLING:
            continue
        compared = compare(item, alternative, settings)
        if compared.outcome != "not compared":
            return Comparison((compared, *found[:i], *found[i + 1 :]), compared)
    return Comparison(found)


def _described(curve: Curve) -> Alternative:
    known = known_metric(curve.metric)
    return describe(curve, None if known is None else known.shape, is_continuous(curve.metric))


def _rank(curve: Curve) -> tuple[int, str]:
    name = canonical(curve.metric)
    return (TELLING.index(name) if name in TELLING else len(TELLING), name)


def _outputs_of(curve: Curve) -> _Outputs:
    """Return what the outputs behind a curve are of; their filters are compared later."""
    return (
        curve.family,
        curve.model,
        curve.task,
        curve.task_version,
        curve.n_shot,
        curve.elicitation,
        curve.axis,
        curve.harness,
    )


def _scored(
    tables: Tables,
    curves: Iterable[Curve],
    need: set[_Outputs],
    telling: bool,
    revision: str | None,
) -> dict[_Outputs, list[Curve]]:
    """Return curves under the metrics that answers allow, for the outputs that need them."""
    if tables.items.is_empty() or not need:
        return {}
    axis = next(iter(curves)).axis
    found: dict[_Outputs, list[Curve]] = defaultdict(list)
    for one in evaluations(tables, axis, revision=revision):
        outputs = _outputs_of_items(one)
        if outputs in need and np.isfinite(one.x).all():
            found[outputs] += answer_curves(one, telling)
    return found


def _outputs_of_items(one: EvaluationItems) -> _Outputs:
    what = one.evaluation
    return (
        what.family,
        what.model,
        what.task,
        what.task_version,
        what.n_shot,
        what.elicitation,
        one.axis,
        what.harness,
    )
