"""The models that a loss law is fitted to: their scales and losses, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from upswing.errors import InputError
from upswing.laws.loss.criterion import Array
from upswing.laws.loss.law import Axis, law_axes
from upswing.notes import Note, listing

Checkpoints = Literal["last", "all"]

SPAN = 3.0
"""Smallest ratio of the largest to the smallest scale of a law."""

_SAME_TOKENS = 1.5
_CORPUS = "loss_corpus"


@dataclass(frozen=True, eq=False)
class LossPoints:
    """Models with scales and losses.

    Attributes
    ----------
    axes
        The scales of the law.
    scales
        Those scales, each of shape (n_points,).
    loss
        Losses [nats/token], shape (n_points,).
    model
        Number of the model of each point; checkpoints of one model are not independent.
    largest
        Largest value of every scale that is known, the law's or not.
    notes
        Remarks on the data.
    """

    axes: tuple[Axis, ...]
    scales: Mapping[Axis, Array]
    loss: Array
    model: npt.NDArray[np.int64]
    largest: Mapping[str, float]
    notes: tuple[Note, ...] = ()

    def __len__(self) -> int:
        return len(self.loss)

    @property
    def log_scale(self) -> Array:
        """Natural logarithms of the scales, shape (n_points, K)."""
        return np.log(np.stack([self.scales[axis] for axis in self.axes], axis=1))

    def reason(self, constant: bool, span: float = SPAN) -> str:
        """Say why there is too little to fit a law to; empty where there is enough.

        Parameters
        ----------
        constant
            Whether the law has an irreducible loss.
        span
            Smallest ratio of the largest to the smallest scale.
        """
        parameters = 2 * len(self.axes) + constant
        if len(self) < parameters + 1:
            return f"{len(self)} points for {parameters} parameters; the law needs {parameters + 1}"
        for axis, values in self.scales.items():
            needed = 2 + constant
            distinct = len(np.unique(np.round(np.log(values), 2)))
            if distinct < needed:
                return f"{distinct} different values of {axis}; the law needs {needed}"
            ratio = float(values.max() / values.min())
            if ratio < span:
                return f"{axis} span a factor of {ratio:.3g}; the law needs {span:g}"
        return ""


def loss_points(
    table: pl.DataFrame,
    form: str = "params",
    *,
    family: str | None = None,
    checkpoints: Checkpoints | None = None,
) -> LossPoints:
    """Take the models for a loss law from a table.

    Parameters
    ----------
    table
        ``loss`` [nats/token] and the scales of the law among ``params``, ``tokens`` and ``flops``
        (6 N D where only that is missing); optional ``model``, ``family``, ``loss_corpus``. Rows
        without loss or scale, or with scale 0, are left out.
    form
        ``params``, ``tokens``, ``flops`` or ``params-tokens``.
    family
        Which family, where there are several.
    checkpoints
        ``last``: of every model the row with most tokens (or compute); ``all``. By default ``last``
        for a law of parameters alone, else ``all``.

    Raises
    ------
    InputError
        If columns are missing, losses are not positive, or families or corpora are mixed.
    """
    axes = law_axes(form)
    notes: list[Note] = []
    frame = _with_flops(table)
    for column in ("loss", *axes):
        if column not in frame.columns or not frame[column].is_not_null().any():
            raise InputError(
                f"the table says no {column} of its models",
                hint=f"a law of {' and '.join(axes)} needs columns loss, {', '.join(axes)}",
            )
    frame = _one_family(frame, family)
    frame = _one_corpus(frame)
    known = pl.all_horizontal(pl.col(name).is_finite() for name in ("loss", *axes))
    positive = pl.all_horizontal(pl.col(axis) > 0 for axis in axes)
    usable = frame.filter((known & positive).fill_null(False))
    if len(usable) < len(frame):
        notes.append(
            Note(
                "no-loss-or-scale",
                "info",
                f"{len(frame) - len(usable)} rows have no loss or no scale, or scale 0, and are "
                "left out of the loss law.",
            )
        )
    if (usable["loss"] <= 0).any():
        raise InputError("a loss is not positive", hint="losses are in nats per token")
    usable = usable.unique(["loss", *axes], maintain_order=True)
    if (checkpoints or ("last" if axes == ("params",) else "all")) == "last":
        usable = _last(usable, notes)
    if axes == ("params",):
        notes += _tokens_differ(usable)
    names = usable["model"] if "model" in usable.columns else pl.Series(range(len(usable)))
    return LossPoints(
        axes,
        {axis: usable[axis].to_numpy() for axis in axes},
        usable["loss"].to_numpy(),
        np.unique(names.to_numpy(), return_inverse=True)[1].astype(np.int64),
        _largest(usable),
        tuple(notes),
    )


def _with_flops(table: pl.DataFrame) -> pl.DataFrame:
    """Return scales as floats, and 6ND where compute is not given."""
    present = [name for name in ("loss", "params", "tokens", "flops") if name in table.columns]
    frame = table.with_columns(pl.col(present).cast(pl.Float64, strict=False))
    if not {"params", "tokens"} <= set(frame.columns):
        return frame
    rule = 6.0 * pl.col("params") * pl.col("tokens")
    stated = pl.col("flops") if "flops" in frame.columns else pl.lit(None, pl.Float64)
    return frame.with_columns(pl.coalesce(stated, rule).alias("flops"))


def _one_family(frame: pl.DataFrame, family: str | None) -> pl.DataFrame:
    if "family" not in frame.columns:
        if family is not None:
            raise InputError("the table names no families", hint="leave --family out")
        return frame
    having = frame.filter(pl.col("loss").is_not_null())
    names = having["family"].drop_nulls().unique().sort().to_list()
    if family is not None:
        if family not in names:
            raise InputError(
                f"no family {family!r} with losses", hint=f"there are {listing(names)}"
            )
        return frame.filter(pl.col("family") == family)
    if len(names) > 1:
        raise InputError(
            f"models of {len(names)} families: {listing(names)}",
            hint="name one by --family; a loss law holds for one",
        )
    return frame


def _one_corpus(frame: pl.DataFrame) -> pl.DataFrame:
    if _CORPUS not in frame.columns:
        return frame
    names = frame.filter(pl.col("loss").is_not_null())[_CORPUS].drop_nulls().unique().to_list()
    if len(names) > 1:
        raise InputError(
            f"losses on {len(names)} corpora: {listing(names)}",
            hint="losses on different text do not compare; keep one",
        )
    return frame


def _last(frame: pl.DataFrame, notes: list[Note]) -> pl.DataFrame:
    """Keep the row of each model with most tokens, compute or parameters."""
    if "model" not in frame.columns:
        return frame
    order = next(
        name
        for name in ("tokens", "flops", "params")
        if name in frame.columns and frame[name].is_not_null().any()
    )
    kept = frame.sort(order, nulls_last=False).group_by("model", maintain_order=True).last()
    if len(kept) < len(frame):
        message = f"The last of the checkpoints of each of {len(kept)} models is used."
        notes.append(Note("last-checkpoints", "info", message))
    return kept


def _tokens_differ(frame: pl.DataFrame) -> list[Note]:
    if "tokens" not in frame.columns:
        return []
    tokens = frame["tokens"].drop_nulls().to_numpy()
    if not len(tokens) or tokens.max() <= _SAME_TOKENS * tokens.min():
        return []
    return [
        Note(
            "tokens-differ",
            "warning",
            f"The models of a law of parameters saw {tokens.min():.3g} to {tokens.max():.3g} "
            "tokens; a law of parameters and tokens tells the two apart.",
        )
    ]


def _largest(frame: pl.DataFrame) -> dict[str, float]:
    found: dict[str, float] = {}
    for name in ("params", "tokens", "flops"):
        if name in frame.columns:
            values = frame[name].drop_nulls()
            if len(values):
                found[name] = float(values.to_numpy().max())
    return found
