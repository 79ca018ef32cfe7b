"""The findings in a few plain words."""

from __future__ import annotations

import polars as pl

from upswing.charts.names import shown
from upswing.report.numbers import SCALE_UNITS, short_scale

_MOST = 3
_SAME = ("family", "model", "task", "metric")
_WORDS = (
    ("metric artifact", "is an artifact of its metric", "are artifacts of their metric"),
    ("u-shaped", "is u-shaped", "are u-shaped"),
    ("inverted-u", "rises and falls", "rise and fall"),
    ("smooth", "rises smoothly", "rise smoothly"),
    ("falling", "falls", "fall"),
    ("flat", "stays flat", "stay flat"),
    ("under-resolved", "has too few questions to tell", "have too few questions to tell"),
    ("undecided", "is undecided", "are undecided"),
)


def summary_sentences(findings: pl.DataFrame) -> list[str]:
    """Return what was found, the headline first.

    Parameters
    ----------
    findings
        ``Detection.to_frame()``.

    Examples
    --------
    >>> frame = pl.DataFrame({"verdict": ["flat", "smooth", "flat"]})
    >>> summary_sentences(frame)
    ['None of 3 curves is emergent.', '1 rises smoothly and 2 stay flat.']
    """
    total = len(findings)
    if not total:
        return ["There are no curves: no task was measured at any scale."]
    emergent = findings.filter(pl.col("verdict") == "emergent")
    if len(emergent):
        verb = "curve is" if total == 1 else "curves is" if len(emergent) == 1 else "curves are"
        first = f"{len(emergent)} of {total} {verb} emergent."
    elif total == 1:
        first = "The one curve is not emergent."
    else:
        first = f"None of {total} curves is emergent."
    sentences = [first]
    if len(emergent):
        names = [_described(group) for group in emergent.partition_by(*_SAME, maintain_order=True)]
        more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
        sentences.append(f"{'; '.join(names[:_MOST])}{more}.")
    counts = dict(findings["verdict"].value_counts().iter_rows())
    others = [
        f"{counts[word]} {one if counts[word] == 1 else many}"
        for word, one, many in _WORDS
        if counts.get(word)
    ]
    if others:
        joined = others[0] if len(others) == 1 else f"{', '.join(others[:-1])} and {others[-1]}"
        sentences.append(f"{joined}.")
    return sentences


def _described(group: pl.DataFrame) -> str:
    """Return a task with its shots and onset, for curves that differ in shots only."""
    row = group.row(0, named=True)
    axis = row["axis"]
    inside = [shown(row["metric"], 20)]
    shots = sorted({shots for shots in group["n_shot"].to_list() if shots is not None})
    if shots:
        each = [str(count) for count in shots]
        inside.append(
            f"{', '.join(each[:-1])} and {each[-1]}-shot" if shots[1:] else f"{each[0]}-shot"
        )
    who = row["model"] or row["family"]
    if who:
        inside.append(shown(who, 30))
    onsets = sorted({x for x in group["onset"].to_list() if x is not None})
    at = ""
    if onsets:
        ends = list(dict.fromkeys(short_scale(x, axis) for x in (onsets[0], onsets[-1])))
        at = f" from {' to '.join(ends)}{SCALE_UNITS.get(axis, '')}"
    return f"{shown(row['task'], 50)}{at} ({', '.join(inside)})"
