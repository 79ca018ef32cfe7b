"""In a sentence: how much earlier a continuous metric leaves its floor than accuracy does."""

from __future__ import annotations

from upswing.charts.metric_panel import scale_text
from upswing.charts.names import shown
from upswing.detection.departure_result import Departure, Difference, MetricDeparture

_NAMES = {
    "acc": "accuracy",
    "acc_norm": "accuracy per character",
    "acc_bytes": "accuracy per byte",
    "pass@1": "the log’s own judgement",
    "tc_brier": "target-conditioned Brier score",
    "brier_score": "Brier score",
    "token_edit_distance_norm": "normalised token edit distance",
    "character_edit_distance_norm": "normalised character edit distance",
    "target_logprob": "target log-likelihood",
    "logprob_margin": "log-likelihood margin",
    "bleu": "BLEU",
    "chrf": "chrF",
    "rougeL": "ROUGE-L",
}
_OF = {"flops": " of compute", "params": " of parameters", "tokens": " of tokens"}
_WHY = {
    "too few scales": "Fewer than three scales: where a metric leaves its floor cannot be told.",
    "too few questions": "Too few questions, or clusters of them, that all models answered: where "
    "a metric leaves its floor cannot be told.",
    "no scale": "The scale of these models is not known: where a metric leaves its floor cannot be "
    "told.",
}
HEADLINES = (
    "target_probability",
    "character_edit_distance",
    "target_logprob",
    "token_edit_distance",
    "tc_brier",
    "brier_score",
)
"""The metric whose difference is told in a sentence: the first of these that is there."""


def metric_name(name: str) -> str:
    """Return the name of a metric inside a sentence.

    >>> metric_name("acc"), metric_name("target_probability")
    ('accuracy', 'target probability')
    """
    return _NAMES.get(name) or shown(name.replace("_", " "), 40)


def headline(found: Departure) -> Difference | None:
    """Return the difference that is told in a sentence; None where there is nothing to compare."""
    for name in HEADLINES:
        difference = found.difference(name)
        if difference is not None:
            return difference
    return found.differences[0] if found.differences else None


def departure_sentence(found: Departure) -> str:
    """Return what is known on one evaluation, as a sentence; empty where it has one metric."""
    statuses = {one.status for one in found.metrics}
    for status, why in _WHY.items():
        if status in statuses:
            return why
    difference = headline(found)
    if difference is None:
        return ""
    metric, reference = found.of(difference.metric), found.of(difference.reference)
    if metric is None or reference is None:
        return ""
    name, other = metric_name(difference.metric), metric_name(difference.reference)
    if difference.status == "measured":
        text = _measured(found, difference, name, other)
    elif difference.status == "not known" or difference.value is None:
        states = f"{_state(name, metric)}; {_state(other, reference)}"
        text = f"{name} against {other} cannot be told: {states}."
    else:
        text = _bound(found, difference, name, other, metric, reference)
    return text[0].upper() + text[1:]


def difference_text(difference: Difference | None) -> str:
    """Return a difference and its interval for a cell of a table.

    >>> difference_text(Difference("a", "acc", "measured", 0.8, 0.5, 1.1))
    '0.80 (0.50 to 1.10)'
    >>> difference_text(Difference("a", "acc", "at least", 0.8, 0.5))
    'at least 0.80 (from 0.50)'
    """
    if difference is None or difference.value is None:
        return "–"
    word = "" if difference.status == "measured" else f"{difference.status} "
    interval = interval_text(difference)
    return f"{word}{signed(difference.value)}" + (f" ({interval})" if interval else "")


def interval_text(difference: Difference) -> str:
    """Return the interval of a difference; an end that is open is left out."""
    low, high = difference.low, difference.high
    if low is not None and high is not None:
        return f"{signed(low)} to {signed(high)}"
    if low is not None:
        return f"from {signed(low)}"
    return f"up to {signed(high)}" if high is not None else ""


def signed(value: float) -> str:
    """Return a difference with two decimals.

    >>> signed(-0.123), signed(-0.001)
    ('−0.12', '0.00')
    """
    text = f"{value:.2f}"
    return "0.00" if text == "-0.00" else text.replace("-", "−")


def _measured(found: Departure, difference: Difference, name: str, other: str) -> str:
    value, low, high = difference.value or 0.0, difference.low, difference.high
    unit = _unit(found)
    resampled = _resampled(found)
    if low is None or high is None or low <= 0.0 <= high:
        interval = interval_text(difference) or "open at both ends"
        return (
            f"which of {name} and {other} leaves its floor first is not sure: {name} is "
            f"{signed(value)} {unit} earlier (95 % interval {interval}, negative is later; "
            f"{resampled})."
        )
    ends = sorted((abs(low), abs(high)))
    order = "before" if value > 0 else "after"
    return (
        f"{name} leaves its floor {abs(value):.2f} {unit} {order} {other} does (95 % interval "
        f"{ends[0]:.2f} to {ends[1]:.2f}; {resampled})."
    )


def _bound(
    found: Departure,
    difference: Difference,
    name: str,
    other: str,
    metric: MetricDeparture,
    reference: MetricDeparture,
) -> str:
    value = difference.value or 0.0
    earlier = difference.status == "at least"
    end = difference.low if earlier else difference.high
    if abs(value) < 0.005:
        lead = f"{name} leaves its floor no {'later' if earlier else 'earlier'} than {other}"
    else:
        order = "before" if earlier else "after"
        lead = (
            f"{name} leaves its floor at least {abs(value):.2f} {_unit(found)} {order} {other} does"
        )
    told = [
        _state(label, one)
        for label, one in ((name, metric), (other, reference))
        if one.status != "leaves"
    ]
    if end is not None:
        told.append(f"95 % bound {signed(end if earlier else -end)}")
    return f"{lead} ({'; '.join([*told, _resampled(found)])})."


def _state(name: str, one: MetricDeparture) -> str:
    texts = {
        "above from the first scale": f"{name} has left its floor before the smallest model",
        "improves from the first scale": f"{name} improves from the smallest model on",
        "never leaves": f"{name} never leaves its floor on these models",
        "not resolved": f"{name} shows no sure rise and none is excluded",
    }
    return texts.get(one.status, f"{name} leaves its floor")


def _unit(found: Departure) -> str:
    return f"{found.unit}{_OF.get(found.axis, '')}"


def _resampled(found: Departure) -> str:
    return "questions resampled" if found.n_clusters is None else "clusters of questions resampled"


def place_text(one: MetricDeparture, axis: str) -> str:
    """Return where a metric leaves its floor, with its interval, for a cell of a table.

    Parameters
    ----------
    one
        Where it leaves its floor.
    axis
        Scale axis.
    """
    if one.x is None:
        return one.status
    low = "open" if one.low is None else scale_text(one.low, axis)
    high = "open" if one.high is None else scale_text(one.high, axis)
    return f"{scale_text(one.x, axis)} ({low} to {high})"
