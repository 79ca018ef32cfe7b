"""From evidence to one word: the precedence table, written down once.

The first row that applies gives the word; the definitions are in ``docs/verdict.md``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from upswing.detection.evidence import Evidence
from upswing.detection.onset import ALPHA
from upswing.difficulty.shapes.curve_shape import CurveShape
from upswing.metrics.registry import known_metric
from upswing.mirage.alternative import Outcome

Word = Literal[
    "emergent",
    "metric artifact",
    "under-resolved",
    "u-shaped",
    "inverted-u",
    "smooth",
    "falling",
    "flat",
    "undecided",
]
ShapeWord = Literal["flat", "smooth", "sharp", "u-shaped", "inverted-u", "falling"]
Cause = Literal["ability", "metric", "resolution", "unknown"]


class Verdict(NamedTuple):
    """One word, the shape and the cause behind it, and why."""

    word: Word
    shape: ShapeWord | None
    cause: Cause
    reason: str


class Case(NamedTuple):
    """What the rows of the table look at."""

    evidence: Evidence
    q_value: float | None
    alpha: float
    outcome: Outcome = "not compared"
    turn: CurveShape | None = None

    @property
    def sharp(self) -> bool:
        """At chance, then a sustained rise that no smooth curve explains."""
        e = self.evidence
        return (
            e.onset is not None
            and e.onset > 0
            and _at_most(e.p_at_chance, self.alpha)
            and _at_most(e.p_smooth, self.alpha)
        )


class Row(NamedTuple):
    """A row of the precedence table."""

    word: Word
    cause: Cause
    reason: str
    applies: Callable[[Case], bool]


def _at_most(p: float | None, alpha: float) -> bool:
    return p is not None and p <= alpha


def _no_data(case: Case) -> bool:
    return case.evidence.gain is None


def _unresolved_gain(case: Case) -> bool:
    e = case.evidence
    return e.detectable_gain is not None and e.delta is not None and e.detectable_gain > e.delta


def _unresolved_jump(case: Case) -> bool:
    return _emergent(case) and not _at_most(case.evidence.p_test_size, case.alpha)


def _emergent(case: Case) -> bool:
    return case.sharp and _at_most(case.q_value, case.alpha)


def _artifact(case: Case) -> bool:
    return case.sharp and case.outcome == "earlier"


def _in_both(case: Case) -> bool:
    return _emergent(case) and case.outcome in ("sharp", "same place")


def _in_linear(case: Case) -> bool:
    metric = known_metric(case.evidence.curve.metric)
    linear = metric is not None and metric.continuous and metric.shape == "linear"
    return _emergent(case) and linear


def _u_shaped(case: Case) -> bool:
    return case.turn is not None and case.turn.shape == "u-shaped"


def _inverted_u(case: Case) -> bool:
    return case.turn is not None and case.turn.shape == "inverted-u"


def _smooth(case: Case) -> bool:
    e = case.evidence
    starts_above = e.onset == 0 or not _at_most(e.p_at_chance, case.alpha)
    return e.trend.p_up <= case.alpha and (starts_above or not _at_most(e.p_smooth, case.alpha))


def _falling(case: Case) -> bool:
    return case.evidence.trend.p_down <= case.alpha


def _flat(case: Case) -> bool:
    return _at_most(case.evidence.p_flat, case.alpha)


TABLE: tuple[Row, ...] = (
    Row(
        "undecided",
        "unknown",
        "fewer than 3 scales, or n, chance or the range is missing",
        _no_data,
    ),
    Row(
        "under-resolved",
        "resolution",
        "too few questions: the smallest detectable gain exceeds delta",
        _unresolved_gain,
    ),
    Row(
        "under-resolved",
        "resolution",
        "a smooth curve looks this way at this number of questions",
        _unresolved_jump,
    ),
    Row(
        "metric artifact",
        "metric",
        "a continuous metric of the same outputs is smooth and rises before the onset",
        _artifact,
    ),
    Row(
        "emergent",
        "ability",
        "at chance, then a sustained rise that no smooth curve explains, and a continuous metric "
        "of the same outputs rises there too",
        _in_both,
    ),
    Row(
        "emergent",
        "ability",
        "at chance, then a sustained rise that no smooth curve explains, under a linear metric",
        _in_linear,
    ),
    Row(
        "emergent",
        "unknown",
        "at chance, then a sustained rise that no smooth curve explains",
        _emergent,
    ),
    Row("u-shaped", "unknown", "falls, then rises, both beyond noise", _u_shaped),
    Row("inverted-u", "unknown", "rises, then falls, both beyond noise", _inverted_u),
    Row("smooth", "unknown", "rises, and no sharp form explains it better", _smooth),
    Row("falling", "unknown", "the trend is significantly down", _falling),
    Row("flat", "unknown", "all scales are within delta of chance or of their mean", _flat),
)
"""The order is that of ``docs/verdict.md``."""


def has_jump(evidence: Evidence, alpha: float) -> bool:
    """Tell whether a curve is at chance, then rises as no smooth curve does."""
    return Case(evidence, None, alpha).sharp


def judge(
    evidence: Evidence,
    q_value: float | None,
    alpha: float,
    outcome: Outcome = "not compared",
    turn: CurveShape | None = None,
) -> Verdict:
    """Return the verdict on one curve.

    Parameters
    ----------
    evidence
        What was measured.
    q_value
        The curve's p-value corrected over the tasks looked at; None without tests.
    alpha
        Level of every test.
    outcome
        What a continuous metric of the same outputs says about the jump.
    turn
        Whether the whole curve is a U or an inverted U; None where that was not tested.
    """
    case = Case(evidence, q_value, alpha, outcome, turn)
    for row in TABLE:
        if row.applies(case):
            return Verdict(row.word, _shape(case), row.cause, row.reason)
    return Verdict("undecided", _shape(case), "unknown", "no row of the table applies")


def _shape(case: Case) -> ShapeWord | None:
    if case.evidence.gain is None:
        return None
    if case.sharp:
        return "sharp"
    if _u_shaped(case):
        return "u-shaped"
    if _inverted_u(case):
        return "inverted-u"
    if _smooth(case):
        return "smooth"
    if _falling(case):
        return "falling"
    return "flat" if _flat(case) else None


_PUBLISHED: dict[str, tuple[Word, ShapeWord | None]] = {
    "flat": ("flat", "flat"),
    "not sustained": ("undecided", None),
    "irregular": ("undecided", None),
    "always above": ("smooth", "smooth"),
    "early rise": ("smooth", "smooth"),
    "emergent (late, small)": ("smooth", "smooth"),
    "emergent (late, >=10 points)": ("emergent", "sharp"),
}


def judge_published(evidence: Evidence) -> Verdict:
    """Return the verdict under the published rule (``rule="wei2022"``)."""
    if evidence.gain is None:
        return Verdict("undecided", None, "unknown", TABLE[0].reason)
    if evidence.published is None:
        return Verdict("undecided", None, "unknown", "the published rule is for proportions only")
    category = evidence.published.category
    word, shape = _PUBLISHED[category]
    if word == "smooth" and evidence.trend.p_up > ALPHA:
        word, shape = "undecided", None  # above chance, but not rising for sure
    return Verdict(word, shape, "unknown", f"published rule: {category}")
