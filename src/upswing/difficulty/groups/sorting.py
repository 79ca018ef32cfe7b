"""Which models say how difficult a question is, and the order that follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from upswing.difficulty.groups.groups import Array, Mask, Whole, matching, to_flops
from upswing.errors import InputError

REMOVED_WHEN_SORTING = (
    "microsoft__phi-1_5",
    "microsoft__phi-2",
    "Qwen__Qwen1.5-0.5B",
    "Qwen__Qwen1.5-1.8B",
    "Qwen__Qwen1.5-4B",
    "stabilityai__stablelm-2-1_6b",
    "facebook/xglm-564M",
)
"""Models that Wu and Lo's scripts leave out when they sort questions, as they write them. Their
names of models have ``__`` in place of ``/``, so the last one never matches and sorts."""


@dataclass(frozen=True)
class Sorting:
    """Which models sort the questions.

    Attributes
    ----------
    limit
        log10 of training compute [1e21 FLOP]; models at it or beyond do not sort, and neither do
        models whose compute is not known. None lets every model sort.
    exclude
        Globs on names of further models that do not sort; ``/`` and ``__`` are the same.
    published_quirks
        Sort as Wu and Lo's scripts do instead: models at the limit sort, models of unknown compute
        sort, names are compared as they are written after ``/`` became ``__`` in those of the
        models, and ``exclude`` is :data:`REMOVED_WHEN_SORTING` unless it is given.
    """

    limit: float | None = None
    exclude: Sequence[str] | None = None
    published_quirks: bool = False


def sorting_models(models: pl.DataFrame, sorting: Sorting) -> Mask:
    """Tell which models sort the questions.

    Parameters
    ----------
    models
        Columns ``model`` and ``flops`` [FLOP].
    sorting
        The rule.

    Raises
    ------
    InputError
        If no model is left.

    Examples
    --------
    >>> models = pl.DataFrame({"model": ["facebook/xglm-564M", "b"], "flops": [1e20, None]})
    >>> sorting_models(models, Sorting(1.0)).tolist()
    [True, False]
    >>> sorting_models(models, Sorting(1.0, published_quirks=True)).tolist()
    [True, True]
    """
    flops = models["flops"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    if sorting.published_quirks:
        removed = set(REMOVED_WHEN_SORTING if sorting.exclude is None else sorting.exclude)
        limit = np.inf if sorting.limit is None else to_flops(sorting.limit)
        sorts = ~(flops > limit)  # of NaN, no comparison holds
        keys = [name.replace("/", "__") for name in models["model"]]
        sorts &= np.array([key not in removed for key in keys], dtype=bool)
    else:
        sorts = ~matching(models["model"], sorting.exclude or ())
        if sorting.limit is not None:
            sorts &= flops < to_flops(sorting.limit)
    if not sorts.any():
        raise InputError("no model is left to sort the questions", hint=_way_out(flops, sorting))
    return sorts


def _way_out(flops: Array, sorting: Sorting) -> str:
    if sorting.limit is None:
        return "exclude fewer models"
    known = flops[np.isfinite(flops)]
    if not len(known):
        return "the compute of no model is known: give a model table, or no limit"
    return (
        f"the limit is {to_flops(sorting.limit):.2g} FLOP and the smallest model has "
        f"{known.min():.2g}: raise the limit, {sorting.limit:g}, or exclude fewer models"
    )


def difficulty_order(difficulty: Array, questions: pl.DataFrame, published_quirks: bool) -> Whole:
    """Return the questions in ascending order of difficulty; equals stay in their order.

    Parameters
    ----------
    difficulty
        One number per question.
    questions
        Columns ``task`` and ``item``, in natural order.
    published_quirks
        Whether equals stay in the order of Wu and Lo's scripts: questions of several tasks by the
        text of task and number, so that 10 comes before 2.
    """
    first = np.arange(len(difficulty))
    if published_quirks and questions["task"].n_unique() > 1:
        first = questions.select(pl.concat_str("task", "item").arg_sort()).to_series().to_numpy()
    return np.asarray(first[np.argsort(difficulty[first], kind="stable")], dtype=np.int64)
