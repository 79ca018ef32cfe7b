"""Third prediction: accuracy falls geometrically with the length of the answer, edit distance grows
linearly, and both follow from the accuracy of one symbol.

Reference: Schaeffer et al. 2023, arXiv:2304.15004, section 4 (the rules that decide are ours).
"""

from __future__ import annotations

from typing import Any

import polars as pl

from upswing.detection.onset import ALPHA
from upswing.mirage.target_length import TargetLength

NAME = "target length"

SURE = 0.95
"""Share of bootstrap draws that decides between two shapes."""

ABOUT = 0.1
"""How far a shape may miss at any length, as a share of the range, to describe the data about."""

CLOSE = 0.05
"""Accuracy within which a claim that no test rejects counts as confirmed."""


def length_claims(found: TargetLength, task: str) -> pl.DataFrame:
    """Judge the claims of the prediction, model by model.

    ``accuracy is geometric`` and ``edit distance is straight``: confirmed where the curve of that
    shape fits better than one of the other shape in 95 % of the bootstrap draws and misses at no
    length by more than a tenth of the range; not confirmed where it does in at most 5 % or misses
    by more.
    ``accuracy is p1^L`` and ``positions are independent``: not confirmed where the tests of
    :func:`~upswing.mirage.target_length.target_length` reject at .05; confirmed where they do not
    and the accuracy lies for sure within .05 of what the claim says at every length; else
    undecided, for a test that does not reject proves nothing.

    Parameters
    ----------
    found
        The lengths and fits of some models.
    task
        Name of the task, or of the tasks together.

    Returns
    -------
    polars.DataFrame
        One row per claim and model: ``prediction``, ``task``, ``mode``, ``claim``, ``family``,
        ``model``, ``revision``, ``n``, ``estimate`` and ``expected`` (log slope and ln p1, distance
        slope and 1 - p1, gamma and 1; null for independence), ``evidence`` (share of draws, or
        p-value), ``off``, how far the shape misses (null for tests), ``gap``, the farthest that
        the interval of accuracy minus claim reaches (null for shapes), and ``verdict``.
    """
    rows = []
    for fit in found.fits.iter_rows(named=True):
        labels = {name: fit[name] for name in ("mode", "family", "model", "revision", "n")}
        own = found.lengths.filter(
            pl.col(name).eq_missing(pl.lit(fit[name])) for name in ("family", "model", "revision")
        )
        gaps = _gap(own, "above_p1", "p1_power"), _gap(own, "above_product", "product")
        claims = _claims(fit, *gaps)
        rows += [{"prediction": NAME, "task": task} | labels | claim for claim in claims]
    return pl.DataFrame(rows, infer_schema_length=None)


def _gap(lengths: pl.DataFrame, name: str, claimed: str) -> float:
    """Return how far from 0 the intervals of a difference reach, beyond one symbol.

    A bootstrap cannot vary an accuracy of 0 or 1; there Wilson's interval takes its place.
    """
    accuracy = pl.col("accuracy")
    fixed = accuracy.is_in((0.0, 1.0))
    low = pl.when(fixed).then(pl.col("accuracy_low") - pl.col(claimed)).otherwise(f"{name}_low")
    high = pl.when(fixed).then(pl.col("accuracy_high") - pl.col(claimed)).otherwise(f"{name}_high")
    rows = lengths.filter(pl.col("length") > 1)
    return float(rows.select(pl.max_horizontal(low.abs(), high.abs()).max()).item())


def _claims(fit: dict[str, Any], gap_p1: float, gap_product: float) -> list[dict[str, Any]]:
    return [
        {
            "claim": "accuracy is geometric",
            "estimate": fit["log_slope"],
            "expected": fit["log_p1"],
            "evidence": fit["share_geometric"],
            "off": fit["accuracy_off"],
            "gap": None,
            "verdict": _shape(fit["share_geometric"], fit["accuracy_off"], fit["log_slope"]),
        },
        {
            "claim": "edit distance is straight",
            "estimate": fit["distance_slope"],
            "expected": fit["one_minus_p1"],
            "evidence": fit["share_straight"],
            "off": fit["distance_off"],
            "gap": None,
            "verdict": _shape(fit["share_straight"], fit["distance_off"], fit["distance_slope"]),
        },
        {
            "claim": "accuracy is p1^L",
            "estimate": fit["power"],
            "expected": 1.0,
            "evidence": fit["p_p1"],
            "off": None,
            "gap": gap_p1,
            "verdict": _test(fit["p_p1"], gap_p1),
        },
        {
            "claim": "positions are independent",
            "estimate": None,
            "expected": None,
            "evidence": fit["p_product"],
            "off": None,
            "gap": gap_product,
            "verdict": _test(fit["p_product"], gap_product),
        },
    ]


def _shape(share: float, off: float | None, slope: float | None) -> str:
    if off is None or slope is None:
        return "untestable"
    if off > ABOUT or share <= 1.0 - SURE:
        return "not confirmed"
    return "confirmed" if share >= SURE else "undecided"


def _test(p_value: float, gap: float) -> str:
    if p_value <= ALPHA:
        return "not confirmed"
    return "confirmed" if gap <= CLOSE else "undecided"
