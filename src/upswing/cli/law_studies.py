"""What the commands of ``upswing law`` share: reading tables, and the law of a study."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from upswing.cli.output import working

if TYPE_CHECKING:
    import polars as pl

    from upswing.forecast.finetuning.emergence_law import EmergenceLaw
    from upswing.notes import Note
    from upswing.tables.bundle import Tables

_Flag = Parameter(negative=())
_QUANTILES = ("q05", "q10", "q25", "q50", "q75", "q90", "q95")
_NATS = frozenset(
    (
        *("elbow", "mle", "mean", *_QUANTILES, "truth", "truth_q05", "truth_q95", "best_loss"),
        *("error", "absolute_error", "gap", "best_still_random_error", "smallest_amount_error"),
        *("reliable_gap", "furthest_gap", "median_absolute_error", "largest_absolute_error"),
    )
)


@Parameter(name="*")
@dataclass(frozen=True)
class StudyOptions:
    """Which forecasts are studied.

    Attributes
    ----------
    d0
        Solved examples in the prompt, for which the law is extrapolated.
    task
        Which task, where the table has several.
    metric
        Which metric.
    family
        Which family of models.
    method
        Which method of finetuning [default: full, where there are several].
    truth
        The true elbow [nats/token], where the prompted models in the table do not tell it.
    other_truths
        True elbows of other tasks, for a baseline.
    intervals
        hierarchical: subsets of examples differ in luck; iid: scores are independent, which is
        quicker; bootstrap.
    before
        Use models with a loss above this [nats/token] [default: above the truth].
    cap
        Scores end at a cap [default: where the scores call for one].
    floors
        Every amount of data has a base of its own [default: where the scores call for it].
    power_law
        The elbow is a power law of the amount of data, not of its logarithm.
    irreducible
        Irreducible loss of the corpus [nats/token]; no elbow is below it.
    resamples
        Of a bootstrap.
    seed
        Of a bootstrap.
    strict
        Exit with 2 on warnings.
    """

    d0: float = 5
    task: str | None = None
    metric: str | None = None
    family: str | None = None
    method: str | None = None
    truth: float | None = None
    other_truths: Annotated[list[float], Parameter(consume_multiple=True, negative=())] = field(
        default_factory=list
    )
    intervals: Literal["hierarchical", "bootstrap", "iid"] = "hierarchical"
    before: float | None = None
    cap: Annotated[bool | None, Parameter(negative="--no-cap")] = None
    floors: Annotated[bool | None, Parameter(negative="--no-floors")] = None
    power_law: Annotated[bool, _Flag] = False
    irreducible: float = 0.0
    resamples: int = 1000
    seed: int = 0
    strict: Annotated[bool, _Flag] = False

    def law(self) -> EmergenceLaw:
        """Return the law that is studied."""
        from upswing.forecast.finetuning.emergence_law import EmergenceLaw

        return EmergenceLaw(
            d0=self.d0,
            intervals=self.intervals,
            seed=self.seed,
            resamples=self.resamples,
            shape="power law" if self.power_law else "log power law",
            cap=self.cap,
            floors=self.floors,
            irreducible=self.irreducible,
            before=self.before,
        )

    def arguments(self) -> dict[str, Any]:
        """Return what to take from the table, and its truth, as arguments of a study."""
        names = ("task", "metric", "family", "method", "truth", "other_truths")
        return {name: getattr(self, name) for name in names}


def to_thousandths(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows with losses as a terminal shows them: three digits of 1.95 hide what matters.

    >>> to_thousandths([{"elbow": 1.95432, "alpha": 1.95432, "q05": None}])
    [{'elbow': '1.954', 'alpha': 1.95432, 'q05': None}]
    """
    return [
        {
            name: f"{value:.3f}" if name in _NATS and isinstance(value, float) else value
            for name, value in row.items()
        }
        for row in rows
    ]


def read_finetuned(path: str) -> tuple[pl.DataFrame | Tables, tuple[Note, ...]]:
    """Read a table of finetuned models, or anything that Upswing reads."""
    from upswing.forecast.finetuning.table import read_finetuned

    with working("Reading"):
        return read_finetuned(path)
