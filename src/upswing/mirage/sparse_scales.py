"""Sparse scales: thin the ladder of models and look how sharp the same curve becomes.

Few sizes are the third of three reasons for which a smooth ability can look sudden (Schaeffer et
al. 2023, arXiv:2304.15004, section 2). Three numbers are followed. They need not agree: the largest
step as a share of the rise grows as scales are taken away; the emergence score of a straight line
over N scales is N - 1, so it tends to *fall*; and the sharpness in units of scale changes only as
far as the points of the rise go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from upswing.curves.curve import Curve
from upswing.detection.emergence_score import describe_emergence_score
from upswing.detection.shape import rise_width
from upswing.errors import InputError, UnknownNameError
from upswing.notes import listing

Places = Sequence[int] | npt.NDArray[np.intp]

_OF_THE_CURVE: dict[str, pl.DataType] = {
    "family": pl.String(),
    "model": pl.String(),
    "task": pl.String(),
    "metric": pl.String(),
    "filter": pl.String(),
    "n_shot": pl.Int64(),
    "elicitation": pl.String(),
    "axis": pl.String(),
}

SHARPNESS: dict[str, pl.DataType] = {
    "emergence_score": pl.Float64(),
    "emergence_score_status": pl.String(),
    "largest_step_share": pl.Float64(),
    "sharpness": pl.Float64(),
}
"""Columns that say how sharp a curve is; a lower-is-better score is negated first.

- ``emergence_score``: null where it is not finite, see ``emergence_score_status``.
- ``largest_step_share``: the largest improvement from one scale to the next as a share of the rise
  from the first to the last; above 1 where the curve falls back, null where it does not rise.
- ``sharpness``: log10 units of scale (nats on the loss axis) from 10 % to 90 % of that rise,
  straight between points; null where it does not rise.
"""

SCHEMA: dict[str, pl.DataType] = {
    "curve": pl.Int64(),
    **_OF_THE_CURVE,
    "thinning": pl.String(),
    "every": pl.Int64(),
    "offset": pl.Int64(),
    "scales": pl.Int64(),
    **SHARPNESS,
    "x": pl.List(pl.Float64()),
}
"""Columns of :func:`thinning_table`: ``curve`` is the place of the curve in the input, ``x`` the
scales that were kept; ``every`` and ``offset`` are null for named points."""


def kept_points(count: int, every: int, offset: int = 0) -> npt.NDArray[np.intp]:
    """Return which of ``count`` scales stay: both ends, and every k-th between them.

    Parameters
    ----------
    count
        Number of scales.
    every
        k; 1 keeps all.
    offset
        Which of the k ways: inner scales stay whose place leaves this remainder by k.

    Raises
    ------
    InputError
        If k is below 1, or the offset not in [0, k).

    Examples
    --------
    >>> kept_points(12, 3).tolist(), kept_points(12, 3, offset=1).tolist()
    ([0, 3, 6, 9, 11], [0, 1, 4, 7, 10, 11])
    """
    if every < 1:
        raise InputError(f"every {every}th scale cannot be kept", hint="1 keeps all, 2 every other")
    if not 0 <= offset < every:
        raise InputError(f"the offset is {offset} and must lie in [0, {every})")
    place = np.arange(count)
    ends = (place == 0) | (place == count - 1)
    return np.flatnonzero(ends | (place % every == offset))


def thin(curve: Curve, places: Places) -> Curve:
    """Return a curve with some of its points, by their places from the weakest model up.

    Examples
    --------
    >>> curve = Curve(x=[1e8, 1e9, 1e10], y=[0.1, 0.2, 0.7])
    >>> thin(curve, [0, 2]).y.tolist()
    [0.1, 0.7]
    """
    kept = np.asarray(places, dtype=np.intp)
    return replace(
        curve,
        x=curve.x[kept],
        y=curve.y[kept],
        stderr=None if curve.stderr is None else curve.stderr[kept],
        n=None if curve.n is None else curve.n[kept],
        models=tuple(curve.models[i] for i in kept),
    )


def thinning_table(
    curves: Iterable[Curve], every: Sequence[int] = (1, 2, 3), models: Sequence[str] = ()
) -> pl.DataFrame:
    """Compare curves on all their scales and on thinner ladders.

    Every k-th scale can be kept in k ways, and which of them one has is luck: each is a row.

    Parameters
    ----------
    curves
        Points at scale 0 have no place on a log axis and are left out.
    every
        Keep both ends and every k-th scale, for each of these k.
    models
        Keep the points with these labels (``Curve.models``) as a further ladder.

    Returns
    -------
    polars.DataFrame
        One row per curve and ladder; see :data:`SCHEMA` and :data:`SHARPNESS`.

    Raises
    ------
    UnknownNameError
        If no curve has a point with one of these labels.

    Examples
    --------
    >>> x = np.geomspace(1e7, 1e11, 9)
    >>> steep = Curve(x=x, y=[0, 0.01, 0.02, 0.05, 0.3, 0.6, 0.8, 0.9, 0.92], axis="params")
    >>> table = thinning_table([steep], every=(1, 4)).select("thinning", "largest_step_share")
    >>> [(name, round(share, 2)) for name, share in table.head(2).rows()]
    [('all', 0.33), ('every 4th', 0.67)]
    """
    found = [_with_positive_scales(curve) for curve in curves]
    known = dict.fromkeys(label for curve in found for label in curve.models if label)
    unknown = [name for name in models if name not in known]
    if unknown:
        hint = f"there are {listing(known)}" if known else "these points have no labels"
        raise UnknownNameError(f"no point is called {listing(unknown)}", hint=hint)
    rows = []
    for i, curve in enumerate(found):
        labels = {name: getattr(curve, name) for name in _OF_THE_CURVE}
        for ladder in _ladders(curve, every, models):
            kept = thin(curve, ladder.places)
            rows.append(
                {
                    "curve": i,
                    **labels,
                    "thinning": ladder.thinning,
                    "every": ladder.every,
                    "offset": ladder.offset,
                    "scales": len(kept),
                    **sharpness_of(kept),
                    "x": kept.x.tolist(),
                }
            )
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def sharpness_of(curve: Curve) -> dict[str, float | str | None]:
    """Return the columns :data:`SHARPNESS` of one curve, from its points alone."""
    y = curve.y if curve.higher_is_better else -curve.y
    score = describe_emergence_score(y)
    scale = -curve.x if curve.axis == "loss" else np.log10(curve.x)
    width = rise_width(scale, y) if len(y) else np.nan
    rises = np.isfinite(width)
    return {
        "emergence_score": score.score if np.isfinite(score.score) else None,
        "emergence_score_status": score.status,
        "largest_step_share": float(np.diff(y).max() / (y[-1] - y[0])) if rises else None,
        "sharpness": float(width) if rises else None,
    }


class _Ladder(NamedTuple):
    thinning: str
    every: int | None
    offset: int | None
    places: Places


def _ladders(curve: Curve, every: Sequence[int], models: Sequence[str]) -> Iterator[_Ladder]:
    """Yield the ladders of a curve; of ways that keep the same scales, the first."""
    seen: set[tuple[int, ...]] = set()
    for step in every:
        for offset in range(step):
            places = kept_points(len(curve), step, offset)
            if tuple(places) not in seen:
                seen.add(tuple(places))
                yield _Ladder(thinning_name(step), step, offset, places)
    if models:
        yield _Ladder("named", None, None, [i for i, m in enumerate(curve.models) if m in models])


def thinning_name(every: int) -> str:
    """Return what a ladder that keeps every k-th scale is called.

    >>> print(*(thinning_name(k) for k in (1, 2, 3, 4)), sep=", ")
    all, every 2nd, every 3rd, every 4th
    """
    endings = {2: "nd", 3: "rd"}
    return "all" if every == 1 else f"every {every}{endings.get(every, 'th')}"


def _with_positive_scales(curve: Curve) -> Curve:
    return curve if (curve.x > 0).all() else thin(curve, np.flatnonzero(curve.x > 0))
