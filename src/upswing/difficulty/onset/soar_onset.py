r"""Where the soar starts: the turn of the easy group, seen from below a cut-off only.

Wu and Lo say that accuracy begins to soar where the easy group turns from inverse scaling (falling
with scale) to standard scaling (rising). Their thresholds were chosen by looking at the whole
curve. Here the turn is looked for in the models below a cut-off and in nothing else.

The easy group's scores are fitted by continuous lines with no, one or two bends, of which the
Bayesian information criterion takes one. The turn is the bend after which the curve rises to the
end, having fallen before it; where the last piece does not rise after a fall, there is no turn yet.
A bootstrap draws families with replacement (models where there is one family) and gives the
interval; draws without a turn count as beyond the data. Bends are tried at a limited number of
places, so the interval reaches to their neighbours.

The observed soar is of the accuracy of the whole task over all models. A non-decreasing curve
(isotonic regression) is above chance + delta from some model on; the same bootstrap gives the
interval, from the last model that is not above in a draw to the first that is. Its upper end is the
first scale from which accuracy is significantly above that level. Some tasks are above it from the
smallest model on; for these the bend of the best line with one upward bend, the take-off, says
more.

Reference: Wu and Lo 2025, arXiv:2410.01692.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from upswing.difficulty.onset.hinges import candidate_knots, fit_hinges
from upswing.difficulty.shapes.shape_tests import checked
from upswing.difficulty.shapes.two_lines import clusters

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Status = Literal["turned", "undecided", "not yet", "no fall", "too few models"]

DRAWS = 400
LEVEL = 0.95
DELTA_SHARE = 0.1
"""delta as a share of the way from chance to 1, as in a verdict."""

_LEAST_MODELS = 6
_LEAST_SPAN = 1e-3


class Place(NamedTuple):
    """A place on the axis with its interval; None where it is beyond the data on that side."""

    x: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class TurningPoint:
    """The turn of a curve from falling to rising.

    Attributes
    ----------
    place
        Where, with the interval. ``low`` is at most the last model that was seen.
    share
        Share of bootstrap draws that have a turn.
    status
        ``turned`` (it has a turn, and so have 95 % of the draws), ``undecided`` (fewer have),
        ``not yet`` (it falls at the end), ``no fall`` (it does not, and has not turned: there is
        nothing to turn from), ``too few models``.
    models
        Models that were seen.
    """

    place: Place
    share: float
    status: Status
    models: int


@dataclass(frozen=True)
class Soar:
    """The soar of accuracy, seen from all models.

    Attributes
    ----------
    crossing
        From which model on a non-decreasing curve is above ``level``. ``x`` is None where it never
        is, and the smallest model where it is from the start.
    takeoff
        Bend of the best line with one upward bend; all None where there is none.
    level
        Chance + delta.
    from_the_start
        Whether the smallest model is above the level already.
    """

    crossing: Place
    takeoff: Place
    level: float
    from_the_start: bool


def turning_point(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    family: npt.ArrayLike | None = None,
    *,
    cutoff: float | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> TurningPoint:
    """Return where a curve turns from falling to rising, from models below a cut-off.

    Parameters
    ----------
    x
        log10 of training compute, shape (n_models,).
    y
        Scores of the easy group, higher is better.
    family
        Family of each model.
    cutoff
        Models at it or beyond are not looked at; None looks at all.
    draws, seed
        Bootstrap.

    Examples
    --------
    >>> x = np.linspace(0, 3, 31)
    >>> y = np.abs(x - 2) + 0.01 * np.random.default_rng(0).standard_normal(31)
    >>> turning_point(x, y, cutoff=1.5).status
    'not yet'
    >>> turn = turning_point(x, y)
    >>> turn.status, round(turn.place.x, 1)
    ('turned', 2.0)
    """
    place, score, cluster = _sorted(x, y, family)
    below = np.ones(len(place), dtype=bool) if cutoff is None else place < cutoff
    place, score, cluster = place[below], score[below], cluster[below]
    if len(place) < _LEAST_MODELS:
        return TurningPoint(Place(None, None, None), 0.0, "too few models", len(place))
    found, slope = _turns(place, _from_the_first(score), _weights(cluster, draws, seed))
    at, drawn = float(found[0]), found[1:]
    share = float(np.mean(np.isfinite(drawn)))
    low, high = _interval(*_neighbours(place, drawn))
    status: Status = "not yet" if slope[0] < -_rounding(score) else "no fall"
    if np.isfinite(at):
        status = "turned" if share >= LEVEL else "undecided"
    last = float(place[-1])
    return TurningPoint(
        Place(_or_none(at), min(low, last), _or_none(high)), share, status, len(place)
    )


def observed_soar(
    x: npt.ArrayLike,
    accuracy: npt.ArrayLike,
    chance: float,
    family: npt.ArrayLike | None = None,
    *,
    delta: float | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Soar:
    """Return where accuracy is above chance + delta, and where it takes off.

    Parameters
    ----------
    x, accuracy
        log10 of training compute, and accuracy of the whole task, shape (n_models,).
    chance
        Accuracy of a guess.
    family
        Family of each model.
    delta
        Gain that counts; by default a tenth of the way from chance to 1.
    draws, seed
        Bootstrap.

    Examples
    --------
    >>> x = np.linspace(0, 3, 31)
    >>> soar = observed_soar(x, 0.25 + 0.5 * np.maximum(x - 2, 0), 0.25)
    >>> round(soar.crossing.x, 1), round(soar.takeoff.x, 1)
    (2.2, 2.0)
    """
    place, score, cluster = _sorted(x, accuracy, family)
    level = chance + (DELTA_SHARE * (1.0 - chance) if delta is None else delta)
    weights = _weights(cluster, draws, seed)
    before, crossings = np.transpose([_crossing(place, score, weight, level) for weight in weights])
    bent = fit_hinges(place, _from_the_first(score), weights, 1)
    takeoffs = np.full(len(weights), np.inf)
    if bent is not None:
        upward = bent.slopes[:, 1] > np.maximum(bent.slopes[:, 0], 0.0) + _rounding(score)
        takeoffs = np.where(upward, bent.knots[:, 0], np.inf)
    return Soar(
        _placed(crossings[0], before[1:], crossings[1:]),
        _placed(takeoffs[0], *_neighbours(place, takeoffs[1:])),
        float(level),
        bool(crossings[0] <= place[0]),
    )


def _sorted(
    x: npt.ArrayLike, y: npt.ArrayLike, family: npt.ArrayLike | None
) -> tuple[Array, Array, Whole]:
    place, score = checked(x, y)
    order = np.argsort(place, kind="stable")
    return place[order], score[order], clusters(family, len(place))[order]


def _weights(cluster: Whole, draws: int, seed: int) -> Array:
    """Return how often each model counts: once in the first row, then as families are drawn."""
    members, own = np.unique(cluster, return_inverse=True)
    rng = np.random.default_rng(seed)
    count = len(members)
    times = rng.multinomial(count, np.full(count, 1.0 / count), size=draws)
    return np.vstack([np.ones(len(cluster)), times[:, own]]).astype(float)


def _turns(x: Array, y: Array, weights: Array) -> tuple[Array, Array]:
    """Return the turn under each weighting, infinite where there is none, and the last slope."""
    count = np.maximum(weights.sum(axis=1), 1.0)
    best = np.full(len(weights), np.inf)
    turn = np.full(len(weights), np.inf)
    slope = np.zeros(len(weights))
    spread = float(np.sum((y - y.mean()) ** 2)) + 1e-300
    least = _rounding(y)
    for bends in (0, 1, 2):
        fitted = fit_hinges(x, y, weights, bends)
        if fitted is None:
            break
        parameters = 2 * (bends + 1)
        rss = np.maximum(fitted.rss, 1e-12 * spread)
        criterion = count * np.log(rss / count) + parameters * np.log(count)
        better = criterion < best
        best = np.where(better, criterion, best)
        found = np.full(len(weights), np.inf)
        if bends:
            turned = (fitted.slopes[:, -2] < -least) & (fitted.slopes[:, -1] > least)
            found = np.where(turned, fitted.knots[:, -1], np.inf)
            if bends == 2:  # a fall, a flat or slow rise, a rise: it turned at the first bend
                rises = (fitted.slopes[:, 1:] > least).all(axis=1)
                earlier = (fitted.slopes[:, 0] < -least) & rises
                found = np.where(earlier, fitted.knots[:, 0], found)
        turn = np.where(better, found, turn)
        slope = np.where(better, fitted.slopes[:, -1], slope)
    return turn, slope


def _from_the_first(score: Array) -> Array:
    """Return scores less the first: a line through equal scores is then exactly flat."""
    return np.asarray(score - score[0])


def _rounding(score: Array) -> float:
    """Return the slope that rounding alone can give, as in a curve that is saturated."""
    return 1e-9 * max(float(np.ptp(score)), _LEAST_SPAN)


def _crossing(x: Array, y: Array, weight: Array, level: float) -> tuple[float, float]:
    """Return the models between which a non-decreasing curve exceeds a level.

    The second is infinite where it never does; both are the first model where it always does.
    """
    from scipy.optimize import isotonic_regression

    drawn = weight > 0
    fitted = isotonic_regression(y[drawn], weights=weight[drawn]).x
    place = x[drawn]
    first = int(np.count_nonzero(fitted <= level))
    return float(place[max(first - 1, 0)]), float(place[first]) if first < len(place) else np.inf


def _neighbours(x: Array, found: Array) -> tuple[Array, Array]:
    """Return the places for bends before and after those that were found."""
    knots = candidate_knots(x)
    if not len(knots):
        return found, found
    place = np.searchsorted(knots, found)
    before = np.where(np.isfinite(found), knots[np.maximum(place - 1, 0)], np.inf)
    after = knots[np.minimum(place + 1, len(knots) - 1)]
    return before, np.where(np.isfinite(found), after, np.inf)


def _placed(found: float, before: Array, after: Array) -> Place:
    low, high = _interval(before, after)
    return Place(_or_none(float(found)), _or_none(low), _or_none(high))


def _interval(before: Array, after: Array) -> tuple[float, float]:
    tail = (1.0 - LEVEL) / 2.0
    return (
        float(np.quantile(before, tail, method="inverted_cdf")),
        float(np.quantile(after, 1.0 - tail, method="inverted_cdf")),
    )


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None
