"""Easy and hard questions in words: sentences on a task, and the rows of the table."""

from __future__ import annotations

from typing import Any

from upswing.charts.names import shown
from upswing.difficulty.groups.groups import to_flops
from upswing.difficulty.onset.soar_onset import LEVEL, TurningPoint
from upswing.difficulty.shapes.task_shapes import LEAST_MODELS
from upswing.report.difficulty_movement import Opposite
from upswing.report.difficulty_tasks import (
    MOST_MODELS,
    Difficulty,
    DifficultyTask,
    is_bent,
    turns_beyond_sorting,
)
from upswing.report.numbers import NOTHING, p_value, short_scale, significant, whole

Row = dict[str, Any]

DIRECTIONS = {
    "flat": "has no sure shape",
    "rising": "rises",
    "falling": "falls",
    "u-shaped": "falls and then rises",
    "inverted-u": "rises and then falls",
    "u-then-rise": "falls and then rises above its start",
    "inverted-u-then-rise": "rises, falls and rises again",
}
"""What a group does, by its shape."""

_PARTS = {2: "half", 3: "third", 4: "quarter", 5: "fifth", 10: "tenth"}
_SCORES = {
    "acc": "accuracy",
    "tc_brier": "− TC Brier score",
    "tc_brier_undistributed": "− TC Brier score, not redistributed",
}


def counts_sentence(found: Difficulty) -> str:
    """Return how many tasks have a turn beyond sorting."""
    total = len(found.tasks)
    compared = [task for task in found.tasks if task.null is not None]
    bent = sum(any(is_bent(shape) for shape in task.ends["shape"]) for task in found.tasks)
    beyond = sum(turns_beyond_sorting(task) for task in compared)
    tasks = "1 task has" if total == 1 else f"{total} tasks have"
    first = f"{tasks} questions that can be sorted from easy to hard."
    if all(task.turn is None for task in found.tasks):
        return f"{first} Too few models have a known compute to test their shapes."
    if not bent:
        return f"{first} The easiest or the hardest questions surely turn in none of them."
    turn = f" In {bent} the easiest or the hardest questions surely turn"
    if not compared:
        return f"{first}{turn}."
    return (
        f"{first}{turn}; of {len(compared)} compared with worlds without ability, {beyond} "
        f"{'turns' if beyond == 1 else 'turn'} more than sorting alone explains."
    )


def task_sentences(task: DifficultyTask) -> list[str]:
    """Return what is known of one task: shapes, whether easy and hard cancel, and the turn."""
    if task.turn is None:
        models = len(task.tested.models)
        many = models > MOST_MODELS
        return [
            f"{whole(models)} points: too {'many' if many else 'few'} to test a shape "
            f"({LEAST_MODELS} to {MOST_MODELS})."
        ]
    part = part_name(task)
    easy, hard = task.ends.iter_rows(named=True)
    sentences = [
        f"The easiest {part} {_shape_words(easy)}.",
        f"The hardest {part} {_shape_words(hard)}.",
        _opposite_words(task.opposite, part),
        _turn_words(task.turn, task.clusters, easy["shape"], part),
    ]
    return [sentence for sentence in sentences if sentence]


def part_name(task: DifficultyTask) -> str:
    """Return what one of the tested groups is called: third, tenth, …"""
    count = task.tested.count
    return _PARTS.get(count, f"of {count} groups")


def score_name(task: DifficultyTask) -> str:
    """Return the score in words."""
    return _SCORES.get(task.tested.metric, task.tested.metric)


def _shape_words(row: Row) -> str:
    p = p_value(row["p_value"])
    if row["shape"] == "flat":
        return f"{DIRECTIONS['flat']} (smallest p {_equals(p)})"
    words = f"{DIRECTIONS[row['shape']]} (p {_equals(p)})"
    null = row["p_value_null_holm"]
    if null is None:
        return words
    if row["beyond_sorting"]:
        return f"{words}, more than sorting alone makes (corrected p {_equals(p_value(null))})"
    return f"{words}, but sorting alone makes as much (corrected p {_equals(p_value(null))})"


def _opposite_words(found: Opposite | None, part: str) -> str:
    if found is None:
        return f"The easiest and the hardest {part} nowhere surely go opposite ways."
    low, high = (short_scale(float(to_flops(x)), "flops") for x in (found.low, found.high))
    verdict = "they cancel" if found.cancels else "they cancel in part"
    return (
        f"From {low} to {high} FLOP the easiest {part} changes by {_signed(found.easy)} and the "
        f"hardest by {_signed(found.hard)}, all questions together by {_signed(found.whole)}: "
        f"{verdict}."
    )


def _turn_words(turn: TurningPoint, clusters: str, shape: str, part: str) -> str:
    if turn.place.x is not None and turn.status in ("turned", "undecided"):
        ends = [
            None if x is None else short_scale(float(to_flops(x)), "flops")
            for x in (turn.place.low, turn.place.high)
        ]
        where = short_scale(float(to_flops(turn.place.x)), "flops")
        interval = f"{ends[0]} to {ends[1] or 'beyond the data'}"
        if turn.status == "turned":
            return (
                f"The easiest {part} turns from falling to rising at {where} FLOP "
                f"({100 * LEVEL:.0f} % interval {interval})."
            )
        return (
            f"The easiest {part} may turn from falling to rising at {where} FLOP, but only "
            f"{100 * turn.share:.0f} % of bootstrap draws over {clusters} turn "
            f"({100 * LEVEL:.0f} % interval {interval})."
        )
    if turn.status == "not yet" and shape in ("falling", "inverted-u"):
        return f"The easiest {part} still falls at the largest model."
    return ""


def task_labels(task: DifficultyTask) -> Row:
    """Return what was asked, and in which way."""
    what = task.setting
    shots = None if what.n_shot is None else f"{what.n_shot}-shot"
    setting = [shots, what.elicitation, None if what.filter == "none" else what.filter]
    if what.kind == "answers":
        setting.append("right or wrong")
    if what.kind == "groups":
        setting.append("groups from a table")
    return {
        "task": shown(what.task, 60),
        "title": shown(what.task, 300),
        "setting": " · ".join(shown(part, 40) for part in setting if part),
    }


def shape_rows(found: Difficulty) -> list[Row]:
    """Return one row of text per tested group, from easy to hard."""
    return [
        _row(task, row)
        for task in found.tasks
        for row in task.shapes.sort("easiness_rank").iter_rows(named=True)
    ]


def _row(task: DifficultyTask, row: Row) -> Row:
    count = task.tested.count
    ends = {1: "easiest", count: "hardest"}
    turns = row["turns"] or ()
    return {
        **task_labels(task),
        "group": ends.get(row["easiness_rank"], f"{row['easiness_rank']} of {count}"),
        "rank": row["easiness_rank"],
        "questions": whole(row["n"]),
        "questions_sort": row["n"],
        "models": len(task.tested.models),
        "score": shown(score_name(task), 40),
        "change": f"{_short(row['score_first'])} → {_short(row['score_last'])}",
        "change_sort": row["score_last"] - row["score_first"],
        "shape": row["shape"] or "not tested",
        "p": p_value(row["p_value"]),
        "p_sort": row["p_value"],
        "p_null": p_value(row["p_value_null"]),
        "p_null_sort": row["p_value_null"],
        "p_holm": p_value(row["p_value_null_holm"]),
        "p_holm_sort": row["p_value_null_holm"],
        "turns": ", ".join(short_scale(float(to_flops(x)), "flops") for x in turns) or NOTHING,
        "turns_sort": turns[0] if turns else None,
    }


def _short(value: float) -> str:
    """Return a score with three decimals.

    >>> _short(-0.43382), _short(-1e-15)
    ('−0.434', '0.000')
    """
    return f"{round(value, 3) + 0.0:.3f}".replace("-", "−")


def _signed(value: float) -> str:
    text = significant(abs(value), 2)
    return f"−{text}" if value < 0 else f"+{text}"


def _equals(p: str) -> str:
    return p.replace("<", "< ") if p.startswith("<") else f"= {p}"
