"""Answers symbol by symbol: which position is right, and how far the first L symbols are off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from upswing.detection.resample import cluster_sums, resampled_sums
from upswing.errors import InputError

Array = npt.NDArray[np.float64]
Mode = Literal["group", "prefix"]
Unit = Literal["characters", "tokens"]

MOST_LENGTHS = 10
"""Lengths that are compared where nobody names any."""


@dataclass(frozen=True, eq=False)
class LengthAnswers:
    """The answers of one model, compared at several lengths.

    Attributes
    ----------
    mode
        ``group``: answers of one length, whole. ``prefix``: the first L symbols of all.
    lengths
        The lengths L, ascending, shape (n_lengths,).
    present
        Whether an answer counts at a length, shape (n_answers, n_lengths).
    right
        Whether a position is right, shape (n_answers, longest). Whole answers must also end where
        the right one ends: else their last position is wrong.
    exact, distance
        Whether all of the first L symbols are right, and the edit distance of the two texts cut
        to L symbols (of the whole texts in ``group``), shape (n_answers, n_lengths).
    cluster
        Question, or cluster of questions, of each answer, from 0 on, shape (n_answers,).
    """

    mode: Mode
    lengths: npt.NDArray[np.int64]
    present: Array
    right: Array
    exact: Array
    distance: Array
    cluster: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class LengthMeans:
    """Means at each length; the leading shape is that of the bootstrap draws.

    Attributes
    ----------
    count, accuracy, distance
        Answers, accuracy and mean edit distance [symbols], shape (..., n_lengths).
    positions
        Accuracy at each position among the answers that count at a length, shape
        (..., n_lengths, longest).
    """

    count: Array
    accuracy: Array
    distance: Array
    positions: Array

    def first(self, mode: Mode, lengths: npt.NDArray[np.int64]) -> Array:
        """Return p1 at each length, shape (..., n_lengths).

        In ``prefix`` it is the accuracy of the first symbol; in ``group``, where no answer of one
        symbol need exist, the share of positions that are right.
        """
        if mode == "prefix":
            return np.asarray(self.positions[..., 0])
        within = np.arange(self.positions.shape[-1]) < lengths[:, None]
        return np.asarray((self.positions * within).sum(axis=-1) / lengths)

    def product(self, lengths: npt.NDArray[np.int64]) -> Array:
        """Return the product of the accuracies of the first L positions, (..., n_lengths)."""
        within = np.arange(self.positions.shape[-1]) < lengths[:, None]
        return np.asarray(np.where(within, self.positions, 1.0).prod(axis=-1))


def length_answers(
    items: pl.DataFrame, mode: Mode, unit: Unit = "characters", lengths: Sequence[int] | None = None
) -> LengthAnswers:
    """Compare the answers of one model with the right ones, symbol by symbol.

    Parameters
    ----------
    items
        Rows of one model in the ITEMS columns, each with an output and one right answer.
    mode
        ``group`` or ``prefix``.
    unit
        A symbol is a character, or a token: what stands between white space.
    lengths
        Which lengths; by default all in ``prefix`` and the most frequent in ``group``, at most
        :data:`MOST_LENGTHS`.

    Raises
    ------
    InputError
        If no answer has one of the lengths.
    """
    outputs, targets = (
        [text.split() if unit == "tokens" else text for text in texts]
        for texts in (items["output"].to_list(), items["targets"].list.first().to_list())
    )
    long = np.array([len(target) for target in targets], dtype=np.int64)
    chosen = _lengths(long, mode, lengths)
    if not len(chosen):
        raise InputError("no right answer has one of these lengths")
    present = long[:, None] == chosen if mode == "group" else long[:, None] >= chosen
    right = _right(outputs, targets, int(chosen[-1]))
    if mode == "group":
        written = np.array([len(output) for output in outputs])
        inside = np.flatnonzero(present.any(axis=1))
        right[inside, long[inside] - 1] *= (written == long)[inside]
    exact = np.cumprod(right, axis=1)[:, chosen - 1] * present
    distance = np.zeros(present.shape)
    for k, length in enumerate(chosen):
        rows = np.flatnonzero(present[:, k])
        cut = int(length) if mode == "prefix" else None
        distance[rows, k] = _distance(
            [outputs[i][:cut] for i in rows], [targets[i][:cut] for i in rows]
        )
    return LengthAnswers(
        mode, chosen, present.astype(float), right, exact, distance, _clusters(items)
    )  # fmt: skip


def length_means(answers: LengthAnswers, draws: int, rng: np.random.Generator) -> LengthMeans:
    """Return the means of the answers, then those of bootstrap draws of the questions.

    The leading shape is (1 + draws,). A length that a draw misses has NaN there.
    """
    count, longest = len(answers.lengths), answers.right.shape[1]
    at = np.einsum("nk,nj->nkj", answers.present, answers.right).reshape(len(answers.right), -1)
    columns = [answers.present, answers.exact, answers.distance, at]
    sums = cluster_sums(np.concatenate(columns, axis=1), answers.cluster)
    drawn = list(resampled_sums(sums, draws, rng)) if draws else []
    total = np.concatenate([sums.sum(axis=0, keepdims=True), *drawn])
    n = total[:, :count]
    with np.errstate(invalid="ignore"):
        return LengthMeans(
            n,
            total[:, count : 2 * count] / n,
            total[:, 2 * count : 3 * count] / n,
            total[:, 3 * count :].reshape(-1, count, longest) / n[..., None],
        )


def _lengths(
    long: npt.NDArray[np.int64], mode: Mode, lengths: Sequence[int] | None
) -> npt.NDArray[np.int64]:
    there, times = np.unique(long[long > 0], return_counts=True)
    if lengths is None and mode == "group":
        return np.sort(there[np.argsort(-times, kind="stable")][:MOST_LENGTHS])
    most = int(there[-1]) if len(there) else 0
    wanted = np.arange(1, min(most, MOST_LENGTHS) + 1) if lengths is None else np.unique(lengths)
    possible = there if mode == "group" else np.arange(1, most + 1)
    return np.asarray(np.intersect1d(wanted, possible), dtype=np.int64)


def _right(outputs: Sequence[Sequence[str]], targets: Sequence[Sequence[str]], most: int) -> Array:
    """Return which of the first positions agree; a position that one text lacks is wrong."""
    names: dict[str, int] = {}

    def numbers(texts: Sequence[Sequence[str]], nothing: int) -> npt.NDArray[np.int64]:
        table = np.full((len(texts), most), nothing, dtype=np.int64)
        for row, text in zip(table, texts, strict=True):
            row[: len(text)] = [names.setdefault(symbol, len(names)) for symbol in text[:most]]
        return table

    return np.asarray(numbers(outputs, -1) == numbers(targets, -2), dtype=float)


def _distance(a: Sequence[Sequence[str]], b: Sequence[Sequence[str]]) -> Array:
    from rapidfuzz.distance import Levenshtein
    from rapidfuzz.process import cpdist

    return np.asarray(cpdist(a, b, scorer=Levenshtein.distance), dtype=float)


def _clusters(items: pl.DataFrame) -> npt.NDArray[np.int64]:
    """Number the clusters; an answer without one belongs to its question."""
    own = pl.format("item {}", "item")
    named = (
        pl.coalesce(pl.format("cluster {}", "cluster"), own) if "cluster" in items.columns else own
    )
    return items.select(named.rank("dense").cast(pl.Int64) - 1).to_series().to_numpy()
