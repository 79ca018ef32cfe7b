"""Where jumps are, in words: one sentence on all, a few on each, and the rows of the table."""

from __future__ import annotations

from collections import Counter
from typing import Any

from upswing.charts.names import shown, without_owner
from upswing.charts.theme import verdict_rank, verdict_style
from upswing.metrics.registry import known_metric
from upswing.mirage.intervention import largest_step
from upswing.mirage.progress import is_continuous
from upswing.report.departure_text import metric_name
from upswing.report.mirage_jumps import PLACES, Jump, Jumps, Place
from upswing.report.numbers import (
    NOTHING,
    SCALE_UNITS,
    p_value,
    score_text,
    short_scale,
    significant,
    whole,
)

Row = dict[str, Any]

_COUNTED: dict[Place, tuple[str, str]] = {
    "metric": ("is made by its metric", "are made by their metric"),
    "continuous too": (
        "is in a continuous metric too",
        "are in a continuous metric too",
    ),
    "left open": (
        "is left open by the continuous metric beside it",
        "are left open by the continuous metric beside them",
    ),
    "test set": (
        "cannot be told from a test set that is too small",
        "cannot be told from test sets that are too small",
    ),
    "untested": (
        "has no continuous metric to be compared with",
        "have no continuous metric to be compared with",
    ),
    "continuous itself": (
        "is under a metric that is continuous itself",
        "are under metrics that are continuous themselves",
    ),
    "not significant": (
        "is not significant once corrected over tasks",
        "are not significant once corrected over tasks",
    ),
}


def counts_sentence(found: Jumps) -> str:
    """Return how many jumps are where."""
    counts = Counter(jump.place for jump in found.jumps)
    total = len(found.jumps)
    parts = [
        f"{counts[place]} {_COUNTED[place][counts[place] > 1]}" for place in PLACES if counts[place]
    ]
    if total == 1:
        return f"The one curve with a jump {_COUNTED[found.jumps[0].place][0]}."
    joined = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"Of {total} curves with a jump, {joined}."


def jump_text(jump: Jump, pair: Row | None) -> str:
    """Return what is known on one jump, in a few sentences.

    Parameters
    ----------
    jump
        The jump.
    pair
        Its row in the table of pairs; None where it was compared with nothing.
    """
    parts = (
        _rise(jump),
        _resolution(jump),
        _exponent(jump),
        _not_compared(jump) if pair is None else _beside(jump, pair),
        _conclusion(jump),
    )
    return " ".join(part for part in parts if part)


def _rise(jump: Jump) -> str:
    curve, onset = jump.finding.curve, jump.finding.evidence.onset
    name = _capital(metric_name(curve.metric))
    score = _score_words(jump.row)
    if not onset:
        change = f"{_value(curve.y[0])} to {_value(curve.y[-1])}"
        where = "no scale is surely above chance + δ" if onset is None else "all scales are above"
        return f"{name} goes from {change}; {where}, and {score}."
    verb = "rises" if jump.place in ("test set", "not significant") else "jumps"
    first, last = (short_scale(float(curve.x[i]), curve.axis) for i in (onset - 1, onset))
    unit = SCALE_UNITS.get(curve.axis, "")
    return (
        f"{name} {verb} from {_value(curve.y[onset - 1])} to {_value(curve.y[onset])} between "
        f"{first} and {last}{unit}; {score}."
    )


def _score_words(row: Row) -> str:
    words = {"+inf": "infinite", "-inf": "minus infinite"}
    text = words.get(row["emergence_score_status"]) or score_text(row)
    return f"its emergence score is {text}"


def _resolution(jump: Jump) -> str:
    row = jump.row
    if row["cause"] != "resolution":
        return ""
    at = f"At {whole(row['n'])} questions" if row["n"] is not None else "At this test size"
    needed = row["questions_needed"]
    more = (
        f" {whole(needed)} questions would have shown the best smooth curve at the last scale "
        "before."
        if needed is not None and row["n"] is not None and needed > row["n"]
        else ""
    )
    detectable, delta = row["detectable_gain"], row["delta"]
    if detectable is not None and delta is not None and detectable > delta:
        return (
            f"{at} only a gain of {significant(detectable, 2)} over chance + δ would be found with "
            f"power 0.8, more than δ = {significant(delta, 2)}: too few to tell.{more}"
        )
    return f"{at} a smooth curve looks this way with p = {p_value(row['p_test_size'])}.{more}"


def _exponent(jump: Jump) -> str:
    """Return how steep a smooth curve would have to be; for metrics that p^L is a model of."""
    row = jump.row
    if jump.place == "test set" or is_continuous(row["metric"]):
        return ""
    low, high = row["exponent_needed_low"], row["exponent_needed_high"]
    if row["exponent_needed_status"] == "finite":
        needed = significant(row["exponent_needed"], 2)
        ends = _interval(low, high)
    elif row["exponent_needed_status"] == "+inf" and low is not None and low > 0:
        needed, ends = f"at least {significant(low, 2)}", " (95 % bound)"
    else:
        return ""
    before = row["exponent_before"]
    told = "" if before is None else f", the scales before it {significant(before, 2)}"
    return f"As p^L this step needs an exponent of {needed}{ends}{told}."


def _beside(jump: Jump, pair: Row) -> str:
    """Return what the continuous metric says."""
    name = _capital(metric_name(pair["other_metric"]))
    of = f"{name} of the same outputs"
    made = _made(pair)
    p = p_value(pair["p_smooth_other"])
    if pair["outcome"] == "earlier":
        return f"{of} is smooth (p = {p}) and had made {made} before."
    if pair["outcome"] == "sharp":
        return f"{of} is sharp too (p smooth {p})" + (
            f": it had made {made} before." if made else "."
        )
    if pair["outcome"] == "same place":
        return f"{of} leaves its floor there too: it had made {made} before."
    if not made:
        return f"{of} is smooth (p = {p}), but only one scale lies before the jump."
    return f"{of} is smooth (p = {p}) and had made {made} before, which does not decide."


def _made(pair: Row) -> str:
    """Return the share of its rise that the other metric had made, from 0 to all of it."""
    if pair["rise_before_onset"] is None:
        return ""
    value, low, high = (
        _percent(pair[name])
        for name in ("rise_before_onset", "rise_before_low", "rise_before_high")
    )
    return f"{value} of its rise (95 % interval {low} to {high})"


def _not_compared(jump: Jump) -> str:
    metric = known_metric(jump.row["metric"])
    if metric is not None and metric.continuous:
        if metric.shape == "linear":
            return "It gives partial credit itself and is linear in the error per token."
        return (
            "It gives partial credit itself, so nothing is laid beside it; it is not linear in the "
            "error per token, so it may bend the rise."
        )
    others = [
        metric_name(one.curve.metric)
        for one in jump.finding.comparison.alternatives
        if one.continuous
    ]
    if not others:
        known = "No continuous metric of the same outputs is known."
        return "" if jump.place == "test set" else known
    if not jump.finding.evidence.onset:
        return ""
    return (
        f"{_capital(', '.join(others[:3]))} of the same outputs cannot be compared: the scales "
        "around the jump, or the noise, are not known."
    )


def _conclusion(jump: Jump) -> str:
    if jump.place == "not significant":
        q = p_value(jump.row["q_value"])
        return f"Corrected over tasks the jump is not significant (q = {q})."
    return {
        "metric": "The metric makes the jump.",
        "continuous too": "The metric does not make the jump.",
        "left open": "Whether the metric makes the jump is open.",
        "untested": "Whether the metric makes the jump is open.",
    }.get(jump.place, "")


def jump_rows(found: Jumps) -> list[Row]:
    """Return one row of text per jump."""
    return [_row(jump, found.pair_row(jump)) for jump in found.jumps]


def _row(jump: Jump, pair: Row | None) -> Row:
    row = jump.row
    step = largest_step(jump.finding.curve)
    share = None if pair is None else pair["rise_before_onset"]
    return {
        **jump_labels(jump),
        "metric": shown(row["metric"], 40),
        "shots": row["n_shot"],
        "cause": row["cause"],
        "score": score_text(row),
        "score_sort": {"+inf": 1e300, "-inf": -1e300}.get(
            row["emergence_score_status"], row["emergence_score"]
        ),
        "step": NOTHING if step is None else _percent(step),
        "step_sort": step,
        "p_smooth": p_value(row["p_smooth"]),
        "p_smooth_sort": row["p_smooth"],
        "p_test_size": p_value(row["p_test_size"]),
        "p_test_size_sort": row["p_test_size"],
        "n": whole(row["n"]),
        "n_sort": row["n"],
        "other": "" if pair is None else shown(pair["other_metric"], 40),
        "outcome": "not compared" if pair is None else pair["outcome"],
        "share": NOTHING if share is None else _percent(share),
        "share_sort": share,
        "interval": ""
        if pair is None or share is None
        else f"{_percent(pair['rise_before_low'])} to {_percent(pair['rise_before_high'])}",
    }


def jump_labels(jump: Jump) -> Row:
    """Return the task, whose outputs they are, and the verdict."""
    row = jump.row
    return {
        "task": shown(row["task"], 60),
        "title": shown(row["task"], 300),
        "who": shown(without_owner(row["model"] or row["family"]), 40) or "(no name)",
        "verdict": row["verdict"],
        "sign": verdict_style(row["verdict"]).sign,
        "rank": verdict_rank(row["verdict"]),
    }


def _percent(share: float) -> str:
    """Return a share of a rise; noise may take it beyond the ends, which mean none and all.

    >>> _percent(0.379), _percent(-0.02), _percent(1.65)
    ('38 %', '0 %', '100 %')
    """
    return f"{100 * min(max(share, 0.0), 1.0):.0f} %"


def _interval(low: float | None, high: float | None) -> str:
    """Return an interval in brackets; an end that is open is left out.

    >>> _interval(0.123, None), _interval(0.1, 0.2), _interval(None, None)
    (' (95 % interval from 0.12)', ' (95 % interval 0.1 to 0.2)', '')
    """
    if low is None and high is None:
        return ""
    first, last = significant(low, 2), significant(high, 2)
    if low is None or high is None:
        return f" (95 % interval {f'up to {last}' if low is None else f'from {first}'})"
    return f" (95 % interval {first} to {last})"


def _value(value: float) -> str:
    return significant(float(value), 2)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
