"""What a forecast from finetuned models says, in words a reader needs no paper for."""

from __future__ import annotations

from typing import Any

import polars as pl

from upswing.charts.emergence_marks import amount, nats
from upswing.charts.names import shown, without_owner
from upswing.report.emergence_law_cases import EmergenceCase
from upswing.report.numbers import NOTHING, whole

Row = dict[str, Any]

SIGNS = {"forecast": ("◎", "forecast"), "beyond reach": ("⊘", "beyond reach"),
         "refused": ("–", "no forecast")}  # fmt: skip
"""Sign and word of each status."""

EASY = 0.05
"""A truth that is less than this past the best model used is an easy one [nats/token]."""

_NEXT = {
    "amounts-silent": "Amounts of data that emerge on no model used only bound the law. Finetune "
    "stronger models on them, or use amounts in between.",
    "exponent-open": "Add smaller amounts of data that still emerge, closer to the few examples of "
    "a prompt: they decide how far the law goes.",
    "single-draw": "Draw every amount of examples again, at least once: luck of the draw is the "
    "largest error that a single draw hides.",
    "draws-missing": "Say which draw of the examples each model saw.",
    "n-missing": "Add the number of questions, so that their noise is known.",
    "sizes-differ": "Forecast one size of models at a time: here loss is not all that matters.",
    "loss-rises": "Check that every loss belongs to its checkpoint.",
    "emerged-already": "Leave out models that have emerged, by a limit on the loss.",
}
"""What to do about a note."""


def card_text(case: EmergenceCase) -> Row:
    """Return the words of one card."""
    sign, word = SIGNS[case.status]
    return {
        "task": shown(case.task, 60),
        "title": shown(case.task, 300),
        "who": shown(without_owner(case.family), 40) or "(no name)",
        "status": case.status.replace(" ", "-"),
        "sign": sign,
        "word": word,
        "sentences": [said for said in (_said(case), _measured(case), _seen(case)) if said],
        "facts": _facts(case),
        "rows": baseline_rows(case),
        "gap": _gap(case) is not None,
        "known": case.forecast is not None and case.forecast.truth["elbow"] is not None,
        "warnings": _notes(case, "warning"),
        "infos": _notes(case, "info"),
        "next": next_steps(case),
    }


def headline(case: EmergenceCase) -> str:
    """Return the forecast in a few words, for a list.

    The forecast is the median of its distribution, or the most likely elbow without one.
    """
    value = _middle(case)
    if case.status != "forecast" or case.forecast is None or value is None:
        return SIGNS[case.status][1]
    low, high = case.forecast.elbow["q05"], case.forecast.elbow["q95"]
    if low is None or high is None:
        return f"{nats(value)} nats/token"
    return (
        f"{nats(value, low, high)} nats/token ({nats(low, low, high)} to {nats(high, low, high)})"
    )


def _middle(case: EmergenceCase) -> float | None:
    if case.forecast is None:
        return None
    elbow = case.forecast.elbow
    return elbow["mle"] if elbow["q50"] is None else elbow["q50"]


def _prompted(case: EmergenceCase) -> str:
    if case.law.d0 == 0:
        return "Models that are only asked, without solved examples,"
    count = f"{case.law.d0:g} solved example" + ("" if case.law.d0 == 1 else "s")
    return f"Models prompted with {count}"


def _said(case: EmergenceCase) -> str:
    """Return the forecast as a sentence."""
    forecast, value = case.forecast, _middle(case)
    if case.status == "refused" or forecast is None or value is None:
        return f"No forecast: {shown(case.reason, 400).rstrip('.')}."
    if case.status == "beyond reach":
        below = forecast.p_beyond_reach
        share = "" if below is None else f" (probability {below:.0%})"
        return (
            f"{_prompted(case)} are not forecast to leave chance at any loss that a model can "
            f"reach: the elbow is more likely than not{share} at or below "
            f"{case.law.irreducible:g} nats/token."
        )
    said = f"{_prompted(case)} are forecast to leave chance at a pretraining loss of"
    ends = forecast.elbow["q05"], forecast.elbow["q95"]
    if ends[0] is None or ends[1] is None:
        return f"{said} {nats(value)} nats/token."
    low, high = (nats(end, ends[0], ends[1]) for end in ends)
    return f"{said} {nats(value, *ends)} nats/token (90 % interval {low} to {high})."


def _measured(case: EmergenceCase) -> str:
    """Return how the forecast compares with what was measured."""
    if case.forecast is None or case.forecast.truth["elbow"] is None:
        return ""
    truth = case.forecast.truth
    ends = truth["q05"], truth["q95"]
    at = f"{nats(truth['elbow'], *ends)} nats/token"
    if None not in ends:
        at += f" ({nats(ends[0], *ends)} to {nats(ends[1], *ends)})"
    value = _middle(case)
    if case.status == "refused" or value is None:
        return f"Prompted models were measured to leave chance at {at}."
    if case.status == "beyond reach":
        return f"The forecast is wrong: they were measured to leave chance at {at}."
    told = f"They were measured to do so at {at}: the forecast is "
    told += f"{abs(value - truth['elbow']):.2g} nats/token off"
    if truth["inside_90"] is None:
        return f"{told}."
    where = "inside" if truth["inside_90"] else "outside"
    return f"{told}, and the measured elbow is {where} its interval."


def _seen(case: EmergenceCase) -> str:
    """Return which models the forecast was made from."""
    if case.table is None:
        return ""
    if not case.checked:
        if case.status == "refused":
            return ""
        return (
            "No prompted model has clearly left chance yet, so all models were used and only "
            "better ones can check this."
        )
    end = "the forecast can" if case.status != "refused" else "a forecast could"
    said = (
        f"Only models with a loss above {nats(case.law.before)}, before that elbow, were used, so "
        f"that {end} be checked."
    )
    gap = None if case.forecast is None else case.forecast.truth["gap"]
    if case.status != "refused" and gap is not None and gap < EASY:
        far = f"only {gap:.2g}" if gap >= 0.001 else "less than 0.001"
        said += f" The elbow is {far} nats/token past the best of them: an easy test."
    return said


def _gap(case: EmergenceCase) -> float | None:
    rows = [] if case.forecast is None else case.forecast.baselines
    known = [row["relative_error"] for row in rows if row.get("relative_error") is not None]
    return known[0] if known else None


def _facts(case: EmergenceCase) -> list[tuple[str, str]]:
    """Return names and values of what the forecast rests on."""
    others = ", ".join(shown(name, 30) for name in case.other_metrics)
    facts = [("Metric", shown(case.metric, 40) + (f" (not: {others})" if others else ""))]
    if case.figures is None:
        return facts
    means, runs = case.figures.means, case.figures.runs
    tuned = means.filter(~pl.col("few_shot"))
    points = tuned.group_by("model", "revision", "loss").agg(pl.col("used").any())
    held = len(points) - int(points["used"].sum())
    facts.append(
        ("Checkpoints", f"{len(points) - held} used" + (f", {held} held out" if held else ""))
    )
    amounts = tuned["d"].unique().sort().to_list()
    facts.append(("Examples", ", ".join(amount({"d": d}) for d in amounts)))
    own = runs.filter(~pl.col("few_shot") & pl.col("used"))
    draws = own.group_by("d").agg(pl.col("draw").n_unique())["draw"]
    facts.append(
        ("Finetuned models used", f"{len(own)}, on up to {_most(draws)} draws of examples")
    )
    questions = runs["n"].drop_nulls().unique().sort()
    if len(questions):
        ends = dict.fromkeys((whole(questions[0]), whole(questions[-1])))
        facts.append(("Questions", " to ".join(ends)))
    shots = f"{case.law.d0:g}" + ("" if case.shots_known else ", assumed")
    facts.append(("Solved examples in the prompt, D₀", shots))
    forecast = case.forecast
    lead = None if forecast is None else forecast.truth["lead_flops"]
    if lead is not None and case.checked and case.status != "refused":
        facts.append(
            ("Lead in compute", f"{lead:.2g}× (first model past the elbow ÷ largest used)")
        )
    return facts


def _most(counts: pl.Series) -> int:
    return max((int(count) for count in counts.to_list()), default=0)


def baseline_rows(case: EmergenceCase) -> list[Row]:
    """Return the table of forecasts: the law's, and those that cost nothing."""
    if case.forecast is None or case.status == "refused":
        return []
    rows = []
    for row in case.forecast.baselines:
        error, relative = row.get("error"), row.get("relative_error")
        within = row.get("within_criterion")
        rows.append(
            {
                "name": row["forecast"],
                "own": row["forecast"].startswith("emergence law"),
                "elbow": nats(row["elbow"]) if row["elbow"] > 0 else "beyond reach",
                "error": NOTHING if error is None else f"{error:+.3f}".replace("-", "−"),
                "within": NOTHING if within is None else "yes" if within else "no",
                "relative": NOTHING if relative is None else f"{relative:.2g}×",
            }
        )
    return rows


def _notes(case: EmergenceCase, severity: str) -> list[str]:
    notes = () if case.forecast is None else case.forecast.notes
    if case.table is not None and case.forecast is None:
        notes = case.table.notes
    return [shown(note.message, 600) for note in notes if note.severity == severity]


def next_steps(case: EmergenceCase) -> list[str]:
    """Return what would make the forecast possible, or better."""
    notes = () if case.forecast is None else case.forecast.notes
    steps = [_NEXT[note.code] for note in notes if note.code in _NEXT]
    if case.status == "refused" and case.table is not None:
        steps.insert(
            0,
            "Finetune checkpoints of more losses, weak ones too, on two or more amounts of data "
            "of which the largest lift some model off chance: the law needs to see the base, and "
            "elbows that move.",
        )
    if case.status == "beyond reach":
        steps.append(
            "Do not read this as never: where finetuned models learn the task from the examples "
            "alone, or sizes differ at equal loss, the law does not hold."
        )
    if case.status == "forecast" and not case.checked:
        steps.append(
            "Write the forecast down now, with its interval, and check it on the next model."
        )
    return list(dict.fromkeys(steps))
