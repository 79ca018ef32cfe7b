"""From answers to groups: sort the questions by difficulty, cut, and score every model."""

from __future__ import annotations

import numpy as np
import polars as pl

from upswing.difficulty.groups.answers import AnswerMatrix
from upswing.difficulty.groups.groups import Array, By, DifficultyGroups, Whole
from upswing.difficulty.groups.sorting import Sorting, difficulty_order, sorting_models
from upswing.errors import InputError
from upswing.metrics.intervals import jeffreys_stderr
from upswing.metrics.registry import find_metric

EVERY_MODEL = Sorting()


def cut_points(questions: int, groups: int) -> Whole:
    r"""Return where groups begin and end: :math:`\lfloor Q g / G \rfloor` for g from 0 to G.

    Parameters
    ----------
    questions, groups
        Q and G.

    Raises
    ------
    InputError
        If there are fewer questions than groups, or no group.

    Examples
    --------
    >>> cut_points(14042, 3).tolist()
    [0, 4680, 9361, 14042]
    """
    if not 1 <= groups <= questions:
        raise InputError(
            f"{questions} questions cannot be cut into {groups} groups",
            hint=f"choose 1 to {questions} groups",
        )
    return np.floor(np.linspace(0, questions, groups + 1)).astype(np.int64)


def sort_metric(by: By, redistributed: bool = True) -> str:
    """Return the metric that sorts questions."""
    if by == "accuracy":
        return "acc"
    return "tc_brier" if redistributed else "tc_brier_undistributed"


def group_answers(
    answers: AnswerMatrix,
    groups: int = 3,
    by: By = "brier",
    *,
    redistributed: bool = True,
    sorting: Sorting = EVERY_MODEL,
) -> DifficultyGroups:
    r"""Sort questions by difficulty, cut them into groups and score every model on each.

    The difficulty of a question is the mean of its TC Brier score (or its accuracy) over the
    sorting models. Ascending order is the easiest first for Brier scores and the hardest first for
    accuracies, as published.

    Sorting alone can bend the curves of the groups: :mod:`upswing.difficulty.shapes.drifting_null`.

    Parameters
    ----------
    answers
        Answers of all models.
    groups
        How many groups.
    by
        ``brier`` or ``accuracy``.
    redistributed
        For ``brier``: whether the probability of the right option is that among the options.
    sorting
        Which models sort.

    Returns
    -------
    DifficultyGroups
        With the scores under all metrics of :data:`~upswing.difficulty.groups.answers.METRICS`,
        for the
        models that sorted and for all others. Standard errors are over questions, clustered where
        the log clusters them, and take the groups as given.

    Raises
    ------
    InputError
        If no model is left to sort, or there are fewer questions than groups.

    References
    ----------
    Wu and Lo 2025, arXiv:2410.01692.
    """
    metric = sort_metric(by, redistributed)
    sorts = sorting_models(answers.models, sorting)
    difficulty = answers.values[metric][sorts].mean(axis=0)
    edges = cut_points(len(difficulty), groups)
    order = difficulty_order(difficulty, answers.questions, sorting.published_quirks)
    group = np.empty(len(order), dtype=np.int64)
    group[order] = np.repeat(np.arange(groups), np.diff(edges))
    none = np.zeros(len(order), dtype=np.int64)
    values, errors, whole, whole_errors = {}, {}, {}, {}
    for name, array in answers.values.items():
        binary = find_metric(name).proportion
        values[name], errors[name] = group_scores(array, group, answers.cluster, binary)
        value, error = group_scores(array, none, answers.cluster, binary)
        whole[name], whole_errors[name] = value[:, 0], error[:, 0]
    return DifficultyGroups(
        answers.task,
        by,
        metric,
        sorting.limit,
        edges,
        answers.models.with_columns(pl.Series("sorts", sorts)),
        values,
        errors,
        whole,
        whole_errors,
        chance=answers.chance,
        questions=answers.questions.with_columns(
            pl.Series("difficulty", difficulty), pl.Series("group", group)
        ),
        notes=answers.notes,
    )


def group_scores(
    values: Array, group: Whole, cluster: Whole | None = None, proportion: bool = False
) -> tuple[Array, Array]:
    r"""Return the mean of each model on each group of questions, and its standard error.

    The error is :math:`s/\sqrt n` with the sample standard deviation; for a share of right answers
    that of :func:`~upswing.metrics.intervals.jeffreys_stderr`; and with clusters
    :math:`\frac1n\sqrt{\frac{C}{C-1}\sum_c(\sum_{q\in c}(x_q-\bar x))^2}` over the C clusters that
    reach into the group.

    Parameters
    ----------
    values
        Scores, shape (n_models, n_questions).
    group
        Group of each question, from 0, shape (n_questions,).
    cluster
        Cluster of each question, from 0.
    proportion
        Whether scores are 0 or 1.

    Returns
    -------
    means, errors
        Shape (n_models, n_groups); an error is NaN for a group of one question or cluster.

    Examples
    --------
    >>> means, errors = group_scores(np.array([[0.0, 1.0, 2.0, 8.0]]), np.array([0, 0, 1, 1]))
    >>> means.tolist(), errors.tolist()
    ([[0.5, 5.0]], [[0.5, 3.0]])
    """
    n = np.bincount(group)
    sums = _summed(values, group, len(n))
    means = sums / n
    residuals = values - means[:, group]
    if cluster is None:
        squares, units = _summed(residuals**2, group, len(n)), n
    else:
        pairs, unit = np.unique(np.stack([group, cluster]), axis=1, return_inverse=True)
        of_unit = _summed(residuals, unit.ravel(), pairs.shape[1])
        squares, units = _summed(of_unit**2, pairs[0], len(n)), np.bincount(pairs[0])
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = np.sqrt(np.where(units > 1, units / (units - 1), np.nan) * squares) / n
    if proportion and cluster is None and np.isin(values, (0.0, 1.0)).all():
        errors = jeffreys_stderr(means, n)
    return means, errors


def _summed(values: Array, group: Whole, groups: int) -> Array:
    """Return the sums over the columns of each group, shape (n_rows, n_groups)."""
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(groups))
    return np.asarray(np.add.reduceat(values[:, order], starts, axis=1))
