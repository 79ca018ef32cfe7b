"""The jumps of a detection, each with the continuous metric that was laid beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import polars as pl

from upswing.findings.finding import Detection, Finding
from upswing.metrics.registry import known_metric
from upswing.mirage.alternative import Alternative, Outcome
from upswing.mirage.intervention import PAIRS, Pair, pair_table
from upswing.mirage.pair_points import pair_points
from upswing.mirage.progress import is_continuous

Row = dict[str, Any]
Place = Literal[
    "metric",
    "continuous too",
    "left open",
    "test set",
    "untested",
    "continuous itself",
    "not significant",
]

PLACES: tuple[Place, ...] = get_args(Place)
"""Where a jump is, the most telling first: in the metric; in a continuous metric of the same
outputs too; compared with one that leaves it open; in a test set that is too small; compared with
none; under a metric that is continuous, but not linear; or no longer there once corrected over
tasks."""

MOST_DRAWN = 6
"""Pairs that are drawn; the tables hold all of them."""

PAIR_TABLES = ("metric_pairs", "metric_pair_points")
"""Names of the tables behind the section: one row per jump that was compared, and the points of
both curves."""

_BY_OUTCOME: dict[Outcome, Place] = {
    "earlier": "metric",
    "sharp": "continuous too",
    "same place": "continuous too",
    "unclear": "left open",
    "not compared": "untested",
}
_NAMED = ("emergent", "metric artifact", "under-resolved")


@dataclass(frozen=True, eq=False)
class Jump:
    """A curve that jumps, or looks as if it did.

    Attributes
    ----------
    finding
        Its finding.
    row
        The finding as a row of the table of findings.
    place
        Where the jump is, see :data:`PLACES`.
    pair
        Its row in the table of pairs; None where it was compared with nothing.
    """

    finding: Finding
    row: Row
    place: Place
    pair: int | None


@dataclass(frozen=True, eq=False)
class Jumps:
    """All jumps of a detection.

    Attributes
    ----------
    jumps
        In the order of :data:`PLACES`, then by task.
    pairs
        Of those that were compared: the columns are ``pair``, ``verdict``, ``cause`` and those of
        :data:`upswing.mirage.intervention.PAIRS`.
    points
        :func:`upswing.mirage.pair_points.pair_points` of them.
    """

    jumps: tuple[Jump, ...]
    pairs: pl.DataFrame
    points: pl.DataFrame

    def pair_row(self, jump: Jump) -> Row | None:
        """Return the row of a jump in the table of pairs."""
        return None if jump.pair is None else self.pairs.row(jump.pair, named=True)


def mirage_jumps(detection: Detection) -> Jumps | None:
    """Return the jumps of a detection; None where nothing jumps.

    A curve counts where it is sharp, is called emergent or an artifact, or is under-resolved and
    looks infinitely sharp.
    """
    chosen = [
        (finding, row, _place(finding))
        for finding in detection
        if _looks_like_a_jump(row := finding.to_dict())
    ]
    if not chosen:
        return None
    chosen.sort(key=lambda one: (PLACES.index(one[2]), *_labels(one[1])))
    jumps: list[Jump] = []
    pairs: list[Pair] = []
    onsets: list[tuple[float, float] | None] = []
    for finding, row, place in chosen:
        pair = _pair(finding)
        jumps.append(Jump(finding, row, place, None if pair is None else len(pairs)))
        if pair is not None:
            pairs.append(pair)
            onsets.append(_ends(finding))
    numbers = pl.DataFrame(
        [(j.pair, j.row["verdict"], j.row["cause"]) for j in jumps if j.pair is not None],
        schema={"pair": pl.Int64, "verdict": pl.String, "cause": pl.String},
        orient="row",
    )
    table = pair_table(pairs) if pairs else pl.DataFrame(schema=PAIRS)
    return Jumps(
        tuple(jumps), pl.concat([numbers, table], how="horizontal"), pair_points(pairs, onsets)
    )


def pair_tables(found: Jumps | None) -> dict[str, pl.DataFrame | None]:
    """Return the tables behind the section, see :data:`PAIR_TABLES`."""
    frames = (None, None) if found is None else (found.pairs, found.points)
    return dict(zip(PAIR_TABLES, frames, strict=True))


def drawn_jumps(found: Jumps) -> list[Jump]:
    """Return the pairs that are drawn: of every place some, of the first ones the most.

    Places take turns, so that many artifacts do not hide the real jumps. In each, tasks take turns,
    and the jumps that are surest come first.
    """
    queues = []
    for place in PLACES:
        own = [jump for jump in found.jumps if jump.place == place and jump.pair is not None]
        queues.append(_tasks_take_turns(sorted(own, key=lambda jump: -_sureness(found, jump))))
    turns = [(turn, number, jump) for number, queue in enumerate(queues) for turn, jump in queue]
    kept = sorted(turns, key=lambda one: one[:2])[:MOST_DRAWN]
    return [jump for _, _, jump in sorted(kept, key=lambda one: (one[1], one[0]))]


def _tasks_take_turns(jumps: Iterable[Jump]) -> list[tuple[int, Jump]]:
    """Number jumps such that a task's second one comes after the first of every other task."""
    seen: Counter[str] = Counter()
    rounds = []
    for jump in jumps:
        rounds.append((seen[jump.row["task"]], jump))
        seen[jump.row["task"]] += 1
    rounds.sort(key=lambda one: one[0])
    return [(turn, jump) for turn, (_, jump) in enumerate(rounds)]


def _sureness(found: Jumps, jump: Jump) -> float:
    """Return how clear a jump is: an artifact's surest share, else the other's largest step."""
    row = found.pair_row(jump)
    value = None
    if row is not None:
        value = row["rise_before_low"] if jump.place == "metric" else row["other_largest_step"]
    return -1.0 if value is None else float(value)


def _looks_like_a_jump(row: Row) -> bool:
    if row["shape"] == "sharp" or row["verdict"] in ("emergent", "metric artifact"):
        return True
    return bool(row["verdict"] == "under-resolved" and row["emergence_score_status"] == "+inf")


def _place(finding: Finding) -> Place:
    verdict = finding.verdict
    if verdict.cause == "resolution":
        return "test set"
    if verdict.word not in _NAMED:
        return "not significant"
    if verdict.cause == "ability":
        return "continuous too"
    if is_continuous(finding.curve.metric):
        return "continuous itself"
    return _BY_OUTCOME[finding.comparison.outcome]


def _pair(finding: Finding) -> Pair | None:
    """Return a jump and the metric that decides; what is known of the curve is not fitted again."""
    other = finding.comparison.deciding
    if other is None:
        return None
    evidence, metric = finding.evidence, finding.curve.metric
    known = known_metric(metric)
    shape_class = None if known is None else known.shape
    own = Alternative(
        finding.curve, shape_class, is_continuous(metric), evidence.score, evidence.sharpness
    )
    return Pair(own, other)


def _ends(finding: Finding) -> tuple[float, float] | None:
    """Return the last scale before the onset and the onset."""
    onset, x = finding.evidence.onset, finding.curve.x
    return None if not onset else (float(x[onset - 1]), float(x[onset]))


def _labels(row: Row) -> tuple[str, str, str, int, str]:
    shots = -1 if row["n_shot"] is None else row["n_shot"]
    return (row["task"], row["model"] or "", row["family"], shots, row["metric"])
