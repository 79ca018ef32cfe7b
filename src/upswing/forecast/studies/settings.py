"""What is held out or changed in an ablation: the rows of Snell et al.'s table 2 and figure 6."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import polars as pl

from upswing.forecast.finetuning.emergence_law import EmergenceLaw
from upswing.forecast.studies.study import ForecastStudy
from upswing.laws.emergence.law import lowest_amount

Study = Literal["full", "amounts", "draws", "checkpoints", "form", "d0"]

HELD_AMOUNTS = (1, 2, 3)
"""How many of the smallest, and of the largest, amounts of data are held out."""

LAST_CHECKPOINTS = (6, 5, 4, 3)
"""How many of the most capable checkpoints are kept."""

DROPPED_CHECKPOINTS = (1, 2, 3, 4)
"""How many of them are dropped."""

D0_MULTIPLES = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
"""D0 as multiples of the solved examples in the prompt."""

_FRACTIONS = {0.25: "1/4", 0.5: "1/2"}


@dataclass(frozen=True)
class Setting:
    """One row of an ablation.

    Attributes
    ----------
    study
        Which part is varied.
    text
        What is varied, for people.
    law
        The law to fit.
    kept
        The rows to fit it to, among those of models before emergence.
    impossible
        Why there is no such setting in this table; empty where there is.
    """

    study: Study
    text: str
    law: EmergenceLaw
    kept: pl.Expr
    impossible: str = ""


def without_amounts(count: int, which: str) -> str:
    """Return the text of a setting without amounts of data.

    >>> without_amounts(1, "largest"), without_amounts(2, "smallest")
    ('without the largest amount', 'without the 2 smallest amounts')
    """
    return f"without the {which} amount" if count == 1 else f"without the {count} {which} amounts"


def only_draw(draw: int) -> str:
    """Return the text of a setting with one draw of the examples."""
    return f"only subset draw {draw}"


def last_checkpoints(count: int) -> str:
    """Return the text of a setting with the most capable checkpoints."""
    return f"last {count} checkpoints"


def every_other_checkpoint(count: int, which: str) -> str:
    """Return the text of a setting with every other of them."""
    return f"last {count}, every other, {which}"


def without_checkpoints(count: int) -> str:
    """Return the text of a setting without them.

    >>> without_checkpoints(1), without_checkpoints(3)
    ('without the last checkpoint', 'without the last 3 checkpoints')
    """
    return "without the last checkpoint" if count == 1 else f"without the last {count} checkpoints"


def settings(study: ForecastStudy, name: Study) -> Iterator[Setting]:
    """Return the settings of one study."""
    makers: dict[str, Callable[[ForecastStudy], Iterator[Setting]]] = {
        "full": _full,
        "amounts": _amounts,
        "draws": _draws,
        "checkpoints": _checkpoints,
        "form": _forms,
        "d0": _low_data_limits,
    }
    return makers[name](study)


def _full(study: ForecastStudy) -> Iterator[Setting]:
    yield Setting("full", "all data", study.law, pl.lit(True))


def _amounts(study: ForecastStudy) -> Iterator[Setting]:
    ascending = study.tuned["d"].unique().sort().to_list()
    for which, amounts in (("smallest", ascending), ("largest", ascending[::-1])):
        for count in HELD_AMOUNTS:
            kept = pl.col("few_shot") | pl.col("d").is_in(amounts[count:])
            text = without_amounts(count, which)
            impossible = "" if count < len(amounts) else f"there are {len(amounts)} amounts"
            yield Setting("amounts", text, study.law, kept, impossible)


def _draws(study: ForecastStudy) -> Iterator[Setting]:
    draws = study.tuned["draw"].fill_null(0).unique().sort().to_list()
    if len(draws) < 2:
        return
    for draw in draws:
        kept = pl.col("few_shot") | (pl.col("draw").fill_null(0) == draw)
        yield Setting("draws", only_draw(draw), study.law, kept)


def _checkpoints(study: ForecastStudy) -> Iterator[Setting]:
    """Vary the checkpoints; the last is the most capable, that is, the one of the lowest loss."""
    losses, loss = study.losses, pl.col("loss")
    most = LAST_CHECKPOINTS[0]

    def kept(text: str, which: pl.Expr, needed: int) -> Setting:
        impossible = "" if len(losses) >= needed else f"there are {len(losses)} checkpoints"
        return Setting("checkpoints", text, study.law, which, impossible)

    for count in LAST_CHECKPOINTS:
        yield kept(last_checkpoints(count), loss <= losses[-count:][0], count)
    last = losses[-most:]
    for name, every_other in (("even", last[1::2]), ("odd", last[::2])):
        yield kept(every_other_checkpoint(most, name), loss.is_in(every_other), most)
    for count in DROPPED_CHECKPOINTS:
        text = without_checkpoints(count)
        # prompted models as capable as those dropped go, too: they would not be there yet
        weaker = loss > losses[-count:][0]
        yield kept(text, weaker, count + 1)


def _forms(study: ForecastStudy) -> Iterator[Setting]:
    law = study.law
    changes: dict[str, dict[str, Any]] = {
        "log power law": {"shape": "log power law"},
        "power law": {"shape": "power law"},
        "without prompted models": {"delta": False},
        "with a cap": {"cap": True},
        "with a base per amount": {"floors": True},
    }
    for text, change in changes.items():
        absent = "delta" in change and not study.used["few_shot"].any()
        impossible = "no prompted model is among those used" if absent else ""
        yield Setting("form", text, replace(law, **change), pl.lit(True), impossible)


def _low_data_limits(study: ForecastStudy) -> Iterator[Setting]:
    shots = lowest_amount(study.law.d0)
    for multiple in D0_MULTIPLES:
        d0 = multiple * shots
        if d0 >= 1.0:
            text = f"D0 = {d0:g}, {_FRACTIONS.get(multiple, f'{multiple:g}')} × the shots"
            yield Setting("d0", text, replace(study.law, d0=d0), pl.lit(True))
