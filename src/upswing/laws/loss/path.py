r"""Which tokens go with which parameters, so that a loss has one scale at which it is reached.

A law of parameters and tokens reaches a loss along a whole line. A token rule picks one point of
it: a constant number of tokens, a constant number per parameter, or the point of least compute
:math:`C = 6 N D`, at which :math:`a A N^{-a} = b B D^{-b}`, so that

.. math:: A N^{-a} = \frac{b}{a + b} (L - E), \qquad B D^{-b} = \frac{a}{a + b} (L - E).

Reference: Hoffmann et al. 2022, arXiv:2203.15556, section 3.3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from upswing.errors import InputError
from upswing.laws.loss.criterion import Array
from upswing.laws.loss.law import Axis, LossLaws

_STEPS = 100


@dataclass(frozen=True)
class TokenRule:
    """How many tokens a model of N parameters is trained on.

    Attributes
    ----------
    kind
        ``constant``, ``per-parameter``, or ``optimal`` (least compute; the law needs both terms).
    amount
        Tokens, or tokens per parameter; None for ``optimal``.
    """

    kind: Literal["constant", "per-parameter", "optimal"]
    amount: float | None = None

    def __post_init__(self) -> None:
        """Check the amount."""
        if self.kind == "optimal":
            return
        if self.amount is None or not 0 < self.amount < math.inf:
            raise InputError(f"a {self.kind} token rule needs a positive amount")

    @property
    def text(self) -> str:
        """Words for tables."""
        if self.kind == "optimal":
            return "compute-optimal"
        return f"{self.amount:g} tokens{' per parameter' if self.kind == 'per-parameter' else ''}"


def scale_of(laws: LossLaws, loss: Array, unit: Axis, rule: TokenRule | None = None) -> Array:
    """Return the scale at which each law reaches each loss, shape (n_laws, n_losses).

    Parameters
    ----------
    laws
        With positive exponents.
    loss
        Losses [nats/token], shape (n_losses,).
    unit
        Which scale.
    rule
        Tokens that go with the parameters; may be left out where the law's only scale is ``unit``.

    Returns
    -------
    array
        Infinite where the loss is at or below what the law can reach.

    Raises
    ------
    InputError
        If the law and the rule do not decide that scale.
    """
    check_path(laws.axes, unit, rule)
    left = np.asarray(loss, dtype=float)[None, :] - laws.irreducible[:, None]
    if len(laws.axes) == 1:
        log = _one_term(laws, 0, left)
        return _converted(laws.axes[0], _exp(log), unit, rule)
    assert rule is not None
    a, b = (laws.exponent[:, k, None] for k in range(2))
    if rule.kind == "optimal":
        params = _exp(_one_term(laws, 0, left * b / (a + b)))
        tokens = _exp(_one_term(laws, 1, left * a / (a + b)))
        with np.errstate(over="ignore"):
            return {"params": params, "tokens": tokens, "flops": 6.0 * params * tokens}[unit]
    if rule.kind == "constant":
        spent = laws.log_coefficient[:, 1, None] - b * np.log(rule.amount or 1.0)
        params = _exp(_one_term(laws, 0, left - np.exp(spent)))
    else:
        params = _exp(_per_parameter(laws, left, np.log(rule.amount or 1.0)))
    return _converted("params", params, unit, rule)


def loss_at(laws: LossLaws, unit: Axis, value: Array, rule: TokenRule | None = None) -> Array:
    """Return the loss of each law at each scale, shape (n_laws, n_values) [nats/token].

    Parameters
    ----------
    laws, unit, rule
        As in :func:`scale_of`, whose inverse this is.
    value
        Scales, shape (n_values,).
    """
    check_path(laws.axes, unit, rule)
    value = np.asarray(value, dtype=float)
    if len(laws.axes) == 1:
        axis = laws.axes[0]
        return laws.predict({axis: _converted(unit, value, axis, rule)})
    assert rule is not None
    if rule.kind != "optimal":
        both: dict[Axis, Array] = {
            "params": _converted(unit, value, "params", rule),
            "tokens": _converted(unit, value, "tokens", rule),
        }
        return laws.predict(both)
    a, b = (laws.exponent[:, k, None] for k in range(2))
    # log (a A / b B): a A N^-a = b B D^-b along the path
    ratio = np.log(a / b) + laws.log_coefficient[:, :1] - laws.log_coefficient[:, 1:]
    log = np.log(value)[None]
    if unit == "flops":
        params = (ratio + b * (log - np.log(6.0))) / (a + b)
        tokens = log - np.log(6.0) - params
    elif unit == "params":
        params, tokens = log, (a * log - ratio) / b
    else:
        params, tokens = (b * log + ratio) / a, log
    return laws.predict({"params": _exp(params), "tokens": _exp(tokens)})


def check_path(axes: tuple[Axis, ...], unit: Axis, rule: TokenRule | None) -> None:
    """Check that a law and a token rule decide a scale.

    Raises
    ------
    InputError
        If they do not.
    """
    needed = "give a constant number of tokens or of tokens per parameter"
    if rule is not None and rule.kind == "optimal" and len(axes) == 1:
        raise InputError(
            f"a law of {axes[0]} alone has no compute-optimal path",
            hint=f"fit a law of params and tokens, or {needed}",
        )
    if axes == (unit,):
        return
    if rule is None:
        also = ", or the compute-optimal path" if len(axes) == 2 else ""
        raise InputError(
            f"a law of {' and '.join(axes)} does not say {unit} by itself", hint=needed + also
        )
    if rule.kind == "constant" and (unit == "tokens" or axes == ("tokens",)):
        raise InputError(
            "with a constant number of tokens, tokens and parameters say nothing of each other",
            hint="convert to params or flops, or give tokens per parameter",
        )


def _converted(given: Axis, value: Array, unit: Axis, rule: TokenRule | None) -> Array:
    """Return another scale of the same model, by the rule and C = 6 N D."""
    if given == unit:
        return value
    assert rule is not None
    amount = rule.amount or 1.0
    constant = rule.kind == "constant"
    if given == "params":
        params = value
    elif given == "tokens":
        params = value / amount
    else:
        params = value / (6.0 * amount) if constant else np.sqrt(value / (6.0 * amount))
    if unit == "params":
        return params
    tokens = np.full_like(params, amount) if constant else params * amount
    return tokens if unit == "tokens" else 6.0 * params * tokens


def _one_term(laws: LossLaws, k: int, left: Array) -> Array:
    """Return the logarithm of the scale at which one term is ``left``; infinite if not positive."""
    with np.errstate(divide="ignore", invalid="ignore"):
        log = (laws.log_coefficient[:, k, None] - np.log(left)) / laws.exponent[:, k, None]
    return np.where(left > 0.0, log, np.inf)


def _exp(log: Array) -> Array:
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(log))


def _per_parameter(laws: LossLaws, left: Array, log_ratio: float) -> Array:
    """Return log N where both terms together are ``left`` and D is a multiple of N.

    The logarithm of the sum is convex and falls, and where the larger term alone is ``left`` it is
    not below zero: Newton's steps from there never overshoot.
    """
    offset = laws.log_coefficient[:, 1] - laws.exponent[:, 1] * log_ratio
    target = np.log(np.where(left > 0.0, left, 1.0))
    first, second = laws.log_coefficient[:, :1], offset[:, None]
    a, b = laws.exponent[:, :1], laws.exponent[:, 1:]
    log = np.maximum((first - target) / a, (second - target) / b)
    for _ in range(_STEPS):
        one, two = first - a * log, second - b * log
        total = np.logaddexp(one, two)
        over = total - target
        slope = a * np.exp(one - total) + b * np.exp(two - total)
        log = log + over / slope
        if np.abs(over).max(initial=0.0) <= 1e-14:
            break
    return np.where(left > 0.0, log, np.inf)
