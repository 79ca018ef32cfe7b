"""In two sentences: one curve beside another metric, or another format, of the same questions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_OUTCOMES = {
    "earlier": "it is smooth and rises before the onset, which suggests that the {} makes the jump",
    "sharp": "it jumps too, so the {} alone does not make the jump",
    "same place": "it leaves its floor at the same place, so the {} alone does not make the jump",
    "unclear": "that leaves it open whether the {} makes the jump",
}


def pair_sentence(row: Mapping[str, Any]) -> str:
    """Return what a pair says, from its row of :func:`upswing.mirage.intervention.pair_table`.

    >>> row = dict(task="t", other_task="t", family="OPT", model=None, n_shot=2, n_scales=5)
    >>> row |= dict(metric="exact_match", emergence_score=None, emergence_score_status="+inf")
    >>> row |= dict(largest_step=0.8, other_metric="bleu", other_score=25.04, other_score_status="")
    >>> row |= dict(other_largest_step=0.5, outcome="not compared")
    >>> pair_sentence(row)
    'OPT on t (2-shot, 5 scales): under exact_match the emergence score is infinite and the largest
    step makes 80 % of the rise; under bleu it is 25 and 50 %.'
    """
    who = row["model"] or row["family"] or "The models"
    shots = "" if row["n_shot"] is None else f"{row['n_shot']}-shot, "
    other, changed = row["other_metric"], "metric"
    if row["other_task"] != row["task"]:
        changed = "format"
        other = f"{other} of {row['other_task']}"
    first = (
        f"{who} on {row['task']} ({shots}{row['n_scales']} scales): under {row['metric']} the "
        f"emergence score is {_score(row['emergence_score'], row['emergence_score_status'])} and "
        f"the largest step makes {_percent(row['largest_step'])} of the rise; under {other} it is "
        f"{_score(row['other_score'], row['other_score_status'])} and "
        f"{_percent(row['other_largest_step'])}."
    )
    if row["outcome"] == "not compared":
        return first
    before = f"Beside {row['other_metric']}: "
    if row["rise_before_onset"] is not None:
        low, high = _percent(row["rise_before_low"]), _percent(row["rise_before_high"])
        done = f"{_percent(row['rise_before_onset'])} ({low} to {high})"
        before = f"Before the onset {row['other_metric']} has {done} of its rise behind it; "
    return f"{first} {before}{_OUTCOMES[row['outcome']].format(changed)}."


def _score(value: float | None, status: str) -> str:
    if status in ("+inf", "-inf"):
        return "infinite" if status == "+inf" else "minus infinite"
    return "unknown" if value is None else f"{value:.3g}"


def _percent(share: float | None) -> str:
    return "nothing" if share is None else f"{100 * share:.0f} %"
