"""The data of an emergence law as arrays, and the law's linear part as sums over its blocks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from upswing.laws.emergence.law import Array, EmergenceForm, lowest_amount, position

Indices = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class EmergenceRows:
    """Scores of finetuned and prompted models.

    Attributes
    ----------
    loss
        Pretraining loss of the model [nats/token], shape (n,).
    amount
        Finetuning examples; ignored where ``few_shot``.
    few_shot
        Whether the model was prompted and not finetuned.
    draw
        Which subset of that many examples.
    checkpoint
        Number of the pretrained model.
    value
        Score, higher is better.
    questions
        Questions behind the score; NaN where unknown.
    d0
        Solved examples in the prompt, for which the law is extrapolated.
    """

    loss: Array
    amount: Array
    few_shot: Mask
    draw: Indices
    checkpoint: Indices
    value: Array
    questions: Array
    d0: float = 5.0

    def __len__(self) -> int:
        return len(self.loss)

    def where(self, kept: npt.ArrayLike) -> EmergenceRows:
        """Return some of the rows, by mask or by index."""
        names = ("loss", "amount", "few_shot", "draw", "checkpoint", "value", "questions")
        return replace(self, **{name: getattr(self, name)[kept] for name in names})

    @property
    def finetuned(self) -> EmergenceRows:
        """The finetuned models."""
        return self.where(~self.few_shot)

    @property
    def prompted(self) -> EmergenceRows:
        """The prompted models."""
        return self.where(self.few_shot)

    @cached_property
    def amounts(self) -> Array:
        """Distinct amounts of finetuning data, ascending."""
        return np.unique(self.amount[~self.few_shot])

    @cached_property
    def level(self) -> Indices:
        """Position of each row's amount in ``amounts``; ``len(amounts)`` for prompted models."""
        found = np.searchsorted(self.amounts, np.where(self.few_shot, np.inf, self.amount))
        return np.asarray(found, dtype=np.int64)

    @cached_property
    def subset(self) -> Indices:
        """Number of each row's subset of examples (amount and draw), from 0; -1 if prompted."""
        pairs = np.stack([self.level, self.draw])[:, ~self.few_shot]
        subset = np.full(len(self), -1, dtype=np.int64)
        if pairs.size:
            subset[~self.few_shot] = np.unique(pairs, axis=1, return_inverse=True)[1].ravel()
        return subset

    def positions(self, alpha: npt.ArrayLike, form: EmergenceForm) -> Array:
        """Return where each amount, and D0 as the last, is between the anchors.

        alpha (...,) gives (..., n_amounts + 1).
        """
        amounts = np.append(self.amounts, lowest_amount(self.d0))
        return position(amounts, alpha, self.amounts[0], self.amounts[-1], form.shape)

    def block(self, form: EmergenceForm) -> Indices:
        """Return the number of the base that each row shares with others, from 0."""
        finetuned = self.level if form.floors else np.zeros(len(self), dtype=np.int64)
        last = len(self.amounts) if form.floors else 1
        return np.where(self.few_shot, last, finetuned)


@dataclass(frozen=True, eq=False)
class LinearFit:
    """Least squares of the linear parameters, for many elbows at once.

    Attributes
    ----------
    rss
        Residual sum of squares, shape (...,).
    top
        Slope A, or the cap, shape (...,).
    bases
        Base of each block, shape (..., n_blocks).
    information
        What the data tell of ``top``: the sum of squares of its regressor after the bases.
    """

    rss: Array
    top: Array
    bases: Array
    information: Array

    @staticmethod
    def joined(parts: list[LinearFit]) -> LinearFit:
        """Put several batches of candidates together."""
        names = ("rss", "top", "bases", "information")
        return LinearFit(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))


def regressors(beyond: Array, ramp: Array | None) -> tuple[Array, Array]:
    """Return the columns of the base and of the slope (or cap) for nats beyond the elbow."""
    if ramp is None:
        return np.ones_like(beyond), np.maximum(beyond, 0.0)
    done = np.clip(beyond / ramp, 0.0, 1.0)
    return 1.0 - done, done


def block_sums(base: Array, rise: Array, value: Array, weight: Array) -> tuple[Array, ...]:
    """Return the six sums over rows that least squares needs.

    Parameters
    ----------
    base, rise
        Regressors, shape (n_candidates, n_rows).
    value
        Shape (n_rows,).
    weight
        Weights of the rows in each block, shape (n_rows, n_blocks).
    """
    return (
        (base * base) @ weight,
        (base * rise) @ weight,
        (rise * rise) @ weight,
        base @ (value[:, None] * weight),
        rise @ (value[:, None] * weight),
        np.broadcast_to((value**2) @ weight, (len(base), weight.shape[1])),
    )


def solve(sums: tuple[Array, ...], flat_rss: Array, flat_bases: Array, capped: bool) -> LinearFit:
    r"""Return the least-squares bases and slope (or cap), never falling.

    With :math:`y = f_b p + c q` in block b, the bases follow from c and c is a ratio of sums. A
    base above the cap is then put at the cap.

    Parameters
    ----------
    sums
        :math:`\sum p^2, \sum pq, \sum q^2, \sum py, \sum qy, \sum y^2`, shape (..., n_blocks).
    flat_rss, flat_bases
        The fit without a rise, shapes (...,) and (..., n_blocks) or broadcastable to them.
    capped
        Whether c is the cap, which must not be below the bases, or the slope.
    """
    pp, pq, qq, py, qy, yy = sums
    inverse = np.where(pp > 1e-12, 1.0 / np.maximum(pp, 1e-12), 0.0)
    information = (qq - pq * pq * inverse).sum(axis=-1)
    score = (qy - py * pq * inverse).sum(axis=-1)
    known = information > 1e-12
    top = np.where(known, score / np.where(known, information, 1.0), 0.0)
    bases = (py - top[..., None] * pq) * inverse
    rss = (yy - py * py * inverse).sum(axis=-1) - top * score
    if capped:
        weight = np.maximum(pp, 0.0)
        mean = (bases * weight).sum(axis=-1) / np.maximum(weight.sum(axis=-1), 1e-12)
        rising = known & (top > mean)
        above = bases > top[..., None]
        if above.any():
            bases = np.minimum(bases, top[..., None])
            held = yy - 2.0 * (bases * py + top[..., None] * qy) + bases**2 * pp
            held = held + top[..., None] * (2.0 * bases * pq + top[..., None] * qq)
            rss = np.where(above.any(axis=-1), held.sum(axis=-1), rss)
    else:
        rising = known & (top > 0.0)
    return LinearFit(
        np.maximum(np.where(rising, rss, flat_rss), 0.0),
        np.where(rising, top, flat_bases.max(axis=-1) if capped else 0.0),
        np.where(rising[..., None], bases, flat_bases),
        np.where(rising, information, 0.0),
    )


def one_hot(block: Indices) -> Array:
    """Return a column of ones and zeros per block."""
    return np.asarray(np.eye(int(block.max()) + 1)[block])
