"""``detect``: tables or a curve in, verdicts out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from upswing.curves.build import build_curves
from upswing.curves.curve import Axis, Curve
from upswing.detection.evidence import FEWEST_SCALES, Evidence, Settings, examine
from upswing.detection.significance import benjamini_hochberg
from upswing.difficulty.shapes.curve_shape import CurveShape, curve_shape
from upswing.errors import InputError, TooFewScalesError
from upswing.findings.finding import Detection, Finding
from upswing.findings.verdict import Verdict, has_jump, judge, judge_published
from upswing.mirage.explanation import explain
from upswing.mirage.same_outputs import Comparison
from upswing.notes import Note, unique
from upswing.tables.bundle import Tables

Rule = Literal["upswing", "wei2022"]
RULES = ("upswing", "wei2022")


def detect(
    tables_or_curve: Tables | Curve | Sequence[Curve],
    axis: Axis = "flops",
    *,
    rule: Rule = "upswing",
    task: str | None = None,
    family: str | None = None,
    n_shot: int | None = None,
    revision: str | None = None,
    level: Literal["task", "group"] = "task",
    scale: Literal["log", "linear"] = "log",
    delta: float | None = None,
    alpha: float = 0.05,
    seed: int = 0,
    require_scales: bool = True,
    alternatives: Literal["jumps", "all"] = "jumps",
) -> Detection:
    """Find which abilities emerged, where, and how sure one can be.

    Parameters
    ----------
    tables_or_curve
        What :func:`upswing.read` returned, or curves made by hand.
    axis
        ``flops`` [FLOP], ``params``, ``tokens`` [tokens] or ``loss`` [nats/token]; ignored for
        curves, which have their own.
    rule
        ``upswing``, or ``wei2022`` for the published rule.
    task, family
        Globs that select curves.
    n_shot
        Number of solved examples that selects curves.
    revision
        Revision to take instead of each model's last (on ``flops`` and ``params``).
    level
        ``task``, or ``group`` for tasks that pool others.
    scale
        ``linear`` keeps points at x = 0, such as step 0, which have no place on a log axis. Tests
        of the onset rest on the order of scales only; the smooth forms are at their base there.
    delta
        Smallest gain over chance that counts, in units of the metric; default a tenth of the way
        from chance to the best score.
    alpha
        Level of every test.
    seed
        Seed of every bootstrap; same seed, same result.
    require_scales
        Raise where no curve has three scales.
    alternatives
        Which curves are laid beside the other metrics of their outputs: those with a jump to be
        explained, or ``all``, which scores all answers again.

    Returns
    -------
    Detection
        A frozen result with ``.to_frame()``.

    Raises
    ------
    TooFewScalesError
        If no curve has three scales.
    InputError
        If an option is none of its choices, or delta is no gain that a metric can have.
    UnknownNameError
        If no task, family or revision matches.

    Examples
    --------
    >>> import numpy as np
    >>> from upswing import Curve, detect
    >>> curve = Curve(x=np.geomspace(1e8, 1e11, 10), y=[0.0] * 6 + [0.7, 0.8, 0.9, 0.95], n=1000,
    ...               chance=0.0, axis="params")
    >>> finding = detect(curve).findings[0]
    >>> finding.verdict.word, f"{finding.curve.x[finding.evidence.onset]:.0e}"
    ('emergent', '1e+10')
    """
    for name, value, choices in (
        ("rule", rule, RULES),
        ("scale", scale, ("log", "linear")),
        ("level", level, ("task", "group")),
        ("alternatives", alternatives, ("jumps", "all")),
    ):
        if value not in choices:
            raise InputError(f"no {name} {value!r}", hint=f"choose one of {', '.join(choices)}")
    if seed < 0:
        raise InputError(f"the seed is {seed} and must not be negative")
    notes: list[Note] = []
    tables = tables_or_curve if isinstance(tables_or_curve, Tables) else None
    if isinstance(tables_or_curve, Tables):
        curves, notes = build_curves(
            tables_or_curve,
            axis,
            task=task,
            family=family,
            n_shot=n_shot,
            revision=revision,
            level=level,
            logarithmic=scale == "log",
        )
    else:
        given = tables_or_curve
        curves = [given] if isinstance(given, Curve) else list(given)
        if not all(isinstance(curve, Curve) for curve in curves):
            raise InputError("detect takes tables or curves", hint="upswing.read reads files")
        axis = curves[0].axis if curves else axis
    if require_scales and not any(len(curve) >= FEWEST_SCALES for curve in curves):
        most = max((len(curve) for curve in curves), default=0)
        raise TooFewScalesError(
            f"no curve has {FEWEST_SCALES} scales on {axis}: the longest has {most}",
            hint="add models (checkpoints, on tokens and loss), or take another axis with --axis",
        )
    settings = Settings(delta=delta, alpha=alpha, seed=seed)
    evidence = examine(curves, settings)
    p_verdicts = [_p_verdict(item) for item in evidence]
    q_values = _q_values(evidence, p_verdicts)
    explanations = explain(
        evidence,
        tables,
        settings,
        jumps=lambda item: has_jump(item, alpha),
        rescore=(lambda _: True) if alternatives == "all" else None,
        revision=revision,
    )
    findings = []
    for item, p_verdict, q_value, explanation in zip(
        evidence, p_verdicts, q_values, explanations, strict=True
    ):
        comparison = explanation.comparison
        turn = turn_of(item, alpha)
        if rule == "wei2022":
            verdict = judge_published(item)
        else:
            verdict = judge(item, q_value, alpha, comparison.outcome, turn)
        remarks = (*item.curve.notes, *_remarks(item, verdict, comparison))
        findings.append(Finding(item, verdict, p_verdict, q_value, remarks, explanation, turn))
    return Detection(tuple(findings), axis, settings, rule, unique(notes))


def turn_of(evidence: Evidence, alpha: float) -> CurveShape | None:
    """Test whether a curve is a U or an inverted U; None where its noise or scale is unknown."""
    curve, gain = evidence.curve, evidence.gain
    if gain is None or (curve.axis != "loss" and (curve.x <= 0).any()):
        return None
    x = -curve.x if curve.axis == "loss" else np.log10(curve.x)
    if (np.diff(x) <= 0).any():
        return None
    return curve_shape(x, gain.y, gain.stderr, proportion=curve.proportion, alpha=alpha)


def _p_verdict(evidence: Evidence) -> float | None:
    """Return max(p_chance, p_smooth); 1 where there is no onset, None without tests."""
    if evidence.p_chance is None or evidence.p_smooth is None:
        return None
    if evidence.onset is None:
        return 1.0
    return max(evidence.p_chance, evidence.p_smooth)


def _q_values(
    evidence: Sequence[Evidence], p_verdicts: Sequence[float | None]
) -> list[float | None]:
    """Correct over the tasks of one family or run, axis, metric and number of shots."""
    groups: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for i, (item, p) in enumerate(zip(evidence, p_verdicts, strict=True)):
        if p is not None:
            c = item.curve
            groups[(c.family, c.model, c.axis, c.metric, c.n_shot)].append(i)
    q_values: list[float | None] = [None] * len(evidence)
    for members in groups.values():
        corrected = benjamini_hochberg([p_verdicts[i] or 0.0 for i in members])
        for i, q in zip(members, corrected, strict=True):
            q_values[i] = float(q)
    return q_values


def _remarks(evidence: Evidence, verdict: Verdict, comparison: Comparison) -> list[Note]:
    """Return what a reader of this verdict has to know."""
    curve = evidence.curve
    notes = []
    if len(curve) < FEWEST_SCALES:
        notes.append(
            Note("too-few-scales", "info", f"Only {len(curve)} scales; a verdict needs 3.")
        )
    elif curve.chance is None:
        notes.append(Note("no-chance", "info", "No chance level is known."))
    elif curve.lowest is None or curve.highest is None:
        notes.append(Note("unbounded", "info", f"{curve.metric} has no best possible score."))
    elif evidence.gain is None and np.isfinite(np.asarray(curve.n)).all():
        notes.append(Note("no-room", "info", "Chance + delta leaves no room for a gain."))
    elif evidence.gain is None:
        notes.append(Note("no-n", "info", "The number of questions is unknown."))
    if evidence.score.tie_sign:
        notes.append(Note("tie-sign", "info", "Ties decide the sign of the emergence score."))
    if verdict.word == "emergent":
        if verdict.cause == "unknown":
            notes.append(_untested(comparison))
        if evidence.onset == len(curve) - 1:
            notes.append(Note("onset-last", "info", "Only the largest scale is above chance."))
    if "stderr" in curve.n_source or "siblings" in curve.n_source:
        notes.append(Note("n-derived", "info", f"n is derived ({curve.n_source})."))
    if "inferred" in curve.n_source:
        notes.append(Note("n-inferred", "info", "n is inferred, not stated by the source."))
    return notes


def _untested(comparison: Comparison) -> Note:
    """Say why it is open whether the metric is the cause."""
    deciding = comparison.deciding
    if deciding is None:
        return Note(
            "metric-untested",
            "info",
            "No continuous metric of the same outputs could be compared, so the metric may still "
            "be the cause.",
        )
    return Note(
        "metric-unclear",
        "info",
        f"{deciding.curve.metric} of the same outputs leaves it open whether the metric is the "
        "cause.",
        {"metric": deciding.curve.metric},
    )
