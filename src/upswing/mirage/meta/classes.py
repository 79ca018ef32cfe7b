"""What kind of metric a curve is measured with: its shape, and a finer class."""

from __future__ import annotations

from typing import NamedTuple

from upswing.metrics.registry import known_metric

_CLASSES: dict[str, tuple[str, ...]] = {
    "exact match": ("exact_match", "NoAns_exact"),
    "multiple choice grade": ("multiple_choice_grade",),
    "accuracy": ("acc", "acc_norm", "acc_bytes"),
    "log-likelihood": (
        "log_target_probability_norm",
        "likelihood_difference",
        "cross_entropy",
        "bits_per_byte",
    ),
    "probability": (
        "target_probability",
        "target_probability_norm",
        "option_mass",
        "probability_margin",
        "mc2",
    ),
}
_BY_NAME = {name: group for group, names in _CLASSES.items() for name in names}
_BY_PART = (
    ("pass@", "exact match"),
    ("brier", "Brier"),
    ("perplexity", "log-likelihood"),
    ("log_likelihood", "log-likelihood"),
    ("logprob", "log-likelihood"),
    ("bleu", "text overlap"),
    ("chrf", "text overlap"),
    ("rouge", "text overlap"),
    ("edit_distance", "edit distance"),
)
"""For all others: a part of the name that says what they are."""

OTHER = "other"
UNKNOWN = "unknown"


class MetricClass(NamedTuple):
    """Name, shape and class of a metric.

    ``shape`` is ``linear``, ``nonlinear`` or ``discontinuous`` in the error per token as the
    registry of metrics has it, and ``unknown`` for metrics that are not in it.
    """

    name: str
    shape: str
    group: str


def metric_class(metric: str) -> MetricClass:
    """Return what kind of metric a name or alias stands for.

    Parameters
    ----------
    metric
        Name as the log has it.

    Examples
    --------
    >>> metric_class("exact_str_match")
    MetricClass(name='exact_match', shape='nonlinear', group='exact match')
    >>> metric_class("my_brier")
    MetricClass(name='my_brier', shape='unknown', group='Brier')
    """
    known = known_metric(metric)
    name = metric if known is None else known.name
    by_part = next((group for part, group in _BY_PART if part in name.lower()), OTHER)
    shape = UNKNOWN if known is None else known.shape
    return MetricClass(name, shape, _BY_NAME.get(name, by_part))
