"""The loss law of LLaMA 2 that Snell et al. 2024 print in a figure, from INFERRED pairs."""

from __future__ import annotations

from dataclasses import replace

from upswing.laws.loss.fit import fit_loss_law
from upswing.laws.loss.result import LossFit
from upswing.sources.published.llama2_loss import LLAMA2_NOTE, read_llama2_loss

SPAN = 1.5
"""The pairs span a factor of 2; they are values of a law, not noisy models."""


def fit_llama2() -> LossFit:
    """Fit a pure power law of parameters to the three INFERRED pairs.

    That they lie on it to the third digit checks the conversion; it is no test of the law. It has
    no bootstrap, and no irreducible loss, which three pairs cannot tell.

    References
    ----------
    Snell et al. 2024, arXiv:2411.16035, table 3 and figure 10.

    Examples
    --------
    >>> fitted = fit_llama2()
    >>> f"{fitted.inverse(1.361):.3g}", round(float(fitted.predict(params=70e9)), 3)
    ('3.28e+11', 1.507)
    """
    fitted = fit_loss_law(
        read_llama2_loss(), "params", constant=False, resamples=0, span=SPAN, checkpoints="all"
    )
    largest = {"params": 70e9}  # the pairs are extrapolated; the paper's models end here
    points = replace(fitted.points, largest=largest)
    return replace(fitted, points=points, notes=(*fitted.notes, LLAMA2_NOTE))
