"""The numbers behind a verdict, in the order and in the words in which a reader meets them."""

from __future__ import annotations

from typing import NamedTuple


class EvidenceText(NamedTuple):
    """A column of the findings, its label and what it means."""

    column: str
    label: str
    meaning: str


EVIDENCE = (
    EvidenceText("verdict", "verdict", "the first row of the precedence table that applies"),
    EvidenceText("reason", "reason", "that row in words"),
    EvidenceText("shape", "shape", "what the curve looks like"),
    EvidenceText("cause", "cause", "ability, metric, resolution, or not known"),
    EvidenceText("n_scales", "scales", "points of the curve"),
    EvidenceText("n", "questions", "fewest behind any point"),
    EvidenceText("n_source", "source of n", "where the number of questions comes from"),
    EvidenceText("chance", "chance", "score of a model that knows nothing"),
    EvidenceText("chance_source", "source of chance", "where the chance level comes from"),
    EvidenceText("delta", "δ", "smallest gain over chance that counts"),
    EvidenceText("detectable_gain", "detectable gain", "found with power 0.8 at this n"),
    EvidenceText("value_first", "first score", "at the smallest scale"),
    EvidenceText("value_last", "last score", "at the largest scale"),
    EvidenceText("onset", "onset", "scale from which on all scores exceed chance + δ"),
    EvidenceText("onset_model", "model at the onset", ""),
    EvidenceText("onset_low", "onset, low end", "95 %, over questions; empty if open"),
    EvidenceText("onset_high", "onset, high end", "95 %, over questions; empty if open"),
    EvidenceText("onset_models_low", "onset over models, low end", "bootstrap over models"),
    EvidenceText("onset_models_high", "onset over models, high end", "bootstrap over models"),
    EvidenceText(
        "p_at_chance", "p at chance", "that the scales before the onset are not at chance"
    ),
    EvidenceText(
        "p_chance", "p chance", "that the score at the onset is at most chance + δ (Holm)"
    ),
    EvidenceText("p_smooth", "p smooth", "that a smooth curve gives so sharp a rise (bootstrap)"),
    EvidenceText("p_test_size", "p test size", "that a smooth curve looks this way at this n"),
    EvidenceText("p_verdict", "p verdict", "the larger of p chance and p smooth"),
    EvidenceText("q_value", "q", "p verdict corrected over tasks (Benjamini–Hochberg)"),
    EvidenceText("p_turn", "p turn", "that the whole curve is neither a U nor an inverted U"),
    EvidenceText("p_up", "p up", "that there is no upward trend"),
    EvidenceText("p_down", "p down", "that there is no downward trend"),
    EvidenceText("monotonicity", "Kendall’s τ", "of score and scale"),
    EvidenceText("sharpness", "sharpness", "log₁₀ units of scale from 10 % to 90 % of the rise"),
    EvidenceText("emergence_score", "emergence score", "range over typical step; see Methods"),
    EvidenceText("emergence_score_status", "its status", "finite, infinite, flat or too few"),
    EvidenceText("between_model_sd", "between-model sd", "beyond questions, on the logit scale"),
    EvidenceText("form", "best form", "the drawn curve"),
    EvidenceText(
        "exponent_needed", "exponent needed", "of a p^L curve across the jump, per ln of scale"
    ),
    EvidenceText("exponent_needed_low", "exponent needed, low end", "95 %, over questions"),
    EvidenceText("exponent_needed_high", "exponent needed, high end", "95 %, over questions"),
    EvidenceText("exponent_needed_status", "its status", "finite, infinite, or why there is none"),
    EvidenceText("exponent_before", "exponent before", "of a p^L curve up to the jump"),
    EvidenceText(
        "questions_needed", "questions needed", "to see the best smooth curve before the jump"
    ),
    EvidenceText(
        "continuous_metric", "continuous metric", "of the same outputs, the one that decides"
    ),
    EvidenceText("continuous_outcome", "what it says", "earlier, sharp, same place or unclear"),
    EvidenceText("rise_before_onset", "its rise before the onset", "share of its whole rise"),
    EvidenceText("rise_before_low", "that share, low end", "95 %, questions and models"),
    EvidenceText("rise_before_high", "that share, high end", "95 %, questions and models"),
    EvidenceText("published_category", "published rule", "category under Wei et al.’s rule"),
)
